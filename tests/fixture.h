/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The fixture: a private bus, an app on it and any number of clients, in one process and one loop, told in verbs:
 *
 *     g_autoptr(Fixture) f = fixture_new();
 *     Client *r = renderer_new(f);
 *
 *     answer(f, "add", "3");
 *     assert_resolved(invoke(r, "add", "[1,2]"), "3");
 *
 * Nothing sleeps: whatever waits runs the loop, and gives up with a message when its time is over.
 */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "fixture-bus.h"
#include "fixture-client.h"
#include "fixture-outcome.h"
#include "ipc-main.h"
#include "ipc-renderer.h"
#include "must.h"

#define FIXTURE_NAME "org.example.Test"

struct Fixture {
    Bus *bus;
    sd_event *event;
    GMainContext *context; /* runs instead, see fixture-glib.h; NULL: event runs */
    ipc_app *app;   /* NULL: there is none */
    ipc_main *main; /* of the app */
    GPtrArray *clients;
    GPtrArray *outcomes;
    unsigned n_settled;     /* outcomes */
    GQueue heard;           /* by hear(): of Heard */
    GQueue kept;            /* by keep(): of ipc_invocation, each with a reference */
    GQueue kept_events;     /* by keep_event(): of ipc_event, the same */
    GPtrArray *warnings;    /* of the app, as strings */
    GPtrArray *answers;     /* by answer() */
    GPtrArray *readers;     /* of Reader */
    bool is_main_frozen;
    GPid main_pid;          /* by main_fork(); 0: none */
    int main_pipe;          /* open as long as that lives */
};

/* ---- making ---- */

typedef struct FixtureOptions {
    const char *bus_config; /* as of bus_new() */
    Bus *bus;               /* NULL: a new one with that configuration; the fixture owns it */
    bool is_without_main;   /* there is no app, until main_return() or main_fork() */
} FixtureOptions;

Fixture *fixture_new(void);
Fixture *fixture_new_with(const FixtureOptions *options);
void fixture_free(Fixture *f);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

/* ---- transports ---- */

/*
 * Registers a story twice, as PATH and as /lane/PATH: there the renderers of the fixture talk by lanes, and everything
 * has to be the same. A story about the bus itself is for g_test_add_func().
 */
void add_story(const char *path, void (*story)(void));
bool is_over_lanes(void);

/* ---- waiting ---- */

typedef struct Wait {
    const char *where;
    const char *what;
    gint64 deadline; /* us of the monotonic clock */
} Wait;

Wait wait_begin(const char *where, const char *what);

/* Runs the loop once; gives up when the deadline is over. */
void wait_step(Fixture *f, const Wait *wait);

/* Runs the loop until an expression is true. */
#define wait_until(f, condition)                          \
    do {                                                  \
        Wait wait_ = wait_begin(G_STRLOC, #condition);    \
        while (!(condition))                              \
            wait_step(f, &wait_);                         \
    } while (0)

/* Waits until all that is under way between app and clients has arrived, and what answers it as well. */
#define settle(f) fixture_settle(G_STRLOC, f)
void fixture_settle(const char *where, Fixture *f);

/* How long a test may wait for anything, in us: more where everything is slow. */
gint64 patience(void);

/* Everything takes many times as long as usual, under valgrind: what is large had better be smaller. */
bool is_slow(void);

/* ---- main ---- */

/* Handlers and listeners of f->main for the usual needs. */
void answer(Fixture *f, const char *channel, const char *json);     /* resolves with the same value each time */
void keep(Fixture *f, const char *channel);                         /* invocations wait in f->kept */
void keep_events(Fixture *f, const char *channel);                  /* events wait in f->kept_events */
void hear(Fixture *f, const char *channel);                         /* messages wait for expect_heard() */

/* Waits for what keep() kept, and hands it over: drop the reference. */
#define take_kept(f) fixture_take_kept(G_STRLOC, f)
#define take_kept_event(f) fixture_take_kept_event(G_STRLOC, f)
ipc_invocation *fixture_take_kept(const char *where, Fixture *f);
ipc_event *fixture_take_kept_event(const char *where, Fixture *f);

/* The next message that main heard. args of NULL: any. */
#define expect_heard(f, channel, args, sender_id) fixture_expect_heard(G_STRLOC, f, channel, args, sender_id)
void fixture_expect_heard(const char *where, Fixture *f, const char *channel, const char *args, uint32_t sender_id);

/* The next warning of the app. */
#define expect_warning(f, message) fixture_expect_warning(G_STRLOC, f, message)
void fixture_expect_warning(const char *where, Fixture *f, const char *message);

/* The one web contents of a client. */
ipc_web_contents *contents_of(Client *c);

/* The app comes (again), without its handlers; leaves in good order; goes without a word. */
void main_return(Fixture *f);
void main_stop(Fixture *f);
void main_vanish(Fixture *f);

/* The app has this policy from now on. */
void load_policy(Fixture *f, const char *json);

/* The app stops reading and writing, and goes on. */
void main_freeze(Fixture *f);
void main_thaw(Fixture *f);

/*
 * An app in a process of its own, for callers that block and for deaths: kill(f->main_pid, ...). The function sets it
 * up before it starts. It is there when this returns, and ends with the fixture at the latest.
 */
void main_fork(Fixture *f, void (*set_up)(ipc_app *app));

/* For a process that was forked: what the test has open is not its own. */
void close_all_but(int fd);

/* Ends it with a signal, and waits for its end; it must end well if the signal lets it. */
void main_end(Fixture *f, int signal_number);

/* ---- JSON ---- */

json_t *json_from(const char *text); /* any value */
char *json_text(const json_t *value); /* compact, keys sorted; g_free() */
