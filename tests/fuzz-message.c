/* SPDX-License-Identifier: MIT */

/*
 * Messages into the thunks: an app whose bus is played by the fuzzer, over a socket pair. The bytes are a play: each
 * step sends a call from one of a few peers, well formed or not, raw bytes, a peer's leaving, or has main do something.
 */

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "ipc-main.h"
#include "macro.h"

#define KEPT_MAX 16
#define ROUNDS_MAX 1000

typedef struct Play {
    ipc_app *app;
    sd_bus *bus; /* the other end */
    ipc_invocation *kept[KEPT_MAX];
    unsigned n_kept;
    bool answers_pings;
} Play;

/* ---- main ---- */

static int handle_echo(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)userdata;
    return ipc_invocation_resolve(invocation, args);
}

static int handle_keep(ipc_invocation *invocation, json_t *args, void *userdata)
{
    Play *play = userdata;

    (void)args;
    if (play->n_kept == KEPT_MAX)
        return -EBUSY;
    play->kept[play->n_kept++] = ipc_invocation_ref(invocation);
    return 0;
}

static void on_message(ipc_event *event, json_t *args, void *userdata)
{
    (void)userdata;
    if (ipc_event_is_sync(event))
        (void)ipc_event_return(event, args);
    (void)ipc_event_reply(event, "reply", args);
}

static void settle_one(Play *play)
{
    if (play->n_kept == 0)
        return;
    (void)ipc_invocation_resolvef(play->kept[--play->n_kept], "s", "late");
    ipc_invocation_unref(play->kept[play->n_kept]);
}

/* ---- the bus ---- */

static void answer_as(sd_bus_message *call, const char *sender)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

    check(sd_bus_message_new_method_return(call, &reply) >= 0);
    check(sd_bus_message_set_sender(reply, sender) >= 0);
    if (strcmp(sd_bus_message_get_member(call), "GetConnectionCredentials") == 0)
        check(sd_bus_message_append(reply, "a{sv}", 2, "UnixUserID", "u", (uint32_t)geteuid(), "ProcessID", "u",
                                    (uint32_t)getpid()) >= 0);
    (void)sd_bus_send(NULL, reply, NULL);
}

static int on_call(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *destination = sd_bus_message_get_destination(message);
    Play *play = userdata;

    (void)error;
    if (sd_bus_message_is_method_call(message, NULL, NULL) <= 0 || !destination)
        return 0;
    if (*destination != ':' || play->answers_pings)
        answer_as(message, destination);
    return 1;
}

static void run(Play *play)
{
    int i, r = 1, s = 1;

    for (i = 0; i < ROUNDS_MAX && (r > 0 || s > 0); i++) {
        r = ipc_app_process(play->app);
        s = sd_bus_process(play->bus, NULL);
    }
}

static bool raise_curtain(Play *play)
{
    _cleanup_(sd_bus_unrefp) sd_bus *server = NULL;
    sd_id128_t id = SD_ID128_MAKE(01, 02, 03, 04, 05, 06, 07, 08, 09, 0a, 0b, 0c, 0d, 0e, 0f, 10);
    int pair[2];

    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    check(sd_bus_new(&server) >= 0 && sd_bus_set_fd(server, pair[0], pair[0]) >= 0);
    check(sd_bus_set_server(server, true, id) >= 0 && sd_bus_start(server) >= 0);
    check(sd_bus_new(&play->bus) >= 0 && sd_bus_set_fd(play->bus, pair[1], pair[1]) >= 0);
    check(sd_bus_start(play->bus) >= 0 && sd_bus_add_filter(play->bus, NULL, on_call, play) >= 0);
    if (ipc_app_new(&play->app, server, "org.example.Fuzz") < 0)
        return false;
    check(ipc_main_handle(ipc_app_get_main(play->app), NULL, "echo", handle_echo, NULL) >= 0);
    check(ipc_main_handle(ipc_app_get_main(play->app), NULL, "keep", handle_keep, play) >= 0);
    check(ipc_main_on(ipc_app_get_main(play->app), NULL, "echo", on_message, NULL) >= 0);
    return true;
}

/* ---- steps ---- */

static const char *take_one(Input *input, const char *const *words, size_t n)
{
    return words[take_byte(input) % n];
}

#define TAKE_ONE(input, ...)                                           \
    ({                                                                 \
        static const char *const words_[] = { __VA_ARGS__ };           \
        take_one(input, words_, ELEMENTSOF(words_));                   \
    })

static const char *take_peer(Input *input)
{
    return TAKE_ONE(input, ":1.1", ":1.2", ":1.3", ":1.4", "org.freedesktop.DBus");
}

static void append_basic(Input *input, sd_bus_message *message, char type)
{
    _cleanup_free_ char *word = NULL;
    union {
        uint8_t byte;
        uint32_t number;
        uint64_t large;
    } value = { .large = 0 };

    if (type == 's') {
        word = take_word(input);
        (void)sd_bus_message_append_basic(message, 's', word);
        return;
    }
    value.number = take_byte(input);
    (void)sd_bus_message_append_basic(message, type, &value);
}

static void append_all(Input *input, sd_bus_message *message, const char *types)
{
    for (; *types; types++)
        append_basic(input, message, *types);
}

static void send_from(Play *play, sd_bus_message *message, const char *sender, uint8_t flags)
{
    uint64_t cookie;

    if (sd_bus_message_set_sender(message, sender) >= 0)
        (void)sd_bus_send(play->bus, message, flags & 1 ? NULL : &cookie);
}

static void step_call(Play *play, Input *input)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
    const char *sender = take_peer(input);
    const char *member = TAKE_ONE(input, "Register", "Send", "Invoke", "SendSync", "SendTo", "SendToHost", "Cancel",
                                  "CreateWebview", "PostMessage", "OpenLane", "Nothing");
    const char *types = TAKE_ONE(input, "ss", "ss", "uss", "u", "", "s", "sss", "ay", "t");

    check(sd_bus_message_new_method_call(play->bus, &call, NULL, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member) >= 0);
    append_all(input, call, strcmp(types, "ay") == 0 ? "yy" : types);
    send_from(play, call, sender, take_byte(input));
}

/* The channels and texts that get furthest. */
static void step_known(Play *play, Input *input)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
    const char *sender = take_peer(input), *member = TAKE_ONE(input, "Send", "Invoke", "SendSync", "SendToHost");
    const char *channel = TAKE_ONE(input, "echo", "keep", "nothing");
    const char *args = TAKE_ONE(input, "[]", "[1,\"a\"]", "{}", "[", "[[[[]]]]");

    check(sd_bus_message_new_method_call(play->bus, &call, NULL, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member) >= 0);
    check(sd_bus_message_append(call, "ss", channel, args) >= 0);
    send_from(play, call, sender, take_byte(input));
}

static void step_register(Play *play, Input *input)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
    _cleanup_free_ char *title = take_word(input), *token = take_word(input);

    check(sd_bus_message_new_method_call(play->bus, &call, NULL, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "Register") >= 0);
    if (sd_bus_message_append(call, "a{sv}", *token ? 2 : 1, "title", "s", title, "guest-token", "s", token) >= 0)
        send_from(play, call, take_peer(input), 0);
}

static void step_builtin(Play *play, Input *input)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
    const char *path = TAKE_ONE(input, IPC_MAIN_PATH, IPC_WEB_CONTENTS_PATH "/1", IPC_WEB_CONTENTS_PATH "/01", "/",
                                IPC_WEB_CONTENTS_PATH "/99999999999999999999", IPC_WEB_CONTENTS_PATH);
    const char *interface = TAKE_ONE(input, "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.ObjectManager",
                                     "org.freedesktop.DBus.Introspectable", "org.freedesktop.DBus.Peer");
    const char *member = TAKE_ONE(input, "Get", "GetAll", "Set", "GetManagedObjects", "Introspect", "Ping");
    const char *of = TAKE_ONE(input, IPC_MAIN_INTERFACE, IPC_WEB_CONTENTS_INTERFACE, "");
    const char *property = TAKE_ONE(input, "Title", "HostId", "Handlers", "Version", "BytesQueued", "");

    check(sd_bus_message_new_method_call(play->bus, &call, NULL, path, interface, member) >= 0);
    if (strcmp(member, "Get") == 0)
        check(sd_bus_message_append(call, "ss", of, property) >= 0);
    else if (strcmp(member, "GetAll") == 0)
        check(sd_bus_message_append(call, "s", of) >= 0);
    send_from(play, call, take_peer(input), 0);
}

static void step_leave(Play *play, Input *input)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *signal = NULL;
    const char *name = take_peer(input);

    check(sd_bus_message_new_signal(play->bus, &signal, "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                    "NameOwnerChanged") >= 0);
    check(sd_bus_message_append(signal, "sss", name, name, "") >= 0);
    send_from(play, signal, "org.freedesktop.DBus", 0);
}

static void step_raw(Play *play, Input *input)
{
    size_t size;
    _cleanup_free_ char *bytes = take_bytes(input, &size);

    run(play);
    (void)!send(sd_bus_get_fd(play->bus), bytes, size, MSG_NOSIGNAL);
}

static void step_main(Play *play, Input *input)
{
    /* Large ones are slow, so they are rare. */
    size_t number = take_byte(input), size = number < 240 ? number : 140 * 1024;
    char *filling = malloc(size + 1);

    check(filling);
    memset(filling, 'x', size);
    filling[size] = '\0';
    (void)ipc_app_broadcastf(play->app, "x", "s", filling);
    free(filling);
}

static void step(Play *play, Input *input)
{
    static void (*const steps[])(Play *, Input *) = {
        step_call, step_known, step_register, step_builtin, step_leave, step_raw, step_main,
    };
    unsigned number = take_byte(input);

    if (number % 10 < ELEMENTSOF(steps))
        steps[number % 10](play, input);
    else if (number % 10 == 7)
        settle_one(play);
    else if (number % 10 == 8)
        play->answers_pings = !play->answers_pings;
    else
        run(play);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input = { data, size };
    Play play = { 0 };

    if (raise_curtain(&play))
        while (input.size > 0)
            step(&play, &input);
    if (play.app)
        run(&play);
    while (play.n_kept > 0)
        settle_one(&play);
    ipc_app_unref(play.app);
    sd_bus_close_unref(play.bus);
    return 0;
}
