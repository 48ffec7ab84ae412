#!/bin/bash
# SPDX-License-Identifier: MIT
# ipcbusctl with a service that is none of ours: it runs, and answers with something that no main would.
set -u
# shellcheck source=tests/ctl-fixture.sh
. "$(dirname "$0")/ctl-fixture.sh"

name=com.example.Foreign

# ---- verbs ----

# foreign ADDRESS NAME METHOD KIND: answers METHOD with what KIND is, and others as main does.
make_foreign() {
    cat >"$tmp/foreign.c" <<'END'
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

static const char *method, *kind;

static int open_kind(void)
{
    int ends[2];

    if (strcmp(kind, "stream") == 0)
        return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 ? -1 : ends[0];
    if (strcmp(kind, "lonely") == 0)
        return socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (strcmp(kind, "writing") == 0)
        return pipe(ends) < 0 ? -1 : ends[1];
    return open(kind, O_RDONLY | O_NONBLOCK);
}

static int answer_with_number(sd_bus_message *call)
{
    double number = strcmp(kind, "nan") == 0 ? NAN : INFINITY;
    sd_bus_message *answer;

    if (sd_bus_message_new_method_return(call, &answer) < 0)
        return -ENOMEM;
    if (strcmp(method, "GetAll") == 0)
        return sd_bus_message_append(answer, "a{sv}", 1, "Load", "d", number) < 0 ? -EIO : sd_bus_send(NULL, answer, NULL);
    if (sd_bus_message_append(answer, "a{oa{sa{sv}}}", 1, "/org/ipcbus/Main/web_contents/1", 1, "org.ipcbus.WebContents1", 1,
                              "Load", "d", number) < 0)
        return -EIO;
    return sd_bus_send(NULL, answer, NULL);
}

static int on_call(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    const char *member = sd_bus_message_get_member(call);

    if (strcmp(member, method) != 0)
        return strcmp(member, "Register") == 0 ? sd_bus_reply_method_return(call, "u", 1) : 0;
    if (strcmp(kind, "nan") == 0 || strcmp(kind, "infinity") == 0)
        return answer_with_number(call);
    if (strcmp(kind, "nothing") == 0)
        return sd_bus_reply_method_return(call, NULL);
    if (strcmp(kind, "text") == 0)
        return sd_bus_reply_method_return(call, "ss", "one", "two");
    if (strcmp(kind, "zero") == 0)
        return sd_bus_reply_method_return(call, "u", 0);
    return sd_bus_reply_method_return(call, "h", open_kind());
}

int main(int argc, char **argv)
{
    sd_bus *bus;

    method = argv[3];
    kind = argv[4];
    if (sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, argv[1]) < 0 || sd_bus_set_bus_client(bus, 1) < 0 ||
        sd_bus_start(bus) < 0 || sd_bus_add_fallback(bus, NULL, "/org/ipcbus/Main", on_call, NULL) < 0 ||
        sd_bus_request_name(bus, argv[2], 0) < 0)
        return 1;
    while (sd_bus_process(bus, NULL) >= 0 && sd_bus_wait(bus, UINT64_MAX) >= 0)
        ;
    return 1;
}
END
    compile "$tmp/foreign.c" -o "$tmp/foreign" "$(pkg-config --libs libsystemd)"
}

name_is_free() {
    ! name_is_owned
}

# misled METHOD KIND PATTERN ARG...: what the command says where METHOD is answered with KIND.
misled() {
    local method=$1 kind=$2 pattern=$3 foreign failed=0
    shift 3
    "$tmp/foreign" "$address" "$name" "$method" "$kind" 2>"$tmp/foreign.log" &
    foreign=$!
    pids+=("$foreign")
    until_true name_is_owned && fails_in_one_line 1 "$pattern" --name="$name" "$@" || failed=1
    kill "$foreign" && until_true name_is_free && return "$failed"
}

# ---- stories ----

ids() {
    local command
    for command in 'listen x' '--lane invoke x' 'bench'; do
        # shellcheck disable=SC2086
        misled Register zero "'$name' answered Register with 0, which is the id of nobody, not with the id of a renderer" $command &&
            misled Register text "'$name' answered Register with values of the types 'ss', not with the id" $command &&
            misled Register nothing "'$name' answered Register with nothing, not with" $command || return
    done
}

lanes() {
    local command wanted='not with a connected socket of packets'
    for command in 'listen x' 'invoke x' 'send x' 'send-sync x'; do
        # shellcheck disable=SC2086
        misled OpenLane "$0" "answered OpenLane with a regular file, $wanted" --lane $command || return
    done
    misled OpenLane / "answered OpenLane with a directory, $wanted" --lane invoke x &&
        misled OpenLane /dev/zero "answered OpenLane with a device, $wanted" --lane invoke x &&
        misled OpenLane writing "answered OpenLane with a pipe, $wanted" --lane invoke x &&
        misled OpenLane stream "answered OpenLane with a socket of another kind, $wanted" --lane invoke x &&
        misled OpenLane lonely "answered OpenLane with a socket of another kind, $wanted" --lane invoke x &&
        misled OpenLane zero "answered OpenLane with values of the types 'u', $wanted" --lane invoke x &&
        misled OpenLane nothing "answered OpenLane with nothing, $wanted" --lane invoke x
}

pipes() {
    local wanted='not with a pipe to read from'
    misled Watch / "$name answered Watch with a directory, $wanted" monitor &&
        misled Watch "$0" "$name answered Watch with a regular file, $wanted" monitor &&
        misled Watch /dev/zero "$name answered Watch with a device, $wanted" monitor &&
        misled Watch stream "$name answered Watch with a socket of another kind, $wanted" monitor &&
        misled Watch writing "$name answered Watch with the end of a pipe that is written to, $wanted" monitor &&
        misled Watch zero "$name answered in a form that is not org.ipcbus's" monitor
}

numbers() {
    local kind
    for kind in nan infinity; do
        misled GetManagedObjects "$kind" "$name answered with a property that is no finite number" list &&
            misled GetAll "$kind" "$name answered with a property that is no finite number" status || return
    done
}

start_bus "$tmp"
if test_case "a foreign service" make_foreign; then
    test_case "what is no id" ids
    test_case "what is no lane" lanes
    test_case "what is no pipe" pipes
    test_case "numbers that JSON does not have" numbers
fi
finish
