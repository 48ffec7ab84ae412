/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include "fixture-reader.h"

#include <stdlib.h>
#include <string.h>

/* ---- JSON ---- */

json_t *json_from(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

    if (!json)
        g_error("'%s' is no JSON: %s", text, error.text);
    return json;
}

char *json_text(const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);

    g_assert_nonnull(text);
    return text;
}

/* ---- waiting ---- */

#define PATIENCE_USEC (60 * G_USEC_PER_SEC)
#define VALGRIND_SLOWNESS 5

bool is_slow(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload && strstr(preload, "vgpreload");
}

gint64 patience(void)
{
    return is_slow() ? PATIENCE_USEC * VALGRIND_SLOWNESS : PATIENCE_USEC;
}

Wait wait_begin(const char *where, const char *what)
{
    return (Wait){ .where = where, .what = what, .deadline = g_get_monotonic_time() + patience() };
}

void wait_step(Fixture *f, const Wait *wait)
{
    gint64 left = wait->deadline - g_get_monotonic_time();

    if (left <= 0)
        g_error("%s: gave up waiting for: %s", wait->where, wait->what);
    if (f->context)
        g_main_context_iteration(f->context, TRUE);
    else
        must(sd_event_run(f->event, (uint64_t)left));
}

/* The answer tells whether there was something to do. */
static bool run_without_waiting(Fixture *f)
{
    return f->context ? g_main_context_iteration(f->context, FALSE) : must(sd_event_run(f->event, 0)) > 0;
}

static int on_pong(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    unsigned *n_pending = userdata;

    (void)reply, (void)error;
    --*n_pending;
    return 0;
}

static void ping(sd_bus *bus, const char *destination, unsigned *n_pending)
{
    sd_bus_message *message;

    if (!bus || sd_bus_is_open(bus) <= 0)
        return;
    ++*n_pending;
    must(sd_bus_message_new_method_call(bus, &message, destination, "/", "org.freedesktop.DBus.Peer", "Ping"));
    must(sd_bus_message_set_auto_start(message, false));
    must(sd_bus_call_async(bus, NULL, message, on_pong, n_pending, (uint64_t)patience()));
    sd_bus_message_unref(message);
}

static void await_pongs(const char *where, Fixture *f, const unsigned *n_pending)
{
    Wait wait = wait_begin(where, "all that is under way");

    while (*n_pending > 0)
        wait_step(f, &wait);
    while (run_without_waiting(f))
        ;
}

/* The bus keeps the order of messages, so an answer says that all before it has arrived. */
static void flush_all(const char *where, Fixture *f)
{
    const char *destination = f->is_main_frozen ? "org.freedesktop.DBus" : FIXTURE_NAME;
    unsigned i, n_pending = 0;

    for (i = 0; i < f->clients->len; i++) {
        Client *c = f->clients->pdata[i];

        if (!c->is_frozen)
            ping(c->bus, destination, &n_pending);
    }
    await_pongs(where, f, &n_pending);
    if (f->app && !f->is_main_frozen)
        ping(ipc_app_get_bus(f->app), "org.freedesktop.DBus", &n_pending);
    await_pongs(where, f, &n_pending);
}

void fixture_settle(const char *where, Fixture *f)
{
    /* What arrives, what answers it, and what answers that. */
    flush_all(where, f);
    flush_all(where, f);
    flush_all(where, f);
}

/* ---- making ---- */

static bool are_lanes_wanted;

static void run_by_bus(gconstpointer story)
{
    are_lanes_wanted = false;
    ((void (*)(void))story)();
}

static void run_by_lane(gconstpointer story)
{
    are_lanes_wanted = true;
    ((void (*)(void))story)();
}

void add_story(const char *path, void (*story)(void))
{
    g_autofree char *lane_path = g_strconcat("/lane", path, NULL);

    g_test_add_data_func(path, (gconstpointer)story, run_by_bus);
    g_test_add_data_func(lane_path, (gconstpointer)story, run_by_lane);
}

bool is_over_lanes(void)
{
    return are_lanes_wanted;
}

Fixture *fixture_new_with(const FixtureOptions *options)
{
    Fixture *f = g_new0(Fixture, 1);

    f->bus = options->bus ? options->bus : bus_new(options->bus_config);
    must(sd_event_new(&f->event));
    f->clients = g_ptr_array_new_with_free_func((GDestroyNotify)client_free);
    f->outcomes = g_ptr_array_new_with_free_func((GDestroyNotify)outcome_free);
    f->warnings = g_ptr_array_new_with_free_func(g_free);
    f->answers = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
    f->readers = g_ptr_array_new_with_free_func((GDestroyNotify)reader_free);
    g_queue_init(&f->heard);
    g_queue_init(&f->kept);
    g_queue_init(&f->kept_events);
    if (!options->is_without_main)
        main_return(f);
    return f;
}

Fixture *fixture_new(void)
{
    return fixture_new_with(&(FixtureOptions){ 0 });
}

static void on_leave(gpointer client, gpointer data)
{
    (void)data;
    leave(client);
}

void fixture_free(Fixture *f)
{
    if (!f)
        return;
    /* Callbacks may still look at those that have left. */
    g_ptr_array_foreach(f->clients, on_leave, NULL);
    while (f->kept.length > 0)
        ipc_invocation_unref(g_queue_pop_head(&f->kept));
    while (f->kept_events.length > 0)
        ipc_event_unref(g_queue_pop_head(&f->kept_events));
    g_ptr_array_unref(f->readers);
    main_vanish(f);
    if (f->main_pid > 0)
        main_end(f, SIGTERM);
    g_ptr_array_unref(f->clients);
    g_ptr_array_unref(f->outcomes);
    g_queue_clear_full(&f->heard, (GDestroyNotify)heard_free);
    g_ptr_array_unref(f->warnings);
    g_ptr_array_unref(f->answers);
    g_clear_pointer(&f->context, g_main_context_unref);
    sd_event_unref(f->event);
    bus_free(f->bus);
    g_free(f);
}
