/* SPDX-License-Identifier: MIT */
/* A renderer in a loop of epoll(7). cc loop-epoll.c $(pkg-config --cflags --libs ipcbus) */
#include <errno.h>
#include <error.h>
#include <ipcbus/ipc-renderer.h>
#include <limits.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { PENDING, DONE, FAILED };

static void on_answer(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *outcome)
{
    (void)renderer;
    if (result)
        json_dumpf(result, stdout, JSON_ENCODE_ANY);
    puts(error ? error->message : "");
    *(int *)outcome = error ? FAILED : DONE;
}

/* From us of the monotonic clock to ms from now, rounded up: who wakes up too early spins. */
static int to_timeout(uint64_t until)
{
    struct timespec time;
    uint64_t now, left;

    if (until == UINT64_MAX)
        return -1;
    clock_gettime(CLOCK_MONOTONIC, &time);
    now = (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
    left = until > now ? (until - now + 999) / 1000 : 0;
    return left < INT_MAX ? (int)left : INT_MAX;
}

/* POLLIN and EPOLLIN are the same number, and so are the others. */
static int watch(int epoll, int *watched, ipc_renderer *renderer)
{
    int fd = ipc_renderer_get_fd(renderer), events = ipc_renderer_get_events(renderer);
    int operation = fd == *watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    struct epoll_event event = { .events = (uint32_t)events, .data.ptr = renderer };

    if (fd < 0 || events < 0)
        return fd < 0 ? fd : events;
    if (operation == EPOLL_CTL_ADD && *watched >= 0)
        epoll_ctl(epoll, EPOLL_CTL_DEL, *watched, NULL);
    *watched = fd;
    return epoll_ctl(epoll, operation, fd, &event) < 0 ? -errno : 0;
}

/* Fd, events and time are asked anew before each sleep: they change with every message. */
static int run_once(int epoll, int *watched, ipc_renderer *renderer)
{
    struct epoll_event event;
    uint64_t until;
    int r;

    r = watch(epoll, watched, renderer);
    if (r >= 0)
        r = ipc_renderer_get_timeout(renderer, &until);
    if (r < 0)
        return r;
    if (epoll_wait(epoll, &event, 1, to_timeout(until)) < 0 && errno != EINTR)
        return -errno;
    while ((r = ipc_renderer_process(renderer)) > 0)
        ;
    return r;
}

int main(int argc, char **argv)
{
    __attribute__((cleanup(ipc_renderer_unrefp))) ipc_renderer *renderer = NULL;
    int epoll = epoll_create1(EPOLL_CLOEXEC), watched = -1, outcome = PENDING, r = epoll < 0 ? -errno : 0;

    if (r >= 0)
        r = ipc_renderer_new(&renderer, NULL, NULL);
    if (r >= 0)
        r = ipc_renderer_invokef(renderer, NULL, "echo", on_answer, &outcome, "s", argc > 1 ? argv[1] : "Hello");
    while (r >= 0 && outcome == PENDING)
        r = run_once(epoll, &watched, renderer);
    if (r < 0)
        error(1, -r, "Failed to call");
    close(epoll);
    return outcome == DONE ? 0 : 1;
}
