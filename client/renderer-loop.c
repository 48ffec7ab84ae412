/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/socket.h>

#include "clock.h"
#include "lane-client.h"
#include "macro.h"
#include "port.h"
#include "registration.h"
#include "renderer.h"

/* How a renderer reads and writes, and what drives it. */

/* ---- pumping ---- */

static int pump_bus(ipc_renderer *renderer)
{
    _cleanup_(ipc_renderer_unrefp) ipc_renderer *held = NULL;
    bool was_started = renderer->is_started;
    int r;

    if (renderer->state == IPC_RENDERER_CLOSED)
        return -ENOTCONN;
    if (renderer->is_pumping)
        return -EBUSY;
    if (outbox_expire(renderer))
        return 1;

    /* Callbacks that the user has added to the connection run in here, and may do anything. */
    held = ipc_renderer_ref(renderer);
    held->is_pumping = true;
    r = held->is_started ? sd_bus_process(held->bus, NULL) : registration_want_main(held);
    held->is_pumping = false;
    if (r < 0) {
        renderer_lose_bus(held);
        return 1;
    }
    if (held->state == IPC_RENDERER_CLOSED)
        return 1;
    outbox_flush(held);
    return was_started ? r : 1;
}

int renderer_pump(ipc_renderer *renderer)
{
    int r;

    r = pump_bus(renderer);
    return r == 0 && lane_read(renderer, MSG_DONTWAIT) ? 1 : r;
}

int renderer_get_pump_timeout(ipc_renderer *renderer, uint64_t *ret_usec)
{
    uint64_t until, deadline = outbox_get_deadline(&renderer->outbox);
    int r;

    r = sd_bus_get_timeout(renderer->bus, &until);
    if (r < 0)
        return r;
    *ret_usec = !renderer->is_started ? 0 : deadline < until ? deadline : until;
    return 0;
}

static uint64_t left_until(uint64_t until)
{
    uint64_t now;

    if (until == 0 || until == UINT64_MAX)
        return until;
    now = clock_now(CLOCK_MONOTONIC);
    return until > now ? until - now : 0;
}

/*
 * Who waits for an answer that comes by the lane gets it soonest, with half of the system calls, by reading the lane
 * until it is there. That lasts a moment, and is not repeated for ever: what the bus has to say must not wait long. How
 * long is an option of the socket; main made that, and is trusted not to change it.
 */
bool renderer_block_on_lane(ipc_renderer *renderer, uint64_t left)
{
    if (!wire_is_open(&renderer->lane) || wire_has_unwritten(&renderer->lane) || renderer->outbox.n_in_lane == 0 ||
        left <= LANE_BLOCK_USEC)
        return false;
    if (renderer->n_blocks++ < LANE_BLOCKS_MAX)
        return lane_read(renderer, 0);
    renderer->n_blocks = 0;
    return false;
}

int renderer_get_left(ipc_renderer *renderer, uint64_t *ret_usec)
{
    uint64_t until;
    int r;

    r = renderer_get_pump_timeout(renderer, &until);
    if (r < 0)
        return r;
    *ret_usec = left_until(until);
    return 0;
}

/* ---- loops ---- */

static void deliver(ipc_renderer *renderer)
{
    renderer->is_processing = true;
    inbox_deliver(renderer);
    renderer->is_processing = false;
}

void renderer_run_lane(ipc_renderer *renderer)
{
    _cleanup_(ipc_renderer_unrefp) ipc_renderer *held = ipc_renderer_ref(renderer);

    if (held->is_pumping || held->is_processing)
        return;
    (void)lane_read(held, MSG_DONTWAIT);
    /* What callbacks need may go with the last reference. */
    while (!inbox_is_empty(&held->inbox) && held->loop.event && held->n_ref > 1)
        deliver(held);
}

/* Nothing else is driven. */
static bool is_alone_with_lane(const ipc_renderer *renderer)
{
    return wire_is_open(&renderer->lane) && !LIST_NEXT(LIST_FIRST(&renderer->watches.watches), link);
}

/* Whatever else is driven may run callbacks, and is not to run from within one. */
static int process_watches(ipc_renderer *renderer)
{
    int r;

    if (is_alone_with_lane(renderer))
        return lane_read(renderer, MSG_DONTWAIT);
    renderer->is_polled = false;
    r = watch_set_dispatch(&renderer->watches);
    return r;
}

/* With more than the bus to read, who is ready is found out once, and nobody else is asked. */
static int process_ready(ipc_renderer *renderer)
{
    uint64_t until;
    int r;

    if (!renderer->is_polled) {
        r = bus_poll_wait(renderer->bus, &renderer->watches, 0);
        if (r < 0)
            return r == -EINTR ? 0 : r;
        renderer->ready |= r;
        renderer->is_polled = true;
    }
    if (renderer->ready & BUS_POLL_WATCHES) {
        renderer->ready &= ~BUS_POLL_WATCHES;
        r = process_watches(renderer);
        if (r != 0)
            return r;
    }
    r = renderer_get_pump_timeout(renderer, &until);
    if (r < 0)
        return r;
    if ((renderer->ready & BUS_POLL_BUS) || left_until(until) == 0) {
        r = pump_bus(renderer);
        if (r != 0)
            return r;
        renderer->ready &= ~BUS_POLL_BUS;
    }
    renderer->is_polled = false;
    return 0;
}

static int process_bus(ipc_renderer *renderer)
{
    _cleanup_(ipc_renderer_unrefp) ipc_renderer *held = NULL;
    int r;

    if (!renderer)
        return -EINVAL;
    if (renderer->is_processing)
        return -EBUSY;
    if (inbox_is_empty(&renderer->inbox)) {
        r = renderer_check_open(renderer);
        return r < 0 ? r : pump_bus(renderer);
    }
    held = ipc_renderer_ref(renderer);
    deliver(held);
    return 1;
}

int ipc_renderer_process(ipc_renderer *renderer)
{
    _cleanup_(ipc_renderer_unrefp) ipc_renderer *held = NULL;
    int r;

    if (!renderer || renderer->is_processing || !inbox_is_empty(&renderer->inbox) ||
        LIST_EMPTY(&renderer->watches.watches))
        return process_bus(renderer);
    r = renderer_check_open(renderer);
    if (r < 0)
        return r;
    held = ipc_renderer_ref(renderer);
    return process_ready(held);
}

int ipc_renderer_get_fd(ipc_renderer *renderer)
{
    int r = renderer_check_open(renderer);

    return r < 0 ? r : bus_poll_get_fd(&renderer->poll, renderer->bus, &renderer->watches);
}

int ipc_renderer_get_events(ipc_renderer *renderer)
{
    int r = renderer_check_open(renderer);

    return r < 0 ? r : bus_poll_update(&renderer->poll, renderer->bus, &renderer->watches);
}

int ipc_renderer_get_timeout(ipc_renderer *renderer, uint64_t *ret_usec)
{
    int r;

    if (!renderer || !ret_usec)
        return -EINVAL;
    if (!inbox_is_empty(&renderer->inbox)) {
        *ret_usec = 0;
        return 0;
    }
    r = renderer_check_open(renderer);
    return r < 0 ? r : renderer_get_pump_timeout(renderer, ret_usec);
}

int ipc_renderer_wait(ipc_renderer *renderer, uint64_t timeout_usec)
{
    uint64_t until, left;
    int r;

    r = ipc_renderer_get_timeout(renderer, &until);
    if (r < 0)
        return r;
    left = left_until(until);
    if (left == 0)
        return 1;
    if (is_alone_with_lane(renderer) && renderer_block_on_lane(renderer, left < timeout_usec ? left : timeout_usec)) {
        renderer->is_polled = true;
        return 1;
    }
    r = bus_poll_wait(renderer->bus, &renderer->watches, left < timeout_usec ? left : timeout_usec);
    if (r < 0)
        return r;
    renderer->ready |= r;
    renderer->is_polled = r > 0;
    /* The end of a call's time is something to process, too. */
    return r > 0 || left < timeout_usec;
}

int ipc_renderer_attach_port(ipc_renderer *renderer, ipc_port *port)
{
    int r = port ? renderer_check_open(renderer) : -EINVAL;

    return r < 0 ? r : port_attach(port, &renderer->watches);
}

static int loop_get_fd(void *object)
{
    return sd_bus_get_fd(((ipc_renderer *)object)->bus);
}

static int loop_get_events(void *object)
{
    return sd_bus_get_events(((ipc_renderer *)object)->bus);
}

static int loop_get_timeout(void *object, uint64_t *ret_usec)
{
    return ipc_renderer_get_timeout(object, ret_usec);
}

static int loop_process(void *object)
{
    return process_bus(object);
}

static const LoopOps renderer_loop_ops = {
    .get_fd = loop_get_fd,
    .get_events = loop_get_events,
    .get_timeout = loop_get_timeout,
    .process = loop_process,
};

int ipc_renderer_attach_event(ipc_renderer *renderer, sd_event *event, int64_t priority)
{
    int r = renderer_check_open(renderer);

    if (r >= 0)
        r = loop_attach(&renderer->loop, event, priority, &renderer_loop_ops, renderer);
    if (r < 0)
        return r;
    r = watch_set_attach(&renderer->watches, renderer->loop.event, priority);
    if (r < 0)
        renderer_detach(renderer);
    return r;
}

int ipc_renderer_detach_event(ipc_renderer *renderer)
{
    if (!renderer)
        return -EINVAL;
    renderer_detach(renderer);
    return 0;
}

int ipc_renderer_attach_loop(ipc_renderer *renderer, void (*on_detached)(void *userdata), void *userdata)
{
    int r = on_detached ? renderer_check_open(renderer) : -EINVAL;

    return r < 0 ? r : loop_attach_foreign(&renderer->loop, on_detached, userdata);
}

int ipc_renderer_detach_loop(ipc_renderer *renderer)
{
    return ipc_renderer_detach_event(renderer);
}
