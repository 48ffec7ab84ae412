/* SPDX-License-Identifier: MIT */
#include "sending.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "ipc-names.h"
#include "lane-client.h"
#include "macro.h"
#include "registration.h"
#include "renderer.h"
#include "transfer.h"

size_t send_get_max(const ipc_renderer *renderer)
{
    return renderer && (renderer->flags & IPC_RENDERER_LANE) ? IPC_LANE_ARGS_MAX : IPC_ARGS_MAX;
}

/* Whoever sends wants main, so main is looked for, and started. */
static int submit(ipc_renderer *renderer, Call *call, const Packet *packet)
{
    int r;

    r = renderer_check_open(renderer);
    if (r >= 0 && packet->length > send_get_max(renderer))
        r = -EMSGSIZE;
    if (r >= 0)
        r = registration_want_main(renderer);
    if (r >= 0)
        r = outbox_submit(renderer, packet, call);
    /* The connection may know of its end before the renderer does. */
    if (r == -ECONNRESET || r == -EPIPE)
        return -ENOTCONN;
    return r < 0 ? r : 0;
}

int send_call(ipc_renderer *renderer, Call *call, const Packet *packet)
{
    int r;

    r = submit(renderer, call, packet);
    if (r < 0)
        call_discard(call);
    return r;
}

int send_one_way(ipc_renderer *renderer, LaneVerb verb, uint32_t id, const char *channel, const char *text,
                 size_t length)
{
    return submit(renderer, NULL, &(Packet){ .verb = verb, .id = id, .channel = channel, .text = text,
                                             .length = length, .text_fd = -1 });
}

/* Misuse is told before the renderer's state. */
static int encode(Text *text, const ipc_renderer *renderer, const char *channel, json_t *args)
{
    int r;

    r = text_encode_args_max(text, args, send_get_max(renderer));
    if (!renderer || !text_is_channel(channel))
        return -EINVAL;
    return r;
}

int ipc_renderer_send(ipc_renderer *renderer, const char *channel, json_t *args)
{
    _cleanup_(text_clear) Text text;
    int r;

    r = encode(&text, renderer, channel, args);
    return r < 0 ? r : send_one_way(renderer, LANE_SEND, 0, channel, text.data, text.length);
}

static int check_text(const ipc_renderer *renderer, const char *channel, const char *text, size_t length)
{
    return renderer && text_is_channel(channel) && text_is_terminated(text, length) ? 0 : -EINVAL;
}

int ipc_renderer_send_text(ipc_renderer *renderer, const char *channel, const char *text, size_t length)
{
    int r = check_text(renderer, channel, text, length);

    return r < 0 ? r : send_one_way(renderer, LANE_SEND, 0, channel, text, length);
}

int ipc_renderer_send_to(ipc_renderer *renderer, uint32_t id, const char *channel, json_t *args)
{
    _cleanup_(text_clear) Text text;
    int r;

    r = encode(&text, renderer, channel, args);
    return r < 0 ? r : send_one_way(renderer, LANE_SEND_TO, id, channel, text.data, text.length);
}

int ipc_renderer_send_to_text(ipc_renderer *renderer, uint32_t id, const char *channel, const char *text,
                              size_t length)
{
    int r = check_text(renderer, channel, text, length);

    return r < 0 ? r : send_one_way(renderer, LANE_SEND_TO, id, channel, text, length);
}

int ipc_renderer_send_to_host(ipc_renderer *renderer, const char *channel, json_t *args)
{
    _cleanup_(text_clear) Text text;
    int r;

    r = encode(&text, renderer, channel, args);
    return r < 0 ? r : send_one_way(renderer, LANE_SEND_TO_HOST, 0, channel, text.data, text.length);
}

int ipc_renderer_send_to_host_text(ipc_renderer *renderer, const char *channel, const char *text, size_t length)
{
    int r = check_text(renderer, channel, text, length);

    return r < 0 ? r : send_one_way(renderer, LANE_SEND_TO_HOST, 0, channel, text, length);
}

static int post(ipc_renderer *renderer, const char *channel, const char *text, size_t length,
                const ipc_transfer *transfer)
{
    Packet packet = { .verb = LANE_POST_MESSAGE, .channel = channel, .text = text, .length = length, .text_fd = -1 };
    int r;

    r = transfer_check(transfer, NULL);
    if (r < 0)
        return r;
    transfer_fill(transfer, &packet);
    r = submit(renderer, NULL, &packet);
    if (r >= 0)
        transfer_done(transfer, NULL);
    return r;
}

int ipc_renderer_post_message(ipc_renderer *renderer, const char *channel, json_t *message,
                              const ipc_transfer *transfer)
{
    _cleanup_(text_clear) Text text;
    int r;

    r = text_encode_max(&text, message, send_get_max(renderer));
    if (!renderer || !text_is_channel(channel))
        return -EINVAL;
    return r < 0 ? r : post(renderer, channel, text.data, text.length, transfer);
}

int ipc_renderer_post_text(ipc_renderer *renderer, const char *channel, const char *text, size_t length,
                           const ipc_transfer *transfer)
{
    int r = check_text(renderer, channel, text, length);

    return r < 0 ? r : post(renderer, channel, text, length, transfer);
}

/* ---- calls ---- */

const ipc_error *send_get_error(const Call *call)
{
    static const ipc_error out_of_memory = {
        .name = (char *)IPC_ERROR_NO_MEMORY,
        .message = (char *)"Out of memory",
    };

    if (call->error.name)
        return &call->error;
    return call->reply || call->parcel ? NULL : &out_of_memory;
}

/* The text of a settled call's result; or the call has an error, which tells why there is none. */
static int read_text(Call *call, const char **ret_text, size_t *ret_length)
{
    int r;

    if (send_get_error(call))
        return -EIO;
    r = call_read_text(call, ret_text, ret_length);
    if (r >= 0)
        return 0;
    (void)error_setf(&call->error, IPC_ERROR_INVALID_ARGS, "The answer of main has not the form of a result");
    call_drop_reply(call);
    return r;
}

/* The same with the value of that text. */
static int read_result(Call *call, json_t **ret_result)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    const char *text;
    size_t length;
    int r;

    r = read_text(call, &text, &length);
    if (r >= 0)
        r = text_decode_sized(text, length, "The result", ret_result, &error);
    if (sd_bus_error_is_set(&error)) {
        (void)error_setf(&call->error, error.name, "%s", error.message ? error.message : error.name);
        call_drop_reply(call);
    }
    sd_bus_error_free(&error);
    return r < 0 ? r : 0;
}

static void invoke_done(Call *call)
{
    _cleanup_(json_cleanup) json_t *result = NULL;
    ipc_reply_t callback = (ipc_reply_t)call->callback;
    int r;

    if (!callback)
        return;
    r = read_result(call, &result);
    callback(call->renderer, result, r < 0 ? send_get_error(call) : NULL, call->userdata);
}

static void invoke_text_done(Call *call)
{
    ipc_reply_text_t callback = (ipc_reply_text_t)call->callback;
    const char *text = NULL;
    size_t length = 0;
    int r;

    if (!callback)
        return;
    r = read_text(call, &text, &length);
    callback(call->renderer, text, length, r < 0 ? send_get_error(call) : NULL, call->userdata);
}

static int invoke_text(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel, const char *text,
                       size_t length, CallDone done, void (*callback)(void), void *userdata)
{
    ipc_slot *slot = NULL;
    Call *call;
    int r;

    r = renderer_check_open(renderer);
    if (r >= 0)
        r = call_new(renderer, ret_slot ? &slot : NULL, done, renderer->timeout, &call);
    if (r < 0)
        return r;
    call->is_invoke = true;
    call->callback = callback;
    call->userdata = userdata;
    r = send_call(renderer, call, &(Packet){ .verb = LANE_INVOKE, .channel = channel, .text = text,
                                             .length = length, .text_fd = -1 });
    if (r < 0)
        return r;
    if (ret_slot)
        *ret_slot = slot;
    return 0;
}

int ipc_renderer_invoke(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel, json_t *args,
                        ipc_reply_t callback, void *userdata)
{
    _cleanup_(text_clear) Text text;
    int r;

    r = encode(&text, renderer, channel, args);
    return r < 0 ? r : invoke_text(renderer, ret_slot, channel, text.data, text.length, invoke_done,
                                   (void (*)(void))callback, userdata);
}

int ipc_renderer_invoke_text(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel, const char *text,
                             size_t length, ipc_reply_text_t callback, void *userdata)
{
    int r = check_text(renderer, channel, text, length);

    return r < 0 ? r : invoke_text(renderer, ret_slot, channel, text, length, invoke_text_done,
                                   (void (*)(void))callback, userdata);
}

int ipc_renderer_cancel(ipc_renderer *renderer, ipc_slot *invoke)
{
    Call *call = call_from_slot(invoke);

    if (!renderer || !call)
        return -EINVAL;
    if (call->is_settled)
        return -EALREADY;
    return call->renderer == renderer && call->is_invoke ? call_cancel(call) : -EINVAL;
}

/* When the time is over, what is overdue settles. */
static int pump_ready(ipc_renderer *renderer, int ready, uint64_t left)
{
    if (ready & BUS_POLL_WATCHES)
        (void)lane_read(renderer, MSG_DONTWAIT);
    return (ready & BUS_POLL_BUS) || left == 0 ? renderer_pump(renderer) : 0;
}

/* Reads on until the call has settled, and leaves all else for later: what ports have to say, too. */
static int block(ipc_renderer *renderer, const Call *call)
{
    uint64_t left;
    int r;

    while (!call->is_settled) {
        r = renderer_get_left(renderer, &left);
        if (r >= 0 && call->is_by_lane && renderer_block_on_lane(renderer, left))
            continue;
        if (r >= 0)
            r = bus_poll_wait_for_one(renderer->bus, &renderer->lane_watch, left);
        if (r >= 0)
            r = pump_ready(renderer, r, left);
        if (r < 0 && r != -EINTR)
            return r;
    }
    return 0;
}

/* The call has settled when this is well; its slot holds it. */
static int call_sync(ipc_renderer *renderer, const char *channel, const char *text, size_t length, ipc_slot **ret_slot,
                     Call **ret_call)
{
    ipc_slot *slot;
    Call *call;
    int r;

    r = renderer_check_open(renderer);
    if (r >= 0 && renderer->is_pumping)
        r = -EBUSY;
    if (r >= 0)
        r = call_new(renderer, &slot, NULL, renderer->timeout, &call);
    if (r < 0)
        return r;
    call->is_immediate = true;
    r = send_call(renderer, call, &(Packet){ .verb = LANE_SEND_SYNC, .channel = channel, .text = text,
                                             .length = length, .text_fd = -1 });
    if (r < 0)
        return r;
    *ret_slot = slot;
    *ret_call = call;
    return block(renderer, call);
}

/* It failed: why goes to the caller. */
static int take_error(Call *call, ipc_error *ret_error)
{
    const ipc_error *error = send_get_error(call);
    int r = -ipc_error_get_errno(error);

    if (ret_error && error == &call->error) {
        *ret_error = call->error;
        call->error = (ipc_error)IPC_ERROR_INIT;
    }
    return r;
}

int ipc_renderer_send_sync(ipc_renderer *renderer, const char *channel, json_t *args, json_t **ret_result,
                           ipc_error *ret_error)
{
    _cleanup_(ipc_renderer_unrefp) _unused_ ipc_renderer *held = ipc_renderer_ref(renderer);
    _cleanup_(ipc_slot_unrefp) ipc_slot *slot = NULL;
    _cleanup_(json_cleanup) json_t *result = NULL;
    _cleanup_(text_clear) Text text;
    Call *call;
    int r;

    r = encode(&text, renderer, channel, args);
    if (r >= 0)
        r = call_sync(renderer, channel, text.data, text.length, &slot, &call);
    if (r < 0)
        return r;
    if (read_result(call, &result) < 0)
        return take_error(call, ret_error);
    if (ret_result)
        *ret_result = TAKE_PTR(result);
    return 0;
}

static int copy_text(const char *text, size_t length, char **ret_text, size_t *ret_length)
{
    char *copy;

    if (ret_text) {
        copy = malloc(length + 1);
        if (!copy)
            return -ENOMEM;
        memcpy(copy, text, length);
        copy[length] = '\0';
        *ret_text = copy;
    }
    if (ret_length)
        *ret_length = length;
    return 0;
}

int ipc_renderer_send_sync_text(ipc_renderer *renderer, const char *channel, const char *text, size_t length,
                                char **ret_text, size_t *ret_length, ipc_error *ret_error)
{
    _cleanup_(ipc_renderer_unrefp) _unused_ ipc_renderer *held = ipc_renderer_ref(renderer);
    _cleanup_(ipc_slot_unrefp) ipc_slot *slot = NULL;
    Call *call;
    int r;

    r = check_text(renderer, channel, text, length);
    if (r >= 0)
        r = call_sync(renderer, channel, text, length, &slot, &call);
    if (r < 0)
        return r;
    if (read_text(call, &text, &length) < 0)
        return take_error(call, ret_error);
    return copy_text(text, length, ret_text, ret_length);
}

/* ---- arguments by format ---- */

int ipc_renderer_post_messagef(ipc_renderer *renderer, const char *channel, const ipc_transfer *transfer,
                               const char *format, ...)
{
    _cleanup_(json_cleanup) json_t *message = NULL;
    int r = TEXT_PACK(text_pack_value, &message, format);

    return r < 0 ? r : ipc_renderer_post_message(renderer, channel, message, transfer);
}

int ipc_renderer_sendf(ipc_renderer *renderer, const char *channel, const char *format, ...)
{
    _cleanup_(json_cleanup) json_t *args = NULL;
    int r = TEXT_PACK(text_pack_args, &args, format);

    return r < 0 ? r : ipc_renderer_send(renderer, channel, args);
}

int ipc_renderer_send_tof(ipc_renderer *renderer, uint32_t id, const char *channel, const char *format, ...)
{
    _cleanup_(json_cleanup) json_t *args = NULL;
    int r = TEXT_PACK(text_pack_args, &args, format);

    return r < 0 ? r : ipc_renderer_send_to(renderer, id, channel, args);
}

int ipc_renderer_send_to_hostf(ipc_renderer *renderer, const char *channel, const char *format, ...)
{
    _cleanup_(json_cleanup) json_t *args = NULL;
    int r = TEXT_PACK(text_pack_args, &args, format);

    return r < 0 ? r : ipc_renderer_send_to_host(renderer, channel, args);
}

int ipc_renderer_invokef(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel, ipc_reply_t callback,
                         void *userdata, const char *format, ...)
{
    _cleanup_(json_cleanup) json_t *args = NULL;
    int r = TEXT_PACK(text_pack_args, &args, format);

    return r < 0 ? r : ipc_renderer_invoke(renderer, ret_slot, channel, args, callback, userdata);
}

int ipc_renderer_send_syncf(ipc_renderer *renderer, const char *channel, json_t **ret_result, ipc_error *ret_error,
                            const char *format, ...)
{
    _cleanup_(json_cleanup) json_t *args = NULL;
    int r = TEXT_PACK(text_pack_args, &args, format);

    return r < 0 ? r : ipc_renderer_send_sync(renderer, channel, args, ret_result, ret_error);
}
