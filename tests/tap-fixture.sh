# SPDX-License-Identifier: MIT
# Sourced by shell tests: TAP, waiting, and leaving nothing behind.
# shellcheck shell=bash

export LC_ALL=C.UTF-8
deadline=20 # seconds that anything may take

tmp=$(mktemp -d)
pids=() # what runs in the background, in the order of its start
number=0
failed=0

clean_up() {
    local index
    trap - EXIT HUP INT TERM
    for ((index = ${#pids[@]} - 1; index >= 0; index--)); do
        kill -KILL "${pids[index]}" 2>/dev/null || true
        wait "${pids[index]}" 2>/dev/null || true
    done
    chmod -R u+rwx "$tmp" 2>/dev/null || true
    rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# ---- TAP ----

# test_case DESCRIPTION COMMAND...: what it says is shown if it fails. It runs right here, so that what it starts is
# known to clean_up; but bash does not stop at errors in it, so it joins its steps with &&.
test_case() {
    local description=$1
    shift
    number=$((number + 1))
    if "$@" >"$tmp/case.log" 2>&1; then
        echo "ok $number - $description"
    else
        echo "not ok $number - $description"
        sed 's/^/# /' "$tmp/case.log"
        [[ ! -s $tmp/daemon.log ]] || sed 's/^/# the daemon: /' "$tmp/daemon.log"
        failed=1
        return 1
    fi
}

skip_case() {
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

finish() {
    echo "1..$number"
    exit "$failed"
}

# until_true COMMAND...: waits for a condition.
until_true() {
    local end=$((SECONDS + deadline))
    until "$@"; do
        if ((SECONDS >= end)); then
            echo "this did not come true: $*"
            return 1
        fi
        sleep 0.02
    done
}

expect() {
    [[ $1 == "$2" ]] || { echo "expected: $2"; echo "got:      $1"; return 1; }
}

expect_match() {
    [[ $1 =~ $2 ]] || { echo "expected to match: $2"; echo "got: $1"; return 1; }
}
