/* SPDX-License-Identifier: MIT */
#include "outbox.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "ipc-names.h"
#include "macro.h"
#include "method.h"
#include "lane.h"
#include "renderer.h"
#include "reply.h"

#define BUS_NAME "org.freedesktop.DBus"
#define RETRY_USEC 10000u /* until what found no room on the lane is tried again */

/* ---- calls ---- */

static void call_destroy(ipc_slot *slot)
{
    Call *call = (Call *)slot;

    assert(!call->held && !call->is_in_flight);
    sd_bus_message_unref(call->reply);
    parcel_free(call->parcel);
    ipc_error_clear(&call->error);
    free(call->answerer);
    free(call);
}

static void call_clear_deadline(Call *call)
{
    if (call->deadline != UINT64_MAX)
        TAILQ_REMOVE(&call->renderer->outbox.deadlines, call, deadline_link);
    call->deadline = UINT64_MAX;
}

/* Most calls have the same timeout, so the place of a new one is near the end. */
static void call_set_deadline(Call *call, uint64_t deadline)
{
    struct CallList *deadlines = &call->renderer->outbox.deadlines;
    Call *before;

    call_clear_deadline(call);
    call->deadline = deadline;
    if (deadline == UINT64_MAX)
        return;
    TAILQ_FOREACH_REVERSE(before, deadlines, CallList, deadline_link)
        if (before->deadline <= deadline)
            break;
    if (before)
        TAILQ_INSERT_AFTER(deadlines, before, call, deadline_link);
    else
        TAILQ_INSERT_HEAD(deadlines, call, deadline_link);
}

static void held_free(ipc_renderer *renderer, Held *held)
{
    TAILQ_REMOVE(&renderer->outbox.held, held, link);
    renderer->outbox.held_bytes -= held->size;
    if (held->call)
        held->call->held = NULL;
    sd_bus_message_unref(held->message);
    parcel_free(held->parcel);
    free(held);
}

/* Main need not work for nobody. What was not sent yet never will be. */
static void call_give_up(Call *call)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    ipc_renderer *renderer = call->renderer;

    if (call->held)
        held_free(renderer, call->held);
    if (!call->is_in_flight || !call->is_invoke || call->is_given_up)
        return;
    call->is_given_up = true;
    if (call->is_by_lane)
        (void)renderer_send_by_lane(renderer, &(Packet){ .verb = LANE_CANCEL, .serial = (uint32_t)call->cookie,
                                                         .text_fd = -1 });
    else if (sd_bus_message_new_method_call(renderer->bus, &message, NULL, IPC_MAIN_PATH, IPC_MAIN_INTERFACE,
                                       "Cancel") >= 0 &&
             sd_bus_message_append(message, "u", (uint32_t)call->cookie) >= 0)
        (void)outbox_send_now(renderer, message, call->answerer, NULL);
}

static void call_deliver(ipc_renderer *renderer, Delivery *delivery, bool is_wanted)
{
    Call *call = CONTAINER_OF(delivery, Call, delivery);

    /* A call settles exactly once, even if its renderer is being closed. */
    (void)renderer, (void)is_wanted;
    slot_end(&call->slot);
    call->done(call);
    slot_drop(&call->slot);
}

static void call_settle(Call *call)
{
    ipc_renderer *renderer = call->renderer;

    call->is_settled = true;
    call_clear_deadline(call);
    if (!call->is_immediate) {
        inbox_push(&renderer->inbox, &call->delivery, call_deliver);
        return;
    }
    slot_end(&call->slot);
    if (call->done)
        call->done(call);
    slot_drop(&call->slot);
}

static void call_fail(Call *call, const char *error_name, const char *message)
{
    /* Without memory for the message, the name alone must do; without a name, done makes one up. */
    (void)error_setf(&call->error, error_name, "%s", message);
    call_settle(call);
}

/* The user dropped the slot: nobody waits. */
static void call_remove(ipc_slot *slot)
{
    Call *call = (Call *)slot;

    if (call->is_settled) {
        inbox_remove(&call->renderer->inbox, &call->delivery);
    } else {
        call_give_up(call);
        call_clear_deadline(call);
        call->is_settled = true;
    }
    slot_drop(slot);
}

int call_new(ipc_renderer *renderer, ipc_slot **ret_slot, CallDone done, uint64_t timeout, Call **ret_call)
{
    uint64_t now = clock_now(CLOCK_MONOTONIC);
    Call *call;

    call = calloc(1, sizeof(*call));
    if (!call)
        return -ENOMEM;
    slot_init(&call->slot, call_remove, call_destroy, ret_slot);
    call->renderer = renderer;
    call->done = done;
    call->deadline = UINT64_MAX;
    call_set_deadline(call, timeout < UINT64_MAX - now ? now + timeout : UINT64_MAX);
    *ret_call = call;
    return 0;
}

void call_discard(Call *call)
{
    call_clear_deadline(call);
    slot_end(&call->slot);
    call->slot.n_ref = 1; /* nobody has been given the slot */
    slot_drop(&call->slot);
}

int call_cancel(Call *call)
{
    if (call->is_settled)
        return -EALREADY;
    /* It settles where deadlines do: from process(), and even if main never answers. */
    call_give_up(call);
    call->is_cancelled = true;
    call_set_deadline(call, 0);
    return 0;
}

Call *call_from_slot(ipc_slot *slot)
{
    return slot && slot->destroy == call_destroy ? (Call *)slot : NULL;
}

/* ---- out ---- */

static void call_sent(Call *call, uint64_t cookie, bool is_to_main)
{
    Outbox *outbox = &call->renderer->outbox;

    call->cookie = cookie;
    call->is_in_flight = true;
    call->slot.n_ref++;
    TAILQ_INSERT_TAIL(&outbox->in_flight, call, link);
    outbox->n_in_flight += is_to_main;
}

int outbox_send_now(ipc_renderer *renderer, sd_bus_message *message, const char *destination, Call *call)
{
    bool is_to_main = strcmp(destination, BUS_NAME) != 0;
    uint64_t cookie;
    int r;

    r = sd_bus_message_set_destination(message, destination);
    if (r >= 0 && !call)
        r = sd_bus_message_set_expect_reply(message, false);
    if (r < 0)
        return r;
    if (call && is_to_main) {
        call->answerer = strdup(destination);
        if (!call->answerer)
            return -ENOMEM;
    }
    r = sd_bus_send(renderer->bus, message, call ? &cookie : NULL);
    if (r < 0)
        return r;
    if (call)
        call_sent(call, cookie, is_to_main);
    return 0;
}

static bool may_send_by_bus(ipc_renderer *renderer, const Call *call)
{
    Outbox *outbox = &renderer->outbox;

    return (!call || outbox->n_in_flight < IPC_IN_FLIGHT_MAX) && backlog_has_room(&outbox->backlog, renderer->bus);
}

static bool may_send_by_lane(const ipc_renderer *renderer, const Call *call)
{
    return wire_is_open(&renderer->lane) && (!call || renderer->outbox.n_in_lane < IPC_LANE_IN_FLIGHT_MAX) &&
           renderer->lane.bytes < IPC_BACKLOG_BYTES_MAX;
}

static bool may_send(ipc_renderer *renderer, const Call *call)
{
    if (renderer->state != IPC_RENDERER_READY)
        return false;
    return renderer->flags & IPC_RENDERER_LANE ? may_send_by_lane(renderer, call) : may_send_by_bus(renderer, call);
}

static int send_by_bus(ipc_renderer *renderer, sd_bus_message *message, size_t size, Call *call)
{
    int r;

    r = outbox_send_now(renderer, message, renderer->owner, call);
    if (r >= 0)
        backlog_add(&renderer->outbox.backlog, size);
    return r;
}

static void call_sent_by_lane(Call *call, uint32_t serial)
{
    Outbox *outbox = &call->renderer->outbox;

    call->is_by_lane = true;
    call_sent(call, serial, false);
    outbox->n_in_lane++;
}

static int send_by_lane(ipc_renderer *renderer, const Packet *packet, Call *call)
{
    Packet numbered = *packet;
    int r;

    if (!call)
        return renderer_send_by_lane(renderer, packet);
    /* 0 is no serial. */
    numbered.serial = ++renderer->outbox.lane_serial ? renderer->outbox.lane_serial : ++renderer->outbox.lane_serial;
    r = renderer_send_by_lane(renderer, &numbered);
    if (r >= 0)
        call_sent_by_lane(call, numbered.serial);
    return r;
}

/* ---- holding ---- */

static int outbox_hold(Outbox *outbox, sd_bus_message *message, const Packet *packet, size_t size, Call *call)
{
    Held *held;
    int r = 0;

    if (size > IPC_QUEUE_BYTES_MAX - outbox->held_bytes)
        return -ENOBUFS;
    held = calloc(1, sizeof(*held));
    if (!held)
        return -ENOMEM;
    if (message)
        held->message = sd_bus_message_ref(message);
    else
        r = parcel_copy(packet, &held->parcel);
    if (r < 0) {
        free(held);
        return r;
    }
    held->size = size;
    held->call = call;
    if (call)
        call->held = held;
    TAILQ_INSERT_TAIL(&outbox->held, held, link);
    outbox->held_bytes += size;
    return 0;
}

int outbox_submit(ipc_renderer *renderer, const Packet *packet, Call *call)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    Outbox *outbox = &renderer->outbox;
    size_t size = packet->length + IPC_MESSAGE_OVERHEAD;
    bool is_at_once = TAILQ_EMPTY(&outbox->held) && may_send(renderer, call);
    int r;

    if (renderer->flags & IPC_RENDERER_LANE)
        return is_at_once ? send_by_lane(renderer, packet, call) : outbox_hold(outbox, NULL, packet, size, call);
    r = method_new(renderer, packet, &message);
    if (r < 0)
        return r;
    return is_at_once ? send_by_bus(renderer, message, size, call) : outbox_hold(outbox, message, NULL, size, call);
}

void outbox_flush(ipc_renderer *renderer)
{
    Held *held;
    Call *call;
    int r;

    renderer->outbox.retry = UINT64_MAX;
    while ((held = TAILQ_FIRST(&renderer->outbox.held)) && may_send(renderer, held->call)) {
        call = held->call;
        r = held->message ? send_by_bus(renderer, held->message, held->size, call)
                          : send_by_lane(renderer, &held->parcel->packet, call);
        /* Large texts before it are unread, and nothing tells when main reads them. */
        if (r == -ENOBUFS && held->parcel) {
            renderer->outbox.retry = clock_now(CLOCK_MONOTONIC) + RETRY_USEC;
            return;
        }
        held_free(renderer, held);
        if (r < 0 && call)
            call_fail(call, IPC_ERROR_MAIN_GONE, "The message could not be sent");
    }
}

/* ---- back ---- */

/* The hold of the list of those in flight. */
static void call_drop(Call *call)
{
    if (--call->slot.n_ref == 0)
        call_destroy(&call->slot);
}

static void call_landed(Call *call)
{
    Outbox *outbox = &call->renderer->outbox;

    TAILQ_REMOVE(&outbox->in_flight, call, link);
    call->is_in_flight = false;
    outbox->n_in_flight -= call->answerer != NULL;
    outbox->n_in_lane -= call->is_by_lane;
}

static Call *find_in_flight(const Outbox *outbox, uint64_t cookie, bool is_by_lane)
{
    Call *call;

    /* Answers come mostly in order. */
    TAILQ_FOREACH(call, &outbox->in_flight, link)
        if (call->cookie == cookie && call->is_by_lane == is_by_lane)
            return call;
    return NULL;
}

/* On a session bus anyone may send an answer to anyone. */
static bool is_from(const char *sender, const char *expected)
{
    return expected && sender && strcmp(sender, expected) == 0;
}

bool outbox_receive(ipc_renderer *renderer, sd_bus_message *reply)
{
    const char *sender = sd_bus_message_get_sender(reply);
    bool is_from_bus = is_from(sender, BUS_NAME);
    uint64_t cookie;
    Call *call;

    if (sd_bus_message_get_reply_cookie(reply, &cookie) < 0)
        return false;
    call = find_in_flight(&renderer->outbox, cookie, false);
    if (!call || (!is_from_bus && !is_from(sender, call->answerer)))
        return false;

    call_landed(call);
    if (!call->is_settled) {
        reply_take_message(call, reply, is_from_bus);
        call_settle(call);
    }
    call_drop(call);
    return true;
}

int outbox_receive_packet(ipc_renderer *renderer, Packet *packet)
{
    Call *call;

    if (packet->verb != LANE_RESULT && packet->verb != LANE_ERROR)
        return -EBADMSG;
    call = find_in_flight(&renderer->outbox, packet->serial, true);
    if (!call)
        return -EBADMSG;
    /* Without memory for the answer, there is none: done makes up an error. */
    if (!call->is_settled && reply_take_packet(call, packet) == -EBADMSG)
        return -EBADMSG;
    call_landed(call);
    if (!call->is_settled)
        call_settle(call);
    call_drop(call);
    return 0;
}

bool outbox_expire(ipc_renderer *renderer)
{
    Outbox *outbox = &renderer->outbox;
    Call *call = TAILQ_FIRST(&outbox->deadlines);
    uint64_t now;

    if (!call)
        return false;
    now = clock_now(CLOCK_MONOTONIC);
    if (call->deadline > now)
        return false;
    for (; call && call->deadline <= now; call = TAILQ_FIRST(&outbox->deadlines)) {
        call_give_up(call);
        if (call->is_cancelled)
            call_fail(call, IPC_ERROR_CANCELLED, "The call was cancelled");
        else
            call_fail(call, IPC_ERROR_TIMEOUT, "No answer in time");
    }
    return true;
}

void outbox_fail_held(ipc_renderer *renderer, const char *error_name, const char *message)
{
    Held *held;
    Call *call;

    while ((held = TAILQ_FIRST(&renderer->outbox.held))) {
        call = held->call;
        held_free(renderer, held);
        if (call)
            call_fail(call, error_name, message);
    }
}

void outbox_fail_lane(ipc_renderer *renderer, const char *error_name, const char *message)
{
    Call *call, *next;

    /* What was cancelled was cancelled. */
    outbox_expire(renderer);
    TAILQ_FOREACH_SAFE(call, &renderer->outbox.in_flight, link, next) {
        if (!call->is_by_lane)
            continue;
        call_landed(call);
        if (!call->is_settled)
            call_fail(call, error_name, message);
        call_drop(call);
    }
}

void outbox_fail_calls(ipc_renderer *renderer, const char *error_name, const char *message)
{
    Held *held, *next_held;
    Call *call, *next;

    /* What was cancelled while it was held is among the deadlines alone. */
    outbox_expire(renderer);
    TAILQ_FOREACH_SAFE(call, &renderer->outbox.in_flight, link, next) {
        if (call->is_settled || call->is_immediate)
            continue;
        call_give_up(call);
        call_fail(call, error_name, message);
    }
    TAILQ_FOREACH_SAFE(held, &renderer->outbox.held, link, next_held) {
        call = held->call;
        if (!call || call->is_immediate)
            continue;
        held_free(renderer, held);
        call_fail(call, error_name, message);
    }
}

void outbox_fail_all(ipc_renderer *renderer, const char *error_name, const char *message)
{
    Call *call;

    /* The same. */
    outbox_expire(renderer);
    while ((call = TAILQ_FIRST(&renderer->outbox.in_flight))) {
        call_landed(call);
        if (!call->is_settled)
            call_fail(call, error_name, message);
        call_drop(call);
    }
    outbox_fail_held(renderer, error_name, message);
}
