# SPDX-License-Identifier: MIT
# Sourced by the tests of ipcbusctl: the stage of those of ipcbusd, and verbs for what the tool prints and how it ends.
# shellcheck shell=bash

# shellcheck source=tests/daemon-fixture.sh
. "$(dirname "${BASH_SOURCE[0]}")/daemon-fixture.sh"

# ---- what is run, and what is expected of it ----

# ctl ARG...: leaves what it printed in $tmp/out and $tmp/err, and its exit status in $status.
ctl() {
    status=0
    timeout "$deadline" "$ipcbusctl" --address="$address" "$@" >"$tmp/out" 2>"$tmp/err" || status=$?
}

# prints TEXT ARG...
prints() {
    local expected=$1
    shift
    ctl "$@"
    expect "$(<"$tmp/err")" "" && expect "$status" 0 && expect "$(<"$tmp/out")" "$expected"
}

# fails STATUS PATTERN ARG...: the pattern is that of the first line on stderr, behind the name of the program.
fails() {
    local expected=$1 pattern=$2
    shift 2
    ctl "$@"
    expect "$status" "$expected" && expect_match "$(head -n 1 "$tmp/err")" "^ipcbusctl: .*$pattern" &&
        expect "$(<"$tmp/out")" ""
}

# fails_in_one_line STATUS PATTERN ARG...
fails_in_one_line() {
    fails "$@" && expect "$(wc -l <"$tmp/err")" 1
}

# refused PATTERN ARG...: wrong usage, with a word on where to read more.
refused() {
    fails 2 "$@" && expect "$(wc -l <"$tmp/err")" 2 && expect_match "$(tail -n 1 "$tmp/err")" "^Try 'ipcbusctl.* --help'"
}

# on_terminal [NAME=VALUE...] COMMAND...: leaves in $tmp/screen what a terminal gets, both streams.
on_terminal() {
    local line
    printf -v line '%q ' timeout "$deadline" env TERM=xterm "$@"
    script --quiet --return --command "$line" /dev/null </dev/null >"$tmp/screen"
}

# ---- what runs in the background ----

is_over() {
    local state
    state=$(ps -o stat= -p "$1") || return 0
    [[ $state == Z* ]]
}

# ended PID STATUS
ended() {
    local status=0
    until_true is_over "$1" || return
    wait "$1" 2>/dev/null || status=$?
    expect "$status" "$2"
}
