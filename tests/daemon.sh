#!/bin/bash
# SPDX-License-Identifier: MIT
# ipcbusd as its user sees it: options, errors of the start, modules, signals, readiness, activation, and the module
# `echo`.
set -u
# shellcheck source=tests/daemon-fixture.sh
. "$(dirname "$0")/daemon-fixture.sh"

# ---- little modules ----

# make_module NAME: compiles the C program on standard input to $tmp/NAME.so.
make_module() {
    cat >"$tmp/$1.c" && compile "$tmp/$1.c" -shared -fPIC -o "$tmp/$1.so"
}

make_modules() {
    make_module no-symbol <<<'int some_other_function(void) { return 0; }' &&
        make_module undefined <<<'int missing(void); int ipc_module_init(void *app) { return missing(); }' &&
        make_module refusing <<<'int ipc_module_init(void *app) { return -84; /* EILSEQ */ }' &&
        make_module first <<<'#include <unistd.h>
int ipc_module_init(void *app) { return write(2, "first\n", 6) < 0; }' &&
        make_module talking <<'END'
#include <errno.h>
#include <ipc-main.h>
#include <stdio.h>

static void on_closed(ipc_app *app, void *userdata)
{
    fputs("closed\n", stderr);
}

static void on_nothing(ipc_event *event, json_t *args, void *userdata)
{
}

static void on_cancelled(ipc_invocation *invocation, void *userdata)
{
    fputs("cancelled\n", stderr);
    ipc_invocation_unref(invocation);
}

/* Keeps the call for ever, and tells that it has it. */
static int handle_keep(ipc_invocation *invocation, json_t *args, void *userdata)
{
    fputs("kept\n", stderr);
    return ipc_invocation_on_cancelled(ipc_invocation_ref(invocation), on_cancelled, NULL);
}

static int handle_leak(ipc_invocation *invocation, json_t *args, void *userdata)
{
    for (int i = 0; i < 11; i++)
        ipc_main_on(ipc_app_get_main(userdata), NULL, "a\nb", on_nothing, NULL);
    return ipc_invocation_resolve(invocation, NULL);
}

int ipc_module_init(ipc_app *app)
{
    fputs("talking\n", stderr);
    ipc_app_on_closed(app, NULL, on_closed, NULL);
    ipc_main_handle(ipc_app_get_main(app), NULL, "keep", handle_keep, NULL);
    return ipc_main_handle(ipc_app_get_main(app), NULL, "leak", handle_leak, app);
}
END
}

# What a service manager is to a service: manager SOCKET [COUNT] prints the first messages that it gets.
make_manager() {
    cat >"$tmp/manager.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0), count = argc > 2 ? atoi(argv[2]) : 1;
    char message[256];
    ssize_t size;

    strncpy(address.sun_path, argv[1], sizeof(address.sun_path) - 1);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return 1;
    alarm(20);
    while (count-- > 0) {
        size = recv(fd, message, sizeof(message), 0);
        if (size < 0 || printf("%.*s\n", (int)size, message) < 0 || fflush(stdout))
            return 1;
    }
    return 0;
}
END
    compile "$tmp/manager.c" -o "$tmp/manager"
}

log_has() {
    grep -q -- "$1" "$tmp/daemon.log"
}

# ---- the command line ----

prints_help() {
    "$ipcbusd" --help >"$tmp/out" 2>"$tmp/err" && expect_match "$(<"$tmp/out")" '--module=MODULE' &&
        expect "$(<"$tmp/err")" ""
}

prints_version() {
    "$ipcbusd" --version >"$tmp/out" 2>"$tmp/err" && expect_match "$(<"$tmp/out")" '^ipcbusd [0-9]' &&
        expect "$(<"$tmp/err")" ""
}

malformed_names() {
    local bad
    for bad in '' org org..ipcbus .org.ipcbus org.ipcbus. org.1ipcbus 'org.ip bus' :1.7 \
        "org.$(printf 'x%.0s' {1..255})"; do
        refuses 2 "'$bad'" --address="$address" --name="$bad" || return
    done
}

# ---- starts that fail ----

no_bus() {
    local nowhere=unix:path=$tmp/nowhere
    refuses 1 "$nowhere: No such file or directory" --address="$nowhere" &&
        DBUS_SESSION_BUS_ADDRESS=$nowhere refuses 1 "$nowhere: No such file" &&
        DBUS_SYSTEM_BUS_ADDRESS=$nowhere refuses 1 "$nowhere: No such file" --system
}

unknown_module() {
    refuses 1 "'nonesuch'.*/nonesuch\.so" --address="$address" --module=nonesuch &&
        refuses 1 "'$tmp/nonesuch.so'.*No such file" --address="$address" --module="$tmp/nonesuch.so"
}

# It lies in the working folder, and a name is not a path.
module_without_path() {
    (cd "$tmp" && : >here.so && refuses 1 "'here\.so'.*put \./ before it" --address="$address" --module=here.so &&
        refuses 1 "'nonesuch\.so'.*/nonesuch\.so\.so$" --address="$address" --module=nonesuch.so)
}

is_told_to_have_no_module() {
    start_daemon && until_true grep -q 'No module is loaded' "$tmp/daemon.log" && stop_daemon && expect "$status" 0 || return
    start_daemon --module=echo && ! grep -q 'No module' "$tmp/daemon.log" && stop_daemon && expect "$status" 0
}

broken_module() {
    echo "no shared object" >"$tmp/text.so"
    refuses 1 "$tmp/text.so" --address="$address" --module="$tmp/text.so" &&
        refuses 1 "$tmp/undefined.so.*missing" --address="$address" --module="$tmp/undefined.so"
}

taken_name() {
    start_daemon &&
        refuses 1 "$name is taken" --address="$address" &&
        stop_daemon && expect "$status" 0
}

# A module that was loaded before another one failed is told that it is over.
failing_start_closes() {
    local status=0
    timeout "$deadline" "$ipcbusd" --address="$address" --module="$tmp/talking.so" --module="$tmp/refusing.so" \
        2>"$tmp/err" || status=$?
    expect "$status" 1 && expect "$(grep -c '^ipcbusd:' "$tmp/err")" 1 && expect "$(tail -n 1 "$tmp/err")" closed
}

missing_policy() {
    mkfifo "$tmp/fifo" &&
        refuses 1 "$tmp/nonesuch.json: No such file" --address="$address" --policy="$tmp/nonesuch.json" &&
        refuses 1 "$tmp: Is a directory" --address="$address" --policy="$tmp" &&
        refuses 1 "$tmp/fifo: It is no regular file" --address="$address" --policy="$tmp/fifo"
}

broken_policy() {
    printf '{\n  "default": "deny",\n  "rule": []\n}\n' >"$tmp/policy.json"
    refuses 1 "^ipcbusd: $tmp/policy.json:3:3: a policy has no key 'rule'" --address="$address" \
        --policy="$tmp/policy.json" || return
    printf '{"default": deny}' >"$tmp/policy.json"
    refuses 1 "^ipcbusd: $tmp/policy.json:1:16: invalid token" --address="$address" --policy="$tmp/policy.json" || return
    head -c 1048577 /dev/zero | tr '\0' ' ' >"$tmp/policy.json"
    refuses 1 "$tmp/policy.json: A policy has a MiB at most" --address="$address" --policy="$tmp/policy.json"
}

# ---- what runs ----

modules_in_order() {
    start_daemon --module="$tmp/talking.so" --module="$tmp/first.so" &&
        expect "$(tr '\n' ' ' <"$tmp/daemon.log")" "talking first " && stop_daemon && expect "$status" 0 &&
        start_daemon --module="$tmp/first.so" --module="$tmp/talking.so" --module=echo &&
        expect "$(tr '\n' ' ' <"$tmp/daemon.log")" "first talking " && stop_daemon && expect "$status" 0
}

# stopped_by SIGNAL: with a call that waits.
stopped_by() {
    start_daemon --module="$tmp/talking.so" || return
    invoke keep '[]' >"$tmp/answer" &
    pids+=($!)
    until_true log_has kept && stop_daemon "$1" && expect "$status" 0 && until_true test -s "$tmp/answer" &&
        expect_match "$(<"$tmp/answer")" '^org\.ipcbus\.Error\.MainGone: .' &&
        expect "$(tail -n 2 "$tmp/daemon.log" | tr '\n' ' ')" "cancelled closed " && ! name_is_owned
}

# let_invoke CHANNEL: the policy file lets nobody do anything else.
let_invoke() {
    cat >"$tmp/policy.json" <<END
{"rules": [{"allow": true, "verbs": ["invoke"], "channels": ["$1"]}], "default": "deny"}
END
}

answers_now() {
    answers "$@" >/dev/null
}

denies() {
    fails_with org.freedesktop.DBus.Error.AccessDenied "The policy .* user $EUID invoke on '$1'" "$1" '[]'
}

# What was let in before knows the new policy from its next call on.
policy_is_read_again() {
    let_invoke 'ec*o'
    start_daemon --module=echo --policy="$tmp/policy.json" && answers '[1]' echo '[1]' && denies whoami &&
        denies echo-later || return
    let_invoke 'echo-*' && kill -HUP "$daemon_pid" && until_true answers_now '[2]' echo-later '[0,[2]]' &&
        denies echo && expect "$(grep -v ': Denied ' "$tmp/daemon.log")" "" || return
    echo '{"default": "allow" "rules": []}' >"$tmp/policy.json" && kill -HUP "$daemon_pid" &&
        until_true log_has "^ipcbusd: $tmp/policy.json:1:27: '}' expected near '\"rules\"' (the policy stays as it was)$" &&
        answers '[3]' echo-later '[0,[3]]' && denies echo || return
    rm "$tmp/policy.json" && kill -HUP "$daemon_pid" && until_true log_has "$tmp/policy.json: No such file" &&
        answers '[4]' echo-later '[0,[4]]' && denies echo || return
    echo '{"default": "allow"}' >"$tmp/policy.json" && kill -HUP "$daemon_pid" &&
        until_true answers_now '[5]' echo '[5]' && stop_daemon && expect "$status" 0 &&
        expect "$(grep -vc ': Denied ' "$tmp/daemon.log")" 2
}

count_renderers() {
    busctl --address="$address" --list tree "$name" | grep -c '/web_contents/'
}

has_no_renderers() {
    ! count_renderers
}

# A renderer that may do nothing any more still hears.
policy_keeps_renderers() {
    echo '{"default": "allow"}' >"$tmp/policy.json"
    start_daemon --module=echo --policy="$tmp/policy.json" && listen "$tmp/heard" echo-broadcast &&
        expect "$(count_renderers)" 1 || return
    echo '{"rules": [{"allow": true, "verbs": ["send"]}], "default": "deny"}' >"$tmp/policy.json"
    kill -HUP "$daemon_pid" && until_true denies echo &&
        "$ipcbusctl" --address="$address" send echo-broadcast still && until_true grep -qs still "$tmp/heard" &&
        expect "$(count_renderers)" 1 && kill "${pids[-1]}" && until_true has_no_renderers && stop_daemon &&
        expect "$status" 0
}

example_policies() {
    local example
    for example in policy-system policy-user; do
        start_daemon --module=echo --policy="$src/systemd/$example.json" && answers '[1]' echo '[1]' && stop_daemon &&
            expect "$status" 0 && expect "$(<"$tmp/daemon.log")" "" || return
    done
}

hangup_is_ignored() {
    start_daemon --module=echo && kill -HUP "$daemon_pid" && answers '["here"]' echo '["here"]' && stop_daemon &&
        expect "$status" 0
}

warning_is_one_line() {
    start_daemon --module="$tmp/talking.so" && invoke leak '[]' && until_true log_has 'More than 10 listeners' &&
        expect "$(grep -c listeners "$tmp/daemon.log")" 1 && log_has "^ipcbusd: .*a?b" && stop_daemon
}

# No file of a module may become the log because standard error was closed.
closed_streams() {
    rm -rf "$XDG_DATA_HOME"
    mkdir -p "$XDG_DATA_HOME/ipcbus" && echo damaged >"$XDG_DATA_HOME/ipcbus/notes.json"
    "$ipcbusd" --address="$address" --module=notes <&- >&- 2>&- &
    daemon_pid=$!
    pids+=("$daemon_pid")
    until_true daemon_is_up && expect "$(readlink "/proc/$daemon_pid/fd/2")" /dev/null && stop_daemon &&
        expect "$status" 0 && [[ ! -s $XDG_DATA_HOME/ipcbus/notes.lock ]]
}

# The log is the journal's when JOURNAL_STREAM says that stderr is.
priority_for_journal() {
    local status=0
    : >"$tmp/err"
    JOURNAL_STREAM=$(stat -c %d:%i "$tmp/err") timeout "$deadline" "$ipcbusd" --address="$address" --module=nonesuch \
        2>>"$tmp/err" || status=$?
    expect "$status" 1 && expect_match "$(<"$tmp/err")" '^<3>There is no module' &&
        JOURNAL_STREAM=1:1 refuses 1 '^ipcbusd: There is no module' --address="$address" --module=nonesuch
}

# start_managed MESSAGES ARG...: the daemon, and its manager in $manager, which ends after so many messages.
start_managed() {
    rm -f "$tmp/notify"
    "$tmp/manager" "$tmp/notify" "$1" >"$tmp/message" &
    manager=$!
    pids+=("$manager")
    shift
    until_true test -S "$tmp/notify" || return
    : >"$tmp/daemon.log"
    NOTIFY_SOCKET=$tmp/notify "$ipcbusd" --address="$address" --module=echo "$@" 2>"$tmp/daemon.log" &
    daemon_pid=$!
    pids+=("$daemon_pid")
}

tells_readiness() {
    start_managed 1 && wait "$manager" && name_is_owned && expect "$(<"$tmp/message")" READY=1 && stop_daemon &&
        expect "$status" 0
}

tells_its_status() {
    local none="STATUS=0 renderers, 0 pending calls"
    start_managed 4 && until_true name_is_owned && listen "$tmp/one" x &&
        until_true grep -q '1 renderer,' "$tmp/message" && kill "${pids[-1]}" && wait "$manager" && stop_daemon &&
        expect "$(paste -s -d, "$tmp/message")" "READY=1,$none,STATUS=1 renderer, 0 pending calls,$none"
}

# The manager must know before the name is free, or it would not start the next one.
tells_its_end() {
    start_managed 3 && until_true name_is_owned && stop_daemon && expect "$status" 0 && wait "$manager" &&
        expect "$(tail -n 1 "$tmp/message")" STOPPING=1 &&
        start_managed 3 --exit-on-idle=0.05 && wait_for_daemon && expect "$status" 0 && wait "$manager" &&
        expect "$(sed -n 3p "$tmp/message")" STOPPING=1
}

feeds_the_watchdog() {
    export WATCHDOG_USEC=200000
    start_managed 4
    local r=$?
    unset WATCHDOG_USEC
    ((r == 0)) && wait "$manager" && expect "$(tail -n 2 "$tmp/message" | uniq)" WATCHDOG=1 && stop_daemon
}

leaves_when_idle() {
    timeout "$deadline" "$ipcbusd" --address="$address" --module=echo --exit-on-idle=0.05 2>"$tmp/err" &&
        expect "$(<"$tmp/err")" "" && ! name_is_owned
}

malformed_idle_times() {
    local bad
    for bad in '' 0 0.0 -1 soon 1s 0x10 nan 1e3 1..2; do
        refuses 2 "--exit-on-idle.*'$bad'" --address="$address" --exit-on-idle="$bad" || return
    done
}

tells_reload() {
    let_invoke echo
    "$tmp/manager" "$tmp/notify-reload" 4 >"$tmp/message" &
    local manager=$!
    pids+=("$manager")
    until_true test -S "$tmp/notify-reload" || return
    prefix=(env "NOTIFY_SOCKET=$tmp/notify-reload")
    start_daemon --module=echo --policy="$tmp/policy.json"
    local started=$?
    prefix=(env)
    ((started == 0)) && until_true grep -q READY "$tmp/message" && kill -HUP "$daemon_pid" && wait "$manager" &&
        expect "$(sed 's/=[0-9]\{2,\}$/=N/' "$tmp/message" | tr '\n' ' ')" \
            "READY=1 STATUS=0 renderers, 0 pending calls RELOADING=1 MONOTONIC_USEC=N READY=1 " && stop_daemon &&
        expect "$status" 0
}

bus_goes_away() {
    local address bus_pid
    mkdir "$tmp/second"
    start_bus "$tmp/second" && start_daemon --module=echo && kill "$bus_pid" && wait_for_daemon && expect "$status" 1 &&
        expect "$(wc -l <"$tmp/daemon.log")" 1 && log_has '^ipcbusd: The bus went away'
}

activated() {
    cat >"$tmp/services/org.ipcbus.Main.service" <<END
[D-BUS Service]
Name=org.ipcbus.Main
Exec=$ipcbusd --module=echo
END
    # dbus-daemon looks at the folder when it is told to.
    ask_bus ReloadConfig && answers '[1]' echo '[1]'
    local activated=$?
    rm "$tmp/services/org.ipcbus.Main.service" && ask_bus ReloadConfig && ((activated == 0)) &&
        daemon_pid=$(ask_bus GetConnectionUnixProcessID s "$name") && daemon_pid=${daemon_pid#u } &&
        pids+=("$daemon_pid") && kill "$daemon_pid" && until_true daemon_is_gone
}

# ---- the module echo ----

echo_resolves() {
    answers '[1, {"a": [null, 2.5]}, "x"]' echo '[1, {"a": [null, 2.5]}, "x"]' && answers '[]' echo '[]' &&
        expect "$(call SendSync echo '["sync"]')" '["sync"]'
}

# What anybody has on a systemd machine.
echo_answers_busctl() {
    local answer
    answer=$(busctl --address="$address" call "$name" /org/ipcbus/Main org.ipcbus.Main1 Invoke ss echo '[1]') &&
        expect "$answer" 's "[1]"'
}

echo_rejects() {
    fails_with com.example.Broken 'it broke \{"a": ?1\}$' echo-error '["com.example.Broken", "it broke", {"a": 1}]' &&
        fails_with com.example.Broken 'it broke$' echo-error '["com.example.Broken", "it broke"]' &&
        fails_with org.ipcbus.Error.InvalidArgs 'echo-error wants' echo-error '[]' &&
        fails_with org.ipcbus.Error.InvalidArgs 'echo-error wants' echo-error '["no name", "message"]' &&
        fails_with org.ipcbus.Error.InvalidArgs 'echo-error wants' echo-error '["com.example.E", 5]' &&
        fails_with org.ipcbus.Error.InvalidArgs 'echo-error wants' echo-error '["com.example.E", "m", 1, 2]'
}

echo_waits() {
    local began ended
    began=$(date +%s%3N)
    answers '{"done": true}' echo-later '[150, {"done": true}]' || return
    ended=$(date +%s%3N)
    ((ended - began >= 150)) || { echo "that took $((ended - began)) ms"; return 1; }
    answers null echo-later '[0]' && answers 1 echo-later '[0.5, 1]' &&
        fails_with org.ipcbus.Error.InvalidArgs 'echo-later wants' echo-later '[]' &&
        fails_with org.ipcbus.Error.InvalidArgs 'echo-later wants' echo-later '[-1]' &&
        fails_with org.ipcbus.Error.InvalidArgs 'echo-later wants' echo-later '["soon"]' &&
        fails_with org.ipcbus.Error.InvalidArgs 'echo-later wants' echo-later '[1, 2, 3]'
}

echo_drops() {
    fails_with org.ipcbus.Error.ReplyNeverSent '.' echo-never '[]'
}

echo_knows_who() {
    expect_match "$(invoke whoami '[]' | tr -d ' ')" \
        "^\\{\"id\":0,\"name\":\":1\\.[0-9]+\",\"uid\":$(id -u),\"pid\":[0-9]+\\}$"
}

echo_broadcasts() {
    listen "$tmp/one" echo-broadcast && listen "$tmp/two" echo-broadcast &&
        "$ipcbusctl" --address="$address" send echo-broadcast hello &&
        until_true grep -q '"hello"' "$tmp/one" && until_true grep -q '"hello"' "$tmp/two"
}

# Callers that give up and vanish, and a stop while a timer runs: what is left over must do no harm.
echo_forgets() {
    local delay
    for delay in 300 310 320 60000; do
        ! busctl --address="$address" --timeout=0.1 call "$name" /org/ipcbus/Main org.ipcbus.Main1 Invoke ss \
            echo-later "[$delay]" || return
    done
    invoke echo-later '[60000]' >"$tmp/answer" &
    pids+=($!)
    answers '"done"' echo-later '[400, "done"]' && stop_daemon && expect "$status" 0 &&
        expect "$(<"$tmp/daemon.log")" "" && until_true test -s "$tmp/answer"
}

# ---- the stories ----

start_bus "$tmp"
test_case "--help" prints_help
test_case "--version" prints_version
test_case "an unknown option" refuses 2 "^ipcbusd: .*--nonesuch" --nonesuch
test_case "an option without its argument" refuses 2 "^ipcbusd: .*--name" --name
test_case "an operand" refuses 2 "^ipcbusd: .*'echo'" echo
test_case "an empty module" refuses 2 "^ipcbusd: --module" --module=
test_case "an empty address" refuses 2 "^ipcbusd: --address" --address=
test_case "malformed names" malformed_names
test_case "an empty policy" refuses 2 "^ipcbusd: --policy wants a file" --policy=
test_case "malformed times of --exit-on-idle" malformed_idle_times
test_case "no bus" no_bus
test_case "no address" refuses 1 "'?nonsense'?" --address=nonsense
test_case "a module that does not exist" unknown_module
test_case "a module in the working folder" module_without_path
test_case "no module" is_told_to_have_no_module
test_case "a name that is taken" taken_name
test_case "a name that the bus refuses" refuses 1 "org.ipcbus.Denied" --address="$address" --name=org.ipcbus.Denied
test_case "the same module twice" refuses 1 "'echo' is loaded already" --address="$address" --module=echo --module=echo
test_case "a policy that is not there" missing_policy
test_case "a policy that is wrong" broken_policy
test_case "priorities for the journal" priority_for_journal
test_case "standard streams that are closed" closed_streams
test_case "the policies that come as examples" example_policies
test_case "SIGHUP without a policy" hangup_is_ignored
test_case "SIGHUP reads the policy again" policy_is_read_again
test_case "a new policy keeps the renderers" policy_keeps_renderers
test_case "the bus goes away" bus_goes_away
test_case "activation" activated
test_case "--exit-on-idle" leaves_when_idle

if make_modules >"$tmp/cc.log" 2>&1 && make_manager >>"$tmp/cc.log" 2>&1; then
    test_case "a module that cannot be loaded" broken_module
    test_case "a module without its function" refuses 1 "'$tmp/no-symbol.so'.*ipc_module_init" --address="$address" \
        --module="$tmp/no-symbol.so"
    test_case "a module whose init fails" refuses 1 "'$tmp/refusing.so'.*Invalid or incomplete" --address="$address" \
        --module="$tmp/refusing.so"
    test_case "a start that fails tells the modules" failing_start_closes
    test_case "modules are loaded in order" modules_in_order
    test_case "SIGTERM with a pending call" stopped_by TERM
    test_case "SIGINT with a pending call" stopped_by INT
    test_case "a warning is one line" warning_is_one_line
    test_case "READY=1 when the name is owned" tells_readiness
    test_case "RELOADING=1 on SIGHUP" tells_reload
    test_case "STATUS= when it changes" tells_its_status
    test_case "STOPPING=1 before the name is free" tells_its_end
    test_case "WATCHDOG=1 from the loop" feeds_the_watchdog
else
    test_case "the little modules of this test compile" eval 'cat "$tmp/cc.log"; false'
fi

if test_case "echo starts" start_daemon --module=echo; then
    test_case "echo resolves" echo_resolves
    test_case "echo answers busctl" echo_answers_busctl
    test_case "echo-error" echo_rejects
    test_case "echo-later" echo_waits
    test_case "echo-never" echo_drops
    test_case "whoami" echo_knows_who
    test_case "echo-broadcast" echo_broadcasts
    test_case "callers of echo-later that vanish, and a stop" echo_forgets
fi
finish
