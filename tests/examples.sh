#!/bin/bash
# SPDX-License-Identifier: MIT
# What others copy from works where it has been copied to: each example compiles by the command in its first lines,
# against what `make install` installs; and the desktop app is installed with all that a desktop looks for.
set -u

# shellcheck source=tests/tap-fixture.sh
. "$(dirname "$0")/tap-fixture.sh"

src=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
build=${top_builddir:-$PWD}

# The variables of the make that runs this test are not for the one that installs.
installs() {
    env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -C "$build" install DESTDIR="$tmp/root"
}

# A sysroot would be one for GLib, too; so the files are told where they have been installed.
finds_what_is_installed() {
    local pc
    mkdir "$tmp/pkgconfig"
    while read -r pc; do
        sed "s|^prefix=|&$tmp/root|" "$pc" >"$tmp/pkgconfig/${pc##*/}"
    done < <(find "$tmp/root" -name '*.pc')
    PKG_CONFIG_PATH=$tmp/pkgconfig pkg-config --print-errors --exists ipcbus
}

# cc is whichever compiler the tests are told to use.
compiles() {
    local command
    command=$(sed -n "s|.*\(cc $1\.c [^)]*)\).*|\1|p" "$src/client/examples/$1.c")
    [[ -n $command ]] || { echo "$1.c does not say how to compile it"; return 1; }
    cp "$src/client/examples/$1.c" "$tmp" && cd "$tmp" && eval "${CC:-cc} -Wall -Wextra -Werror -o $1 ${command#cc}"
}

# A word of the desktop entry.
entry() {
    sed -n "s/^$1=//p" "$desktop"
}

is_on_the_desktop() {
    local desktop share icons
    desktop=$(find "$tmp/root" -name org.ipcbus.Notes.desktop)
    share=${desktop%/applications/*}
    icons=$share/icons/hicolor
    find "$tmp/root" -type f && [[ -x $(find "$tmp/root" -name "$(entry Exec)") ]] && [[ $(entry Type) == Application ]] &&
        [[ -s $icons/scalable/apps/$(entry Icon).svg && -s $icons/symbolic/apps/$(entry Icon)-symbolic.svg ]]
}

test_case "make install" installs
test_case "pkg-config finds it" finds_what_is_installed
export PKG_CONFIG_PATH=$tmp/pkgconfig
examples=(loop-epoll loop-poll loop-sd-event ports-main ports-renderer)
[[ ! -e $tmp/pkgconfig/ipcbus-glib.pc ]] || examples+=(loop-glib)
for example in "${examples[@]}"; do
    test_case "$example.c compiles by its own command" compiles "$example"
done
if [[ -x $build/client/examples/notes-app/ipcbus-notes ]]; then
    test_case "the desktop finds the app, its name and its icons" is_on_the_desktop
else
    skip_case "the desktop finds the app, its name and its icons" "missing: GTK"
fi
finish
