#!/bin/bash
# SPDX-License-Identifier: MIT
# ipcbusctl bench: what it measures, how it tells it, and what it does with apps that it cannot measure.
set -u
# shellcheck source=tests/ctl-fixture.sh
. "$(dirname "$0")/ctl-fixture.sh"

quick=(--duration=0.02 --size=8) # a measurement that is not of interest for its figures

# column N: of the lines below the titles, in one line.
column() {
    tail -n +2 "$tmp/out" | awk -v n="$1" '{ print $n }' | tr '\n' ' '
}

# Every figure of every line: something was measured, and it is in order.
is_in_order() {
    tail -n +2 "$tmp/out" | awk '
        !($4 >= 1 && $5 > 0 && $6 > 0 && $6 <= $7 && $7 <= $8 && $8 <= $9) { print "not in order: " $0; bad = 1 }
        END { exit bad }'
}

measures_everything() {
    ctl bench --duration=0.02 --size=8,1K && expect "$status" 0 && expect "$(<"$tmp/err")" "" &&
        expect "$(column 1)" 'invoke invoke invoke invoke send send send send send-sync send-sync ' &&
        expect "$(column 2)" '8 8 1024 1024 8 8 1024 1024 8 1024 ' && expect "$(column 3)" '1 16 1 16 1 16 1 16 1 1 ' &&
        is_in_order
}

measures_what_is_asked() {
    ctl bench send --duration=0.02 --size=0 --concurrency=1,3,200 && expect "$status" 0 && is_in_order &&
        expect "$(column 1)" 'send send send ' && expect "$(column 3)" '1 3 200 ' || return
    ctl bench send-sync invoke "${quick[@]}" --concurrency=101 && expect "$status" 0 && is_in_order &&
        expect "$(column 1)" 'invoke send-sync ' && expect "$(column 3)" '101 1 '
}

measures_lanes() {
    ctl --lane bench "${quick[@]}" && expect "$status" 0 && expect "$(<"$tmp/err")" "" && is_in_order &&
        expect "$(column 1)" 'invoke invoke send send send-sync '
}

# One that takes longer than the time that there is.
measures_at_least_once() {
    ctl bench --duration=0.001 --size=1M --concurrency=1 && expect "$status" 0 && is_in_order && expect "$(column 4)" '1 1 1 '
}

tells_machines() {
    local figure='[0-9.]+'
    ctl --json=short bench invoke "${quick[@]}" --concurrency=2 && expect "$status" 0 &&
        expect_match "$(<"$tmp/out")" "^\[\{\"verb\":\"invoke\",\"size\":8,\"concurrency\":2,\"count\":[0-9]+,\"rate\":$figure,\"min_us\":$figure,\"p50_us\":$figure,\"p99_us\":$figure,\"max_us\":$figure\}\]$" || return
    ctl --json=pretty bench "${quick[@]}" && expect "$status" 0 && expect "$(grep -c '"verb": ' "$tmp/out")" 5
}

# The bar is for eyes; it is gone when the figures are there.
shows_progress() {
    local clear=$'\r\e[K'
    on_terminal "$ipcbusctl" --address="$address" bench invoke "${quick[@]}" --concurrency=1 &&
        expect_match "$(<"$tmp/screen")" '\[#* *\] +[0-9]+ %  invoke, 8 bytes, 1 at once' &&
        [[ $(<"$tmp/screen") == *"$clear"$'\e[1mVERB '* ]] || return
    on_terminal bash -c "'$ipcbusctl' --address='$address' bench invoke ${quick[*]} 2>'$tmp/err'" &&
        expect "$(<"$tmp/err")" "" && [[ $(<"$tmp/screen") != *"$clear"* ]]
}

refuses_options() {
    local bad
    for bad in '' ',' '8,' ',8' -1 1.5 8K8 16777213 17M 99999999999999999999 x 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17; do
        refused "--size .*'$bad'" bench --size="$bad" || return
    done
    for bad in '' 0 1,0 4097 1K -1; do
        refused "--concurrency .*'$bad'" bench --concurrency="$bad" || return
    done
    for bad in '' 0 3601 -1 1s inf 0x1 1e1 .; do
        refused "--duration .*'$bad'" bench --duration="$bad" || return
    done
    refused "'listen'" bench listen && refused 'list: --size' list --size=8 && refused 'invoke: --duration' invoke --duration=1 x &&
        refused 'listen: --concurrency' listen --concurrency=1
}

# More than may wait for main at once.
refuses_too_much() {
    fails_in_one_line 1 'more than may wait at once' bench invoke --size=1M --concurrency=200 &&
        prints '[]' invoke echo # after what was under way
}

lacks_service() {
    fails_in_one_line 3 'com\.example\.None' --name=com.example.None bench
}

lacks_module() {
    fails_in_one_line 1 'module echo.*NoListener' bench
}

service_hangs() {
    local hung=0
    kill -STOP "$daemon_pid" || return
    fails_in_one_line 5 '' --timeout=0.3 bench || hung=1
    kill -CONT "$daemon_pid"
    return "$hung"
}

# It has begun, and does not come to its end.
service_goes() {
    local bench status=0 signal=$1 expected=$2 timeout=$3
    "$ipcbusctl" --address="$address" --timeout="$timeout" bench send --size=8 --duration=600 2>"$tmp/err" >"$tmp/out" &
    bench=$!
    pids+=("$bench")
    until_true is_registered || return
    kill "-$signal" "$daemon_pid" && wait "$bench" || status=$?
    kill -CONT "$daemon_pid" 2>/dev/null
    expect "$status" "$expected" && expect "$(wc -l <"$tmp/err")" 1
}

is_registered() {
    "$ipcbusctl" --address="$address" list | grep -q 'ipcbusctl bench'
}

start_bus "$tmp"
test_case "options that make no sense" refuses_options
test_case "no service" lacks_service
if test_case "the daemon starts" start_daemon --module=echo; then
    test_case "everything is measured" measures_everything
    test_case "what is asked for is measured" measures_what_is_asked
    test_case "lanes are measured" measures_lanes
    test_case "each is measured at least once" measures_at_least_once
    test_case "--json" tells_machines
    test_case "a progress bar, on a terminal only" shows_progress
    test_case "more than may wait" refuses_too_much
    test_case "the service hangs" service_hangs
    test_case "the service stops answering" service_goes STOP 5 2
    test_case "the service dies" service_goes KILL 1 25
    wait_for_daemon
fi
if test_case "a daemon without the module starts" start_daemon --module=notes; then
    test_case "no module echo" lacks_module
    test_case "the daemon stops" eval 'stop_daemon && expect "$status" 0'
fi
finish
