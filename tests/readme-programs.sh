#!/bin/bash
# SPDX-License-Identifier: MIT
# The programs of README.md compile as printed against what `make install` installs, and say what is printed there.
# In README.md, the last line before a program names its file: `main.c`. Commands are in ```sh blocks, what the
# renderer prints is in the first ```text block after renderer.c.
set -u

# shellcheck source=tests/daemon-fixture.sh
. "$(dirname "$0")/daemon-fixture.sh"

lines_max=25

# One file for each program, expected for what the renderer prints, compile for the commands of the compiler.
extract() {
    awk -v tmp="$tmp" '
        /^```/ && inside { inside = 0; next }
        /^```c$/ && name != "" { inside = 1; out = tmp "/" name; next }
        /^```sh$/ { inside = 1; out = tmp "/commands"; next }
        /^```text$/ && last == "renderer.c" && !expected { inside = expected = 1; out = tmp "/expected"; next }
        /^```/ { inside = 1; out = ""; next }
        inside { if (out != "") print > out; next }
        match($0, /`[a-z]+\.c`/) { name = last = substr($0, RSTART + 1, RLENGTH - 2); next }
        /[^ ]/ { name = "" }' "$src/README.md"
    grep '^\(cc\|gcc\) ' "$tmp/commands" >"$tmp/compile"
}

# The variables of the make that runs this test are not for the one that installs.
install() {
    env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -C "$build" install DESTDIR="$tmp/root"
}

is_short() {
    test -s "$1" && test "$(wc -l <"$1")" -lt "$lines_max"
}

# Just what is printed, but for the place where the library has been installed.
compile() {
    command=$(grep -w "$1" "$tmp/compile") && (cd "$tmp" && eval "$command")
}

start_main() {
    "$tmp/main" >"$tmp/main.log" 2>&1 &
    main_pid=$!
    pids+=("$main_pid")
}

# The name that main owns is the first one that it prints in quotes with two dots.
name_of_main() {
    grep -o '"[A-Za-z]\+\(\.[A-Za-z]\+\)\{2,\}"' "$tmp/main.c" | head -n 1 | tr -d '"'
}

main_answers() {
    start_main && timeout 10 gdbus wait --session --timeout 10 "$(name_of_main)" || { cat "$tmp/main.log"; return 1; }
}

renderer_prints() {
    timeout 10 "$tmp/renderer" >"$tmp/printed" || return
    if [ -e "$tmp/expected" ]; then
        diff "$tmp/expected" "$tmp/printed"
    else
        test -s "$tmp/printed"
    fi
}

main_stops() {
    kill "$main_pid" && wait "$main_pid"
}

test_case "README.md has the programs" extract
test_case "make install" install
pc=$(find "$tmp/root" -name ipcbus.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR="$tmp/root"
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
for program in main renderer; do
    test_case "$program.c has less than $lines_max lines" is_short "$tmp/$program.c"
    test_case "$program.c compiles as printed" compile "$program.c"
done
start_bus "$tmp/bus"
export LD_LIBRARY_PATH DBUS_SESSION_BUS_ADDRESS=$address
test_case "main owns its name" main_answers
test_case "renderer prints what README.md says" renderer_prints
test_case "main stops when it is told to" main_stops
finish
