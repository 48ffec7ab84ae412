/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Watches: the sockets of an object that has several, in whatever loop drives it. In an sd-event loop each watch is a
 * source of its own; for any other loop there is one fd that is readable when one of them is ready.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

typedef struct Watch Watch;
typedef struct WatchSet WatchSet;

/* A socket is ready. The watch may go. */
typedef void (*WatchRun)(Watch *watch);

struct Watch {
    WatchSet *set; /* NULL: not in one */
    int fd;
    uint32_t events;  /* of epoll; 0: nothing is waited for, not even its end */
    WatchRun run;
    WatchRun gone; /* the set was cleared, or the loop went that it was left to; NULL: nobody cares */
    sd_event_source *source;
    bool is_floating; /* the loop owns the source */
    uint32_t polled;  /* the events that the set's fd waits for */
    LIST_ENTRY(Watch) link;
};

struct WatchSet {
    LIST_HEAD(, Watch) watches;
    sd_event *event; /* NULL: in no sd-event loop */
    int64_t priority;
    int poll_fd; /* -1: nobody has asked */
};

void watch_set_init(WatchSet *set);
void watch_set_clear(WatchSet *set); /* every watch leaves it */

/* The loop is borrowed until it is detached. */
int watch_set_attach(WatchSet *set, sd_event *event, int64_t priority);
void watch_set_detach(WatchSet *set);

/* For any other loop; the fd belongs to the set. */
int watch_set_get_poll_fd(WatchSet *set);

/* Runs one that is ready; the answer is 1, or 0 if none is. */
int watch_set_dispatch(WatchSet *set);

int watch_add(WatchSet *set, Watch *watch, int fd, uint32_t events, WatchRun run, WatchRun gone);
int watch_set_events(Watch *watch, uint32_t events);
void watch_remove(Watch *watch);

/* It keeps its sd-event loop no longer, and goes when that goes. It may be gone when this returns. */
void watch_leave_to_loop(Watch *watch);
