/* SPDX-License-Identifier: MIT */
#pragma once

/* A watcher: somebody who reads what goes by as lines of JSON, from the other end of a pipe. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ipc-main.h"
#include "watch.h"

typedef struct ipc_sender Peer;

typedef struct Watcher {
    LIST_ENTRY(Watcher) link;
    unsigned *n_watchers; /* how many there are with it */
    Peer *peer;           /* who asked for it; a reference */
    char **channels;      /* globs; empty: all channels */
    int fd;               /* the end of the pipe to write to */
    Watch watch;
    char *rest;           /* of a line that the pipe has not taken whole; NULL: none */
    size_t rest_length;
    size_t rest_written;
    uint64_t n_dropped;   /* lines since it was told so last */
} Watcher;

typedef struct WatcherList {
    LIST_HEAD(, Watcher) list;
    unsigned n;
} WatcherList;

/*
 * Answers the end to read from, which the caller closes; takes the channels, whatever it answers. It lives until nobody
 * reads any more. -EMFILE, -ENOMEM.
 */
int watcher_new(Peer *peer, char **channels, WatcherList *list, int *ret_fd);
void watcher_free(Watcher *watcher);

/* channel NULL: what is on none. */
bool watcher_wants(const Watcher *watcher, const char *channel);

/* The pipe is full, and was so when it was last written to: the line that comes now is one more that it misses. */
static inline bool watcher_is_behind(const Watcher *watcher)
{
    return watcher->rest || watcher->n_dropped > 0;
}

/* It misses a line. */
void watcher_drop(Watcher *watcher);

/* Writes a line, of which it takes all or nothing. It may be gone then. */
void watcher_write(Watcher *watcher, const char *line, size_t length);

void watcher_channels_free(char **channels);
