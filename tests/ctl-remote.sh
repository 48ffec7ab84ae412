#!/bin/bash
# SPDX-License-Identifier: MIT
# ipcbusctl -H and -M: another machine's bus, with a stand-in for ssh, and what is said where there is none.
set -u
# shellcheck source=tests/ctl-fixture.sh
. "$(dirname "$0")/ctl-fixture.sh"

# stand_in SCRIPT: what is called as ssh from here on. It logs its words, in a line, to $tmp/ssh.log.
stand_in() {
    mkdir -p "$tmp/bin"
    printf '#!/bin/sh\necho "$*" >>"%s"\n%s\n' "$tmp/ssh.log" "$1" >"$tmp/bin/ssh"
    chmod +x "$tmp/bin/ssh"
    : >"$tmp/ssh.log"
}

# The other side runs the words behind the host with a shell, as sshd does. Its system bus is ours.
other_side="shift 3; exec sh -c \"\$* --bus-path=\$BRIDGED\""

# remote ARG...: as ctl, without a bus here.
remote() {
    status=0
    env -u DBUS_SYSTEM_BUS_ADDRESS PATH="$tmp/bin:$PATH" BRIDGED="$address" \
        timeout "$deadline" "$ipcbusctl" "$@" >"$tmp/out" 2>"$tmp/err" || status=$?
}

# fails_remotely PATTERN ARG...: with a last line on stderr that matches; those before are of ssh.
fails_remotely() {
    local pattern=$1
    shift
    remote "$@"
    expect "$status" 1 && expect "$(<"$tmp/out")" "" &&
        expect_match "$(tail -n 1 "$tmp/err")" "^ipcbusctl: Failed to open the bus of $pattern"
}

calls_through_ssh() {
    stand_in "$other_side" && remote -H ada@far invoke echo 1 && expect "$(<"$tmp/err")" "" && expect "$(<"$tmp/out")" '[1]' &&
        expect "$(<"$tmp/ssh.log")" '-xT -- ada@far systemd-stdio-bridge' || return
    remote --host=far invoke whoami && expect_match "$(<"$tmp/out")" '"name":":1\.' &&
        expect "$(tail -n 1 "$tmp/ssh.log")" '-xT -- far systemd-stdio-bridge'
}

# Errors and exit statuses are those of the other side's app.
fails_through_ssh() {
    remote -H far invoke echo-error com.example.Error.Broken no && expect "$status" 4 || return
    remote -H far --name=com.example.None list && expect "$status" 3 &&
        expect_match "$(<"$tmp/err")" 'com\.example\.None is not running on the bus of far;'
}

# A pipe has two ends on one machine.
cannot_monitor_through_ssh() {
    remote -H far monitor && expect "$status" 1 && expect "$(<"$tmp/out")" "" &&
        expect_match "$(<"$tmp/err")" 'passes no file descriptors on.*run the command there' || return
    remote -H far --json=short top && expect_match "$(<"$tmp/out")" '"channel":"","calls":'
}

has_the_renderer() {
    "$ipcbusctl" --address="$address" list | grep -q 'ipcbusctl listen'
}

listens_through_ssh() {
    local listener
    rm -f "$tmp/heard"
    PATH="$tmp/bin:$PATH" BRIDGED="$address" "$ipcbusctl" -H far listen echo-broadcast >"$tmp/heard" 2>"$tmp/heard.err" &
    listener=$!
    pids+=("$listener")
    until_true has_the_renderer && ctl send echo-broadcast hello && until_true grep -q hello "$tmp/heard" &&
        kill "$listener" && wait "$listener" && expect "$(<"$tmp/heard.err")" ""
}

measures_through_ssh() {
    remote -H far bench invoke --duration=0.02 --size=8 --concurrency=1 && expect "$status" 0 &&
        expect_match "$(tail -n 1 "$tmp/out")" '^invoke +8 +1 '
}

lacks_systemd() {
    stand_in "shift 3; PATH=/nonesuch exec /bin/sh -c \"\$*\"" &&
        fails_remotely 'far: .*systemd-stdio-bridge' -H far list && expect_match "$(head -n 1 "$tmp/err")" 'not found' || return
    fails_remotely 'far: .*systemd-stdio-bridge' -H far listen && fails_remotely 'far: ' -H far bench
}

lacks_a_bus() {
    local address=unix:path=$tmp/nowhere
    stand_in "$other_side" && fails_remotely 'far: .*a system bus' -H far list
}

is_refused() {
    stand_in "echo 'ssh: Could not resolve hostname far' >&2; exit 255" && fails_remotely 'far: .*it takes ssh' -H far list &&
        expect "$(head -n 1 "$tmp/err")" 'ssh: Could not resolve hostname far'
}

# Something else answers than a bus.
is_no_bus() {
    stand_in "echo Welcome to far" && fails_remotely 'far: ' -H far list
}

# The program itself: libtool's script would look for its own tools.
lacks_ssh() {
    local program=$build/client/.libs/ipcbusctl status=0
    [[ -x $program ]] || program=$ipcbusctl
    LD_LIBRARY_PATH="$build/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" PATH=/nonesuch "$program" -H far list \
        >"$tmp/out" 2>"$tmp/err" || status=$?
    expect "$status" 1 && expect_match "$(<"$tmp/err")" '^ipcbusctl: Failed to open the bus of far: .*it takes ssh here'
}

# A host is a word for ssh, never an option of it.
looks_like_an_option() {
    stand_in "exit 1" && fails_remotely '-oProxyCommand=x: ' -H -oProxyCommand=x list &&
        expect "$(<"$tmp/ssh.log")" '-xT -- -oProxyCommand=x systemd-stdio-bridge'
}

finds_machines() {
    local status=0
    fails_remotely 'nonesuch: .*machinectl' -M nonesuch list && fails_remotely 'ada@nonesuch: .*machinectl' -M ada@nonesuch list || return
    DBUS_SESSION_BUS_ADDRESS=$address remote -M "$(id -un)@.host" invoke echo 1 && expect "$(<"$tmp/out")" '[1]'
}

start_bus "$tmp"
if test_case "the daemon starts" start_daemon --module=echo; then
    test_case "calls through ssh" calls_through_ssh
    test_case "errors through ssh" fails_through_ssh
    test_case "-H: monitor and top" cannot_monitor_through_ssh
    test_case "listen through ssh" listens_through_ssh
    test_case "bench through ssh" measures_through_ssh
    test_case "no systemd on the other side" lacks_systemd
    test_case "no bus on the other side" lacks_a_bus
    test_case "ssh does not get in" is_refused
    test_case "no bus but something else" is_no_bus
    test_case "no ssh" lacks_ssh
    test_case "a host that looks like an option" looks_like_an_option
    test_case "machines" finds_machines
    test_case "the daemon stops" eval 'stop_daemon && expect "$status" 0'
fi
finish
