/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <assert.h>
#include <errno.h>
#include <search.h>
#include <string.h>

#include "app.h"
#include "credentials.h"
#include "file.h"
#include "invocation.h"
#include "ipc-names.h"
#include "macro.h"
#include "main-event.h"
#include "notice.h"
#include "peer-lane.h"
#include "traffic.h"
#include "transfer.h"
#include "waiting.h"

#define BUS_NAME "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"

static int peer_compare(const void *a, const void *b)
{
    return strcmp(((const Peer *)a)->unique_name, ((const Peer *)b)->unique_name);
}

static int peer_compare_name(const void *name, const void *peer)
{
    return strcmp(name, ((const Peer *)peer)->unique_name);
}

void peer_set_init(PeerSet *set)
{
    set->tree = NULL;
    TAILQ_INIT(&set->list);
}

Peer *peer_find(PeerSet *set, const char *unique_name)
{
    Peer **node = tfind(unique_name, &set->tree, peer_compare_name);

    return node ? *node : NULL;
}

static int peer_new(ipc_app *app, const char *unique_name, Peer **ret_peer)
{
    size_t size = strlen(unique_name) + 1;
    Peer *peer;

    peer = calloc(1, sizeof(*peer) + size);
    if (!peer)
        return -ENOMEM;

    peer->n_ref = 1;
    peer->app = app;
    TAILQ_INIT(&peer->waiting);
    TAILQ_INIT(&peer->invocations);
    TAILQ_INIT(&peer->syncs);
    peer_queue_init(&peer->queue);
    memcpy(peer->unique_name, unique_name, size);
    if (quota_join(peer) < 0) {
        free(peer);
        return -ENOMEM;
    }
    if (!tsearch(peer, &app->peers.tree, peer_compare)) {
        quota_leave(peer);
        free(peer);
        return -ENOMEM;
    }
    TAILQ_INSERT_TAIL(&app->peers.list, peer, link);
    *ret_peer = peer;
    return 0;
}

Peer *peer_ref(Peer *peer)
{
    peer->n_ref++;
    return peer;
}

Peer *peer_unref(Peer *peer)
{
    if (!peer)
        return NULL;
    assert(peer->n_ref > 0);
    if (--peer->n_ref > 0)
        return NULL;
    assert(!peer->app && !peer->contents && !peer->lane);
    assert(TAILQ_EMPTY(&peer->waiting) && peer->n_pending == 0);
    process_free(peer->process);
    free(peer->groups);
    free(peer);
    return NULL;
}

void peer_vanish(Peer *peer)
{
    ipc_app *app = peer->app;

    tdelete(peer, &app->peers.tree, peer_compare);
    TAILQ_REMOVE(&app->peers.list, peer, link);
    peer->credentials_slot = sd_bus_slot_unref(peer->credentials_slot);
    waiting_clear(peer);
    peer_lane_close(peer);
    invocation_cancel_all(peer);
    main_event_cancel_all(peer);
    if (peer->contents)
        web_contents_destroy(peer->contents);
    /* Last, because who has been told may have sent to it. */
    window_forget(peer);
    peer_queue_clear(peer);
    quota_leave(peer);
    peer->app = NULL;
    peer_unref(peer);
}

/* Errors are messages to the peer like any other, so that they keep their place among them. */
static void peer_send_error(Peer *peer, sd_bus_message *call, const sd_bus_error *error)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;

    if (sd_bus_message_new_method_error(call, &message, error) >= 0 &&
        peer_answer(peer, call, message, 0) == -ENOBUFS)
        peer_refuse_answer(peer, call, error->name, "You do not read, and your queue is full");
}

/* It has not read the answers to the calls before. */
static bool peer_refuse(Peer *peer, sd_bus_message *message)
{
    static const sd_bus_error busy = SD_BUS_ERROR_MAKE_CONST(IPC_ERROR_BUSY, "Read your answers first");

    if (!peer_queue_refuse(peer, message))
        return false;
    traffic_refused_message(peer, message, &busy);
    return true;
}

static void peer_run(Peer *peer, sd_bus_message *message, PeerRun run)
{
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    int r;

    peer->n_received++;
    if (peer->app->is_stopping)
        r = sd_bus_error_setf(&error, IPC_ERROR_MAIN_GONE, "The service stops: call again when it is back");
    else
        r = run(peer, message, &error);
    if (r == -EBADMSG && !sd_bus_error_is_set(&error))
        sd_bus_error_set(&error, IPC_ERROR_INVALID_ARGS, "The message has no legal UTF-8 for D-Bus, or lacks a file");
    if (r == -ETOOMANYREFS)
        sd_bus_error_set(&error, IPC_ERROR_LIMITS_EXCEEDED, "Too many files are under way here: call again later");
    if (r < 0 && !sd_bus_error_is_set(&error))
        sd_bus_error_set_errno(&error, r);
    if (sd_bus_error_is_set(&error)) {
        peer_send_error(peer, message, &error);
        notice_error(peer, message, &error);
        traffic_refused_message(peer, message, &error);
    }
}

static void peer_run_waiting(Peer *peer)
{
    _cleanup_(peer_unrefp) Peer *held = peer_ref(peer);
    sd_bus_message *message;
    PeerRun run;

    while ((message = waiting_pop(held, &run))) {
        peer_run(held, message, run);
        sd_bus_message_unref(message);
    }
}

const Process *peer_get_process(Peer *peer)
{
    if (!peer->process && peer->has_pid)
        peer->process = process_new(peer->pid);
    return peer->process;
}

static int on_credentials(sd_bus_message *reply, void *userdata, sd_bus_error *error);

static int peer_ask_credentials(Peer *peer)
{
    return sd_bus_call_method_async(peer->app->bus, &peer->credentials_slot, BUS_NAME, BUS_PATH, BUS_NAME,
                                    "GetConnectionCredentials", on_credentials, peer, "s", peer->unique_name);
}

static int on_credentials(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Peer *peer = userdata;
    _cleanup_(ipc_app_unrefp) _unused_ ipc_app *app = ipc_app_ref(peer->app);
    const char *from = sd_bus_message_get_sender(reply);

    (void)error;
    peer->credentials_slot = sd_bus_slot_unref(peer->credentials_slot);

    /* On a session bus anyone may answer anyone: only the bus itself is believed. */
    if (from && strcmp(from, BUS_NAME) != 0 && peer_ask_credentials(peer) >= 0)
        return 0;
    /* Without an answer the peer has no uid, and no policy lets it in. */
    if (from && strcmp(from, BUS_NAME) == 0 && !sd_bus_message_is_method_error(reply, NULL))
        (void)credentials_read(peer, reply);
    if (quota_join(peer) < 0)
        peer->has_uid = false; /* whoever cannot be counted is not let in */
    peer->is_known = true;
    peer_run_waiting(peer);
    return 0;
}

/* A message that waits keeps the fds that came with it, whoever sent it and whether it is to have any. */
static int peer_wait(Peer *peer, sd_bus_message *message, PeerRun run)
{
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = 0;

    if (file_next_is_scarce())
        r = sd_bus_error_setf(&error, IPC_ERROR_LIMITS_EXCEEDED, "Too many files are open here: call again later");
    if (r >= 0 && !peer->credentials_slot)
        r = peer_ask_credentials(peer);
    if (r >= 0)
        r = waiting_push(peer, message, run, &error);
    if (!sd_bus_error_is_set(&error))
        return r < 0 ? r : 1;

    /* Out of turn, for those ahead of it have not had theirs. */
    peer_send_error(peer, message, &error);
    traffic_refused_message(peer, message, &error);
    return 1;
}

int peer_obtain(ipc_app *app, sd_bus_message *message, Peer **ret_peer)
{
    _cleanup_(peer_unrefp) Peer *held = NULL;
    const char *unique_name = sd_bus_message_get_sender(message);
    Peer *peer;

    /* A connection without a bus daemon has no names. */
    if (!unique_name)
        return -EINVAL;
    peer = peer_find(&app->peers, unique_name);
    /* What it has written to its lane came before; and if it has closed that, it begins anew. */
    if (peer && peer->lane) {
        held = peer_ref(peer);
        (void)peer_lane_drain(held);
        if (app->is_closed)
            return -ENOTCONN;
        peer = peer_find(&app->peers, unique_name);
    }
    if (!peer)
        return peer_new(app, unique_name, ret_peer);
    *ret_peer = peer;
    return 0;
}

bool peer_is_waiting(const Peer *peer)
{
    return !peer->is_known || !TAILQ_EMPTY(&peer->waiting);
}

int peer_admit(ipc_app *app, sd_bus_message *message, PeerRun run)
{
    _cleanup_(peer_unrefp) Peer *held = NULL;
    Peer *peer;
    int r;

    r = peer_obtain(app, message, &peer);
    if (r < 0)
        return r;
    peer_queue_peer_has_sent(peer, message);
    if (peer_refuse(peer, message))
        return 1;
    if (peer_is_waiting(peer))
        return peer_wait(peer, message, run);
    held = peer_ref(peer);
    peer_run(held, message, run);
    return 1;
}

bool peer_set_is_waiting(const PeerSet *set)
{
    const Peer *peer;

    TAILQ_FOREACH(peer, &set->list, link)
        if (!TAILQ_EMPTY(&peer->waiting))
            return true;
    return false;
}

bool peer_set_has_unwritten(const PeerSet *set)
{
    const Peer *peer;

    TAILQ_FOREACH(peer, &set->list, link)
        if (peer_lane_has_unwritten(peer))
            return true;
    return false;
}

int peer_send(Peer *peer, sd_bus_message *message, size_t size)
{
    int r;

    if (!peer->app || peer->app->is_closed)
        return -ENOTCONN;
    r = peer_queue_send(peer, message, size);
    if (r < 0)
        return r;
    peer->n_sent++;
    idle_touch(peer->app);
    return 0;
}

int peer_answer(Peer *peer, sd_bus_message *call, sd_bus_message *answer, size_t size)
{
    return sd_bus_message_get_expect_reply(call) > 0 ? peer_send(peer, answer, size) : 0;
}

void peer_refuse_answer(Peer *peer, sd_bus_message *call, const char *name, const char *text)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;

    if (!peer->app || peer->app->is_closed || sd_bus_message_get_expect_reply(call) <= 0)
        return;
    if (sd_bus_message_new_method_errorf(call, &message, name, "%s", text) >= 0 &&
        peer_queue_send_anyway(peer, message, strlen(text)) >= 0)
        peer->n_sent++;
}

int peer_new_signal(Peer *peer, const char *member, sd_bus_message **ret_message)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    int r;

    if (!peer->app || peer->app->is_closed)
        return -ENOTCONN;
    r = sd_bus_message_new_signal(peer->app->bus, &message, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member);
    if (r < 0)
        return r;
    r = sd_bus_message_set_destination(message, peer->unique_name);
    if (r < 0)
        return r;
    *ret_message = TAKE_PTR(message);
    return 0;
}

size_t peer_get_max(const Peer *peer)
{
    return peer->lane ? IPC_LANE_ARGS_MAX : IPC_ARGS_MAX;
}

static int send_message(Peer *peer, const char *channel, const char *args, size_t size, uint32_t sender_id)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    int r;

    if (size > peer_get_max(peer))
        return -EMSGSIZE;
    if (peer->lane)
        return peer_lane_send(peer, &(Packet){ .verb = LANE_MESSAGE, .id = sender_id, .channel = channel,
                                               .text = args, .length = size, .text_fd = -1 });

    /* The bus has no text with a NUL in it, and sd-bus would cut it short there. */
    if (strlen(args) != size)
        return -EINVAL;
    r = peer_new_signal(peer, "Message", &message);
    if (r < 0)
        return r;
    r = sd_bus_message_append(message, "ssu", channel, args, sender_id);
    return r < 0 ? r : peer_send(peer, message, size);
}

int peer_send_message(Peer *peer, const char *channel, const char *args, size_t size, uint32_t sender_id)
{
    int r = send_message(peer, channel, args, size, sender_id);

    if (r >= 0)
        traffic_sent(peer, &(Outgoing){ .verb = "message", .sender_id = sender_id, .channel = channel, .text = args,
                                        .length = size });
    return r;
}

static int port_message_by_bus(Peer *peer, const Packet *packet)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    int r;

    if (strlen(packet->text) != packet->length)
        return -EINVAL;
    r = peer_new_signal(peer, "PortMessage", &message);
    if (r >= 0)
        r = sd_bus_message_append(message, "ss", packet->channel, packet->text);
    if (r >= 0)
        r = transfer_append(packet, message);
    if (r >= 0)
        r = sd_bus_message_append(message, "u", packet->id);
    return r < 0 ? r : peer_send(peer, message, packet->length);
}

int peer_send_port_message(Peer *peer, const char *channel, const char *text, size_t size,
                           const ipc_transfer *transfer)
{
    Packet packet = { .verb = LANE_PORT_MESSAGE, .channel = channel, .text = text, .length = size, .text_fd = -1 };
    int r;

    if (size > peer_get_max(peer))
        return -EMSGSIZE;
    r = transfer_check(transfer, NULL);
    if (r < 0)
        return r;
    transfer_fill(transfer, &packet);
    r = peer->lane ? peer_lane_send(peer, &packet) : port_message_by_bus(peer, &packet);
    if (r < 0)
        return r;
    traffic_sent(peer, &(Outgoing){ .verb = "port-message", .channel = channel, .text = text, .length = size,
                                    .transfer = transfer, .is_posted = true });
    transfer_done(transfer, quota_get_account(peer));
    return r;
}

const char *ipc_sender_get_unique_name(const ipc_sender *sender)
{
    return sender ? sender->unique_name : NULL;
}

int ipc_sender_get_uid(const ipc_sender *sender, uid_t *ret_uid)
{
    if (!sender || !ret_uid)
        return -EINVAL;
    if (!sender->has_uid)
        return -ENODATA;
    *ret_uid = sender->uid;
    return 0;
}

int ipc_sender_get_pid(const ipc_sender *sender, pid_t *ret_pid)
{
    if (!sender || !ret_pid)
        return -EINVAL;
    if (!sender->has_pid)
        return -ENODATA;
    *ret_pid = sender->pid;
    return 0;
}

uint32_t ipc_sender_get_id(const ipc_sender *sender)
{
    return sender ? ipc_web_contents_get_id(sender->contents) : 0;
}

ipc_web_contents *ipc_sender_get_web_contents(const ipc_sender *sender)
{
    return sender ? sender->contents : NULL;
}
