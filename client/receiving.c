/* SPDX-License-Identifier: MIT */
#include "receiving.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "event.h"
#include "macro.h"
#include "renderer.h"
#include "sending.h"
#include "text.h"
#include "webview.h"

typedef struct RendererEvent {
    ipc_event event;
    ipc_renderer *renderer; /* a reference: an event that is kept can still reply */
    unsigned n_losses;      /* of mains, when it came */
} RendererEvent;

static int event_reply(ipc_event *event, const char *channel, const char *text, size_t length)
{
    const RendererEvent *self = (const RendererEvent *)event;
    ipc_renderer *renderer = self->renderer;

    /* The next main has given the id to another renderer. */
    if (event->sender_id != 0 && self->n_losses != renderer->n_losses)
        return -ENOTCONN;
    return send_one_way(renderer, event->sender_id == 0 ? LANE_SEND : LANE_SEND_TO, event->sender_id, channel,
                        text, length);
}

static size_t event_get_reply_max(const ipc_event *event)
{
    return send_get_max(((const RendererEvent *)event)->renderer);
}

static void event_destroy(ipc_event *event)
{
    RendererEvent *self = (RendererEvent *)event;

    event_done(event);
    ipc_renderer_unref(self->renderer);
    free(self);
}

static const EventOps renderer_event_ops = {
    .reply = event_reply,
    .get_reply_max = event_get_reply_max,
    .destroy = event_destroy,
};

int receive_new_event(ipc_renderer *renderer, const Signal *signal, ipc_event **ret_event)
{
    RendererEvent *self;
    int r;

    self = calloc(1, sizeof(*self));
    if (!self)
        return -ENOMEM;
    r = event_init(&self->event, &renderer_event_ops, signal->channel, signal->id, false);
    if (r < 0) {
        free(self);
        return r;
    }
    self->renderer = ipc_renderer_ref(renderer);
    self->n_losses = signal->n_losses;
    *ret_event = &self->event;
    return 0;
}

static void warning_call(EmitterFunction function, void *userdata, void *context)
{
    ((void (*)(const char *, void *))function)(context, userdata);
}

void receive_warn(ipc_renderer *renderer, const char *message)
{
    _cleanup_(ipc_renderer_unrefp) ipc_renderer *held = ipc_renderer_ref(renderer);

    emitter_emit(&held->observers, RENDERER_WARNING, warning_call, (void *)message);
}

void receive_leak(const char *channel, void *renderer)
{
    char message[IPC_CHANNEL_MAX + sizeof(EMITTER_LEAK_FORMAT) + 16];

    snprintf(message, sizeof(message), EMITTER_LEAK_FORMAT, IPC_LISTENERS_MAX, channel);
    receive_warn(renderer, message);
}

/* ---- from the bus and the lane to signals ---- */

static int read_signal(sd_bus_message *message, Signal *signal)
{
    const char *member = sd_bus_message_get_member(message);
    int r;

    if (strcmp(member, "Message") == 0) {
        signal->verb = LANE_MESSAGE;
        r = sd_bus_message_read(message, "ssu", &signal->channel, &signal->text, &signal->id);
    } else if (strcmp(member, "PortMessage") == 0) {
        signal->verb = LANE_PORT_MESSAGE;
        r = sd_bus_message_read(message, "ss", &signal->channel, &signal->text);
        if (r >= 0)
            r = transfers_from_message(message, &signal->transfers, NULL);
        if (r >= 0)
            r = sd_bus_message_read_basic(message, 'u', &signal->id);
    } else if (strcmp(member, "WebviewMessage") == 0) {
        signal->verb = LANE_WEBVIEW_MESSAGE;
        r = sd_bus_message_read(message, "uss", &signal->id, &signal->channel, &signal->text);
    } else if (strcmp(member, "WebviewAttached") == 0) {
        signal->verb = LANE_WEBVIEW_ATTACHED;
        r = sd_bus_message_read(message, "su", &signal->text, &signal->id);
    } else if (strcmp(member, "WebviewDetached") == 0) {
        signal->verb = LANE_WEBVIEW_DETACHED;
        r = sd_bus_message_read_basic(message, 'u', &signal->id);
    } else {
        return -ENOENT; /* of a later version */
    }
    signal->length = signal->text ? strlen(signal->text) : 0;
    return r;
}

/* What nobody hears need not be read. */
static bool is_heard(const ipc_renderer *renderer, const Signal *signal)
{
    return emitter_count(&renderer->observers, RENDERER_ANY) > 0 ||
           emitter_count(&renderer->listeners, signal->channel) > 0;
}

static bool is_heard_as_value(const ipc_renderer *renderer, const Signal *signal)
{
    return emitter_count(&renderer->observers, RENDERER_ANY) >
               emitter_count_texts(&renderer->observers, RENDERER_ANY) ||
           emitter_count(&renderer->listeners, signal->channel) >
               emitter_count_texts(&renderer->listeners, signal->channel);
}

Args receive_args_of(const Signal *signal)
{
    return (Args){
        .channel = signal->channel,
        .text = signal->text,
        .length = signal->length,
        .is_posted = signal->verb == LANE_PORT_MESSAGE,
    };
}

static int receive_message(ipc_renderer *renderer, Signal *signal)
{
    _cleanup_(args_clear) Args args = receive_args_of(signal);
    _cleanup_(ipc_event_unrefp) ipc_event *event = NULL;
    int r = 0;

    if (!is_heard(renderer, signal))
        return 0;
    if (is_heard_as_value(renderer, signal))
        r = args_parse(&args, NULL);
    if (r >= 0)
        r = receive_new_event(renderer, signal, &event);
    if (r < 0)
        return r;
    event->is_posted = args.is_posted;
    event->transfers = TAKE_PTR(signal->transfers);
    event_emit(&renderer->observers, RENDERER_ANY, event, &args);
    event_emit(&renderer->listeners, signal->channel, event, &args);
    return 0;
}

static void receive(ipc_renderer *renderer, Signal *signal)
{
    int r;

    if (signal->verb == LANE_MESSAGE || signal->verb == LANE_PORT_MESSAGE)
        r = receive_message(renderer, signal);
    else
        r = webview_receive(renderer, signal);
    if (r < 0)
        receive_warn(renderer, r == -ENOMEM ? "A message was lost: out of memory"
                                            : "A message of main was not understood, and is lost");
}

void receive_signal(ipc_renderer *renderer, sd_bus_message *message, unsigned n_losses)
{
    Signal signal = { .n_losses = n_losses };
    int r;

    r = read_signal(message, &signal);
    if (r >= 0)
        receive(renderer, &signal);
    else if (r != -ENOENT)
        receive_warn(renderer, r == -ENOMEM ? "A message was lost: out of memory"
                                            : "A message of main was not understood, and is lost");
    transfers_free(signal.transfers);
}

void receive_packet(ipc_renderer *renderer, Packet *packet, unsigned n_losses)
{
    Signal signal = {
        .verb = packet->verb,
        .id = packet->id,
        .n_losses = n_losses,
        .channel = packet->channel,
        .text = packet->text,
        .length = packet->length,
    };
    int r;

    r = transfers_from_packet(packet, &signal.transfers);
    if (r >= 0)
        receive(renderer, &signal);
    else
        receive_warn(renderer, r == -EMFILE ? "A message was lost: too many files are open"
                                            : "A message was lost: out of memory");
    transfers_free(signal.transfers);
}

/* ---- listening ---- */

static int renderer_listen(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel, EmitterFlags flags,
                           EmitterFunction callback, void *userdata)
{
    /* Who is warned of a leak may drop the renderer. */
    _cleanup_(ipc_renderer_unrefp) _unused_ ipc_renderer *held = ipc_renderer_ref(renderer);

    if (!renderer || !callback || !text_is_channel(channel))
        return -EINVAL;
    return emitter_add(&renderer->listeners, ret_slot, channel, flags, callback, userdata);
}

int ipc_renderer_on(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback,
                    void *userdata)
{
    return renderer_listen(renderer, ret_slot, channel, 0, (EmitterFunction)callback, userdata);
}

int ipc_renderer_once(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback,
                      void *userdata)
{
    return renderer_listen(renderer, ret_slot, channel, EMITTER_ONCE, (EmitterFunction)callback, userdata);
}

int ipc_renderer_prepend_listener(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel,
                                  ipc_listener_t callback, void *userdata)
{
    return renderer_listen(renderer, ret_slot, channel, EMITTER_PREPEND, (EmitterFunction)callback, userdata);
}

int ipc_renderer_prepend_once_listener(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel,
                                       ipc_listener_t callback, void *userdata)
{
    return renderer_listen(renderer, ret_slot, channel, EMITTER_PREPEND | EMITTER_ONCE,
                           (EmitterFunction)callback, userdata);
}

int ipc_renderer_on_text(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel,
                         ipc_text_listener_t callback, void *userdata)
{
    return renderer_listen(renderer, ret_slot, channel, EMITTER_TEXT, (EmitterFunction)callback, userdata);
}

int ipc_renderer_once_text(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel,
                           ipc_text_listener_t callback, void *userdata)
{
    return renderer_listen(renderer, ret_slot, channel, EMITTER_TEXT | EMITTER_ONCE, (EmitterFunction)callback,
                           userdata);
}

static int renderer_remove(ipc_renderer *renderer, const char *channel, EmitterFunction callback, void *userdata)
{
    if (!renderer || !callback || !channel)
        return -EINVAL;
    return emitter_remove(&renderer->listeners, channel, callback, userdata);
}

int ipc_renderer_off(ipc_renderer *renderer, const char *channel, ipc_listener_t callback, void *userdata)
{
    return renderer_remove(renderer, channel, (EmitterFunction)callback, userdata);
}

int ipc_renderer_off_text(ipc_renderer *renderer, const char *channel, ipc_text_listener_t callback, void *userdata)
{
    return renderer_remove(renderer, channel, (EmitterFunction)callback, userdata);
}

int ipc_renderer_remove_all_listeners(ipc_renderer *renderer, const char *channel)
{
    if (!renderer)
        return -EINVAL;
    emitter_remove_all(&renderer->listeners, channel);
    return 0;
}

int ipc_renderer_listener_count(ipc_renderer *renderer, const char *channel)
{
    if (!renderer || !channel)
        return -EINVAL;
    return (int)emitter_count(&renderer->listeners, channel);
}

int ipc_renderer_channel_names(ipc_renderer *renderer, char ***ret_names)
{
    if (!renderer || !ret_names)
        return -EINVAL;
    return emitter_channel_names(&renderer->listeners, ret_names);
}

static int renderer_observe(ipc_renderer *renderer, ipc_slot **ret_slot, const char *name, EmitterFlags flags,
                            EmitterFunction callback, void *userdata)
{
    if (!renderer || !callback)
        return -EINVAL;
    return emitter_add(&renderer->observers, ret_slot, name, flags, callback, userdata);
}

int ipc_renderer_on_any(ipc_renderer *renderer, ipc_slot **ret_slot, ipc_listener_t callback, void *userdata)
{
    return renderer_observe(renderer, ret_slot, RENDERER_ANY, 0, (EmitterFunction)callback, userdata);
}

int ipc_renderer_on_any_text(ipc_renderer *renderer, ipc_slot **ret_slot, ipc_text_listener_t callback,
                             void *userdata)
{
    return renderer_observe(renderer, ret_slot, RENDERER_ANY, EMITTER_TEXT, (EmitterFunction)callback, userdata);
}

int ipc_renderer_on_state(ipc_renderer *renderer, ipc_slot **ret_slot, ipc_renderer_state_t callback, void *userdata)
{
    return renderer_observe(renderer, ret_slot, RENDERER_STATE, 0, (EmitterFunction)callback, userdata);
}

int ipc_renderer_on_warning(ipc_renderer *renderer, ipc_slot **ret_slot,
                            void (*callback)(const char *message, void *userdata), void *userdata)
{
    return renderer_observe(renderer, ret_slot, RENDERER_WARNING, 0, (EmitterFunction)callback, userdata);
}
