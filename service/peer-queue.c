/* SPDX-License-Identifier: MIT */
#include "peer-queue.h"

#include <errno.h>

#include "app.h"
#include "macro.h"
#include "peer.h"

struct Queued {
    TAILQ_ENTRY(Queued) link;
    sd_bus_message *message;
    size_t size;
};

void peer_queue_init(PeerQueue *queue)
{
    TAILQ_INIT(&queue->messages);
    queue->bytes = 0;
}

void peer_queue_set_init(PeerQueueSet *set)
{
    TAILQ_INIT(&set->waiting);
    set->backlog = (Backlog){ 0 };
}

static int send_now(Peer *peer, sd_bus_message *message, size_t size)
{
    int r;

    r = sd_bus_send(peer->app->bus, message, NULL);
    if (r < 0)
        return r;
    backlog_add(&peer->app->queues.backlog, size);
    return 0;
}

static int queue_message(Peer *peer, sd_bus_message *message, size_t size)
{
    PeerQueue *queue = &peer->queue;
    Queued *queued;

    if (size > IPC_QUEUE_BYTES_MAX - queue->bytes)
        return -ENOBUFS;
    queued = calloc(1, sizeof(*queued));
    if (!queued)
        return -ENOMEM;
    queued->message = sd_bus_message_ref(message);
    queued->size = size;
    if (TAILQ_EMPTY(&queue->messages))
        TAILQ_INSERT_TAIL(&peer->app->queues.waiting, peer, queue.link);
    TAILQ_INSERT_TAIL(&queue->messages, queued, link);
    queue->bytes += size;
    return 0;
}

int peer_queue_send(Peer *peer, sd_bus_message *message, size_t size)
{
    PeerQueueSet *set = &peer->app->queues;

    size += IPC_MESSAGE_OVERHEAD;
    if (TAILQ_EMPTY(&peer->queue.messages) && backlog_has_room(&set->backlog, peer->app->bus))
        return send_now(peer, message, size);
    return queue_message(peer, message, size);
}

/* The queue leaves the app's list with its last message. */
static void take_first(Peer *peer)
{
    PeerQueue *queue = &peer->queue;
    Queued *queued = TAILQ_FIRST(&queue->messages);

    TAILQ_REMOVE(&queue->messages, queued, link);
    queue->bytes -= queued->size;
    TAILQ_REMOVE(&peer->app->queues.waiting, peer, queue.link);
    if (!TAILQ_EMPTY(&queue->messages))
        TAILQ_INSERT_TAIL(&peer->app->queues.waiting, peer, queue.link);
    sd_bus_message_unref(queued->message);
    free(queued);
}

void peer_queue_flush(ipc_app *app)
{
    PeerQueueSet *set = &app->queues;
    Queued *queued;
    Peer *peer;

    while ((peer = TAILQ_FIRST(&set->waiting)) && backlog_has_room(&set->backlog, app->bus)) {
        queued = TAILQ_FIRST(&peer->queue.messages);
        if (send_now(peer, queued->message, queued->size) < 0)
            return; /* the connection is at its end, and says so itself */
        take_first(peer);
    }
}

void peer_queue_clear(Peer *peer)
{
    while (!TAILQ_EMPTY(&peer->queue.messages))
        take_first(peer);
}
