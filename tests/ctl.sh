#!/bin/bash
# SPDX-License-Identifier: MIT
# ipcbusctl as its user sees it: every command, every exit status, how words are read, and how results are printed.
set -u
# shellcheck source=tests/ctl-fixture.sh
. "$(dirname "$0")/ctl-fixture.sh"

# ---- verbs ----

has_line() {
    grep -qxF -- "$2" "$tmp/$1"
}

# listen NAME ARG...: in the background as $listener, with its output in $tmp/NAME and $tmp/NAME.err, once it is there.
listen() {
    local name=$1
    shift
    rm -f "$tmp/$name" # what a listener before this one wrote must not be taken for this one's
    "$ipcbusctl" --address="$address" listen "$@" >"$tmp/$name" 2>"$tmp/$name.err" &
    listener=$!
    pids+=("$listener")
    until_true grep -qs '"id": ' "$tmp/$name"
}

id_of() {
    sed -n 's/^{"id": \([0-9]*\)}$/\1/p' "$tmp/$1" | tail -n 1
}

stop_listening() {
    kill "$listener" && ended "$listener" 0
}

# watch_bus NAME MEMBER: calls of this method are logged to $tmp/NAME from here on.
watch_bus() {
    rm -f "$tmp/$1"
    busctl --address="$address" --match="type='method_call',member='$2'" monitor >"$tmp/$1" 2>&1 &
    pids+=($!)
    until_true grep -qs '^Monitoring' "$tmp/$1"
}

# ---- help ----

# The commands, by the help of all.
commands() {
    "$ipcbusctl" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'
}

prints_help() {
    ctl --help && expect "$status" 0 && expect "$(<"$tmp/err")" "" && expect_match "$(<"$tmp/out")" 'send-sync' || return
    ctl invoke -h && expect "$status" 0 && expect_match "$(<"$tmp/out")" '^Usage: .* invoke CHANNEL' || return
    ctl help && expect "$status" 0 && expect "$(<"$tmp/out")" "$("$ipcbusctl" --help)"
}

# Each has one example, in one line, in which it is called.
prints_help_of_each() {
    local command example
    expect "$(commands | head -n 3 | tr '\n' ' ')" 'list status channels ' || return
    for command in $(commands); do
        ctl "$command" --help && expect "$status" 0 && expect "$(<"$tmp/err")" "" &&
            expect_match "$(head -n 1 "$tmp/out")" "^Usage: ipcbusctl \[OPTION\]\.\.\. $command" &&
            expect "$(grep -c '^Example:' "$tmp/out")" 1 || return
        example=$(sed -n '/^Example:/{n;p;n;/./p}' "$tmp/out")
        expect_match "$example" "^  ipcbusctl (.* )?$command" && expect "$(wc -l <<<"$example")" 1 || return
        cp "$tmp/out" "$tmp/help" && ctl help "$command" && expect "$status" 0 && expect "$(<"$tmp/out")" "$(<"$tmp/help")" || return
    done
}

help_fits() {
    local command
    for command in $(commands); do
        ctl "$command" --help && expect "$(awk 'length > 90' "$tmp/out")" "" || return
    done
}

prints_version() {
    ctl --version && expect "$status" 0 && expect_match "$(<"$tmp/out")" '^ipcbusctl [0-9]'
}

# ---- wrong usage ----

bad_options() {
    refused "'--nonesuch'" --nonesuch list && refused "'-x'" -x list && refused "'--nonesuch'" invoke echo --nonesuch &&
        refused "'--name' needs" list --name && refused "'-H' needs" -H && refused "'--user=1'" --user=1 list &&
        refused '--address' --address= list
}

bad_values() {
    local bad
    for bad in '' org .org.ipcbus :1.7 'org.ip bus' org..ipcbus; do
        refused "--name .*'$bad'" --name="$bad" list || return
    done
    for bad in '' -1 soon 1s 0x10 1.2.3 inf nan . 1e3; do
        refused "--timeout .*'$bad'" --timeout="$bad" list || return
    done
    refused "--auto-start .*'maybe'" --auto-start=maybe list && refused "--json .*'yes'" --json=yes list && refused "'list'" --json list
}

bad_operands() {
    refused 'COMMAND' && refused "'nonesuch'" nonesuch && refused 'CHANNEL' invoke && refused 'ID' send-to &&
        refused "'nonesuch'" help nonesuch && refused "'extra'" help list extra && refused 'CHANNEL' send-to 3 && refused "'extra'" list extra && refused "'extra'" status 1 extra &&
        refused "'extra'" channels extra && refused "'one'" send-to one echo && refused "'-1'" status -1 &&
        refused "'4294967296'" status 4294967296
}

# What an operand says is refused as main would refuse it; a command or an id that makes no sense is wrong usage.
not_utf8() {
    fails_in_one_line 1 "ARG 'caf.xe9' is not UTF-8.*InvalidArgs" invoke echo $'caf\xe9' &&
        fails_in_one_line 1 "CHANNEL '.xff' is not UTF-8.*InvalidChannel" invoke $'\xff' &&
        fails_in_one_line 1 "'.xff'.*InvalidChannel" listen $'\xff' && refused "'.xff'" $'\xff' &&
        refused "'.xff'" status $'\xff' && refused "'.xff'" bench $'\xff' && refused "'.xff'" help $'\xff'
}

# Who asks for help is told where there is some.
help_of_nothing() {
    refused "Unknown command 'nonesuch'" help nonesuch && expect "$(tail -n 1 "$tmp/err")" "Try 'ipcbusctl --help'." &&
        refused "'extra'" help list extra && expect "$(tail -n 1 "$tmp/err")" "Try 'ipcbusctl --help'."
}

# ---- words and JSON ----

reads_args() {
    prints '[]' invoke echo &&
        prints '[1,-5,2.5,true,null]' invoke echo 1 -5 2.5 true null &&
        prints '["Ada","","tru","5 apples","-x"]' invoke echo Ada '' tru '5 apples' -- -x &&
        prints '["5",5,{"a":[1,{"b":[]}]}]' invoke echo '"5"' ' 5 ' '{"a" : [ 1, {"b": []} ]}' &&
        prints '["żółć","a\"b","\\"]' invoke echo żółć 'a"b' "\\"
}

is_lossless() {
    prints '[9223372036854775807,-9223372036854775808]' invoke echo 9223372036854775807 -9223372036854775808 &&
        prints '["a\u0000b"]' invoke echo '"a\u0000b"'
}

refuses_args() {
    local deep
    deep=$(printf '[%.0s' {1..2100})
    fails_in_one_line 1 "18446744073709551616.*InvalidArgs" invoke echo 18446744073709551616 &&
        fails_in_one_line 1 "1e999.*InvalidArgs" invoke echo 1e999 &&
        fails_in_one_line 1 "InvalidArgs" invoke echo "$deep${deep//\[/]}"
}

# What all words may have together is a quarter of the stack, and 6 MiB at most: hence a character that JSON escapes.
too_large() {
    local word words=()
    word=$(printf '\001%.0s' {1..120000})
    until ((${#words[@]} == 24)); do
        words+=("$word")
    done
    (ulimit -s 32768 && fails_in_one_line 1 'limit is 16777216.*org.ipcbus.Error.TooLarge' invoke echo "${words[@]}")
}

checks_channels() {
    local longest
    longest=$(printf 'x%.0s' {1..255})
    fails_in_one_line 1 'org.ipcbus.Error.InvalidChannel' invoke '' &&
        fails_in_one_line 1 'org.ipcbus.Error.InvalidChannel' send "x$longest" &&
        fails_in_one_line 1 'org.ipcbus.Error.InvalidChannel' send-to 1 '' &&
        fails_in_one_line 1 'org.ipcbus.Error.InvalidChannel' listen echo '' &&
        fails_in_one_line 1 'org.ipcbus.Error.NoHandler' invoke "$longest"
}

options_anywhere() {
    prints '[-5]' invoke echo --json=short -5 --timeout 10 &&
        prints $'[\n  -5,\n  "x"\n]' invoke echo -5 --json=pretty x &&
        prints '["--json=pretty","--"]' invoke echo -- --json=pretty -- &&
        prints '["--help"]' -- invoke echo --help &&
        prints '[1]' --json=pretty --json=off invoke echo 1 &&
        prints '[1]' --address=unix:path=/nonesuch --address="$address" invoke echo 1
}

# ---- commands ----

prints_results() {
    prints '["a",1]' send-sync echo a 1 && prints null invoke echo-later 0 && prints 5 invoke echo-later 0 5 &&
        prints '"x"' invoke echo-later 0 x && prints $'{\n  "a": [\n    {}\n  ]\n}' --json=pretty invoke echo-later 0 '{"a":[{}]}' &&
        prints "" send echo hello && prints "" send nonesuch || return
    ctl invoke whoami && expect_match "$(<"$tmp/out")" '"id":0,'
}

prints_channels() {
    ctl channels && expect "$status" 0 && expect_match "$(head -n 1 "$tmp/out")" '^CHANNEL +LISTENER +HANDLER$' &&
        expect_match "$(grep '^echo ' "$tmp/out")" '^echo +yes +yes$' &&
        expect_match "$(grep '^echo-error ' "$tmp/out")" '^echo-error +- +yes$' || return
    ctl --json=short channels && expect_match "$(<"$tmp/out")" '^\{"listeners":\["echo",.*\],"handlers":\["echo",.*\]\}$'
}

shows_app() {
    ctl status && expect "$status" 0 && has_line out "name: $name" && has_line out "process_id: $daemon_pid" &&
        has_line out "user_id: $(id -u)" && has_line out 'renderers: 0' && grep -q '^unique_name: :1\.' "$tmp/out" &&
        grep -q '^version: [0-9]' "$tmp/out" || return
    ctl --json=short status &&
        expect_match "$(<"$tmp/out")" "^\{\"name\":\"$name\",\"unique_name\":\":.*\"process_id\":$daemon_pid,.*\"renderers\":0\}$"
}

lists_renderers() {
    local id other
    listen one && id=$(id_of one) && listen two && other=$(id_of two) || return
    ctl list && expect "$status" 0 && expect "$(awk '{ print $1 }' "$tmp/out" | tr '\n' ' ')" "ID $id $other " &&
        expect_match "$(tail -n 1 "$tmp/out")" "^$other +:1\.[0-9]+ +$listener +$(id -u) +bus +ipcbusctl listen$" || return
    ctl --json=short list && expect_match "$(<"$tmp/out")" "^\[\{\"id\":$id,\"bus_name\":\":.*\"pending_invokes\":0\}\]$" || return
    ctl status "$other" && has_line out "id: $other" && has_line out "process_id: $listener" || return
    ctl status "$other" --json=pretty && has_line out "  \"id\": $other," && stop_listening &&
        kill "${pids[-2]}" && ended "${pids[-2]}" 0 && until_true nobody_is_there
}

nobody_is_there() {
    ctl --json=short list && [[ $(<"$tmp/out") == '[]' ]]
}

lacks_renderers() {
    fails_in_one_line 1 'There is no renderer 4711 \(org.ipcbus.Error.NoSuchWebContents\)' status 4711 &&
        fails_in_one_line 1 'org.ipcbus.Error.NoSuchWebContents' send-to 4711 echo
}

# ---- errors ----

rejected() {
    fails_in_one_line 4 'oh no \(com\.example\.Error\.Broken\)$' invoke echo-error com.example.Error.Broken 'oh no' &&
        fails 4 'oh no \(com\.example\.Error\.Broken\)$' invoke echo-error com.example.Error.Broken 'oh no' '{"a": [1]}' &&
        expect "$(tail -n +2 "$tmp/err")" '{"a":[1]}' &&
        fails_in_one_line 4 'org.ipcbus.Error.HandlerFailed' invoke echo-error org.ipcbus.Error.HandlerFailed no &&
        fails_in_one_line 4 'two.nlines.x1b' invoke echo-error com.example.Error.Broken $'two\nlines\e[31m'
}

failed() {
    fails_in_one_line 1 "'nonesuch'.*org.ipcbus.Error.NoHandler" invoke nonesuch &&
        fails_in_one_line 1 'org.ipcbus.Error.NoListener' send-sync nonesuch &&
        fails_in_one_line 1 'org.ipcbus.Error.ReplyNeverSent' invoke echo-never &&
        fails_in_one_line 1 'org.freedesktop.DBus.Error.AccessDenied' invoke echo-error \
            org.freedesktop.DBus.Error.AccessDenied no &&
        fails 4 'org.freedesktop.DBus.Error.AccessDenied' invoke echo-error \
            org.freedesktop.DBus.Error.AccessDenied no '{"why": "a handler says so"}'
}

timed_out() {
    watch_bus cancels Cancel &&
        fails_in_one_line 5 'within 0.2 s \(org.freedesktop.DBus.Error.Timeout\)' --timeout=0.2 invoke echo-later 60000 &&
        until_true grep -q 'Member=Cancel' "$tmp/cancels" &&
        prints 1 --timeout=0 invoke echo-later 100 1 && prints 1 --timeout=infinity invoke echo-later 100 1
}

no_service() {
    fails_in_one_line 3 'com\.example\.None is not running.*ServiceUnknown' --name=com.example.None list &&
        fails_in_one_line 3 'com\.example\.None is not running.*ServiceUnknown' --name=com.example.None listen &&
        fails_in_one_line 3 'com\.example\.None is not running.*ServiceUnknown' --name=com.example.None bench &&
        fails_in_one_line 3 'com\.example\.None is not running.*ServiceUnknown' --name=com.example.None --lane invoke echo &&
        fails_in_one_line 3 'com\.example\.None' --name=com.example.None invoke echo || return
    printf '[D-BUS Service]\nName=com.example.Broken\nExec=/bin/false\n' >"$tmp/services/broken.service"
    ask_bus ReloadConfig &&
        fails_in_one_line 3 'com\.example\.Broken.*Spawn\.' --name=com.example.Broken status &&
        fails_in_one_line 3 'com\.example\.Broken' --name=com.example.Broken listen
}

# A service that the bus could start, which leaves a mark when it does.
starts_only_what_it_may() {
    local service=com.example.Started command
    printf '[D-BUS Service]\nName=%s\nExec=/bin/sh -c "touch %s; exec %s --address=%s --name=%s --module=echo"\n' \
        "$service" "$tmp/started" "$ipcbusd" "$address" "$service" >"$tmp/services/started.service"
    ask_bus ReloadConfig || return
    for command in list status channels 'invoke echo' 'send echo' 'send-sync echo' 'send-to 1 echo' listen monitor top bench; do
        # shellcheck disable=SC2086 # the words of a command
        fails_in_one_line 3 "$service is not running" --name=$service --auto-start=no $command || return
    done
    [[ ! -e $tmp/started ]] && prints '[1]' --name=$service --auto-start=yes invoke echo 1 && [[ -e $tmp/started ]] &&
        prints '[1]' --name=$service --auto-start=no invoke echo 1
}

no_bus() {
    local status=0 address=unix:path=$tmp/nowhere
    fails_in_one_line 1 "unix:path=$tmp/nowhere: No such file" list || return
    DBUS_SESSION_BUS_ADDRESS='' XDG_RUNTIME_DIR="$tmp/r b" "$ipcbusctl" list 2>"$tmp/err" || status=$?
    expect "$status" 1 && expect_match "$(<"$tmp/err")" "unix:path=$tmp/r%20b/bus: No such file" || return
    status=0
    DBUS_SYSTEM_BUS_ADDRESS=$address "$ipcbusctl" --system list 2>"$tmp/err" || status=$?
    expect "$status" 1 && expect_match "$(<"$tmp/err")" "$address: No such file"
}

# A call that main has got and does not answer, in $caller.
start_call() {
    watch_bus invokes Invoke || return
    "$ipcbusctl" --address="$address" invoke echo-later 60000 2>"$tmp/caller.err" &
    caller=$!
    pids+=("$caller")
    until_true grep -q 'Member=Invoke' "$tmp/invokes"
}

service_dies() {
    local caller
    start_call && stop_daemon KILL && ended "$caller" 1 &&
        expect_match "$(<"$tmp/caller.err")" 'the service went away \(org\.freedesktop\.DBus\.Error\.NoReply\)' &&
        start_daemon --module=echo
}

service_hangs() {
    local failed=0
    kill -STOP "$daemon_pid" || return
    fails_in_one_line 5 'within 0.3 s' --timeout=0.3 status && fails_in_one_line 5 'within 0.3 s' --timeout=0.3 listen ||
        failed=1
    kill -CONT "$daemon_pid"
    return "$failed"
}

# A terminal has colours unless its user objects; a pipe never has.
colours() {
    local escape=$'\e['
    on_terminal "$ipcbusctl" --address="$address" channels && expect_match "$(<"$tmp/screen")" "^.\[1mCHANNEL" || return
    on_terminal "$ipcbusctl" --address="$address" invoke nonesuch && return 1
    expect_match "$(<"$tmp/screen")" "^.\[1;31mipcbusctl: .\[0mNo handler" || return
    on_terminal NO_COLOR=1 "$ipcbusctl" --address="$address" channels && expect_match "$(<"$tmp/screen")" '^CHANNEL' || return
    on_terminal NO_COLOR= "$ipcbusctl" --address="$address" channels && expect_match "$(<"$tmp/screen")" 'CHANNEL' &&
        expect_match "$(<"$tmp/screen")" '^.\[1m' || return
    on_terminal TERM=dumb "$ipcbusctl" --address="$address" channels && expect_match "$(<"$tmp/screen")" '^CHANNEL' || return
    ctl channels && [[ $(<"$tmp/out") != *"$escape"* ]] && ctl invoke nonesuch || return
    [[ $(<"$tmp/err") != *"$escape"* ]]
}

# The pager that the environment names would write a file.
has_no_pager() {
    on_terminal PAGER="touch $tmp/paged" SYSTEMD_PAGER="touch $tmp/paged" "$ipcbusctl" --help &&
        expect_match "$(<"$tmp/screen")" 'Usage:' && [[ ! -e $tmp/paged ]]
}

# Nobody reads, and nobody is told so.
is_quiet_in_broken_pipes() {
    local command statuses
    for command in list status channels 'invoke echo' 'send-sync echo' 'send echo' --help top 'bench --duration=0.01 --size=1'; do
        exec 3> >(:)
        wait "$!"
        # shellcheck disable=SC2086 # the words of a command
        timeout "$deadline" "$ipcbusctl" --address="$address" $command >&3 2>"$tmp/err"
        statuses=$?
        exec 3>&-
        expect "$command: $statuses $(<"$tmp/err")" "$command: 0 " || return
    done
}

output_is_full() {
    local status=0
    [[ -c /dev/full ]] || return 0
    "$ipcbusctl" --address="$address" invoke echo >/dev/full 2>"$tmp/err" || status=$?
    expect "$status" 1 && expect_match "$(<"$tmp/err")" 'No space left'
}

# ---- listen ----

listens() {
    listen one hello && ctl send-to "$(id_of one)" other 1 && ctl send-to "$(id_of one)" hello 1 '{"x": ["ż"]}' &&
        until_true grep -q hello "$tmp/one" && expect "$(wc -l <"$tmp/one")" 2 &&
        expect_match "$(tail -n 1 "$tmp/one")" '^\{"channel": "hello", "args": \[1, \{"x": \["ż"\]\}\], "sender_id": [1-9][0-9]*\}$' &&
        stop_listening && expect "$(<"$tmp/one.err")" ""
}

listens_to_all() {
    listen one && ctl send echo-broadcast 'a"b' && ctl send-to "$(id_of one)" anything &&
        until_true grep -q anything "$tmp/one" && has_line one '{"channel": "echo-broadcast", "args": ["a\"b"], "sender_id": 0}' &&
        stop_listening
}

# A channel that is named twice is listened to once.
listens_once() {
    listen one echo-broadcast echo-broadcast last && ctl send echo-broadcast && ctl send-to "$(id_of one)" last &&
        until_true grep -q last "$tmp/one" && expect "$(grep -c echo-broadcast "$tmp/one")" 1 && stop_listening
}

has_ids() {
    (($(grep -c '^{"id": ' "$tmp/one") == $1))
}

listens_through_restarts() {
    listen one echo-broadcast && stop_daemon && until_true test -s "$tmp/one.err" &&
        expect_match "$(<"$tmp/one.err")" '^ipcbusctl: .*went away' && start_daemon --module=echo &&
        until_true has_ids 2 && ctl send echo-broadcast again && until_true grep -q again "$tmp/one" && stop_listening
}

listens_until_interrupted() {
    listen one && kill -INT "$listener" && ended "$listener" 0 && expect "$(<"$tmp/one.err")" ""
}

# Without a message that would meet the closed pipe.
listens_for_a_reader() {
    local line
    line=$(timeout "$deadline" bash -o pipefail -c '"$0" --address="$1" listen | head -n 1' "$ipcbusctl" "$address" \
        2>"$tmp/err") && expect_match "$line" '^\{"id": [0-9]+\}$' && expect "$(<"$tmp/err")" ""
}

# Its line is longer than what the pipe holds.
listens_while_its_reader_sleeps() {
    local reader line id
    rm -f "$tmp/pipe"
    mkfifo "$tmp/pipe" && exec {reader}<>"$tmp/pipe" || return
    "$ipcbusctl" --address="$address" listen >"$tmp/pipe" 2>"$tmp/one.err" &
    listener=$!
    pids+=("$listener")
    read -r -t "$deadline" -u "$reader" line && id=${line//[!0-9]/} && ctl send-to "$id" x "$(printf 'x%.0s' {1..100000})" &&
        read -r -t "$deadline" -N 10 -u "$reader" line && expect "$line" '{"channel"' && kill "$listener" && ended "$listener" 0 &&
        expect "$(<"$tmp/one.err")" "" && exec {reader}>&-
}

# A renderer that listens and a caller that waits.
bus_goes_away() {
    local address bus_pid caller
    mkdir "$tmp/second"
    start_bus "$tmp/second" && start_daemon --module=echo && listen one && start_call && kill "$bus_pid" &&
        ended "$listener" 1 && expect_match "$(<"$tmp/one.err")" 'The bus went away' &&
        ended "$caller" 1 && expect_match "$(<"$tmp/caller.err")" 'The bus went away' && wait_for_daemon
}

# ---- lanes ----

is_by_lane() {
    ctl --json=short status "$(id_of one)" && expect_match "$(<"$tmp/out")" '"transport":"lane"'
}

sends_by_lane() {
    prints '[1,"a"]' --lane invoke echo 1 a && prints '["b"]' send-sync echo b --lane &&
        prints $'{\n  "a": [\n    {}\n  ]\n}' --json=pretty --lane invoke echo-later 0 '{"a":[{}]}' || return
    ctl --lane invoke whoami && expect_match "$(<"$tmp/out")" '"id":[1-9]' && prints '' --lane send nonesuch &&
        until_true nobody_is_there
}

# Nothing tells that a message has arrived, but who hears it.
listens_by_lane() {
    listen one --lane && is_by_lane && ctl --lane send echo-broadcast 1 && until_true grep -q echo-broadcast "$tmp/one" &&
        ctl --lane send-to "$(id_of one)" hello 2 && until_true grep -q hello "$tmp/one" &&
        expect_match "$(tail -n 1 "$tmp/one")" '^\{"channel": "hello", "args": \[2\], "sender_id": [1-9][0-9]*\}$' &&
        prints '' --lane send-to 4711 hello && stop_listening && expect "$(<"$tmp/one.err")" ""
}

fails_by_lane() {
    fails 4 'oh no \(com\.example\.Error\.Broken\)$' --lane invoke echo-error com.example.Error.Broken 'oh no' '{"a": [1]}' &&
        expect "$(tail -n +2 "$tmp/err")" '{"a":[1]}' &&
        fails_in_one_line 1 "'nonesuch'.*org.ipcbus.Error.NoHandler" --lane invoke nonesuch &&
        fails_in_one_line 1 'org.ipcbus.Error.NoListener' --lane send-sync nonesuch &&
        fails_in_one_line 5 'within 0.2 s \(org.freedesktop.DBus.Error.Timeout\)' --lane --timeout=0.2 invoke echo-later 60000 &&
        fails_in_one_line 3 'com\.example\.None' --lane --name=com.example.None invoke echo &&
        fails_in_one_line 3 'com\.example\.None' --lane --name=com.example.None listen &&
        fails_in_one_line 3 'com\.example\.None' --lane --auto-start=no --name=com.example.None send echo
}

hangs_by_lane() {
    local failed=0
    kill -STOP "$daemon_pid" || return
    fails_in_one_line 5 'within 0.3 s' --lane --timeout=0.3 invoke echo &&
        fails_in_one_line 5 'within 0.3 s' --lane --timeout=0.3 send-sync echo || failed=1
    kill -CONT "$daemon_pid"
    return "$failed"
}

# A service whose policy lets nobody have a lane.
lane_is_denied() {
    local policy=$tmp/no-lanes.json
    printf '{"default": "allow", "rules": [{"allow": false, "verbs": ["open-lane"]}]}\n' >"$policy"
    stop_daemon && start_daemon --module=echo --policy="$policy" &&
        fails_in_one_line 1 'org.freedesktop.DBus.Error.AccessDenied' --lane invoke echo && prints '[]' invoke echo &&
        stop_daemon && start_daemon --module=echo
}

refuses_lanes() {
    local command
    for command in list status channels help; do
        refused "$command: --lane" --lane "$command" || return
    done
    refused '--lane needs a bus of this machine' --lane --host=somewhere invoke echo && refused "'--lane=1'" --lane=1 invoke echo
}

# ---- the stories ----

start_bus "$tmp"
test_case "--help" prints_help
test_case "--help of each command" prints_help_of_each
test_case "--help fits a terminal" help_fits
test_case "--version" prints_version
test_case "bad options" bad_options
test_case "bad values of options" bad_values
test_case "bad operands" bad_operands
test_case "words that are not UTF-8" not_utf8
test_case "help with what is no command" help_of_nothing
test_case "--lane where there is none" refuses_lanes
test_case "no bus" no_bus
test_case "no service" no_service
test_case "--auto-start" starts_only_what_it_may
test_case "the bus goes away" bus_goes_away

if test_case "the daemon starts" start_daemon --module=echo; then
    test_case "words are JSON or strings" reads_args
    test_case "nothing is lost in words and results" is_lossless
    test_case "JSON that nobody could read" refuses_args
    test_case "args that are too large" too_large
    test_case "channels" checks_channels
    test_case "options anywhere" options_anywhere
    test_case "send, send-sync, invoke" prints_results
    test_case "channels" prints_channels
    test_case "status" shows_app
    test_case "list, and status of one" lists_renderers
    test_case "renderers that are not there" lacks_renderers
    test_case "a handler rejects" rejected
    test_case "main refuses" failed
    test_case "time-outs" timed_out
    test_case "colours" colours
    test_case "no pager" has_no_pager
    test_case "broken pipes" is_quiet_in_broken_pipes
    test_case "output that cannot be written" output_is_full
    test_case "listen" listens
    test_case "listen to everything" listens_to_all
    test_case "listen to the same twice" listens_once
    test_case "listen until interrupted" listens_until_interrupted
    test_case "listen until the reader leaves" listens_for_a_reader
    test_case "listen while the reader sleeps" listens_while_its_reader_sleeps
    test_case "listen through a restart" listens_through_restarts
    test_case "by a lane: send, send-sync, invoke" sends_by_lane
    test_case "by a lane: listen, send-to" listens_by_lane
    test_case "by a lane: what goes wrong" fails_by_lane
    test_case "by a lane: the service hangs" hangs_by_lane
    test_case "by a lane: denied" lane_is_denied
    test_case "the service hangs" service_hangs
    test_case "the service dies in a call" service_dies
    test_case "the daemon stops" eval 'stop_daemon && expect "$status" 0'
fi
finish
