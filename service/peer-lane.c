/* SPDX-License-Identifier: MIT */
#include "peer-lane.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app.h"
#include "file.h"
#include "macro.h"
#include "main-lane.h"
#include "peer.h"
#include "quota.h"
#include "stuck.h"

/*
 * A lane ends with its peer, and a peer with its lane: a renderer that has lost its lane registers anew, and what it
 * was before is forgotten. What it has written counts as sent, whatever the bus says in the meantime; so whoever hears
 * on the bus that a peer is gone, or hears from a peer that has a lane, reads the lane first.
 */

/*
 * Who calls and does not read the answers is not read either, until it does: then it waits in its own writing, and
 * costs nobody anything. What it only sends is no call, so whoever has much to tell and no time to read can.
 */

/* What is dispatched in one go, before other sources of the loop have their turn: packets, and about how many bytes. */
#define BATCH 8
#define BATCH_BYTES (256u * 1024)

/* The same where order matters more: more than a socket holds, but for texts in files, of which one may be sent often. */
#define DRAIN_MAX 1024u
#define DRAIN_BYTES (4u * 1024 * 1024)

static bool is_held(const PeerLane *lane)
{
    return lane->n_unread >= IPC_UNREAD_ANSWERS_MAX && !lane->is_leaving;
}

static uint32_t wanted_events(const PeerLane *lane)
{
    return (is_held(lane) ? 0u : EPOLLIN) | (wire_has_unwritten(&lane->wire) ? EPOLLOUT : 0u);
}

/* What waits for the peer, by the bus and by the lane, is bounded together. */
static void lane_count(PeerLane *lane)
{
    size_t before = lane->n_counted;

    if (!wire_has_unwritten(&lane->wire))
        lane->n_unread = 0;

    lane->n_counted = lane->wire.bytes + lane->wire.large_bytes;
    if (lane->n_counted > before)
        quota_add_bytes(lane->peer, lane->n_counted - before);
    else if (lane->n_counted < before)
        quota_remove_bytes(lane->peer, before - lane->n_counted);
    if (wire_has_unwritten(&lane->wire))
        stuck_begin(lane->peer);
    else if (lane->n_counted == 0)
        stuck_end(lane->peer);
    else
        stuck_interrupt(lane->peer);
}

void peer_lane_recount(Peer *peer)
{
    if (!peer->lane)
        return;
    (void)wire_get_unread(&peer->lane->wire);
    lane_count(peer->lane);
}

/* Nobody tells when a large text has been read. */
static bool user_has_room(const Peer *peer, size_t size)
{
    Peer *other;

    if (quota_user_has_room(peer, size))
        return true;
    TAILQ_FOREACH(other, &peer->app->peers.list, link)
        if (other->user == peer->user)
            peer_lane_recount(other);
    return quota_user_has_room(peer, size);
}

/* A text that is larger than what may wait may go alone, but not one to each lane of a user. */
static bool has_room(PeerLane *lane, const Packet *packet)
{
    uint64_t max = lane->peer->app->policy.limits.queue_bytes;
    size_t size = packet->length + IPC_MESSAGE_OVERHEAD;

    lane->wire.max = max < SIZE_MAX ? (size_t)max : SIZE_MAX;
    if (packet->length <= IPC_INLINE_MAX)
        return !wire_has_unwritten(&lane->wire) || quota_has_room(lane->peer, size);
    peer_lane_recount(lane->peer);
    return user_has_room(lane->peer, size) && (lane->n_counted == 0 || quota_has_room(lane->peer, size));
}

static int lane_check(const Peer *peer)
{
    return peer->lane && peer->app && !peer->app->is_closed ? 0 : -ENOTCONN;
}

/* What became of it. */
static int sent(Peer *peer, const Packet *packet, int r)
{
    PeerLane *lane = peer->lane;

    if (r == -ENOBUFS)
        stuck_refuse(peer);
    /* It has gone, which main hears when it has read all that the peer wrote before. */
    if (r == -EPIPE)
        return 0;
    if (r < 0)
        return r;
    peer->n_sent++;
    if (wire_has_unwritten(&lane->wire) && (packet->verb == LANE_RESULT || packet->verb == LANE_ERROR))
        lane->n_unread++;
    lane_count(lane);
    if (wire_has_unwritten(&lane->wire))
        (void)watch_set_events(&lane->watch, wanted_events(lane));
    return 0;
}

int peer_lane_send(Peer *peer, const Packet *packet)
{
    int r = lane_check(peer);

    if (r < 0)
        return r;
    return sent(peer, packet, has_room(peer->lane, packet) ? wire_send(&peer->lane->wire, packet) : -ENOBUFS);
}

int peer_lane_send_anyway(Peer *peer, const Packet *packet)
{
    int r = lane_check(peer);

    return r < 0 ? r : sent(peer, packet, wire_send_anyway(&peer->lane->wire, packet));
}

static void lane_unref(PeerLane *lane)
{
    if (--lane->n_ref > 0)
        return;
    wire_close(&lane->wire);
    free(lane);
}

/* 1: one packet was dispatched; 0: there was none; else the lane is at its end. Its bytes are added. */
static int run_one(Peer *peer, size_t *bytes, bool *is_answered)
{
    _cleanup_(packet_clear) Packet packet = PACKET_INIT;
    PeerLane *lane = peer->lane;
    uint64_t n_sent = lane->wire.n_sent;
    int r;

    r = wire_receive(&lane->wire, MSG_DONTWAIT, &packet);
    if (r <= 0)
        return r;
    lane->n_ref++;
    *bytes += packet.length;
    r = main_lane_run(peer, &packet);
    *is_answered = lane->wire.n_sent != n_sent;
    lane_unref(lane);
    return r < 0 ? r : 1;
}

static void flush(PeerLane *lane)
{
    size_t before = lane->wire.bytes;

    if (wire_has_unwritten(&lane->wire))
        (void)wire_flush(&lane->wire);
    if (lane->wire.bytes < before)
        stuck_interrupt(lane->peer);
    lane_count(lane);
}

/*
 * Who has got an answer at once will take a moment to say more, so looking for it at once is a system call for nothing;
 * the loop tells if there is more after all.
 */
static void lane_ready(Watch *watch)
{
    PeerLane *lane = CONTAINER_OF(watch, PeerLane, watch);
    Peer *peer = peer_ref(lane->peer);
    bool is_answered = false;
    size_t bytes = 0;
    int r = 1, i;

    flush(lane);
    for (i = 0; i < BATCH && bytes < BATCH_BYTES && r > 0 && peer->lane && !is_held(peer->lane) && !is_answered; i++)
        r = run_one(peer, &bytes, &is_answered);
    if (r < 0 && peer->app)
        peer_vanish(peer);
    if (peer->lane)
        (void)watch_set_events(&peer->lane->watch, wanted_events(peer->lane));
    peer_unref(peer);
}

static void on_ready(Watch *watch)
{
    ipc_app *app = CONTAINER_OF(watch, PeerLane, watch)->peer->app;

    app_run_watch(app, watch, lane_ready);
}

bool peer_lane_drain(Peer *peer)
{
    bool is_answered = false, was_there = false;
    size_t bytes = 0;
    unsigned n;
    int r = 1;

    for (n = 0; n < DRAIN_MAX && bytes < DRAIN_BYTES && r > 0 && peer->lane; n++) {
        r = run_one(peer, &bytes, &is_answered);
        was_there = was_there || r != 0;
    }
    if (r < 0 && peer->app)
        peer_vanish(peer);
    return was_there;
}

void peer_lane_leave(Peer *peer)
{
    PeerLane *lane = peer->lane;

    /* Whoever may still have the other end says no more, and behind what was said there is an end. */
    (void)shutdown(lane->wire.fd, SHUT_RD);
    lane->is_leaving = true;
    (void)peer_lane_drain(peer);
    if (peer->lane)
        (void)watch_set_events(&peer->lane->watch, wanted_events(peer->lane));
}

bool peer_lane_has_unwritten(const Peer *peer)
{
    return peer->lane && wire_has_unwritten(&peer->lane->wire);
}

static int lane_new(Peer *peer, int fd, PeerLane **ret_lane)
{
    PeerLane *lane;
    int r;

    lane = calloc(1, sizeof(*lane));
    if (!lane)
        return -ENOMEM;
    lane->n_ref = 1;
    lane->peer = peer;
    wire_init(&lane->wire, fd);
    r = watch_add(&peer->app->watches, &lane->watch, fd, EPOLLIN, on_ready, NULL);
    if (r < 0) {
        free(lane);
        return r;
    }
    account_join(&peer->user->account, &lane->wire);
    *ret_lane = lane;
    return 0;
}

int peer_lane_open(Peer *peer, int *ret_fd)
{
    int fds[2], r;

    if (peer->lane)
        return -EALREADY;
    r = wire_make_pair(fds);
    if (r < 0)
        return r;
    r = file_is_scarce_for(fds[1], peer->user->account.n_wires) ? -EMFILE : lane_new(peer, fds[0], &peer->lane);
    if (r < 0) {
        close(fds[0]);
        close(fds[1]);
        return r;
    }
    *ret_fd = fds[1];
    return 0;
}

void peer_lane_break(Peer *peer)
{
    (void)shutdown(peer->lane->wire.fd, SHUT_RDWR);
}

void peer_lane_close(Peer *peer)
{
    PeerLane *lane = TAKE_PTR(peer->lane);

    if (!lane)
        return;
    quota_remove_bytes(peer, lane->n_counted);
    account_leave(&lane->wire);
    stuck_end(peer);
    watch_remove(&lane->watch);
    lane_unref(lane);
}
