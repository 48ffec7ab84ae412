#!/bin/bash
# SPDX-License-Identifier: MIT
# ipcbusctl with a service that is none of ours: it runs, and answers with something that no main would.
set -u
# shellcheck source=tests/ctl-fixture.sh
. "$(dirname "$0")/ctl-fixture.sh"

name=com.example.Foreign

# ---- verbs ----

# foreign ADDRESS NAME METHOD KIND: answers METHOD with what KIND is, and others as main does. Lines are a pipe with what
# comes on standard input.
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

/* It fits into the pipe. */
static int open_lines(void)
{
    static char lines[32768];
    ssize_t n = read(STDIN_FILENO, lines, sizeof(lines));
    int ends[2];

    if (n < 0 || pipe(ends) < 0 || write(ends[1], lines, (size_t)n) != n || lseek(STDIN_FILENO, 0, SEEK_SET) < 0)
        return -1;
    close(ends[1]);
    return ends[0];
}

static int open_kind(void)
{
    int ends[2];

    if (strcmp(kind, "lines") == 0)
        return open_lines();
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

# start_foreign METHOD KIND: in the background as $foreign.
start_foreign() {
    "$tmp/foreign" "$address" "$name" "$1" "$2" <&0 2>"$tmp/foreign.log" &
    foreign=$!
    pids+=("$foreign")
    until_true name_is_owned
}

stop_foreign() {
    kill "$foreign" && until_true name_is_free
}

# misled METHOD KIND PATTERN ARG...: what the command says where METHOD is answered with KIND.
misled() {
    local method=$1 kind=$2 pattern=$3 foreign failed=0
    shift 3
    start_foreign "$method" "$kind" && fails_in_one_line 1 "$pattern" --name="$name" "$@" || failed=1
    stop_foreign && return "$failed"
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

# shows_foreign STYLE PATTERN: what is shown of the lines matches, and has no character that a terminal would act on.
shows_foreign() {
    ctl --name="$name" monitor --json="$1"
    expect "$status" 1 && expect_match "$(<"$tmp/err")" "^ipcbusctl: $name tells no more" && expect_match "$(<"$tmp/out")" "$2" &&
        expect "$(LC_ALL=C tr -d '\n[:print:]' <"$tmp/out" | od -An -c)" ""
}

# Escapes as they are, in JSON and out of it, in every member that is shown, and bytes that are no text.
foreign_lines() {
    local foreign status failed=0 e='\u001b[2J'
    printf '%b' "no \e[2Jjson\n\n{\"channel\":\"\e[2J\"}\n\xff\xfe\x9b2J\n\a\n" >"$tmp/foreign.in"
    cat >>"$tmp/foreign.in" <<END
{"time":1,"verb":"$e","direction":"$e","sender_id":0,"sender":"$e","receiver_id":0,"receiver":"$e","channel":"$e","args":["$e"],"result":"$e"}
{"time":1,"verb":"invoke","direction":"out","channel":"x","args":null,"args_bytes":9,"args_begin":"$e","error":{"name":"$e","message":"$e","detail":"$e"}}
{"time":1,"verb":"here","title":"$e","process_id":1,"user_id":0,"sender_id":1}
{"time":-1e300,"verb":7,"channel":[],"sender":{},"error":[],"title":1}
END
    start_foreign Watch lines <"$tmp/foreign.in" && shows_foreign off '\\x1b\[2J' && shows_foreign short '\\u001b\[2J' &&
        shows_foreign pretty '\\u001b\[2J' || failed=1
    stop_foreign && return "$failed"
}

start_bus "$tmp"
if test_case "a foreign service" make_foreign; then
    test_case "what is no id" ids
    test_case "what is no lane" lanes
    test_case "what is no pipe" pipes
    test_case "lines that a terminal would act on" foreign_lines
    test_case "numbers that JSON does not have" numbers
fi
finish
