/* SPDX-License-Identifier: MIT */

/*
 * The window. A bus daemon keeps for a peer what that peer does not read, and once it keeps too much it stops reading
 * the service that sends it, or drops what it sends: one frozen peer, and everyone suffers. So main knows what each
 * peer has been sent and has not been seen to read, and keeps the rest in a queue of its own (peer-queue.c).
 *
 * A peer shows that it reads by answering a ping: the bus keeps the order, so whoever answers has read all before it.
 * Every D-Bus library answers by itself; an error is an answer, too. A peer is asked after a window's worth of bytes,
 * and until then costs nothing. Pings have no timeout, since each is a pending reply on the bus until it is answered,
 * whether somebody still waits or not, and the bus allows few of those: that is why so few peers are asked at a time,
 * and why some of those few are for who has answered before: those who never do cannot keep others from being asked.
 *
 * Three rules say what may be sent:
 *
 * - What fits into a window goes as long as the window has room, so a peer has less than two windows unread.
 * - What does not fit goes to a peer that has just answered, and has nothing unread. One that is frozen never gets so
 *   far; otherwise a few of those could hold all that may be unread in all.
 * - What a peer waits for goes to it nevertheless, and with it what is ahead of it, for order is kept: a client that
 *   blocks in a call reads on but answers nothing until it has the reply. Who is believed to wait is told in
 *   peer-queue.c. How much such a peer may have unread has a bound of its own, for it may not be what it seems.
 *
 * All peers together have a bound. The last two rules may use up most of it, but not all: what is left is for the
 * windows of those who read. Those of one user may not use it up, nor the pings (share.h). Where it is used up, peers
 * are asked early, those first who have had something unread for the longest time.
 */

#include "window.h"

#include <errno.h>
#include <string.h>

#include "app.h"
#include "clock.h"
#include "macro.h"
#include "notice.h"
#include "peer.h"
#include "share.h"

#define BUS_NAME "org.freedesktop.DBus"

void window_set_init(WindowSet *set)
{
    size_t i;

    *set = (WindowSet){ 0 };
    for (i = 0; i < N_WINDOW_ASKINGS; i++)
        TAILQ_INIT(&set->lists[i]);
}

/* ---- counting ---- */

static size_t large_part(size_t unread)
{
    return unread > 2 * IPC_WINDOW_BYTES ? unread - 2 * IPC_WINDOW_BYTES : 0;
}

static void set_unread(Peer *peer, size_t unread)
{
    WindowSet *set = &peer->app->windows;
    Window *window = &peer->window;

    set->unread += unread - window->unread;
    peer->user->unread += unread - window->unread;
    set->unread_large += large_part(unread) - large_part(window->unread);
    window->unread = unread;
}

static void set_asking(Peer *peer, WindowAsking asking)
{
    WindowSet *set = &peer->app->windows;
    Window *window = &peer->window;

    if (window->asking == asking)
        return;
    if (window->asking != WINDOW_NOTHING)
        TAILQ_REMOVE(&set->lists[window->asking], peer, window.link);
    if (asking == WINDOW_WANTING && window->has_answered)
        TAILQ_INSERT_HEAD(&set->lists[asking], peer, window.link);
    else if (asking != WINDOW_NOTHING)
        TAILQ_INSERT_TAIL(&set->lists[asking], peer, window.link);
    set->n_asked += asking == WINDOW_ASKED;
    set->n_asked -= window->asking == WINDOW_ASKED;
    peer->user->n_asked += asking == WINDOW_ASKED;
    peer->user->n_asked -= window->asking == WINDOW_ASKED;
    window->asking = asking;
}

/* ---- what may be sent ---- */

static WindowAnswer check_large(const WindowSet *set, size_t size)
{
    return size > IPC_UNREAD_BYTES_LARGE - set->unread_large ? WINDOW_SHORT : WINDOW_OPEN;
}

WindowAnswer window_check(const Peer *peer, size_t size, bool is_awaited)
{
    const WindowSet *set = &peer->app->windows;
    const Window *window = &peer->window;

    if (size > IPC_UNREAD_BYTES_MAX - set->unread)
        return WINDOW_SHORT;
    if (!set->is_leaving && !share_allows(peer->user->unread, set->unread, size, IPC_UNREAD_BYTES_MAX))
        return WINDOW_SHORT;
    if (set->is_leaving || (size <= IPC_WINDOW_BYTES && window->unread < IPC_WINDOW_BYTES))
        return WINDOW_OPEN;
    if (window->is_fresh || (is_awaited && size <= IPC_WINDOW_BYTES_AWAITED &&
                             window->unread <= IPC_WINDOW_BYTES_AWAITED - size))
        return check_large(set, size);
    return WINDOW_SHUT;
}

void window_sent(Peer *peer, size_t size)
{
    Window *window = &peer->window;

    set_unread(peer, window->unread + size);
    window->is_fresh = false;
    if (window->unread >= IPC_WINDOW_BYTES)
        window_ask(peer);
    else if (window->asking == WINDOW_NOTHING)
        set_asking(peer, WINDOW_UNASKED);
}

/* ---- asking ---- */

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error);

static int ping(Peer *peer)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    sd_bus *bus = peer->app->bus;
    Window *window = &peer->window;
    int r;

    r = sd_bus_message_new_method_call(bus, &message, peer->unique_name, "/", "org.freedesktop.DBus.Peer", "Ping");
    if (r >= 0)
        r = sd_bus_call_async(bus, &window->ping_slot, message, on_answer, peer, UINT64_MAX);
    if (r < 0)
        return r;
    window->asked_about = window->unread;
    return 0;
}

static unsigned pings_max(const Peer *peer)
{
    return IPC_PINGS_MAX + (peer->window.has_answered ? IPC_PINGS_SPARED : 0);
}

/* What fails is tried again with the next piece of work. */
static void try_to_ask(Peer *peer)
{
    WindowSet *set = &peer->app->windows;

    if (!share_allows(peer->user->n_asked, set->n_asked, 1, pings_max(peer)) || ping(peer) < 0)
        return;
    set_asking(peer, WINDOW_ASKED);
    peer->window.asked_at = clock_now(CLOCK_MONOTONIC);
}

void window_ask(Peer *peer)
{
    if (peer->window.asking == WINDOW_ASKED || peer->window.asking == WINDOW_WANTING)
        return;
    set_asking(peer, WINDOW_WANTING);
    try_to_ask(peer);
}

void window_ask_more(ipc_app *app, bool is_short)
{
    WindowSet *set = &app->windows;
    Peer *peer, *next;

    TAILQ_FOREACH_SAFE(peer, &set->lists[WINDOW_WANTING], window.link, next) {
        if (set->n_asked >= pings_max(peer))
            return; /* who has answered before is first in the list */
        try_to_ask(peer);
    }
    while (is_short && set->n_asked < IPC_PINGS_MAX && (peer = TAILQ_FIRST(&set->lists[WINDOW_UNASKED])))
        window_ask(peer);
}

/* Where the bus answers for the peer there is nothing to go by, and all is as if there were no window. */
static void warn_of_refusal(ipc_app *app, sd_bus_message *reply)
{
    if (app->windows.is_refused || !sd_bus_message_is_method_error(reply, SD_BUS_ERROR_ACCESS_DENIED))
        return;
    app->windows.is_refused = true;
    notice_warn(app, NULL, 0,
                "The bus does not let us ask whether a peer reads, so one that does not may block the others: "
                "its policy should allow us to send org.freedesktop.DBus.Peer.Ping");
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Peer *peer = userdata;
    _cleanup_(ipc_app_unrefp) ipc_app *app = ipc_app_ref(peer->app);
    Window *window = &peer->window;
    const char *from = sd_bus_message_get_sender(reply);
    bool is_from_bus = from && strcmp(from, BUS_NAME) == 0;

    (void)error;
    window->ping_slot = sd_bus_slot_unref(window->ping_slot);
    /* On a session bus anyone may answer anyone. */
    if (from && !is_from_bus && strcmp(from, peer->unique_name) != 0) {
        set_asking(peer, WINDOW_WANTING);
        try_to_ask(peer);
        return 0;
    }

    window->has_answered = true;
    set_unread(peer, window->unread - window->asked_about);
    window->is_fresh = window->unread == 0;
    set_asking(peer, window->is_fresh ? WINDOW_NOTHING : WINDOW_UNASKED);
    if (window->unread >= IPC_WINDOW_BYTES)
        window_ask(peer);
    peer_queue_peer_has_read(peer);
    window_ask_more(app, false);
    if (is_from_bus)
        warn_of_refusal(app, reply);
    return 0;
}

void window_forget(Peer *peer)
{
    Window *window = &peer->window;

    window->ping_slot = sd_bus_slot_unref(window->ping_slot);
    set_asking(peer, WINDOW_NOTHING);
    set_unread(peer, 0);
}
