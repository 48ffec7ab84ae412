/* SPDX-License-Identifier: MIT */
#include "ctl-lane.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "ctl-client.h"
#include "ipc-names.h"
#include "ipc-renderer.h"
#include "macro.h"

typedef struct LaneClient {
    Client client;
    ipc_renderer *renderer;
    ipc_slot *state;
    ipc_slot *call; /* NULL: none is under way */
    Failure *failure;
    ExitStatus status;
    bool is_ready;
    char *result; /* of the call */
} LaneClient;

static void lane_clear(LaneClient *lane)
{
    ipc_slot_unref(lane->state); /* that it closes now is no news */
    ipc_slot_unref(lane->call);
    ipc_renderer_unref(lane->renderer);
    client_close(&lane->client);
    free(lane->result);
}

/* ---- failing ---- */

static void fail(LaneClient *lane, int error)
{
    if (lane->status == STATUS_OK)
        lane->status = client_fail(&lane->client, error, lane->failure);
}

/* What a caller on the bus is told, too: the message, the name and the detail. */
static void fail_by_error(LaneClient *lane, const ipc_error *error)
{
    _cleanup_free_ char *detail = error->detail ? json_dumps(error->detail, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    if (lane->status != STATUS_OK)
        return;
    if (ipc_error_is(error, IPC_ERROR_TIMEOUT)) {
        fail(lane, -ETIMEDOUT);
        return;
    }
    (void)client_fail_by_error(error, lane->failure);
    if (detail)
        failure_set_detail(lane->failure, detail);
    lane->status = lane->failure->status;
}

/* ---- a renderer for the moment ---- */

static void on_state(ipc_renderer *renderer, ipc_renderer_state state, const ipc_error *error, void *userdata)
{
    LaneClient *lane = userdata;

    (void)renderer;
    if (state == IPC_RENDERER_READY)
        lane->is_ready = true;
    else if (state == IPC_RENDERER_CLOSED)
        fail(lane, -ENOTCONN);
    else if (state == IPC_RENDERER_GONE && !lane->is_ready && lane->status == STATUS_OK)
        lane->status = client_fail_to_register(&lane->client, error, lane->failure);
}

static uint64_t usec_left(const LaneClient *lane)
{
    uint64_t now = clock_now(CLOCK_MONOTONIC), until = lane->client.until;

    if (until == UINT64_MAX)
        return UINT64_MAX;
    return until > now ? until - now : 0;
}

static void step(LaneClient *lane)
{
    uint64_t left = usec_left(lane);
    int r;

    r = ipc_renderer_process(lane->renderer);
    if (r == 0)
        r = left > 0 ? ipc_renderer_wait(lane->renderer, left) : -ETIMEDOUT;
    if (r < 0 && r != -EINTR)
        fail(lane, r);
}

static int make_renderer(LaneClient *lane)
{
    int r;

    r = ipc_renderer_new(&lane->renderer, lane->client.bus, lane->client.options->name);
    if (r >= 0)
        r = ipc_renderer_set_flags(lane->renderer, IPC_RENDERER_LANE);
    if (r >= 0)
        r = ipc_renderer_set_title(lane->renderer, "ipcbusctl --lane");
    return r < 0 ? r : ipc_renderer_on_state(lane->renderer, &lane->state, on_state, lane);
}

/* The lane is there when this is well. */
static ExitStatus lane_open(LaneClient *lane, const Options *options, Failure *failure)
{
    int r;

    lane->failure = failure;
    lane->status = client_open(&lane->client, options, failure);
    if (lane->status != STATUS_OK)
        return lane->status;
    r = make_renderer(lane);
    if (r < 0)
        fail(lane, r);
    while (lane->status == STATUS_OK && !lane->is_ready)
        step(lane);
    return lane->status;
}

/* ---- calls ---- */

static void on_result(ipc_renderer *renderer, const char *text, size_t length, const ipc_error *error, void *userdata)
{
    LaneClient *lane = userdata;

    (void)renderer, (void)length;
    lane->call = ipc_slot_unref(lane->call);
    if (error)
        fail_by_error(lane, error);
    else if (!(lane->result = strdup(text)))
        fail(lane, -ENOMEM);
}

/* One that is given up when the time is over, which main is told: the library's own clock need not watch. */
static void invoke(LaneClient *lane, const char *channel, const char *args)
{
    int r;

    r = ipc_renderer_set_timeout(lane->renderer, UINT64_MAX);
    if (r >= 0)
        r = ipc_renderer_invoke_text(lane->renderer, &lane->call, channel, args, strlen(args), on_result, lane);
    if (r < 0)
        fail(lane, r);
    while (lane->status == STATUS_OK && lane->call)
        step(lane);
}

static void send_sync(LaneClient *lane, const char *channel, const char *args)
{
    _cleanup_(ipc_error_clear) ipc_error error = IPC_ERROR_INIT;
    uint64_t left = usec_left(lane);
    int r;

    r = left > 0 ? ipc_renderer_set_timeout(lane->renderer, left) : -ETIMEDOUT;
    if (r >= 0)
        r = ipc_renderer_send_sync_text(lane->renderer, channel, args, strlen(args), &lane->result, NULL, &error);
    if (r < 0 && error.name)
        fail_by_error(lane, &error);
    else if (r < 0)
        fail(lane, r);
}

static ExitStatus call(const Options *options, void (*run)(LaneClient *lane, const char *channel, const char *args),
                       const char *channel, const char *args, char **ret_result, Failure *failure)
{
    _cleanup_(lane_clear) LaneClient lane = { 0 };

    if (lane_open(&lane, options, failure) == STATUS_OK)
        run(&lane, channel, args);
    if (lane.status == STATUS_OK)
        *ret_result = TAKE_PTR(lane.result);
    return lane.status;
}

ExitStatus lane_invoke(const Options *options, const char *channel, const char *args, char **ret_result,
                       Failure *failure)
{
    return call(options, invoke, channel, args, ret_result, failure);
}

ExitStatus lane_send_sync(const Options *options, const char *channel, const char *args, char **ret_result,
                          Failure *failure)
{
    return call(options, send_sync, channel, args, ret_result, failure);
}

/* ---- messages ---- */

/* What closes a renderer writes what it has sent. */
ExitStatus lane_send(const Options *options, const char *channel, const char *args, Failure *failure)
{
    _cleanup_(lane_clear) LaneClient lane = { 0 };
    int r;

    if (lane_open(&lane, options, failure) != STATUS_OK)
        return lane.status;
    r = ipc_renderer_send_text(lane.renderer, channel, args, strlen(args));
    if (r < 0)
        fail(&lane, r);
    return lane.status;
}

ExitStatus lane_send_to(const Options *options, uint32_t id, const char *channel, const char *args, Failure *failure)
{
    _cleanup_(lane_clear) LaneClient lane = { 0 };
    int r;

    if (lane_open(&lane, options, failure) != STATUS_OK)
        return lane.status;
    r = ipc_renderer_send_to_text(lane.renderer, id, channel, args, strlen(args));
    if (r < 0)
        fail(&lane, r);
    return lane.status;
}
