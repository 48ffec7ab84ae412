#!/bin/bash
# SPDX-License-Identifier: MIT
# The example of two renderers that main joins by a port: they talk, and go on when main has ended.
set -u
# shellcheck source=tests/daemon-fixture.sh
. "$(dirname "$0")/daemon-fixture.sh"

examples=$build/client/examples
called_pid='' called_in='' # the two renderers: their processes, and where they are typed to
calling_pid='' calling_in=''
name=com.example.Ports

start_main() {
    DBUS_SESSION_BUS_ADDRESS=$address "$examples/ports-main" 2>"$tmp/main.err" &
    main_pid=$!
    pids+=("$main_pid")
    until_true name_is_owned
}

# start_renderer NAME [ID]: types what is written to $NAME_in, and writes $tmp/NAME.
start_renderer() {
    local fd
    mkfifo "$tmp/$1.in"
    DBUS_SESSION_BUS_ADDRESS=$address "$examples/ports-renderer" "${@:2}" <"$tmp/$1.in" >"$tmp/$1" 2>&1 &
    pids+=("$!")
    printf -v "$1_pid" %d "$!"
    exec {fd}>"$tmp/$1.in"
    printf -v "$1_in" %d "$fd"
    until_true grep -q '^I am ' "$tmp/$1"
}

says() {
    until_true grep -qxF -- "$2" "$tmp/$1"
}

id_of() {
    sed -n 's/^I am //p' "$tmp/$1"
}

are_joined() {
    start_main && start_renderer called && start_renderer calling "$(id_of called)" &&
        says called "joined to $(id_of calling)" && says calling "joined to $(id_of called)"
}

talk() {
    echo 'good morning' >&"$calling_in" && says called 'they say: good morning' &&
        echo 'żółć' >&"$called_in" && says calling 'they say: żółć'
}

main_ends() {
    local status=0
    kill "$main_pid" && wait "$main_pid" || status=$?
    expect "$status" 0 && expect "$(<"$tmp/main.err")" "" &&
        until_true grep -q 'we go on' "$tmp/called" && until_true grep -q 'we go on' "$tmp/calling"
}

talk_on() {
    echo 'still there?' >&"$calling_in" && says called 'they say: still there?' &&
        echo yes >&"$called_in" && says calling 'they say: yes'
}

# The end of one is heard by the other, which ends well, too.
one_leaves() {
    exec {calling_in}>&-
    wait "$calling_pid" && wait "$called_pid"
}

# fails_to_join ID PATTERN
fails_to_join() {
    local said status=0
    said=$(DBUS_SESSION_BUS_ADDRESS=$address timeout "$deadline" "$examples/ports-renderer" "$1" </dev/null 2>&1) || status=$?
    expect "$status" 1 && expect_match "$said" "$2"
}

start_bus "$tmp/bus"
test_case "without main there is an error" fails_to_join 1 "No service 'com.example.Ports'"
test_case "main joins two renderers" are_joined
test_case "they talk" talk
test_case "nobody is joined to who is not there" fails_to_join 4711 "Two renderers are needed"
test_case "main ends" main_ends
test_case "they talk on" talk_on
test_case "one leaves" one_leaves
finish
