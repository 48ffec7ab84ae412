/* SPDX-License-Identifier: MIT */
#include "lane-client.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lane.h"
#include "macro.h"
#include "registration.h"
#include "renderer.h"

#define BATCH 32 /* packets in one go */

static uint32_t wanted_events(const ipc_renderer *renderer)
{
    return EPOLLIN | (wire_has_unwritten(&renderer->lane) ? EPOLLOUT : 0u);
}

void lane_close(ipc_renderer *renderer)
{
    watch_remove(&renderer->lane_watch);
    wire_close(&renderer->lane);
}

static void lane_end(ipc_renderer *renderer, int error)
{
    if (!wire_is_open(&renderer->lane))
        return;
    lane_close(renderer);
    outbox_fail_lane(renderer, IPC_ERROR_MAIN_GONE,
                     error == -EBADMSG ? "The main process sent something by the lane that has no place there"
                                       : "The main process went away before it answered");
}

int renderer_send_by_lane(ipc_renderer *renderer, const Packet *packet)
{
    int r;

    r = wire_send(&renderer->lane, packet);
    if (r >= 0 && wire_has_unwritten(&renderer->lane))
        (void)watch_set_events(&renderer->lane_watch, wanted_events(renderer));
    /* Nobody reads it any more: that is told when the end of the lane is read. */
    return r == -EPIPE ? 0 : r;
}

/* ---- in ---- */

static int take_packet(ipc_renderer *renderer, Packet *packet)
{
    switch (packet->verb) {
    case LANE_MESSAGE:
    case LANE_PORT_MESSAGE:
    case LANE_WEBVIEW_MESSAGE:
    case LANE_WEBVIEW_ATTACHED:
    case LANE_WEBVIEW_DETACHED:
        inbox_push_packet(renderer, packet);
        return 0;
    default:
        return outbox_receive_packet(renderer, packet);
    }
}

static int read_one(ipc_renderer *renderer, int flags)
{
    _cleanup_(packet_clear) Packet packet = PACKET_INIT;
    int r;

    r = wire_receive(&renderer->lane, flags, &packet);
    if (r > 0)
        r = take_packet(renderer, &packet) < 0 ? -EBADMSG : 1;
    return r;
}

/* Whoever waits for one answer alone has got it, and looking for more would be a system call for nothing. */
static bool may_be_more(const ipc_renderer *renderer, bool was_waiting)
{
    return !was_waiting || renderer->outbox.n_in_lane > 0;
}

bool lane_read(ipc_renderer *renderer, int flags)
{
    bool was_waiting = renderer->outbox.n_in_lane > 0, was_pumping = renderer->is_pumping;
    int n = 0, r;

    if (!wire_is_open(&renderer->lane))
        return false;
    /* What has been given up is not answered any more. */
    (void)outbox_expire(renderer);
    renderer->is_pumping = true;
    do
        r = read_one(renderer, n > 0 ? MSG_DONTWAIT : flags);
    while (r > 0 && ++n < BATCH && may_be_more(renderer, was_waiting));
    if (wire_has_unwritten(&renderer->lane))
        (void)wire_flush(&renderer->lane);
    renderer->is_pumping = was_pumping;
    if (r < 0) {
        lane_end(renderer, r);
        registration_lane_lost(renderer);
        return true;
    }
    outbox_flush(renderer);
    (void)watch_set_events(&renderer->lane_watch, wanted_events(renderer));
    return n > 0;
}

static void on_ready(Watch *watch)
{
    ipc_renderer *renderer = CONTAINER_OF(watch, ipc_renderer, lane_watch);

    renderer_run_lane(renderer);
}

/* ---- coming ---- */

int lane_open(ipc_renderer *renderer, int fd)
{
    struct timeval patience = { .tv_usec = LANE_BLOCK_USEC };
    int copy, r;

    while (wire_is_open(&renderer->lane) && lane_read(renderer, MSG_DONTWAIT))
        ;
    lane_end(renderer, -ECONNRESET);
    if (!packet_is_port_fd(fd))
        return -EBADMSG;
    copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return -errno;
    /* For renderer_block_on_lane(). */
    if (setsockopt(copy, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0) {
        close(copy);
        return -errno;
    }
    wire_init(&renderer->lane, copy);
    r = watch_add(&renderer->watches, &renderer->lane_watch, copy, EPOLLIN, on_ready, NULL);
    if (r < 0)
        wire_close(&renderer->lane);
    return r;
}
