#!/bin/bash
# SPDX-License-Identifier: MIT
# demo.sh BUILD-FOLDER: what ipcbus does, shown with the real programs on a bus of its own. Each step is verified.
set -euo pipefail

# shellcheck source=tests/demo-stage.sh
. "$(dirname "$0")/demo-stage.sh"
export XDG_RUNTIME_DIR=$tmp/run

# ---- telling and verifying ----

title() {
    printf '\n== %s\n' "$*"
}

# The bus's standard error is also that of the service, which it starts.
fail() {
    printf '\nFAILED: %s\n' "$*"
    cat "$tmp/bus.log"
    exit 1
}

# run COMMAND-LINE: as a user would type it; what it prints is left in $output, its exit status in $status.
run() {
    printf '$ %s\n' "$1"
    status=0
    output=$(eval "timeout --foreground 20 $1" 2>&1) || status=$?
    [[ -z $output ]] || printf '%s\n' "$output"
}

expect_status() {
    ((status == $1)) || fail "the exit status should be $1, it is $status"
}

expect() {
    grep -Eq -- "$1" <<<"$output" || fail "this should be there: $1"
}

# await FILE PATTERN: prints the first line that matches, as soon as it is there.
await() {
    grep -E --max-count=1 -- "$2" < <(timeout 20 tail -n +1 -f "$1") || fail "this should come: $2"
}

# listen NAME: a renderer in the background. Its id is left in $id.
listen() {
    printf '$ ipcbusctl listen notes:changed greeting >%s &\n' "$1"
    ipcbusctl listen notes:changed greeting >"$tmp/$1" 2>&1 &
    pids+=($!)
    await "$tmp/$1" '"id"'
    id=$(head -n 1 "$tmp/$1" | tr -cd 0-9)
}

# ---- the steps ----

mkdir -m 700 "$XDG_RUNTIME_DIR"
start_stage --module=echo --module=notes

title "Nobody runs the service, and the first call starts it"
run "busctl --user call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus NameHasOwner s org.ipcbus.Main"
expect '^b false$'
run "ipcbusctl invoke echo hello '{\"a\": [1, 2.5, null]}'"
expect_status 0
expect '"hello"'
run "busctl --user call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus GetConnectionUnixProcessID s org.ipcbus.Main"
expect '^u [0-9]+$'
service=${output#u }

title "Any D-Bus tool can look at it"
run "busctl --user introspect org.ipcbus.Main /org/ipcbus/Main"
expect_status 0
expect '^\.Invoke +method +ss +s +'
expect '^\.Register +method +a\{sv\} +u +'
expect '^\.Message +signal +ssu +'
run "ipcbusctl channels"
expect_status 0
expect 'notes:add'

title "Two renderers listen"
listen first.log
first=$id
listen second.log
second=$id
[[ $first != "$second" ]] || fail "two renderers should have two ids"

title "A note is added, and both of them hear of it"
run "ipcbusctl invoke notes:add '{\"title\": \"Milk\", \"text\": \"2 litres\"}'"
expect_status 0
expect '"title": ?"Milk"'
for log in first.log second.log; do
    printf '$ tail -f %s\n' "$log"
    await "$tmp/$log" '"channel": ?"notes:changed"'
done

title "A message that waits for its answer"
run "ipcbusctl send-sync echo 'is anybody there?' 42"
expect_status 0
expect '\["is anybody there\?", ?42\]'

title "A message from one renderer to another"
run "ipcbusctl send-to $second greeting '\"hello, neighbour\"'"
expect_status 0
printf '$ tail -f second.log\n'
await "$tmp/second.log" '"channel": ?"greeting".*hello, neighbour'
! grep -q greeting "$tmp/first.log" || fail "the first renderer should not have heard that"

title "Who is there"
run "ipcbusctl list"
expect_status 0
expect "(^|[^0-9])$first([^0-9]|$)"
expect "(^|[^0-9])$second([^0-9]|$)"

title "A mistake"
run "ipcbusctl invoke no-such-channel"
printf '(exit status %s)\n' "$status"
expect_status 1
expect "No handler registered for 'no-such-channel'"

title "All of it worked"
