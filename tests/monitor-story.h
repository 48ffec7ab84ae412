/* SPDX-License-Identifier: MIT */
#pragma once

/* More verbs for the tests of the monitor: who watches, and what is told. */

#include "fixture.h"

/* Somebody who watches. The lines that have come wait for expect_line(). */
typedef struct Watching {
    Fixture *fixture;
    int fd; /* -1: closed */
    sd_event_source *source; /* NULL: nobody reads at the moment */
    GString *text;           /* of a line that is not whole yet */
    GQueue lines;            /* of json_t */
    bool has_ended;
} Watching;

/* Asks for what goes by on the channels that match one of two globs, or on any, and reads it. */
Watching *watch_as(Client *c, const char *first, const char *second);
#define watch(f) watch_as(foreign_new(f), NULL, NULL)

/* Just asks. */
Outcome *watch_start(Client *c, const char *first, const char *second);

/* The same with so many globs. */
Outcome *watch_globs(Client *c, unsigned n);

void watching_free(Watching *w);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Watching, watching_free)

/* Stops to read, and goes on; closes its end. */
void stop_reading(Watching *w);
void go_on_reading(Watching *w);
void close_eyes(Watching *w);

/*
 * Waits for the next line. It has at least these members, in which ' stands for ", and of those named in a member of
 * null it has none. The caller borrows it until the next one is asked for.
 */
#define expect_line(w, members) watching_expect(G_STRLOC, w, members)
json_t *watching_expect(const char *where, Watching *w, const char *members);

/* Waits for all that is under way, and finds that no more was told. */
#define expect_no_line(w) watching_expect_none(G_STRLOC, w)
void watching_expect_none(const char *where, Watching *w);

/* Waits for the end of the pipe. */
void expect_end(Watching *w);

/* How many watch, as the service says; waits until it says so. */
unsigned count_watchers(Client *c);
#define expect_watchers(c, n) watching_expect_count(G_STRLOC, c, n)
void watching_expect_count(const char *where, Client *c, unsigned n);

/* "bus" or "lane", as the renderers of the fixture have it. */
const char *transport(void);

/* Who watches once a renderer has come. */
Watching *watch_after(Fixture *f, Client **ret_renderer);

/* Members of a line that it must have; the name of its error. */
json_int_t integer_of(const json_t *line, const char *key);
void assert_string(const json_t *line, const char *key, const char *expected);
void assert_error(const json_t *line, const char *name);
