/* SPDX-License-Identifier: MIT */
#include "stuck.h"

#include <stdio.h>

#include "app.h"
#include "clock.h"
#include "notice.h"
#include "peer-lane.h"
#include "peer.h"

void stuck_set_init(StuckSet *set)
{
    TAILQ_INIT(&set->list);
}

static void leave_list(Peer *peer)
{
    if (peer->stuck.is_listed)
        TAILQ_REMOVE(&peer->app->stuck.list, peer, stuck.link);
    peer->stuck.is_listed = false;
}

void stuck_begin(Peer *peer)
{
    Stuck *stuck = &peer->stuck;

    if (stuck->is_listed || stuck->is_told)
        return;
    stuck->is_listed = true;
    stuck->since = clock_now(CLOCK_MONOTONIC);
    TAILQ_INSERT_TAIL(&peer->app->stuck.list, peer, stuck.link);
}

void stuck_interrupt(Peer *peer)
{
    if (!peer->stuck.is_refused)
        leave_list(peer);
}

void stuck_end(Peer *peer)
{
    leave_list(peer);
    peer->stuck.is_refused = peer->stuck.is_told = false;
}

void stuck_refuse(Peer *peer)
{
    Stuck *stuck = &peer->stuck;

    /* Where nothing waits for it, others of its user are to blame. */
    if (stuck->is_refused || stuck->is_told || peer->queue.bytes == 0)
        return;
    leave_list(peer);
    stuck->is_listed = stuck->is_refused = true;
    TAILQ_INSERT_HEAD(&peer->app->stuck.list, peer, stuck.link);
}

uint64_t stuck_get_deadline(const ipc_app *app)
{
    const Peer *first = TAILQ_FIRST(&app->stuck.list);

    if (!first)
        return UINT64_MAX;
    return first->stuck.is_refused ? 0 : first->stuck.since + IPC_STUCK_USEC;
}

typedef char PeerName[96];

static const char *name_peer(const Peer *peer, PeerName name)
{
    char renderer[32] = "An anonymous peer", process[32] = "";

    if (peer->contents)
        snprintf(renderer, sizeof(renderer), "Renderer %u", peer->contents->id);
    if (peer->has_pid)
        snprintf(process, sizeof(process), ", process %d", peer->pid);
    snprintf(name, sizeof(PeerName), "%s (%.24s%s)", renderer, peer->unique_name, process);
    return name;
}

static void tell(Peer *peer)
{
    uint32_t id = ipc_web_contents_get_id(peer->contents);
    size_t size = peer->queue.bytes;
    PeerName name;

    leave_list(peer);
    peer->stuck.is_told = true;
    if (peer->stuck.is_refused)
        notice_warn(peer->app, NULL, id, "%s reads too slowly, or not at all: %zu bytes wait for it, and more is refused",
                    name_peer(peer, name), size);
    else
        notice_warn(peer->app, NULL, id, "%s does not read: %zu bytes wait for it", name_peer(peer, name), size);
}

void stuck_tell(ipc_app *app)
{
    uint64_t now;

    if (TAILQ_EMPTY(&app->stuck.list))
        return;
    now = clock_now(CLOCK_MONOTONIC);
    /* Who is told may send, and change the list. */
    while (stuck_get_deadline(app) <= now)
        tell(TAILQ_FIRST(&app->stuck.list));
}

void stuck_give_up(ipc_app *app)
{
    Peer *peer;
    PeerName name;

    TAILQ_FOREACH(peer, &app->peers.list, link)
        if (peer->queue.state != QUEUE_EMPTY || peer_lane_has_unwritten(peer))
            notice_warn(app, NULL, ipc_web_contents_get_id(peer->contents),
                        "The app stops, and %s has not read all that was sent to it: the rest is lost",
                        name_peer(peer, name));
}
