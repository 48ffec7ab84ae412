#!/bin/bash
# SPDX-License-Identifier: MIT
# The examples of loops, against a real service: each calls once and prints what it gets.
set -u
# shellcheck source=tests/daemon-fixture.sh
. "$(dirname "$0")/daemon-fixture.sh"

call_by() {
    DBUS_SESSION_BUS_ADDRESS=$address timeout "$deadline" "$build/client/examples/$1" "Grüße" 2>&1
}

gets_an_answer() {
    expect "$(call_by "$1")" '["Grüße"]'
}

# Nobody may hang where nobody answers.
gets_an_error() {
    local said status=0
    said=$(call_by "$1") || status=$?
    expect "$status" 1 && expect_match "$said" "$2"
}

stops_the_service() {
    stop_daemon && expect "$status" 0
}

# The service is stopped while the call is under way, and goes on when the loop sleeps.
waits_patiently() {
    local caller
    kill -STOP "$daemon_pid"
    call_by "$1" >"$tmp/said" &
    caller=$!
    pids+=("$caller")
    until_true is_asleep "$1"
    kill -CONT "$daemon_pid"
    wait "$caller" && expect "$(<"$tmp/said")" '["Grüße"]'
}

# Who spins is never found asleep; five times in a row is no accident.
is_asleep() {
    local pid _
    for _ in 1 2 3 4 5; do
        pid=$(pgrep -f "^$build/client/examples/$1 ") && [[ $(ps -o stat= -p "$pid") == S* ]] || return
    done
}

start_bus "$tmp/bus"
loops=(loop-epoll loop-poll loop-sd-event)
[[ ! -x $build/client/examples/loop-glib ]] || loops+=(loop-glib)

test_case "a service starts" start_daemon --module=echo
for loop in "${loops[@]}"; do
    test_case "$loop gets an answer" gets_an_answer "$loop"
    test_case "$loop sleeps until it comes" waits_patiently "$loop"
done
test_case "the service stops" stops_the_service
for loop in "${loops[@]}"; do
    test_case "$loop is told that there is no service" gets_an_error "$loop" "No service 'org.ipcbus.Main'"
done
address=unix:path=$tmp/nowhere
for loop in "${loops[@]}"; do
    test_case "$loop is told that there is no bus" gets_an_error "$loop" "Failed to [a-z]+: No such file or directory"
done
finish
