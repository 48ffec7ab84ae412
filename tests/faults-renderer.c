/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "faults-window.h"

/* A renderer of the fault harness. */

#define PENDING_MAX 300u
#define WAIT_USEC 2000
#define TIMEOUT_USEC (20u * 1000 * 1000)

volatile sig_atomic_t faults_is_over;

static void on_term(int number)
{
    (void)number;
    faults_is_over = 1;
}

void faults_take_term(void)
{
    sigset_t terminate;

    signal(SIGTERM, on_term);
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    g_assert_cmpint(sigprocmask(SIG_UNBLOCK, &terminate, NULL), ==, 0);
}

int faults_run_once(ipc_renderer *renderer)
{
    int r;

    do
        r = ipc_renderer_process(renderer);
    while (r > 0 && !faults_is_over);
    if (r == 0)
        r = ipc_renderer_wait(renderer, WAIT_USEC);
    return r == -EINTR ? 0 : r;
}

/* ---- from main ---- */

static void on_number(ipc_event *event, json_t *args, void *userdata)
{
    Window *w = userdata;
    unsigned generation = faults_number(args, 0), number = faults_number(args, 1);

    (void)event;
    faults_check(w->shared, generation >= w->generation);
    if (generation != w->generation) {
        w->generation = generation;
        w->next_number = 0;
    }
    faults_check(w->shared, number == w->next_number);
    w->next_number++;
    w->shared->n_heard_from_main++;
}

typedef struct PendingCall {
    Window *window;
    unsigned call;
    ipc_slot *slot;
} PendingCall;

static void on_settled(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata)
{
    PendingCall *pending = userdata;
    Window *w = pending->window;

    (void)renderer;
    /* It is there once, so it settles once. */
    faults_check(w->shared, g_hash_table_remove(w->pending, GUINT_TO_POINTER(pending->call)));
    faults_check(w->shared, !result != !error);
    w->shared->n_settled++;
    if (result)
        w->shared->n_resolved++;
    ipc_slot_unref(pending->slot);
    g_free(pending);
}

/* ---- to main ---- */

/* The number is used before it is sent: the process may be killed in between. */
static void say(Window *w)
{
    Line *line = &w->shared->lines[w->number];
    unsigned number = line->next_message;

    if (number >= CALLS_MAX)
        return;
    line->next_message++;
    if (ipc_renderer_sendf(w->renderer, "n", "ii", w->number, number) < 0)
        line->is_failed[number] = true;
    w->shared->n_sent++;
}

static void say_sync(Window *w)
{
    Line *line = &w->shared->lines[w->number];
    unsigned number = line->next_message;

    if (number >= CALLS_MAX)
        return;
    line->next_message++;
    if (ipc_renderer_send_syncf(w->renderer, "n", NULL, NULL, "ii", w->number, number) < 0)
        line->is_failed[number] = true;
    w->shared->n_sent++;
}

static void ask(Window *w)
{
    Line *line = &w->shared->lines[w->number];
    PendingCall *pending;
    int r;

    if (g_hash_table_size(w->pending) >= PENDING_MAX || line->next_call >= CALLS_MAX)
        return;
    pending = g_new(PendingCall, 1);
    *pending = (PendingCall){ w, line->next_call++, NULL };
    r = ipc_renderer_invokef(w->renderer, &pending->slot, "call", on_settled, pending, "ii", w->number, pending->call);
    if (r < 0) {
        g_free(pending);
        return;
    }
    g_hash_table_add(w->pending, GUINT_TO_POINTER(pending->call));
    w->shared->n_called++;
    if (g_rand_int_range(w->rand, 0, 20) == 0)
        (void)ipc_renderer_cancel(w->renderer, pending->slot);
}

/* ---- to other renderers ---- */

/* Ids begin anew with main. */
static void begin_epoch(Window *w)
{
    unsigned i;

    w->epoch = w->shared->next_epoch++;
    for (i = 0; i < NEIGHBOURS; i++)
        w->next_to[i] = 0;
}

static void on_state(ipc_renderer *renderer, ipc_renderer_state state, const ipc_error *error, void *userdata)
{
    (void)renderer, (void)error;
    if (state == IPC_RENDERER_GONE)
        begin_epoch(userdata);
}

static void tell_neighbour(Window *w)
{
    unsigned id = (unsigned)g_rand_int_range(w->rand, 1, NEIGHBOURS);

    if (ipc_renderer_send_tof(w->renderer, id, "neighbour", "ii", w->epoch, w->next_to[id]) >= 0)
        w->next_to[id]++;
}

/* What was sent before the first one came may have been sent before there was this renderer. */
static void on_neighbour(ipc_event *event, json_t *args, void *userdata)
{
    Window *w = userdata;
    unsigned number = faults_number(args, 1);
    gpointer epoch = GUINT_TO_POINTER(faults_number(args, 0)), last;

    (void)event;
    if (g_hash_table_lookup_extended(w->last_from, epoch, NULL, &last))
        faults_check(w->shared, number == GPOINTER_TO_UINT(last) + 1);
    g_hash_table_insert(w->last_from, epoch, GUINT_TO_POINTER(number));
    w->shared->n_neighbours++;
}

/* ---- its life ---- */

static void act(Window *w)
{
    int i, chance;

    ports_act(w);
    host_act(w);
    for (i = g_rand_int_range(w->rand, 0, 8); i > 0; i--) {
        chance = g_rand_int_range(w->rand, 0, 100);
        if (chance < 45)
            say(w);
        else if (chance < 90)
            ask(w);
        else if (chance < 98)
            tell_neighbour(w);
        else
            say_sync(w);
        /* What it has read in there is to be told before ids are used again. */
        if (chance >= 98)
            return;
    }
}

static void live(Window *w)
{
    int r = 0;

    while (!faults_is_over && r >= 0) {
        act(w);
        r = faults_run_once(w->renderer);
    }
    host_end(w);
    /* The bus is gone, and what was pending has settled by it; or else it does so now. */
    ipc_renderer_close(w->renderer);
    faults_check(w->shared, g_hash_table_size(w->pending) == 0);
}

static void begin(Window *w, sd_bus *bus)
{
    must(ipc_renderer_new(&w->renderer, bus, FIXTURE_NAME));
    must(ipc_renderer_set_flags(w->renderer, HAS_LANE(w->number) ? IPC_RENDERER_LANE : 0));
    must(ipc_renderer_set_timeout(w->renderer, TIMEOUT_USEC));
    must(ipc_renderer_on(w->renderer, NULL, "number", on_number, w));
    must(ipc_renderer_on(w->renderer, NULL, "neighbour", on_neighbour, w));
    must(ipc_renderer_on_state(w->renderer, NULL, on_state, w));
    w->rand = faults_new_rand(w->shared, w->number);
    w->pending = g_hash_table_new(NULL, NULL);
    w->last_from = g_hash_table_new(NULL, NULL);
    begin_epoch(w);
    ports_begin(w);
}

static void end(Window *w)
{
    ports_end(w);
    ipc_renderer_unref(w->renderer);
    g_hash_table_unref(w->pending);
    g_hash_table_unref(w->last_from);
    g_rand_free(w->rand);
}

int faults_render(Shared *shared, unsigned number)
{
    Window w = { .shared = shared, .number = number };
    unsigned n_fds = faults_count_fds();
    sd_bus *bus = faults_connect(shared);

    faults_take_term();
    if (!bus)
        return 0;
    begin(&w, bus);
    sd_bus_unref(bus);
    live(&w);
    end(&w);
    faults_check(shared, faults_count_fds() == n_fds);
    return 0;
}
