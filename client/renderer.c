/* SPDX-License-Identifier: MIT */
#include "renderer.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "clock.h"
#include "ipc-names.h"
#include "lane-client.h"
#include "macro.h"
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
    if (is_from(message, "org.freedesktop.DBus.Local") &&
        sd_bus_message_is_signal(message, "org.freedesktop.DBus.Local", "Disconnected") > 0) {
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

void renderer_detach(ipc_renderer *renderer)
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
