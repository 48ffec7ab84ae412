# SPDX-License-Identifier: MIT
# Sourced by the shell tests of ipcbusd: a bus of their own, the daemon on it, clients that are not ours, and TAP.
# shellcheck shell=bash

# shellcheck source=tests/tap-fixture.sh
. "$(dirname "${BASH_SOURCE[0]}")/tap-fixture.sh"
# shellcheck source=tests/bus-fixture.sh
. "$(dirname "${BASH_SOURCE[0]}")/bus-fixture.sh"

src=${top_srcdir:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
build=${top_builddir:-$PWD}
ipcbusd=$build/service/ipcbusd
ipcbusctl=$build/client/ipcbusctl
name=org.ipcbus.Main
unset DBUS_SESSION_BUS_ADDRESS DBUS_STARTER_ADDRESS DBUS_STARTER_BUS_TYPE NOTIFY_SOCKET JOURNAL_STREAM STATE_DIRECTORY
export XDG_DATA_HOME=$tmp/data

# ---- the bus ----

ask_bus() {
    timeout "$deadline" busctl --address="$address" call org.freedesktop.DBus /org/freedesktop/DBus \
        org.freedesktop.DBus "$@"
}

name_is_owned() {
    [[ $(ask_bus NameHasOwner s "$name") == "b true" ]]
}

# ---- the daemon ----

# start_daemon ARG...: it runs in the background, in $daemon_pid, and writes $tmp/daemon.log.
start_daemon() {
    : >"$tmp/daemon.log"
    "${prefix[@]}" "$ipcbusd" --address="$address" "$@" 2>"$tmp/daemon.log" &
    daemon_pid=$!
    pids+=("$daemon_pid")
    until_true daemon_is_up || return
    kill -0 "$daemon_pid"
}

prefix=(env) # what the daemon runs under

daemon_is_up() {
    name_is_owned || ! kill -0 "$daemon_pid" 2>/dev/null
}

# stop_daemon [SIGNAL]: leaves its exit status in $status.
stop_daemon() {
    kill "-${1:-TERM}" "$daemon_pid"
    wait_for_daemon
}

wait_for_daemon() {
    status=0
    until_true daemon_is_gone || return
    wait "$daemon_pid" 2>/dev/null || status=$?
}

# A process that has ended and was not waited for can still be signalled.
daemon_is_gone() {
    local state
    state=$(ps -o stat= -p "$daemon_pid") || return 0
    [[ $state == Z* ]]
}

# refuses STATUS PATTERN ARG...: the daemon ends at once with this status and one line on stderr that matches.
refuses() {
    local status=0 expected=$1 pattern=$2
    shift 2
    timeout "$deadline" "${prefix[@]}" "$ipcbusd" "$@" >"$tmp/out" 2>"$tmp/err" || status=$?
    expect "$status" "$expected" && expect "$(wc -l <"$tmp/err")" 1 && expect_match "$(<"$tmp/err")" "$pattern"
}

# ---- a client that knows nothing of ipcbus ----

# The arguments come on standard input, as no command line takes more than 128 KiB of them. A result is printed as it
# is; an error as its name, its message and the rest of its body.
make_caller() {
    cat >"$tmp/caller.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

static int fail(sd_bus_message *reply, const sd_bus_error *error)
{
    const char *message = NULL, *detail = NULL;

    if (reply && sd_bus_message_read(reply, "s", &message) > 0)
        sd_bus_message_read(reply, "s", &detail);
    printf("%s: %s%s%s\n", error->name, error->message, detail ? " " : "", detail ? detail : "");
    return 1;
}

static sd_bus_message *answer;

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    answer = sd_bus_message_ref(reply);
    return 0;
}

/* caller ADDRESS NAME METHOD CHANNEL */
int main(int argc, char **argv)
{
    static char args[32 * 1024 * 1024];
    const char *result;
    sd_bus *bus;

    args[fread(args, 1, sizeof(args) - 1, stdin)] = '\0';
    if (sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, argv[1]) < 0 || sd_bus_set_bus_client(bus, 1) < 0 ||
        sd_bus_start(bus) < 0)
        return 2;
    if (sd_bus_call_method_async(bus, NULL, argv[2], "/org/ipcbus/Main", "org.ipcbus.Main1", argv[3], on_answer, NULL,
                                 "ss", argv[4], args) < 0)
        return 2;
    while (!answer)
        if (sd_bus_process(bus, NULL) < 0 || (!answer && sd_bus_wait(bus, UINT64_MAX) < 0))
            return 2;
    if (sd_bus_message_is_method_error(answer, NULL))
        return fail(answer, sd_bus_message_get_error(answer));
    if (sd_bus_message_read(answer, "s", &result) < 0)
        return 2;
    puts(result);
    return 0;
}
END
    compile "$tmp/caller.c" -o "$tmp/caller" "$(pkg-config --libs libsystemd)"
}

# The compiler may be a command with arguments, as the flags are.
compile() {
    # shellcheck disable=SC2086,SC2046,SC2048
    ${CC:-cc} -I"$src/interfaces" -I"$src/service" $(pkg-config --cflags libsystemd jansson) $*
}

# invoke CHANNEL [JSON], call METHOD CHANNEL [JSON]; without the JSON, it comes on standard input.
invoke() {
    call Invoke "$@"
}

call() {
    if (($# > 2)); then
        timeout "$deadline" "$tmp/caller" "$address" "$name" "$1" "$2" <<<"$3"
    else
        timeout "$deadline" "$tmp/caller" "$address" "$name" "$1" "$2"
    fi
}

# answers EXPECTED CHANNEL [JSON]: the invoke resolves with this JSON, spaces aside.
answers() {
    local expected=$1 answer
    shift
    answer=$(invoke "$@") || { echo "this failed: $*: $answer"; return 1; }
    expect "${answer// /}" "${expected// /}"
}

# fails_with ERROR PATTERN CHANNEL [JSON]: the invoke is rejected with this error, and a message that matches.
fails_with() {
    local error=$1 pattern=$2 answer
    shift 2
    if answer=$(invoke "$@"); then
        echo "this did not fail: $* answers $answer"
        return 1
    fi
    expect_match "$answer" "^${error//./\\.}: $pattern"
}

# ---- a client that does ----

# listen FILE CHANNEL: a renderer in the background, whose messages go to the file.
listen() {
    rm -f "$1" # what a listener before this one wrote must not be taken for this one's
    "$ipcbusctl" --address="$address" listen "$2" >"$1" 2>"$1.err" &
    pids+=($!)
    until_true grep -qs '"id"' "$1"
}

[[ -x $ipcbusd ]] || { echo "Bail out! $ipcbusd is not there"; exit 1; }
make_caller || { echo "Bail out! the client of the tests does not compile"; exit 1; }
