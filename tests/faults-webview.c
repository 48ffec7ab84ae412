/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "faults-window.h"

/*
 * Hosts and guests of the fault harness. A host leaves the token of its webview on a doormat; its guest, which is a
 * process of its own, takes it and comes. Both number what they tell each other. Who loses main begins anew.
 */

#define WAITS_MAX 300u  /* turns of a host until it takes the guest for dead that took the token */
#define WAIT_USEC 2000u /* of a guest, for a token */

/* ---- the host ---- */

static void leave_token(Window *w)
{
    Doormat *doormat = &w->shared->doormats[w->number];
    const char *token;

    if (ipc_webview_get_token(w->webview, &token) < 0)
        return;
    doormat->is_there = false;
    g_strlcpy(doormat->token, token, sizeof(doormat->token));
    doormat->is_there = true;
}

static void on_state(ipc_webview *webview, ipc_webview_state state, const ipc_error *error, void *userdata)
{
    Window *w = userdata;

    (void)webview;
    if (state == IPC_WEBVIEW_WAITING)
        leave_token(w);
    else if (state == IPC_WEBVIEW_DETACHED && !error && w->guest != 0)
        w->shared->n_guests_went++;
}

static void on_up(ipc_event *event, json_t *args, void *userdata)
{
    Window *w = userdata;

    faults_check(w->shared, ipc_event_get_sender_id(event) == ipc_webview_get_id(w->webview));
    if (w->guest == 0)
        w->guest = faults_number(args, 0);
    faults_check(w->shared, faults_number(args, 0) == w->guest);
    faults_check(w->shared, faults_number(args, 1) == w->next_from_guest);
    w->next_from_guest++;
    w->shared->n_heard_from_guests++;
}

static void make_webview(Window *w)
{
    if (ipc_webview_new(&w->webview, w->renderer) < 0)
        return;
    must(ipc_webview_on_state(w->webview, NULL, on_state, w));
    must(ipc_webview_on_message(w->webview, NULL, on_up, w));
    w->n_waits = 0;
    w->guest = 0;
    w->next_from_guest = 0;
    w->next_to_guest = 0;
}

void host_act(Window *w)
{
    ipc_webview_state state = ipc_webview_get_state(w->webview);

    if (w->number >= N_HOSTS)
        return;
    if (w->webview && (state == IPC_WEBVIEW_DETACHED || (state != IPC_WEBVIEW_ATTACHED && w->n_waits++ == WAITS_MAX)))
        w->webview = ipc_webview_unref(w->webview);
    if (!w->webview)
        make_webview(w);
    else if (state == IPC_WEBVIEW_ATTACHED && has_chance(w, 50) &&
             ipc_webview_sendf(w->webview, "down", "i", w->next_to_guest) >= 0)
        w->next_to_guest++;
}

void host_end(Window *w)
{
    w->webview = ipc_webview_unref(w->webview);
}

/* ---- the guest ---- */

typedef struct Guest {
    Shared *shared;
    ipc_renderer *renderer;
    GRand *rand;
    unsigned serial; /* who it is */
    unsigned next_up;
    unsigned next_down;
    bool is_over;
} Guest;

static void on_down(ipc_event *event, json_t *args, void *userdata)
{
    Guest *guest = userdata;

    (void)event;
    faults_check(guest->shared, faults_number(args, 0) == guest->next_down);
    guest->next_down++;
    guest->shared->n_heard_from_hosts++;
}

/* With another main it would be nobody's guest. */
static void on_guest_state(ipc_renderer *renderer, ipc_renderer_state state, const ipc_error *error, void *userdata)
{
    Guest *guest = userdata;

    (void)renderer, (void)error;
    guest->is_over = state == IPC_RENDERER_GONE || state == IPC_RENDERER_CLOSED;
}

static void live(Guest *guest)
{
    int r = 0, n;

    while (!faults_is_over && !guest->is_over && r >= 0 && g_rand_int_range(guest->rand, 0, 200) > 0) {
        for (n = g_rand_int_range(guest->rand, 0, 4); n > 0; n--)
            if (ipc_renderer_send_to_hostf(guest->renderer, "up", "ii", guest->serial, guest->next_up) >= 0)
                guest->next_up++;
        r = faults_run_once(guest->renderer);
    }
}

/* It comes with the token, and stays until it goes, or has to. */
static void visit(Guest *guest, const char *token)
{
    sd_bus *bus = faults_connect(guest->shared);

    if (!bus) {
        faults_is_over = true;
        return;
    }
    must(ipc_renderer_new(&guest->renderer, bus, FIXTURE_NAME));
    sd_bus_unref(bus);
    must(ipc_renderer_set_guest_token(guest->renderer, token));
    must(ipc_renderer_set_flags(guest->renderer, HAS_LANE(guest->serial) ? IPC_RENDERER_LANE : 0));
    must(ipc_renderer_on(guest->renderer, NULL, "down", on_down, guest));
    must(ipc_renderer_on_state(guest->renderer, NULL, on_guest_state, guest));
    guest->shared->n_guests++;
    live(guest);
    if (ipc_renderer_get_state(guest->renderer) == IPC_RENDERER_CLOSED)
        faults_is_over = true;
    ipc_renderer_unref(guest->renderer);
}

static bool take_token(Doormat *doormat, char token[64])
{
    if (!atomic_exchange(&doormat->is_there, false))
        return false;
    memcpy(token, doormat->token, sizeof(doormat->token));
    return true;
}

int faults_visit(Shared *shared, unsigned number)
{
    Doormat *doormat = &shared->doormats[number - N_RENDERERS];
    GRand *rand = faults_new_rand(shared, number);
    unsigned n_fds = faults_count_fds(), n_visits = 0;
    char token[64];

    faults_take_term();
    while (!faults_is_over) {
        Guest guest = { .shared = shared, .rand = rand, .serial = shared->n_starts[number] * 1000 + ++n_visits };

        if (take_token(doormat, token))
            visit(&guest, token);
        else
            g_usleep(WAIT_USEC);
    }
    g_rand_free(rand);
    faults_check(shared, faults_count_fds() == n_fds);
    return 0;
}
