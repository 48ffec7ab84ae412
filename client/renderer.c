/* SPDX-License-Identifier: MIT */
#include "renderer.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "ipc-names.h"
#include "lane-client.h"
#include "macro.h"
#include "port.h"
#include "receiving.h"
#include "registration.h"
#include "text.h"
#include "webview.h"

/* ---- what comes from the bus ---- */

static bool is_from(sd_bus_message *message, const char *sender)
{
    const char *from = sd_bus_message_get_sender(message);

    return from && sender && strcmp(from, sender) == 0;
}

static int on_signal(ipc_renderer *renderer, sd_bus_message *message)
{
    if (sd_bus_message_is_signal(message, "org.freedesktop.DBus.Local", "Disconnected") > 0) {
        renderer_lose_bus(renderer);
        return 0;
    }
    if (is_from(message, "org.freedesktop.DBus") &&
        sd_bus_message_is_signal(message, "org.freedesktop.DBus", "NameOwnerChanged") > 0) {
        registration_name_changed(renderer, message);
        return 0;
    }
    /* Only main speaks for main. */
    if (is_from(message, renderer->owner) && sd_bus_message_is_signal(message, IPC_MAIN_INTERFACE, NULL) > 0)
        inbox_push_message(renderer, message);
    return 0;
}

/* Sees every message of the connection, so that neither a rule of the bus nor a slot is needed for each. */
static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    ipc_renderer *renderer = userdata;
    uint8_t type;

    (void)error;
    if (renderer->state == IPC_RENDERER_CLOSED || sd_bus_message_get_type(message, &type) < 0)
        return 0;
    if (type == SD_BUS_MESSAGE_SIGNAL)
        return on_signal(renderer, message);
    if (type != SD_BUS_MESSAGE_METHOD_RETURN && type != SD_BUS_MESSAGE_METHOD_ERROR)
        return 0;
    if (outbox_receive(renderer, message))
        outbox_flush(renderer);
    return 0;
}

/* ---- state ---- */

typedef struct StateChange {
    Delivery delivery;
    ipc_renderer_state state;
    unsigned n_losses;
    ipc_error error;
} StateChange;

typedef struct StateTelling {
    ipc_renderer *renderer;
    const StateChange *change;
} StateTelling;

static void state_call(EmitterFunction function, void *userdata, void *context)
{
    const StateTelling *telling = context;
    const StateChange *change = telling->change;

    ((ipc_renderer_state_t)function)(telling->renderer, change->state, change->error.name ? &change->error : NULL,
                                     userdata);
}

static void state_deliver(ipc_renderer *renderer, Delivery *delivery, bool is_wanted)
{
    StateChange *change = CONTAINER_OF(delivery, StateChange, delivery);
    StateTelling telling = { .renderer = renderer, .change = change };

    if (change->state == IPC_RENDERER_GONE || change->state == IPC_RENDERER_CLOSED)
        webview_detach_all(renderer, change->n_losses, &change->error);
    if (is_wanted)
        emitter_emit(&renderer->observers, RENDERER_STATE, state_call, &telling);
    ipc_error_clear(&change->error);
    free(change);
}

void renderer_set_state(ipc_renderer *renderer, ipc_renderer_state state, const ipc_error *error)
{
    StateChange *change;

    renderer->state = state;
    if (state == IPC_RENDERER_GONE || state == IPC_RENDERER_CLOSED)
        renderer->n_losses++;
    change = calloc(1, sizeof(*change));
    if (!change)
        return;
    change->state = state;
    change->n_losses = renderer->n_losses;
    if (error)
        (void)error_setf(&change->error, error->name, "%s", error->message);
    inbox_push(&renderer->inbox, &change->delivery, state_deliver);
}

int renderer_check_open(const ipc_renderer *renderer)
{
    if (!renderer)
        return -EINVAL;
    return renderer->is_closing || renderer->state == IPC_RENDERER_CLOSED ? -ENOTCONN : 0;
}

void renderer_lose_bus(ipc_renderer *renderer)
{
    ipc_error error = IPC_ERROR_INIT;

    if (renderer->state == IPC_RENDERER_CLOSED)
        return;
    (void)error_setf(&error, IPC_ERROR_MAIN_GONE, "The bus went away");
    starting_end(renderer);
    renderer->id = 0;
    renderer->state = IPC_RENDERER_CLOSED;
    lane_close(renderer);
    outbox_fail_all(renderer, IPC_ERROR_MAIN_GONE, "The bus went away");
    renderer_set_state(renderer, IPC_RENDERER_CLOSED, &error);
    ipc_error_clear(&error);
    sd_bus_close(renderer->bus);
}

/* ---- making and closing ---- */

int ipc_renderer_new(ipc_renderer **ret_renderer, sd_bus *bus, const char *name)
{
    _cleanup_(ipc_renderer_unrefp) ipc_renderer *renderer = NULL;
    int r;

    if (!name)
        name = IPC_MAIN_NAME;
    if (bus && sd_bus_get_event(bus))
        return -EBUSY;
    if (!ret_renderer || *name == ':' || sd_bus_service_name_is_valid(name) <= 0)
        return -EINVAL;
    renderer = calloc(1, sizeof(*renderer));
    if (!renderer)
        return -ENOMEM;

    renderer->n_ref = 1;
    renderer->timeout = IPC_TIMEOUT_USEC;
    renderer->listeners.leak = receive_leak;
    renderer->listeners.leak_userdata = renderer;
    watch_set_init(&renderer->watches);
    renderer->poll = (BusPoll)BUS_POLL_INIT;
    wire_init(&renderer->lane, -1);
    outbox_init(&renderer->outbox);
    inbox_init(&renderer->inbox);
    renderer->name = strdup(name);
    if (!renderer->name)
        return -ENOMEM;
    if (bus)
        renderer->bus = sd_bus_ref(bus);
    else if ((r = sd_bus_open_user(&renderer->bus)) < 0)
        return r;
    r = sd_bus_add_filter(renderer->bus, &renderer->filter_slot, on_message, renderer);
    if (r < 0)
        return r;
    *ret_renderer = TAKE_PTR(renderer);
    return 0;
}

ipc_renderer *ipc_renderer_ref(ipc_renderer *renderer)
{
    if (renderer)
        renderer->n_ref++;
    return renderer;
}

ipc_renderer *ipc_renderer_unref(ipc_renderer *renderer)
{
    if (!renderer || --renderer->n_ref > 0)
        return NULL;

    /* Callbacks may take and drop references to what is going. */
    renderer->n_ref = 1;
    ipc_renderer_close(renderer);
    assert(LIST_EMPTY(&renderer->webviews));
    emitter_clear(&renderer->listeners);
    emitter_clear(&renderer->observers);
    watch_set_clear(&renderer->watches);
    bus_poll_clear(&renderer->poll);
    sd_bus_slot_unref(renderer->filter_slot);
    sd_bus_unref(renderer->bus);
    free(renderer->owner);
    free(renderer->guest_token);
    free(renderer->title);
    free(renderer->name);
    free(renderer);
    return NULL;
}

static bool has_unsent(ipc_renderer *renderer)
{
    uint64_t n = 0;

    if (renderer->state == IPC_RENDERER_CLOSED || renderer->is_pumping)
        return false;
    return !TAILQ_EMPTY(&renderer->outbox.held) || wire_has_unwritten(&renderer->lane) ||
           (sd_bus_get_n_queued_write(renderer->bus, &n) >= 0 && n > 0);
}

/* What was accepted is written, if the bus and main let it; a program that sends and ends has sent. */
static void write_unsent(ipc_renderer *renderer)
{
    uint64_t now = clock_now(CLOCK_MONOTONIC), deadline = now + IPC_STOP_TIMEOUT_USEC;
    int r = 1;

    while (r >= 0 && has_unsent(renderer) && now < deadline) {
        r = renderer_pump(renderer);
        if (r == 0)
            r = bus_poll_wait(renderer->bus, &renderer->watches, deadline - now);
        if (r == -EINTR)
            r = 0;
        now = clock_now(CLOCK_MONOTONIC);
    }
    if (r >= 0 && renderer->is_started && !renderer->is_pumping && renderer->state != IPC_RENDERER_CLOSED)
        (void)backlog_settle(renderer->bus, deadline > now ? deadline - now : 1);
}

static void renderer_detach(ipc_renderer *renderer)
{
    loop_detach(&renderer->loop);
    watch_set_detach(&renderer->watches);
}

void ipc_renderer_close(ipc_renderer *renderer)
{
    _cleanup_(ipc_renderer_unrefp) ipc_renderer *held = NULL;

    if (!renderer || renderer->is_closing)
        return;
    held = ipc_renderer_ref(renderer);
    renderer->is_closing = true;
    renderer_detach(renderer);
    emitter_remove_all(&renderer->listeners, NULL);
    emitter_remove_all(&renderer->observers, NULL);
    if (!renderer->bus)
        return;
    outbox_fail_calls(renderer, IPC_ERROR_CANCELLED, "The renderer was closed");
    inbox_drop(renderer);
    write_unsent(renderer);
    starting_end(renderer);
    renderer->state = IPC_RENDERER_CLOSED;
    renderer->id = 0;
    outbox_fail_all(renderer, IPC_ERROR_CANCELLED, "The renderer was closed");
    inbox_drop(renderer);
    webview_detach_all(renderer, UINT_MAX, NULL);
    lane_close(renderer);
    watch_set_clear(&renderer->watches);
    sd_bus_close(renderer->bus);
}

static int set_option(ipc_renderer *renderer, char **option, const char *value, size_t size_max)
{
    char *copy;

    if (!renderer || !value || strlen(value) > size_max || !text_is_utf8(value))
        return -EINVAL;
    if (renderer->is_started)
        return -EBUSY;
    copy = strdup(value);
    if (!copy)
        return -ENOMEM;
    free(*option);
    *option = copy;
    return 0;
}

int ipc_renderer_set_title(ipc_renderer *renderer, const char *title)
{
    return set_option(renderer, renderer ? &renderer->title : NULL, title, IPC_TITLE_MAX);
}

int ipc_renderer_set_guest_token(ipc_renderer *renderer, const char *token)
{
    return set_option(renderer, renderer ? &renderer->guest_token : NULL, token, IPC_TITLE_MAX);
}

int ipc_renderer_set_flags(ipc_renderer *renderer, ipc_renderer_flags flags)
{
    if (!renderer || (flags & ~IPC_RENDERER_LANE))
        return -EINVAL;
    if (renderer->is_started)
        return -EBUSY;
    renderer->flags = flags;
    return 0;
}

int ipc_renderer_set_timeout(ipc_renderer *renderer, uint64_t timeout_usec)
{
    if (!renderer)
        return -EINVAL;
    renderer->timeout = timeout_usec > 0 ? timeout_usec : IPC_TIMEOUT_USEC;
    return 0;
}

ipc_renderer_state ipc_renderer_get_state(const ipc_renderer *renderer)
{
    return renderer && !renderer->is_closing ? renderer->state : IPC_RENDERER_CLOSED;
}

uint32_t ipc_renderer_get_id(const ipc_renderer *renderer)
{
    return renderer && !renderer->is_closing ? renderer->id : 0;
}

const char *ipc_renderer_get_name(const ipc_renderer *renderer)
{
    return renderer ? renderer->name : NULL;
}

sd_bus *ipc_renderer_get_bus(ipc_renderer *renderer)
{
    return renderer ? renderer->bus : NULL;
}

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
 * until it is there. That lasts a moment, and is not repeated for ever: what the bus has to say must not wait long.
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
