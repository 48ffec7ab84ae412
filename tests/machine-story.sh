# SPDX-License-Identifier: MIT
# Sourced by a test inside its machine (see machine-fixture.sh): verbs for both kinds of manager.
# shellcheck shell=bash

test=/run/ipcbus-test
# shellcheck source=tests/tap-fixture.sh
. $test/tap-fixture.sh

name=org.ipcbus.Main
unit=ipcbusd.service
if ((EUID == 0)); then
    scope=--system
    user_option=
    kind=system
    drop_ins=/etc/systemd/system
    configuration=/etc/ipcbus
    state=/var/lib/ipcbus
    open=/var/lib/open
else
    scope=--user
    user_option=--user
    kind=user
    drop_ins=$XDG_CONFIG_HOME/systemd/user
    configuration=$XDG_CONFIG_HOME/ipcbus
    state=$XDG_CONFIG_HOME/ipcbus/$name
    open=$HOME/open
fi
mkdir -p "$configuration"

ctl() {
    systemctl $scope "$@"
}

# Clients of the story before would be in the way of this one.
end_clients() {
    local pid
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    pids=()
}

# serve_with OPTIONS [LINE...]: what the service is started with from here on, and more of its [Service].
serve_with() {
    end_clients
    echo "IPCBUSD_OPTIONS=$1" >"$configuration/$name.conf"
    shift
    mkdir -p "$drop_ins/$unit.d"
    printf '%s\n' '[Service]' "$@" '[Unit]' StartLimitIntervalSec="${start_limit:-0}" >"$drop_ins/$unit.d/story.conf"
    ctl daemon-reload && ctl stop $unit && ctl reset-failed
}

unit_has() {
    [[ $(ctl show --value --property="$1" $unit) == "$2" ]]
}

get() {
    ctl show --value --property="$1" $unit
}

invoke() {
    ipcbusctl $scope --timeout=15 invoke "$@"
}

# invoke_later MS: a call that is pending for so long, in the background; what it says is in $tmp/pending.
invoke_later() {
    ipcbusctl $scope --timeout=infinity invoke echo-later "$1" >/dev/null 2>"$tmp/pending" &
    pids+=($!)
}

# invoke_fails STATUS PATTERN CHANNEL [ARG...]
invoke_fails() {
    local status=0 expected=$1 pattern=$2
    shift 2
    invoke "$@" >"$tmp/out" 2>"$tmp/err" || status=$?
    expect "$status" "$expected" && expect_match "$(<"$tmp/err")" "$pattern"
}

answers() {
    local expected=$1 answer
    shift
    answer=$(invoke "$@") || return
    expect "$answer" "$expected"
}

client() {
    $test/machine-client $kind "$@"
}

# listen FILE: a renderer in the background.
listen() {
    ipcbusctl $scope listen some-channel >"$1" 2>"$1.err" &
    pids+=($!)
    until_true grep -qs '"id"' "$1"
}

n_lines() {
    [[ $(grep -cs "$2" "$1") == "$3" ]]
}

say() {
    echo "# $*" | tee -a "$tmp/said"
}

# ---- stories of both ----

# unit_is_sound FILE...: verify answers 0 for what it does not know, but says so.
unit_is_sound() {
    local output
    output=$(systemd-analyze $user_option --man=no verify "$@" 2>&1) && expect "$output" ""
}

activated_by_a_call() {
    serve_with --module=echo && answers '["hello"]' echo hello && unit_has ActiveState active && unit_has NRestarts 0
}

shows_its_status() {
    listen "$tmp/one" && listen "$tmp/two" && invoke_later 60000 &&
        until_true unit_has StatusText "2 renderers, 1 pending call" && end_clients &&
        until_true unit_has StatusText "0 renderers, 0 pending calls"
}

# What anybody sees with the tools of systemd.
can_be_looked_at() {
    busctl $scope tree $name >"$tmp/tree" && busctl $scope introspect $name /org/ipcbus/Main >"$tmp/introspect" &&
        busctl $scope status $name >"$tmp/status" && ctl status --no-pager $unit >"$tmp/unit" || return
    expect_match "$(<"$tmp/tree")" /org/ipcbus/Main && expect_match "$(<"$tmp/introspect")" '\.Invoke +method +ss +s' &&
        expect_match "$(<"$tmp/status")" 'Comm=ipcbusd' && expect_match "$(<"$tmp/unit")" 'Status: "0 renderers'
}

# time_activation UNIT NAME ARG...: us from the call to the reply of a service that does not run.
time_activation() {
    local service=$1
    shift
    ctl stop "$service" && client time "$@"
}

median() {
    sort -n | sed -n "$((($1 + 1) / 2))p"
}

# Beside a service of bare sd-bus in the same sandbox; the two take turns.
activation_time() {
    local rounds=9 round ours bare
    serve_with --module=echo || return
    for ((round = 0; round < rounds; round++)); do
        time_activation $unit $name /org/ipcbus/Main org.ipcbus.Main1 Invoke echo '[]' >>"$tmp/ours" &&
            time_activation bare.service org.ipcbus.Bare /bare org.ipcbus.Bare Echo '[]' >>"$tmp/bare" ||
            { cat "$tmp/ours" "$tmp/bare"; return 1; }
    done
    ours=$(median $rounds <"$tmp/ours")
    bare=$(median $rounds <"$tmp/bare")
    say "activation, from the call to the reply, median of $rounds: $((ours / 1000)).$((ours / 100 % 10)) ms;" \
        "bare sd-bus: $((bare / 1000)).$((bare / 100 % 10)) ms; ratio $((ours * 100 / bare)) %"
}

# Waves of calls come when the service is about to leave, and none of them is lost.
idle_race() {
    serve_with "--module=echo --exit-on-idle=0.012" && client race 1000 12000 >"$tmp/race" ||
        { cat "$tmp/race"; return 1; }
    say "1000 calls raced with its leaving: $(tail -n 1 "$tmp/race")"
    expect "$(tail -n 1 "$tmp/race")" "answered 1000, lost 0"
}

leaves_when_idle() {
    serve_with "--module=echo --exit-on-idle=0.2" && answers '[]' echo && until_true unit_has ActiveState inactive &&
        unit_has Result success && listen "$tmp/idle" && unit_has ActiveState active
}

# now_ms, since MS: time in ms, for figures that are shown.
now_ms() {
    local now=$EPOCHREALTIME
    echo $((${now/./} / 1000))
}

since() {
    echo $(($(now_ms) - $1))
}

# A unit that fails is named within seconds, where the bus itself would keep the caller waiting.
fails_to_start() {
    local hint="its unit 'ipcbusd.service' failed; 'systemctl $user_option status ipcbusd.service'" began
    start_limit=10 serve_with --module=nonesuch || return
    began=$(now_ms)
    invoke_fails 3 "${hint//  / }" echo || return
    say "a service that cannot start: ipcbusctl fails after $(since "$began") ms"
    began=$(now_ms)
    ! client invoke echo >"$tmp/out" || return
    say "and the invoke of a renderer after $(since "$began") ms"
    expect_match "$(<"$tmp/out")" "^org.ipcbus.Error.MainGone: .*${hint//  / }" &&
        serve_with --module=echo && invoke_fails 3 "'ipcbusd.service' is not running" echo && ctl start $unit &&
        answers '["mended"]' echo mended
}

# It comes, only late.
starts_slowly() {
    serve_with "--module=echo --module=$test/machine-module.so" Environment=MODULE_SLOW=2 &&
        answers '["late"]' echo late && ctl stop $unit && expect "$(client invoke echo late)" '["late"]'
}

missing_unit() {
    invoke_fails 3 . --name=org.ipcbus.Nonesuch echo
}

crash_brings_renderers_back() {
    serve_with "--module=echo --module=$test/machine-module.so" && listen "$tmp/back" &&
        invoke_fails 1 'went away' crash && until_true n_lines "$tmp/back" '"id"' 2 && unit_has NRestarts 1 &&
        answers '["again"]' echo again
}

# The loop does not feed the watchdog while a handler hangs.
hang_is_ended() {
    serve_with "--module=echo --module=$test/machine-module.so" WatchdogSec=1 && listen "$tmp/hung" &&
        invoke_fails 1 'went away' hang && until_true n_lines "$tmp/hung" '"id"' 2 && unit_has NRestarts 1 &&
        answers '["again"]' echo again
}

# Only a call that is answered at once keeps it alive: one that takes long does not starve it.
patience_is_no_hang() {
    serve_with "--module=echo" WatchdogSec=1 && answers '"late"' echo-later 2500 late && unit_has NRestarts 0
}

# put_policy RULE: what the service's --policy is from its next start or reload on.
put_policy() {
    printf '{"rules": [%s], "default": "deny"}\n' "$1" >"$configuration/policy.json"
}

reloads() {
    local pid
    put_policy '{"allow": true, "verbs": ["invoke"], "channels": ["echo"]}' &&
        serve_with "--module=echo --policy=$configuration/policy.json" && answers '["in"]' echo in &&
        invoke_fails 1 AccessDenied whoami && pid=$(get MainPID) || return
    put_policy '{"allow": true, "verbs": ["invoke"], "channels": ["whoami"]}' && ctl reload $unit &&
        until_true invoke_fails 1 AccessDenied echo && invoke whoami >/dev/null && unit_has MainPID "$pid" || return
    put_policy '{"allow": perhaps}' && ctl reload $unit && until_true unit_has ActiveState active &&
        invoke whoami >/dev/null && unit_has MainPID "$pid"
}

stops_in_good_order() {
    serve_with --module=echo && answers '[]' echo && invoke_later 60000 &&
        until_true unit_has StatusText "0 renderers, 1 pending call" && ctl stop $unit && unit_has Result success &&
        unit_has ExecMainStatus 0 && until_true grep -q MainGone "$tmp/pending"
}

restart_under_load() {
    local status=0 i
    serve_with "--module=$test/machine-module.so" && answers '"first"' count first || return
    : >"$state/count"
    client storm 2.5 >"$tmp/answered" 2>"$tmp/storm" &
    local storm=$!
    pids+=("$storm")
    for ((i = 0; i < 3; i++)); do
        until_true has_counted $((i * 200 + 100)) && ctl restart $unit || return
    done
    wait "$storm" || status=$?
    say "restarted three times under load: $(<"$tmp/storm"); run $(wc -l <"$state/count")"
    expect "$status" 0 || { grep -v ^word "$tmp/answered"; return 1; }
    expect_match "$(<"$tmp/storm")" 'failed 0, hanging 0, registered 10 of 10' &&
        expect "$(sort "$state/count" | uniq -d)" "" &&
        expect "$(sort "$tmp/answered" | comm -23 - <(sort "$state/count"))" ""
}

has_counted() {
    (($(wc -l <"$state/count") >= $1))
}

confined() {
    mkdir -p $open && chmod 777 "$configuration" $open || return
    serve_with "--module=$test/machine-module.so" || return
    answers '"done"' write "$state/mine" && answers '"EROFS"' write $open/mine &&
        answers '"EROFS"' write "$configuration/mine" && answers '"EAFNOSUPPORT"' inet &&
        answers '"EPERM"' namespace && answers '"EPERM"' code
}
