#!/bin/bash
# SPDX-License-Identifier: MIT
# What is installed for systemd and D-Bus, as far as it can be looked at without them.
set -u
# shellcheck source=tests/tap-fixture.sh
. "$(dirname "$0")/tap-fixture.sh"

src=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd)
build=${top_builddir:-$PWD}
stage=$tmp/stage
system_exposure=15 # ten times what systemd-analyze shows, at most
user_exposure=25

# variable NAME: as the Makefile has it.
variable() {
    env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s -C "$build" -f - print <<<"include Makefile
print:
	@echo '\$($1)'"
}

install_to_stage() {
    env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -C "$build" install DESTDIR="$stage"
}

is_installed() {
    local folder
    folder=$(variable "$1") && [[ -s $stage$folder/$2 ]] || { echo "not there: $folder/$2"; return 1; }
}

all_is_installed() {
    is_installed systemduserunitdir ipcbusd.service && is_installed systemduserunitdir ipcbusd@.service &&
        is_installed systemdsystemunitdir ipcbusd.service && is_installed sysusersdir ipcbus.conf &&
        is_installed dbussessionservicesdir org.ipcbus.Main.service &&
        is_installed dbussystemservicesdir org.ipcbus.Main.service &&
        is_installed dbussystempolicydir org.ipcbus.Main.conf
}

# Nothing is left to be filled in, and every program that is named is one that was installed.
nothing_is_open() {
    local bindir
    bindir=$(variable bindir)
    ! grep -r '@[a-z]*@' "$build"/systemd && grep -q "^ExecStart=$bindir/ipcbusd " "$build"/systemd/*/*.service &&
        [[ -x $stage$bindir/ipcbusd ]]
}

# as_built FOLDER UNIT: a copy that starts the program of the build tree, which is there.
as_built() {
    mkdir -p "$tmp/$1"
    sed "s|^ExecStart=[^ ]*|ExecStart=$build/service/ipcbusd|" "$build/systemd/$1/$2" >"$tmp/$1/$2"
}

# verify answers 0 for what it does not know, but says so.
is_sound() {
    local output
    as_built "$2" "$3" && output=$(systemd-analyze "$1" --man=no verify "$tmp/$2/${4:-$3}" 2>&1) && expect "$output" ""
}

all_are_sound() {
    is_sound --system system ipcbusd.service && is_sound --user user ipcbusd.service &&
        is_sound --user user ipcbusd@.service ipcbusd@org.example.App.service
}

# is_confined SCOPE FOLDER MOST
is_confined() {
    local output
    as_built "$2" ipcbusd.service &&
        output=$(systemd-analyze "$1" --no-pager --offline=true --threshold="$3" security "$tmp/$2/ipcbusd.service") ||
        { grep '^✗' <<<"$output"; tail -n 1 <<<"$output"; return 1; }
    echo "# the unit for $2: $(grep -o 'Overall exposure level.*' <<<"$output")" >>"$tmp/said"
}

# What a directive would do is left out for a reason, which the unit tells.
reasons_are_told() {
    local directive
    for directive in RestartMode RootDirectory; do
        grep -q "^# .*$directive=" "$src/systemd/system/ipcbusd.service.in" || { echo "system: $directive"; return 1; }
    done
    for directive in RestartMode RootDirectory ProtectHome ProtectProc ProcSubset IPAddressDeny; do
        grep -q "^# .*$directive=" "$src/systemd/user/ipcbusd.service.in" || { echo "user: $directive"; return 1; }
    done
}

# A folder of one's own is not left.
stays_below_prefix() {
    mkdir "$tmp/own" && (cd "$tmp/own" && "$src/configure" --quiet --prefix="$tmp/prefix") >"$tmp/configure.log" 2>&1 ||
        { tail "$tmp/configure.log"; return 1; }
    local folder
    for folder in systemduserunitdir systemdsystemunitdir sysusersdir dbussessionservicesdir dbussystemservicesdir \
        dbussystempolicydir; do
        expect_match "$(build=$tmp/own variable $folder)" "^$tmp/prefix/" || return
    done
}

test_case "make install" install_to_stage
test_case "everything is where it is looked for" all_is_installed
test_case "nothing is left to be filled in" nothing_is_open
test_case "systemd-analyze verify" all_are_sound
test_case "exposure of the system's unit" is_confined --system system $system_exposure
test_case "exposure of the user's unit" is_confined --user user $user_exposure
test_case "the reasons for what is left out" reasons_are_told
test_case "with a prefix of one's own" stays_below_prefix
cat "$tmp/said"
finish
