/* SPDX-License-Identifier: MIT */

/*
 * The queues. Everything that goes to a peer goes through one queue, so its order is kept; and all queues take turns,
 * so no peer waits for another's. What holds a message back is the connection, whose backlog is bounded, or the window
 * of the peer (window.c). A queue has a bound as well, and who would exceed it is told.
 *
 * What sd-bus answers by itself (properties, introspection, pings) is not ours to queue, and a caller that never reads
 * its answers would fill up the bus with them. So such a call waits in the queue in the place of its answer, and is
 * read again when its turn has come.
 *
 * Who waits for an answer. A client that blocks in a call answers no pings until it has the reply. If it has closed its
 * window with what is ahead of the reply, both would wait for each other. So the window opens for it. But a client that
 * makes calls and never reads the answers must gain nothing by that, and it looks the same from here, but for this: who
 * blocks has sent one call and nothing after it, and has had the answers to all before. So a peer is taken to wait if
 * its queue holds one answer, to the last message that came from it, and if nothing more has come from it when the bus
 * has answered a ping of ours: by then all has arrived that it had sent before it could know the answer. Somebody who
 * calls on and on is found out by the second answer in its queue, and gets what fits into its window, until it reads.
 *
 * A bus daemon notes each call that has not been answered, and looks through all of its notes at every call of anyone:
 * answers by the thousand that wait here would make it slow for all. So from some number on a call is refused at once,
 * and the refusal goes ahead of what waits, because it is short and lets the bus forget the call.
 */

#include "peer-queue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "bare-call.h"
#include "clock.h"
#include "macro.h"
#include "notice.h"
#include "peer.h"
#include "window.h"

#define BUS_NAME "org.freedesktop.DBus"
#define REFUSAL_SIZE 128u                     /* about the bytes of a refusal on the bus */
#define REFUSALS_MAX (3 * IPC_WINDOW_BYTES)   /* bytes that a peer may have unread for another one to go ahead */

struct Queued {
    TAILQ_ENTRY(Queued) link;
    sd_bus_message *message;
    size_t size;
    bool is_answer;
    bool is_call; /* from the peer; its answer is what is waited for */
};

/* A call that has had its turn, and is about to be read again. */
struct Readmitted {
    TAILQ_ENTRY(Readmitted) link;
    sd_bus_message *call;
};

void peer_queue_init(PeerQueue *queue)
{
    TAILQ_INIT(&queue->messages);
}

void peer_queue_set_init(PeerQueueSet *set)
{
    size_t i;

    *set = (PeerQueueSet){ 0 };
    for (i = 0; i < N_QUEUE_STATES; i++)
        TAILQ_INIT(&set->lists[i]);
    TAILQ_INIT(&set->readmitted);
}

bool peer_queue_set_is_empty(const PeerQueueSet *set)
{
    return TAILQ_EMPTY(&set->lists[QUEUE_READY]) && TAILQ_EMPTY(&set->lists[QUEUE_SHUT]) &&
           TAILQ_EMPTY(&set->lists[QUEUE_SHORT]);
}

/* ---- states ---- */

static void set_state(Peer *peer, QueueState state)
{
    PeerQueueSet *set = &peer->app->queues;
    PeerQueue *queue = &peer->queue;

    if (queue->state != QUEUE_EMPTY)
        TAILQ_REMOVE(&set->lists[queue->state], peer, queue.link);
    if (state != QUEUE_EMPTY)
        TAILQ_INSERT_TAIL(&set->lists[state], peer, queue.link);
    queue->state = state;
    if (state == QUEUE_EMPTY)
        stuck_end(peer);
    else if (state == QUEUE_SHUT)
        stuck_begin(peer);
    else
        stuck_interrupt(peer);
}

static void ask_whether_awaited(Peer *peer);

/* Puts the queue at the end of the list that it belongs to now. */
static void sort(Peer *peer)
{
    static const QueueState states[] = {
        [WINDOW_OPEN] = QUEUE_READY,
        [WINDOW_SHUT] = QUEUE_SHUT,
        [WINDOW_SHORT] = QUEUE_SHORT,
    };
    const Queued *first = TAILQ_FIRST(&peer->queue.messages);
    WindowAnswer answer;

    if (!first) {
        set_state(peer, QUEUE_EMPTY);
        return;
    }
    answer = window_check(peer, first->size, peer->queue.is_awaited);
    set_state(peer, states[answer]);
    if (answer == WINDOW_SHUT) {
        window_ask(peer);
        ask_whether_awaited(peer);
    } else if (answer == WINDOW_SHORT) {
        window_ask_more(peer->app, true);
    }
}

static void sort_list(PeerQueueSet *set, QueueState state)
{
    Peer *last = TAILQ_LAST(&set->lists[state], QueueList), *peer = NULL;

    while (last && peer != last) {
        peer = TAILQ_FIRST(&set->lists[state]);
        sort(peer);
    }
}

void peer_queue_peer_has_read(Peer *peer)
{
    if (peer->queue.state != QUEUE_EMPTY)
        sort(peer);
    sort_list(&peer->app->queues, QUEUE_SHORT);
}

/* ---- who waits for an answer ---- */

static bool may_be_awaited(const PeerQueue *queue)
{
    return queue->n_answers == 1 && queue->last_answered == queue->last_call;
}

static int on_quiet(sd_bus_message *reply, void *userdata, sd_bus_error *error);

static void ask_whether_awaited(Peer *peer)
{
    PeerQueue *queue = &peer->queue;

    if (queue->is_awaited || queue->quiet_slot || !may_be_awaited(queue))
        return;
    queue->quiet_since = queue->last_call;
    (void)sd_bus_call_method_async(peer->app->bus, &queue->quiet_slot, BUS_NAME, "/org/freedesktop/DBus",
                                   "org.freedesktop.DBus.Peer", "Ping", on_quiet, peer, "");
}

static int on_quiet(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Peer *peer = userdata;
    PeerQueue *queue = &peer->queue;
    const char *from = sd_bus_message_get_sender(reply);

    (void)error;
    queue->quiet_slot = sd_bus_slot_unref(queue->quiet_slot);
    /* Only the bus is believed, and only if nothing more has come meanwhile. */
    queue->is_awaited = may_be_awaited(queue) && queue->quiet_since == queue->last_call &&
                        (!from || strcmp(from, BUS_NAME) == 0);
    sort(peer);
    return 0;
}

void peer_queue_peer_has_sent(Peer *peer, sd_bus_message *message)
{
    PeerQueue *queue = &peer->queue;

    (void)sd_bus_message_get_cookie(message, &queue->last_call);
    queue->is_awaited = false;
}

/* ---- in ---- */

static int queue_message(Peer *peer, sd_bus_message *message, size_t size, bool is_call)
{
    PeerQueue *queue = &peer->queue;
    Queued *queued;
    uint64_t cookie;

    queued = calloc(1, sizeof(*queued));
    if (!queued)
        return -ENOMEM;
    queued->message = sd_bus_message_ref(message);
    queued->size = size;
    queued->is_call = is_call;
    queued->is_answer = (is_call ? sd_bus_message_get_cookie(message, &cookie)
                                 : sd_bus_message_get_reply_cookie(message, &cookie)) >= 0;
    if (queued->is_answer) {
        queue->n_answers++;
        queue->last_answered = cookie;
    }
    TAILQ_INSERT_TAIL(&queue->messages, queued, link);
    quota_add_bytes(peer, size);
    return 0;
}

static int keep_anyway(Peer *peer, sd_bus_message *message, size_t size, bool is_call)
{
    PeerQueue *queue = &peer->queue;
    int r;

    r = queue_message(peer, message, size, is_call);
    if (r < 0)
        return r;
    if (queue->state == QUEUE_EMPTY)
        sort(peer);
    else if (queue->state == QUEUE_SHUT)
        ask_whether_awaited(peer);
    return 0;
}

static int keep(Peer *peer, sd_bus_message *message, size_t size, bool is_call)
{
    if (quota_has_room(peer, size))
        return keep_anyway(peer, message, size, is_call);
    stuck_refuse(peer);
    return -ENOBUFS;
}

static int keep_call(Peer *peer, sd_bus_message *call, size_t size)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *bare = NULL;
    size_t body_size;
    int r;

    r = bare_call_new_with_strings(call, &bare, &body_size);
    return r < 0 ? r : keep(peer, bare, size + body_size, true);
}

static bool may_pass(Peer *peer, size_t size)
{
    return TAILQ_EMPTY(&peer->queue.messages) && backlog_has_room(&peer->app->queues.backlog, peer->app->bus) &&
           window_check(peer, size, false) == WINDOW_OPEN;
}

static int send_now(Peer *peer, sd_bus_message *message, size_t size)
{
    int r;

    r = sd_bus_send(peer->app->bus, message, NULL);
    if (r < 0)
        return r;
    backlog_add(&peer->app->queues.backlog, size);
    window_sent(peer, size);
    return 0;
}

int peer_queue_send(Peer *peer, sd_bus_message *message, size_t size)
{
    size += IPC_MESSAGE_OVERHEAD;
    return may_pass(peer, size) ? send_now(peer, message, size) : keep(peer, message, size, false);
}

int peer_queue_send_anyway(Peer *peer, sd_bus_message *message, size_t size)
{
    size += IPC_MESSAGE_OVERHEAD;
    return may_pass(peer, size) ? send_now(peer, message, size) : keep_anyway(peer, message, size, false);
}

static bool send_out_of_turn(Peer *peer, sd_bus_message *refusal)
{
    ipc_app *app = peer->app;

    if (peer->window.unread > REFUSALS_MAX || REFUSAL_SIZE > IPC_UNREAD_BYTES_MAX - app->windows.unread ||
        !backlog_has_room(&app->queues.backlog, app->bus) || sd_bus_send(app->bus, refusal, NULL) < 0)
        return false;
    window_sent(peer, REFUSAL_SIZE);
    return true;
}

bool peer_queue_refuse(Peer *peer, sd_bus_message *call)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *refusal = NULL;

    if (peer->queue.n_answers < IPC_UNREAD_ANSWERS_MAX || sd_bus_message_get_expect_reply(call) <= 0)
        return false;
    if (sd_bus_message_new_method_errorf(call, &refusal, IPC_ERROR_BUSY, "Read your answers first") < 0)
        return false;
    if (!send_out_of_turn(peer, refusal))
        (void)peer_send(peer, refusal, 0);
    return true;
}

static void readmitted_free(PeerQueueSet *set, Readmitted *readmitted)
{
    TAILQ_REMOVE(&set->readmitted, readmitted, link);
    sd_bus_message_unref(readmitted->call);
    free(readmitted);
}

bool peer_queue_set_take_readmitted(PeerQueueSet *set, const sd_bus_message *call)
{
    Readmitted *readmitted;

    TAILQ_FOREACH(readmitted, &set->readmitted, link)
        if (readmitted->call == call)
            break;
    if (!readmitted)
        return false;
    readmitted_free(set, readmitted);
    return true;
}

void peer_queue_set_clear(PeerQueueSet *set)
{
    Readmitted *readmitted;

    while ((readmitted = TAILQ_FIRST(&set->readmitted)))
        readmitted_free(set, readmitted);
}

int peer_queue_admit(Peer *peer, sd_bus_message *call, size_t size)
{
    int r;

    size += IPC_MESSAGE_OVERHEAD;
    peer_queue_peer_has_sent(peer, call);
    if (may_pass(peer, size)) {
        window_sent(peer, size);
        return 0;
    }
    r = keep_call(peer, call, size);
    return r < 0 ? r : 1;
}

int peer_queue_defer(Peer *peer, sd_bus_message *call, size_t size)
{
    return keep_call(peer, call, size + IPC_MESSAGE_OVERHEAD);
}

/* ---- out ---- */

static int readmit(Peer *peer, sd_bus_message *call, size_t size)
{
    Readmitted *readmitted;
    int r;

    readmitted = calloc(1, sizeof(*readmitted));
    if (!readmitted)
        return -ENOMEM;
    r = sd_bus_enqueue_for_read(peer->app->bus, call);
    if (r < 0) {
        free(readmitted);
        return r;
    }
    readmitted->call = sd_bus_message_ref(call);
    TAILQ_INSERT_TAIL(&peer->app->queues.readmitted, readmitted, link);
    window_sent(peer, size);
    return 0;
}

static void drop_first(Peer *peer)
{
    PeerQueue *queue = &peer->queue;
    Queued *queued = TAILQ_FIRST(&queue->messages);

    TAILQ_REMOVE(&queue->messages, queued, link);
    quota_remove_bytes(peer, queued->size);
    queue->n_answers -= queued->is_answer;
    if (queue->n_answers == 0)
        queue->is_awaited = false;
    sd_bus_message_unref(queued->message);
    free(queued);
}

static int send_first(Peer *peer)
{
    const Queued *queued = TAILQ_FIRST(&peer->queue.messages);
    int r;

    if (queued->is_call)
        r = readmit(peer, queued->message, queued->size);
    else
        r = send_now(peer, queued->message, queued->size);
    if (r < 0)
        return r;
    drop_first(peer);
    sort(peer);
    return 0;
}

void peer_queue_flush(ipc_app *app)
{
    PeerQueueSet *set = &app->queues;
    Peer *peer;

    window_ask_more(app, false);
    while ((peer = TAILQ_FIRST(&set->lists[QUEUE_READY])) && backlog_has_room(&set->backlog, app->bus)) {
        /* What others have sent since may have used up what all may have unread. */
        sort(peer);
        if (peer->queue.state == QUEUE_READY && send_first(peer) < 0)
            return; /* the connection is at its end, and says so itself */
    }
}

void peer_queue_leave(ipc_app *app)
{
    app->windows.is_leaving = true;
    sort_list(&app->queues, QUEUE_SHUT);
}

void peer_queue_clear(Peer *peer)
{
    PeerQueue *queue = &peer->queue;

    queue->quiet_slot = sd_bus_slot_unref(queue->quiet_slot);
    while (!TAILQ_EMPTY(&queue->messages))
        drop_first(peer);
    set_state(peer, QUEUE_EMPTY);
    sort_list(&peer->app->queues, QUEUE_SHORT);
}
