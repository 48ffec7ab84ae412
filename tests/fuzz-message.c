/* SPDX-License-Identifier: MIT */

/*
 * Messages into the thunks: an app whose bus is played by the fuzzer. The bytes are a play: each step sends a call from
 * one of a few peers, well formed or not, raw bytes, a peer's leaving, or has main do something.
 */

#include "app.h"
#include "fuzz-app.h"
#include "macro.h"
#include "window.h"

#define STEPS_MAX 100u

static void send_from(FuzzApp *play, sd_bus_message *message, const char *sender, uint8_t flags)
{
    uint64_t cookie;

    if (sd_bus_message_set_sender(message, sender) >= 0)
        (void)sd_bus_send(play->bus, message, flags & 1 ? NULL : &cookie);
}

/* ---- steps ---- */

static void step_call(FuzzApp *play, Input *input)
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
static void step_known(FuzzApp *play, Input *input)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
    const char *sender = take_peer(input), *member = TAKE_ONE(input, "Send", "Invoke", "SendSync", "SendToHost");
    const char *channel = TAKE_ONE(input, "echo", "keep", "nothing");
    const char *args = TAKE_ONE(input, "[]", "[1,\"a\"]", "{}", "[", "[[[[]]]]");

    check(sd_bus_message_new_method_call(play->bus, &call, NULL, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member) >= 0);
    check(sd_bus_message_append(call, "ss", channel, args) >= 0);
    send_from(play, call, sender, take_byte(input));
}

static void step_register(FuzzApp *play, Input *input)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
    _cleanup_free_ char *title = take_word(input), *token = take_word(input);

    check(sd_bus_message_new_method_call(play->bus, &call, NULL, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "Register") >= 0);
    if (sd_bus_message_append(call, "a{sv}", *token ? 2 : 1, "title", "s", title, "guest-token", "s", token) >= 0)
        send_from(play, call, take_peer(input), 0);
}

static void step_builtin(FuzzApp *play, Input *input)
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

static void step_leave(FuzzApp *play, Input *input)
{
    fuzz_app_leave(play, take_peer(input));
}

static void step_raw(FuzzApp *play, Input *input)
{
    fuzz_app_run(play);
    fuzz_bus_send_raw(play->bus, input);
}

/* Really to send as much as a window takes would be slow. */
static void fill_windows(FuzzApp *play, size_t size)
{
    Peer *peer;

    TAILQ_FOREACH(peer, &play->app->peers.list, link)
        window_sent(peer, size);
}

static void step_main(FuzzApp *play, Input *input)
{
    unsigned number = take_byte(input);

    if (number >= 240 && !play->app->is_closed)
        fill_windows(play, 140 * 1024);
    (void)ipc_app_broadcastf(play->app, "x", "s", number % 2 == 0 ? "x" : "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
}

static void step(FuzzApp *play, Input *input)
{
    static void (*const steps[])(FuzzApp *, Input *) = {
        step_call, step_known, step_register, step_builtin, step_leave, step_raw, step_main,
    };
    unsigned number = take_byte(input);

    if (number % 10 < ELEMENTSOF(steps))
        steps[number % 10](play, input);
    else if (number % 10 == 7)
        fuzz_app_settle_one(play);
    else if (number % 10 == 8)
        play->answers_pings = !play->answers_pings;
    else
        fuzz_app_run(play);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input = { data, size };
    FuzzApp play;
    unsigned i;

    fuzz_app_open(&play);
    for (i = 0; i < STEPS_MAX && input.size > 0; i++)
        step(&play, &input);
    fuzz_app_close(&play);
    return 0;
}
