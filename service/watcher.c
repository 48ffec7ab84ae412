/* SPDX-License-Identifier: MIT */
#include "watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "app.h"
#include "file.h"
#include "ipc-names.h"
#include "macro.h"
#include "peer.h"

/*
 * Watching must not hold up who is watched. So nothing here waits: a pipe takes a line, or the line is dropped, and as
 * soon as there is room again a line tells how many are missing. A pipe may take a part of a line: its rest is kept,
 * one for each watcher, and until it is through every other line is dropped.
 *
 * A pipe that nobody reads raises SIGPIPE, which is deadly for a program that has not thought of it; unlike a socket it
 * cannot be told not to. So the signal is held back for the moment and, if it was ours, taken away.
 */

/* ---- writing ---- */

/* As write(), with a negative errno, and without a signal. */
static ssize_t write_quietly(int fd, const char *data, size_t length)
{
    sigset_t pipe_signal, pending, before;
    ssize_t n;

    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigemptyset(&pending);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    n = write(fd, data, length);
    if (n < 0)
        n = -errno;
    /* One that waited before is somebody else's. */
    if (n == -EPIPE && !sigismember(&pending, SIGPIPE))
        sigtimedwait(&pipe_signal, NULL, &(struct timespec){ 0 });
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return n;
}

/* That the reader has gone is told, whatever is waited for. */
static void wait_for_room(Watcher *watcher)
{
    (void)watch_set_events(&watcher->watch, watcher_is_behind(watcher) ? EPOLLOUT : EPOLLERR);
}

void watcher_drop(Watcher *watcher)
{
    watcher->n_dropped++;
    wait_for_room(watcher);
}

/* What is in the pipe already cannot be taken back: without memory for the rest, the pipe ends there. */
static int keep_rest(Watcher *watcher, const char *rest, size_t length)
{
    watcher->rest = malloc(length);
    if (!watcher->rest)
        return -ENOMEM;
    memcpy(watcher->rest, rest, length);
    watcher->rest_length = length;
    watcher->rest_written = 0;
    return 0;
}

static int write_line(Watcher *watcher, const char *line, size_t length)
{
    ssize_t n;

    n = write_quietly(watcher->fd, line, length);
    if (n < 0)
        return (int)n;
    return (size_t)n < length ? keep_rest(watcher, line + n, length - (size_t)n) : 0;
}

void watcher_write(Watcher *watcher, const char *line, size_t length)
{
    int r;

    r = write_line(watcher, line, length);
    if (r == -EAGAIN)
        watcher_drop(watcher);
    else if (r < 0)
        watcher_free(watcher);
    else
        wait_for_room(watcher);
}

static int write_rest(Watcher *watcher)
{
    ssize_t n;

    n = write_quietly(watcher->fd, watcher->rest + watcher->rest_written,
                      watcher->rest_length - watcher->rest_written);
    if (n < 0)
        return (int)n;
    watcher->rest_written += (size_t)n;
    if (watcher->rest_written < watcher->rest_length)
        return -EAGAIN;
    free(TAKE_PTR(watcher->rest));
    return 0;
}

static int write_dropped(Watcher *watcher)
{
    char line[64];
    int length, r;

    length = snprintf(line, sizeof(line), "{\"dropped\":%ju}\n", (uintmax_t)watcher->n_dropped);
    r = write_line(watcher, line, (size_t)length);
    if (r >= 0)
        watcher->n_dropped = 0;
    return r;
}

static bool is_read(const Watcher *watcher)
{
    struct pollfd poll_fd = { .fd = watcher->fd };

    return poll(&poll_fd, 1, 0) <= 0 || !(poll_fd.revents & POLLERR);
}

static void on_ready(Watch *watch)
{
    Watcher *watcher = CONTAINER_OF(watch, Watcher, watch);
    int r = is_read(watcher) ? 0 : -EPIPE;

    if (r >= 0 && watcher->rest)
        r = write_rest(watcher);
    if (r >= 0 && watcher->n_dropped > 0)
        r = write_dropped(watcher);
    if (r < 0 && r != -EAGAIN)
        watcher_free(watcher);
    else
        wait_for_room(watcher);
}

/* ---- coming and going ---- */

void watcher_channels_free(char **channels)
{
    char **channel;

    for (channel = channels; channel && *channel; channel++)
        free(*channel);
    free(channels);
}

void watcher_free(Watcher *watcher)
{
    LIST_REMOVE(watcher, link);
    --*watcher->n_watchers;
    watch_remove(&watcher->watch);
    close(watcher->fd);
    watcher_channels_free(watcher->channels);
    peer_unref(watcher->peer);
    free(watcher->rest);
    free(watcher);
}

/* More is better, and what a user may have of it is up to the kernel. */
static int make_pipe(int fds[2])
{
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    (void)fcntl(fds[1], F_SETFL, O_WRONLY | O_NONBLOCK); /* of a pipe it cannot fail */
    (void)fcntl(fds[1], F_SETPIPE_SZ, (int)IPC_WATCHER_PIPE_BYTES);
    return 0;
}

int watcher_new(Peer *peer, char **channels, WatcherList *list, int *ret_fd)
{
    Watcher *watcher;
    int fds[2], r;

    watcher = calloc(1, sizeof(*watcher));
    r = watcher ? make_pipe(fds) : -ENOMEM;
    if (r >= 0 && file_is_scarce(fds[1])) {
        close(fds[0]);
        close(fds[1]);
        r = -EMFILE;
    }
    if (r < 0) {
        watcher_channels_free(channels);
        free(watcher);
        return r;
    }
    watcher->n_watchers = &list->n;
    watcher->peer = peer_ref(peer);
    watcher->channels = channels;
    watcher->fd = fds[1];
    LIST_INSERT_HEAD(&list->list, watcher, link);
    list->n++;
    r = watch_add(&peer->app->watches, &watcher->watch, fds[1], EPOLLERR, on_ready, NULL);
    if (r < 0) {
        close(fds[0]);
        watcher_free(watcher);
        return r;
    }
    *ret_fd = fds[0];
    return 0;
}

bool watcher_wants(const Watcher *watcher, const char *channel)
{
    char **glob;

    if (!watcher->channels[0])
        return true;
    for (glob = watcher->channels; *glob; glob++)
        if (fnmatch(*glob, channel ? channel : "", 0) == 0)
            return true;
    return false;
}
