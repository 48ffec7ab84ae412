/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>

#include "faults.h"

/* The main process of the fault harness. */

#define KEPT_MAX 64u

typedef struct Service {
    Shared *shared;
    ipc_app *app;
    unsigned generation;
    uint32_t heard_from[N_RENDERERS]; /* the renderer's id; 0: nothing yet */
    unsigned last_heard[N_RENDERERS];
    GHashTable *n_sent; /* to each renderer, by id */
    GQueue kept;
    GRand *rand;
} Service;

unsigned faults_count_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned n = 0;

    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

sd_bus *faults_connect(const Shared *shared)
{
    sd_bus *bus;

    must(sd_bus_new(&bus));
    must(sd_bus_set_address(bus, shared->address));
    must(sd_bus_set_bus_client(bus, true));
    if (sd_bus_start(bus) >= 0)
        return bus;
    sd_bus_unref(bus);
    return NULL;
}

GRand *faults_new_rand(const Shared *shared, unsigned number)
{
    return g_rand_new_with_seed_array((guint32[]){ shared->seed, number, shared->n_starts[number] }, 3);
}

/* What came before in the same registration has all been heard, but for what its sender knows to have failed. */
static void check_order(Service *s, unsigned number, unsigned line, uint32_t id)
{
    unsigned i;

    faults_check(s->shared, line < N_RENDERERS && number < CALLS_MAX);
    faults_check(s->shared, s->shared->lines[line].n_heard[number]++ == 0);
    if (s->heard_from[line] == id) {
        faults_check(s->shared, number > s->last_heard[line]);
        for (i = s->last_heard[line] + 1; i < number; i++)
            faults_check(s->shared, s->shared->lines[line].is_failed[i]);
    }
    s->heard_from[line] = id;
    s->last_heard[line] = number;
}

static void on_message(ipc_event *event, json_t *args, void *userdata)
{
    Service *s = userdata;
    unsigned line = faults_number(args, 0), number = faults_number(args, 1);

    check_order(s, number, line, ipc_event_get_sender_id(event));
    s->shared->n_heard++;
    if (ipc_event_is_sync(event))
        (void)ipc_event_return(event, args);
}

/* Numbers what goes to each renderer. */
static void send_number(Service *s, ipc_web_contents *contents)
{
    gpointer key = GUINT_TO_POINTER(ipc_web_contents_get_id(contents));
    unsigned n = GPOINTER_TO_UINT(g_hash_table_lookup(s->n_sent, key));

    if (ipc_web_contents_sendf(contents, "number", "ii", s->generation, n) >= 0)
        g_hash_table_insert(s->n_sent, key, GUINT_TO_POINTER(n + 1));
}

static void settle_one(Service *s, ipc_invocation *invocation, unsigned call)
{
    if (call % 7 == 0)
        (void)ipc_invocation_rejectf(invocation, "org.example.Error.Refused", "Refused", "i", call);
    else
        (void)ipc_invocation_resolvef(invocation, "i", call);
    ipc_invocation_unref(invocation);
    (void)s;
}

static int on_call(ipc_invocation *invocation, json_t *args, void *userdata)
{
    Service *s = userdata;
    ipc_web_contents *contents = ipc_sender_get_web_contents(ipc_invocation_get_sender(invocation));
    unsigned line = faults_number(args, 0), call = faults_number(args, 1);

    faults_check(s->shared, line < N_RENDERERS && call < CALLS_MAX);
    faults_check(s->shared, s->shared->lines[line].n_runs[call]++ == 0);
    s->shared->n_handled++;
    if (contents)
        send_number(s, contents);
    if (call % 11 == 0)
        return 0; /* dropped: ReplyNeverSent */
    if (call % 3 == 0) {
        g_queue_push_tail(&s->kept, ipc_invocation_ref(invocation));
        if (s->kept.length > KEPT_MAX)
            settle_one(s, g_queue_pop_head(&s->kept), call);
        return 0;
    }
    settle_one(s, ipc_invocation_ref(invocation), call);
    return 0;
}

/* A port goes on to some renderer, and main is not in between any more. Now and then it is dropped. */
static void on_port(ipc_event *event, json_t *args, void *userdata)
{
    Service *s = userdata;
    ipc_transfer transfer = { 0 };
    ipc_web_contents **all;
    int i, n;

    transfer.ports = ipc_event_get_ports(event, &transfer.n_ports);
    faults_check(s->shared, transfer.n_ports == 1);
    n = must(ipc_web_contents_get_all(s->app, &all));
    i = g_rand_int_range(s->rand, 0, n + 1);
    if (i < n)
        (void)ipc_web_contents_post_message(all[i], "port", json_array_get(args, 0), &transfer);
    free(all);
}

int faults_serve(Shared *shared, unsigned number)
{
    Service s = { .shared = shared, .generation = shared->main_generation++ };
    unsigned n_fds = faults_count_fds();
    sd_bus *bus = faults_connect(shared);
    int r;

    (void)number;
    if (!bus || ipc_app_new(&s.app, bus, FIXTURE_NAME) < 0) {
        sd_bus_unref(bus);
        return 0;
    }
    sd_bus_unref(bus);
    g_queue_init(&s.kept);
    s.n_sent = g_hash_table_new(NULL, NULL);
    s.rand = g_rand_new_with_seed_array((guint32[]){ shared->seed, s.generation }, 2);
    must(ipc_main_on(ipc_app_get_main(s.app), NULL, "n", on_message, &s));
    must(ipc_main_on(ipc_app_get_main(s.app), NULL, "port", on_port, &s));
    must(ipc_main_handle(ipc_app_get_main(s.app), NULL, "call", on_call, &s));
    r = ipc_app_run(s.app);
    while (s.kept.length > 0)
        ipc_invocation_unref(g_queue_pop_head(&s.kept));
    ipc_app_unref(s.app);
    g_hash_table_unref(s.n_sent);
    g_rand_free(s.rand);
    faults_check(shared, r >= 0 || r == -ENOTCONN || r == -ECONNRESET || r == -ETIMEDOUT || r == -EEXIST);
    faults_check(shared, faults_count_fds() == n_fds);
    return 0;
}
