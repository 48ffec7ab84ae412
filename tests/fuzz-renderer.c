/* SPDX-License-Identifier: MIT */

/*
 * What a renderer hears on a bus where anyone may send anything to anyone. The bytes are a play: each step answers a
 * question of the renderer, rightly or wrongly, by main or by another, sends a signal or raw bytes, changes who main is,
 * or has the program do something.
 */

#include "fuzz-client.h"
#include "ipc-names.h"
#include "macro.h"

#define STEPS_MAX 100u

/* ---- answers ---- */

static const char *take_error(Input *input)
{
    return TAKE_ONE(input, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_NAME_HAS_NO_OWNER, SD_BUS_ERROR_SERVICE_UNKNOWN,
                    SD_BUS_ERROR_ACCESS_DENIED, SD_BUS_ERROR_TIMEOUT, IPC_ERROR_CANCELLED, IPC_ERROR_MAIN_GONE,
                    "com.example.Error.Own");
}

static int new_error(sd_bus_message *question, Input *input, sd_bus_message **ret_reply)
{
    sd_bus_error error = { .name = take_error(input) };
    int r;

    r = sd_bus_message_new_method_error(question, ret_reply, &error);
    if (r >= 0)
        append_all(input, *ret_reply, TAKE_ONE(input, "ss", "s", "", "us", "sss"));
    return r;
}

static sd_bus_message *take_question(FuzzClient *play, Input *input)
{
    return play->questions[take_byte(input) % FUZZ_QUESTIONS_MAX];
}

static void step_answer(FuzzClient *play, Input *input)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    sd_bus_message *question = take_question(play, input);
    const char *sender = take_peer(input);

    if (!question)
        return;
    if (take_byte(input) % 2 == 0) {
        if (new_error(question, input, &reply) >= 0)
            fuzz_bus_send(play->bus, reply, sender);
        return;
    }
    if (sd_bus_message_new_method_return(question, &reply) < 0)
        return;
    append_all(input, reply, TAKE_ONE(input, "s", "u", "", "ss", "t", "y"));
    fuzz_bus_send(play->bus, reply, sender);
}

static void step_honest_answer(FuzzClient *play, Input *input)
{
    sd_bus_message *question = take_question(play, input);

    if (question)
        fuzz_client_answer(play, question);
}

/* ---- signals ---- */

static void step_signal(FuzzClient *play, Input *input)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *signal = NULL;
    const char *member = TAKE_ONE(input, "Message", "PortMessage", "WebviewMessage", "WebviewAttached",
                                  "WebviewDetached", "Nothing");
    const char *types = TAKE_ONE(input, "ssu", "uss", "su", "u", "", "ss", "sss", "t");

    check(sd_bus_message_new_signal(play->bus, &signal, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member) >= 0);
    append_all(input, signal, types);
    fuzz_bus_send(play->bus, signal, take_peer(input));
}

static int append_files(sd_bus_message *signal, unsigned n, const char *kind)
{
    int r;

    r = sd_bus_message_open_container(signal, 'a', "(sh)");
    for (; n > 0 && r >= 0; n--)
        r = sd_bus_message_append(signal, "(sh)", kind, 0);
    return r < 0 ? r : sd_bus_message_close_container(signal);
}

/* What gets furthest. */
static void step_known_signal(FuzzClient *play, Input *input)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *signal = NULL;
    const char *channel = TAKE_ONE(input, "echo", "port", "nothing");
    const char *args = TAKE_ONE(input, "[]", "[1,\"a\"]", "{}", "[", "1", "[\"\\u0000\"]");
    unsigned what = take_byte(input), id = take_byte(input) % 4;
    static const char *const members[] = {
        "Message", "PortMessage", "WebviewMessage", "WebviewAttached", "WebviewDetached"
    };
    char token[] = { 't', (char)('0' + id), '\0' };

    check(sd_bus_message_new_signal(play->bus, &signal, IPC_MAIN_PATH, IPC_MAIN_INTERFACE,
                                    members[what % ELEMENTSOF(members)]) >= 0);
    if (what % ELEMENTSOF(members) == 0)
        check(sd_bus_message_append(signal, "ssu", channel, args, id) >= 0);
    else if (what % ELEMENTSOF(members) == 1)
        check(sd_bus_message_append(signal, "ss", channel, args) >= 0 &&
              append_files(signal, take_byte(input) % 18, TAKE_ONE(input, "file", "port", "")) >= 0 &&
              sd_bus_message_append(signal, "u", id) >= 0);
    else if (what % ELEMENTSOF(members) == 2)
        check(sd_bus_message_append(signal, "uss", id, channel, args) >= 0);
    else if (what % ELEMENTSOF(members) == 3)
        check(sd_bus_message_append(signal, "su", token, id) >= 0);
    else
        check(sd_bus_message_append(signal, "u", id) >= 0);
    fuzz_bus_send(play->bus, signal, FUZZ_MAIN);
}

/* Main goes, comes, or is another one; or somebody says so. */
static void step_owner(FuzzClient *play, Input *input)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *signal = NULL;
    const char *name = TAKE_ONE(input, FUZZ_NAME, FUZZ_NAME, FUZZ_NAME, "org.example.Other", ":1.1");
    const char *old = TAKE_ONE(input, FUZZ_MAIN, "", ":1.2"), *new = TAKE_ONE(input, "", FUZZ_MAIN, ":1.2");
    unsigned by = take_byte(input);

    check(sd_bus_message_new_signal(play->bus, &signal, "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                    "NameOwnerChanged") >= 0);
    check(sd_bus_message_append(signal, "sss", name, old, new) >= 0);
    fuzz_bus_send(play->bus, signal, by < 224 ? "org.freedesktop.DBus" : ":1.2");
}

/* ---- the play ---- */

static void step_raw(FuzzClient *play, Input *input)
{
    fuzz_client_run(play);
    fuzz_bus_send_raw(play->bus, input);
}

static void step(FuzzClient *play, Input *input)
{
    static void (*const steps[])(FuzzClient *, Input *) = {
        step_answer, step_honest_answer, step_signal, step_known_signal, step_owner, step_raw, fuzz_client_act,
        fuzz_client_send_packet,
    };
    unsigned number = take_byte(input) % 10;

    if (number < ELEMENTSOF(steps))
        steps[number](play, input);
    else if (number == 8)
        play->is_honest = !play->is_honest;
    else
        fuzz_client_run(play);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input = { data, size };
    uint64_t before = fds_that_are_open();
    FuzzClient play;
    unsigned i;

    fuzz_client_open(&play, take_byte(&input) % 4 == 0 ? IPC_RENDERER_LANE : 0);
    for (i = 0; i < STEPS_MAX && input.size > 0; i++)
        step(&play, &input);
    fuzz_client_close(&play);
    check(fds_that_are_open() == before);
    return 0;
}
