#!/bin/bash
# SPDX-License-Identifier: MIT
# ipcbusctl monitor and top, and the figures that status shows: in pipes and on terminals.
set -u
# shellcheck source=tests/ctl-fixture.sh
. "$(dirname "$0")/ctl-fixture.sh"

# ---- verbs ----

# monitor FILE ARG...: in the background as $monitor, with its output in $tmp/FILE, once it is heard.
monitor() {
    local file=$1 before
    shift
    before=$(watchers)
    "$ipcbusctl" --address="$address" monitor "$@" >"$tmp/$file" 2>"$tmp/$file.err" &
    monitor=$!
    pids+=("$monitor")
    until_true has_watchers $((before + 1))
}

watchers() {
    busctl --address="$address" get-property "$name" /org/ipcbus/Main org.ipcbus.Monitor1 Watchers | cut -d ' ' -f 2
}

has_watchers() {
    [[ $(watchers) == "$1" ]]
}

# tells FILE PATTERN: sooner or later, in one line.
tells() {
    until_true grep -qsE -- "$2" "$tmp/$1" || { cat "$tmp/$1"; return 1; }
}

# stop_monitor [SIGNAL]: it ends well.
stop_monitor() {
    kill "-${1:-INT}" "$monitor" && ended "$monitor" 0
}

# terminal FILE COLUMNS COMMAND...: in the background as $terminal; what is written to $keys is typed.
terminal() {
    local file=$1 columns=$2 line
    shift 2
    printf -v line '%q ' env TERM=xterm "$@"
    rm -f "$tmp/keys" "$file" # what was drawn before must not be taken for what is drawn now
    mkfifo "$tmp/keys"
    script --quiet --flush --return --command "stty cols $columns rows 20; $line" /dev/null <"$tmp/keys" >"$file" &
    terminal=$!
    pids+=("$terminal")
    exec {keys}>"$tmp/keys"
}

# ---- monitor ----

is_json_lines() {
    local serial=0
    monitor lines && prints '["a",1]' invoke echo a 1 && ctl invoke echo-error com.example.Error.Broken no '{"x":1}' &&
        ctl send echo 2 && ctl invoke echo-later 50 5 || return
    tells lines '"channel":"echo-later".*"result":5' && stop_monitor && expect "$(<"$tmp/lines.err")" "" || return
    tells lines '^\{"time":[0-9]{16},"verb":"invoke","direction":"in","sender_id":0,"sender":":1\.[0-9]+","channel":"echo","args":\["a",1\],"transport":"bus","serial":[0-9]+,"result":\["a",1\],"latency_us":[0-9]+\}$' &&
        tells lines '"channel":"echo-error".*"error":\{"name":"com\.example\.Error\.Broken","message":"no","detail":\{"x":1\}\},"latency_us":' &&
        tells lines '"verb":"send",.*"channel":"echo","args":\[2\],"transport":"bus"\}$' &&
        tells lines '"verb":"message","direction":"out",.*"channel":"echo","args":\[2\]' || return
    serial=$(sed -n 's/.*"channel":"echo-later","args":\[50,5\].*"serial":\([0-9]*\),"pending":true}$/\1/p' "$tmp/lines")
    tells lines "\"channel\":\"echo-later\",\"transport\":\"bus\",\"serial\":$serial,\"result\":5,\"latency_us\":[0-9]{5,}\}$"
}

# By whatever means a caller comes.
sees_others() {
    monitor lines && busctl --address="$address" call "$name" /org/ipcbus/Main org.ipcbus.Main1 Invoke ss echo '[3]' >/dev/null &&
        tells lines '"verb":"invoke".*"args":\[3\].*"result":\[3\]' &&
        ! busctl --address="$address" call "$name" /org/ipcbus/Main org.ipcbus.Main1 Send ss echo '[3' 2>/dev/null &&
        tells lines '"verb":"send".*"args":null,"args_bytes":2,"args_begin":"\[3".*"name":"org\.ipcbus\.Error\.InvalidArgs"' &&
        stop_monitor TERM
}

filters() {
    monitor lines 'echo-*' 'who*' && ctl send echo 1 && ctl send echo-broadcast 2 && ctl invoke whoami &&
        tells lines whoami && stop_monitor && expect "$(sed 's/.*"channel":"\([^"]*\)".*/\1/' "$tmp/lines" | tr '\n' ' ')" \
        'echo-broadcast whoami ' || return
    fails_in_one_line 1 "'a\[b' is no glob.*InvalidArgs" monitor 'a[b'
}

pretty_and_table() {
    monitor lines --json=pretty whoami && ctl invoke whoami && tells lines '^  "verb": "invoke",$' && stop_monitor || return
    monitor table --json=off echo && ctl invoke echo "$(printf 'x%.0s' {1..200})" && tells table ' invoke .* echo .*xxx"\] = \["x{200}"\]$' &&
        stop_monitor && expect_match "$(head -n 1 "$tmp/table")" '^TIME +RENDERER +VERB +CHANNEL +TOOK +WHAT$'
}

on_a_terminal() {
    local keys
    terminal "$tmp/screen" 100 "$ipcbusctl" --address="$address" monitor && until_true has_watchers 1 &&
        ctl invoke echo "$(printf 'x%.0s' {1..200})" && ctl invoke echo-error com.example.Error.Broken $'no\e[31m' &&
        ctl send echo-broadcast 1 && tells screen 'echo-broadcast' || return
    printf '\003' >&"$keys"
    exec {keys}>&-
    ended "$terminal" 0 && expect_match "$(head -n 1 "$tmp/screen")" "^.\[1mTIME " &&
        expect_match "$(grep 'xxx' "$tmp/screen")" 'us  \["x+\.\.\.' && expect_match "$(<"$tmp/screen")" '\[1;31m.*no\\x1b\[31m' || return
    # No row is wider than the terminal.
    expect "$(sed "s/.\[[0-9;]*m//g; s/\r//" "$tmp/screen" | awk 'length > 100')" ""
}

without_colours() {
    local keys
    terminal "$tmp/screen" 100 NO_COLOR=1 "$ipcbusctl" --address="$address" monitor && until_true has_watchers 1 &&
        ctl invoke echo 1 && tells screen '= \[1\]' || return
    printf '\003' >&"$keys"
    exec {keys}>&-
    ended "$terminal" 0 && [[ $(<"$tmp/screen") != *$'\e'* ]]
}

# Nobody reads any more; nothing comes, or something.
is_quiet_in_a_broken_pipe() {
    local out
    out=$(timeout "$deadline" bash -o pipefail -c '"$0" --address="$1" monitor | head -n 1' "$ipcbusctl" "$address" 2>"$tmp/err" &
        until_true has_watchers 1 && ctl send echo 1 && until_true has_watchers 0 && wait "$!") || return
    expect_match "$out" '"verb":"send"' && expect "$(<"$tmp/err")" ""
}

service_goes() {
    monitor lines && stop_daemon && ended "$monitor" 1 && expect_match "$(<"$tmp/lines.err")" "^ipcbusctl: $name tells no more" &&
        start_daemon --module=echo
}

# A reader that has been stopped, and the service goes on.
reader_stops() {
    local sent=3000 told dropped
    monitor lines && kill -STOP "$monitor" || return
    ctl --json=short bench send --duration=0.5 --size=200 --concurrency=16 && expect "$status" 0 && prints '[1]' invoke echo 1 || return
    sent=$(busctl --address="$address" get-property "$name" /org/ipcbus/Main org.ipcbus.Monitor1 Watchers) &&
        kill -CONT "$monitor" && expect "$sent" 'u 1' && tells lines '"verb":"gone"|"dropped":' && stop_monitor || return
    told=$(grep -c . "$tmp/lines") dropped=$(sed -n 's/^{"dropped":\([0-9]*\)}$/\1/p' "$tmp/lines")
    ((told > 0)) && { [[ -z $dropped ]] || ((dropped > 0)); }
}

# ---- top, status ----

looks_once() {
    ctl invoke echo-error com.example.Error.Broken no && ctl invoke echo 1 && ctl top && expect "$status" 0 && expect "$(<"$tmp/err")" "" &&
        expect_match "$(head -n 1 "$tmp/out")" '^CHANNEL +RATE/S +CALLS +MSGS +SENT +ERRS +PEND +BYTES +P50 +P99 +MAX$' &&
        expect_match "$(grep '^echo ' "$tmp/out")" '^echo +- +[1-9]' && expect_match "$(<"$tmp/out")" '\(others\) ' || return
    ctl --json=short top && expect "$(wc -l <"$tmp/out")" 1 &&
        expect_match "$(<"$tmp/out")" '\{"channel":"echo-error","calls":[1-9][0-9]*,"messages":0,"sent":0,"errors":[1-9][0-9]*,"bytes":[0-9]+,"pending":0,"p50_us":[0-9.]+,"p99_us":[0-9.]+,"max_us":[0-9.]+\}'
}

looks_again() {
    ctl --json=short top -n 2 --interval=0.05 && expect "$(wc -l <"$tmp/out")" 2 &&
        expect_match "$(tail -n 1 "$tmp/out")" '"channel":"".*"rate":0\.0' || return
    ctl top --iterations=3 --interval=0.01 && expect "$(grep -c ^CHANNEL "$tmp/out")" 3
}

bad_options() {
    refused "--interval .*'0'" top --interval=0 && refused "--interval .*'x'" top --interval=x && refused "--iterations .*'0'" top -n 0 &&
        refused "--iterations .*'-1'" top -n -1 && refused "'x'" top x && refused 'option of top' list --interval=1 &&
        refused 'option of bench' top --size=1 && refused 'option of top' bench -n 1 && refused "'-n' needs" top -n
}

# Until q; the terminal has its ways back then.
is_live() {
    local keys
    terminal "$tmp/screen" 80 sh -c '"$0" --address="$1" top --interval=0.05; stty -a' "$ipcbusctl" "$address" &&
        tells screen 'q quits' && ctl invoke echo 1 && until_true is_drawn_again || return
    printf q >&"$keys"
    tells screen ' icanon ' && exec {keys}>&- && ended "$terminal" 0 && tells screen ' echo ' &&
        expect "$(tr '\r' '\n' <"$tmp/screen" | sed "s/.\[[0-9;]*[A-Za-z]//g" | grep -v '; .*;' | awk 'length > 80')" ""
}

is_drawn_again() {
    (($(grep -c 'q quits' "$tmp/screen") > 3))
}

is_interrupted() {
    local keys
    terminal "$tmp/screen" 80 sh -c 'trap : INT; "$0" --address="$1" top --interval=60; stty -a' "$ipcbusctl" "$address" &&
        tells screen 'CHANNEL' || return
    printf '\003' >&"$keys"
    tells screen ' icanon ' && exec {keys}>&- && ended "$terminal" 0
}

# The terminal is the shell's until it goes on, and when the window is shut, nothing stays behind.
is_stopped_and_hung_up() {
    local keys top
    terminal "$tmp/screen" 80 sh -c 'tty >"$0.tty"; echo $$ >"$0.pid"; exec "$@"' "$tmp/top" \
        "$ipcbusctl" --address="$address" top --interval=0.05
    until_true has_mode -icanon && printf '\032' >&"$keys" && top=$(<"$tmp/top.pid") && until_true is_stopped "$top" &&
        has_mode icanon && kill -CONT "$top" && until_true has_mode -icanon || return
    kill -KILL "$terminal" && exec {keys}>&- && until_true is_over "$top"
}

# has_mode MODE: the terminal of top, as stty names it.
has_mode() {
    [[ -s $tmp/top.tty && " $(stty -a -F "$(<"$tmp/top.tty")" | tr '\n' ' ')" == *" $1 "* ]]
}

is_stopped() {
    [[ $(ps -o stat= -p "$1") == T* ]]
}

status_has_figures() {
    ctl status && expect_match "$(<"$tmp/out")" 'renderers: 0' && expect_match "$(<"$tmp/out")" 'CHANNEL +RATE' || return
    ctl --json=short status && expect_match "$(<"$tmp/out")" '"channels":\[\{"channel":"[^"]*","calls":' || return
    listen "$tmp/heard" something
    local id listener=${pids[-1]}
    id=$(sed -n 's/^{"id": \([0-9]*\)}$/\1/p' "$tmp/heard")
    ctl status "$id" && expect_match "$(<"$tmp/out")" 'connected: [0-9]{4}-[0-9-]{5} [0-9:]{8} \([0-9]+ s ago\)' &&
        expect_match "$(<"$tmp/out")" 'errors: 0' || return
    ctl --json=short status "$id" && expect_match "$(<"$tmp/out")" '"connected":[0-9]{16},' && expect_match "$(<"$tmp/out")" '"calls":0' &&
        kill "$listener" && ended "$listener" 0
}

start_bus "$tmp"
test_case "bad options" bad_options
if test_case "the daemon starts" start_daemon --module=echo; then
    test_case "monitor: lines of JSON" is_json_lines
    test_case "monitor: other callers" sees_others
    test_case "monitor: globs" filters
    test_case "monitor: pretty, and a table in a pipe" pretty_and_table
    test_case "monitor: on a terminal" on_a_terminal
    test_case "monitor: NO_COLOR" without_colours
    test_case "monitor: a broken pipe" is_quiet_in_a_broken_pipe
    test_case "monitor: a reader that stops" reader_stops
    test_case "monitor: the service goes" service_goes
    test_case "top: in a pipe" looks_once
    test_case "top: several times" looks_again
    test_case "top: on a terminal" is_live
    test_case "top: interrupted" is_interrupted
    test_case "top: stopped, and hung up" is_stopped_and_hung_up
    test_case "status: figures" status_has_figures
    test_case "the daemon stops" eval 'stop_daemon && expect "$status" 0'
fi
finish
