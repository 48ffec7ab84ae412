/* SPDX-License-Identifier: MIT */
#include "ctl-listen.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "ctl-args.h"
#include "ctl-client.h"
#include "ctl-loop.h"
#include "ctl-output.h"
#include "ipc-names.h"
#include "ipc-renderer.h"
#include "macro.h"

typedef struct Listening {
    Client client;
    ipc_renderer *renderer;
    ipc_slot *state;
    sd_event *event;
    Failure *failure;
    bool was_ready;
} Listening;

static void listening_clear(Listening *listening)
{
    ipc_slot_unref(listening->state); /* that it closes now is no news */
    ipc_renderer_unref(listening->renderer);
    sd_event_unref(listening->event);
    client_close(&listening->client);
}

/* The loop answers the exit status. */
static void end(Listening *listening, ExitStatus status)
{
    sd_event_exit(listening->event, (int)status);
}

/* What happens in the rest of the last round would be a second failure. */
static bool has_ended(const Listening *listening)
{
    int status;

    return sd_event_get_exit_code(listening->event, &status) >= 0;
}

/* Whoever reads the lines acts on each at once. */
static void print_line(Listening *listening, json_t *line)
{
    Style style = listening->client.options->style == STYLE_PRETTY ? STYLE_PRETTY : STYLE_SPACED;
    ExitStatus status;

    loop_begin_writing();
    if (!line || output_value(stdout, line, style) < 0) {
        end(listening, failure_out_of_memory(listening->failure));
    } else {
        status = output_finish(listening->failure);
        if (status != STATUS_OK || ferror(stdout)) /* a reader that has left ends it, too */
            end(listening, status);
    }
    loop_end_writing();
    json_decref(line);
}

static void on_message(ipc_event *event, json_t *args, void *userdata)
{
    Listening *listening = userdata;

    if (has_ended(listening))
        return;
    print_line(listening, json_pack("{s:s, s:O, s:I}", "channel", ipc_event_get_channel(event), "args", args,
                                    "sender_id", (json_int_t)ipc_event_get_sender_id(event)));
}

static void on_ready(Listening *listening)
{
    listening->was_ready = true;
    print_line(listening, json_pack("{s:I}", "id", (json_int_t)ipc_renderer_get_id(listening->renderer)));
}

/* Once main has been there it may come back, and then the renderer registers again. */
static void on_gone(Listening *listening, const ipc_error *error)
{
    if (!listening->was_ready) {
        end(listening, client_fail_to_register(&listening->client, error, listening->failure));
        return;
    }
    fputs("ipcbusctl: ", stderr);
    output_escaped(stderr, error->message);
    fputs("; waiting for it to come back\n", stderr);
}

static int on_late(sd_event_source *source, uint64_t usec, void *userdata)
{
    Listening *listening = userdata;

    (void)source, (void)usec;
    if (!listening->was_ready && !has_ended(listening))
        end(listening, client_fail(&listening->client, -ETIMEDOUT, listening->failure));
    return 0;
}

static void on_state(ipc_renderer *renderer, ipc_renderer_state state, const ipc_error *error, void *userdata)
{
    Listening *listening = userdata;

    (void)renderer;
    if (has_ended(listening))
        return;
    if (state == IPC_RENDERER_READY)
        on_ready(listening);
    else if (state == IPC_RENDERER_GONE)
        on_gone(listening, error);
    else if (state == IPC_RENDERER_CLOSED)
        end(listening, client_fail(&listening->client, -ENOTCONN, listening->failure));
}

/* The loop also ends when main is not there in time. */
static int add_endings(Listening *listening)
{
    int r;

    r = loop_add_endings(listening->event);
    if (r >= 0)
        r = sd_event_add_time(listening->event, NULL, CLOCK_MONOTONIC, listening->client.until, 0, on_late, listening);
    return r;
}

static bool is_repeated(char **channels, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(channels[j], channels[i]) == 0)
            return true;
    return false;
}

static int add_listeners(Listening *listening, char **channels)
{
    int r = 0;

    if (!channels[0])
        return ipc_renderer_on_any(listening->renderer, NULL, on_message, listening);
    for (size_t i = 0; channels[i] && r >= 0; i++)
        if (!is_repeated(channels, i))
            r = ipc_renderer_on(listening->renderer, NULL, channels[i], on_message, listening);
    return r;
}

static int start(Listening *listening, char **channels)
{
    int r;

    r = ipc_renderer_new(&listening->renderer, listening->client.bus, listening->client.options->name);
    if (r >= 0)
        r = ipc_renderer_set_flags(listening->renderer,
                                   listening->client.options->by_lane ? IPC_RENDERER_LANE : 0);
    if (r >= 0)
        r = ipc_renderer_set_title(listening->renderer, "ipcbusctl listen");
    if (r >= 0)
        r = ipc_renderer_on_state(listening->renderer, &listening->state, on_state, listening);
    if (r >= 0)
        r = add_listeners(listening, channels);
    if (r >= 0)
        r = sd_event_new(&listening->event);
    if (r >= 0)
        r = add_endings(listening);
    if (r >= 0)
        r = ipc_renderer_attach_event(listening->renderer, listening->event, SD_EVENT_PRIORITY_NORMAL);
    return r;
}

ExitStatus listen_command(const Options *options, char **operands, Failure *failure)
{
    _cleanup_(listening_clear) Listening listening = { .failure = failure };
    ExitStatus status = STATUS_OK;
    int r;

    for (size_t i = 0; operands[i] && status == STATUS_OK; i++)
        status = args_check_channel(operands[i], failure);
    if (status == STATUS_OK)
        status = client_open(&listening.client, options, failure);
    if (status != STATUS_OK)
        return status;
    r = start(&listening, operands);
    if (r >= 0)
        r = sd_event_loop(listening.event);
    return r < 0 ? client_fail(&listening.client, r, failure) : (ExitStatus)r;
}
