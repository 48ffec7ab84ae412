/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>

#include "faults.h"

/* A renderer of the fault harness. */

#define PENDING_MAX 300u
#define WAIT_USEC 2000
#define TIMEOUT_USEC (20u * 1000 * 1000)

typedef struct Window {
    Shared *shared;
    ipc_renderer *renderer;
    unsigned number;
    GRand *rand;
    GHashTable *pending; /* calls */
    unsigned generation; /* of main, that numbers come from */
    unsigned next_number;
} Window;

static volatile sig_atomic_t is_over;

static void on_term(int number)
{
    (void)number;
    is_over = 1;
}

/* ---- from main ---- */

static void on_number(ipc_event *event, json_t *args, void *userdata)
{
    Window *w = userdata;
    unsigned generation = (unsigned)json_integer_value(json_array_get(args, 0));
    unsigned number = (unsigned)json_integer_value(json_array_get(args, 1));

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

static void act(Window *w)
{
    int i, chance;

    for (i = g_rand_int_range(w->rand, 0, 8); i > 0; i--) {
        chance = g_rand_int_range(w->rand, 0, 100);
        if (chance < 50)
            say(w);
        else if (chance < 95)
            ask(w);
        else if (chance < 98)
            (void)ipc_renderer_send_tof(w->renderer, (uint32_t)g_rand_int_range(w->rand, 1, 8), "other", "i", 1);
        else
            say_sync(w);
    }
}

/* ---- its life ---- */

static void live(Window *w)
{
    int r = 0;

    while (!is_over && r >= 0) {
        act(w);
        do
            r = ipc_renderer_process(w->renderer);
        while (r > 0 && !is_over);
        if (r == 0)
            r = ipc_renderer_wait(w->renderer, WAIT_USEC);
        if (r == -EINTR)
            r = 0;
    }
    /* The bus is gone, and what was pending has settled by it; or else it does so now. */
    ipc_renderer_close(w->renderer);
    faults_check(w->shared, g_hash_table_size(w->pending) == 0);
}

int faults_render(Shared *shared, unsigned number)
{
    Window w = { .shared = shared, .number = number };
    unsigned n_fds = faults_count_fds();
    sd_bus *bus = faults_connect(shared);
    sigset_t terminate;

    signal(SIGTERM, on_term);
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    g_assert_cmpint(sigprocmask(SIG_UNBLOCK, &terminate, NULL), ==, 0);
    if (!bus)
        return 0;
    must(ipc_renderer_new(&w.renderer, bus, FIXTURE_NAME));
    sd_bus_unref(bus);
    must(ipc_renderer_set_timeout(w.renderer, TIMEOUT_USEC));
    must(ipc_renderer_on(w.renderer, NULL, "number", on_number, &w));
    w.rand = g_rand_new_with_seed((guint32)(getpid() * 7919));
    w.pending = g_hash_table_new(NULL, NULL);
    live(&w);
    ipc_renderer_unref(w.renderer);
    g_hash_table_unref(w.pending);
    g_rand_free(w.rand);
    faults_check(shared, faults_count_fds() == n_fds);
    return 0;
}
