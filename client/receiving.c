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
} RendererEvent;

static int event_reply(ipc_event *event, const char *channel, const Text *args)
{
    ipc_renderer *renderer = ((RendererEvent *)event)->renderer;

    if (event->sender_id == 0)
        return send_text(renderer, "Send", channel, args);
    return send_text_to(renderer, event->sender_id, channel, args);
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
    .destroy = event_destroy,
};

int receive_new_event(ipc_renderer *renderer, const char *channel, uint32_t sender_id, ipc_event **ret_event)
{
    RendererEvent *self;
    int r;

    self = calloc(1, sizeof(*self));
    if (!self)
        return -ENOMEM;
    r = event_init(&self->event, &renderer_event_ops, channel, sender_id, false);
    if (r < 0) {
        free(self);
        return r;
    }
    self->renderer = ipc_renderer_ref(renderer);
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

static int receive_message(ipc_renderer *renderer, sd_bus_message *message)
{
    _cleanup_(json_cleanup) json_t *args = NULL;
    _cleanup_(ipc_event_unrefp) ipc_event *event = NULL;
    const char *channel, *text;
    uint32_t sender_id;
    int r;

    r = sd_bus_message_read(message, "ssu", &channel, &text, &sender_id);
    if (r < 0)
        return r;
    /* What nobody hears need not be read. */
    if (emitter_count(&renderer->observers, RENDERER_ANY) == 0 && emitter_count(&renderer->listeners, channel) == 0)
        return 0;
    r = text_decode_args(text, channel, &args, NULL);
    if (r >= 0)
        r = receive_new_event(renderer, channel, sender_id, &event);
    if (r < 0)
        return r;
    event_emit(&renderer->observers, RENDERER_ANY, event, args);
    event_emit(&renderer->listeners, channel, event, args);
    return 0;
}

void receive_signal(ipc_renderer *renderer, sd_bus_message *message)
{
    const char *member = sd_bus_message_get_member(message);
    int r;

    if (strcmp(member, "Message") == 0)
        r = receive_message(renderer, message);
    else if (strncmp(member, "Webview", strlen("Webview")) == 0)
        r = webview_receive(renderer, message);
    else
        return;
    if (r < 0)
        receive_warn(renderer, r == -ENOMEM ? "A message was lost: out of memory"
                                            : "A message of main was not understood, and is lost");
}

/* ---- listening ---- */

static int renderer_listen(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel, EmitterFlags flags,
                           ipc_listener_t callback, void *userdata)
{
    /* Who is warned of a leak may drop the renderer. */
    _cleanup_(ipc_renderer_unrefp) _unused_ ipc_renderer *held = ipc_renderer_ref(renderer);

    if (!renderer || !callback || !text_is_channel(channel))
        return -EINVAL;
    return emitter_add(&renderer->listeners, ret_slot, channel, flags, (EmitterFunction)callback, userdata);
}

int ipc_renderer_on(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback,
                    void *userdata)
{
    return renderer_listen(renderer, ret_slot, channel, 0, callback, userdata);
}

int ipc_renderer_once(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback,
                      void *userdata)
{
    return renderer_listen(renderer, ret_slot, channel, EMITTER_ONCE, callback, userdata);
}

int ipc_renderer_prepend_listener(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel,
                                  ipc_listener_t callback, void *userdata)
{
    return renderer_listen(renderer, ret_slot, channel, EMITTER_PREPEND, callback, userdata);
}

int ipc_renderer_prepend_once_listener(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel,
                                       ipc_listener_t callback, void *userdata)
{
    return renderer_listen(renderer, ret_slot, channel, EMITTER_PREPEND | EMITTER_ONCE, callback, userdata);
}

int ipc_renderer_off(ipc_renderer *renderer, const char *channel, ipc_listener_t callback, void *userdata)
{
    if (!renderer || !callback || !channel)
        return -EINVAL;
    return emitter_remove(&renderer->listeners, channel, (EmitterFunction)callback, userdata);
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

static int renderer_observe(ipc_renderer *renderer, ipc_slot **ret_slot, const char *name, EmitterFunction callback,
                            void *userdata)
{
    if (!renderer || !callback)
        return -EINVAL;
    return emitter_add(&renderer->observers, ret_slot, name, 0, callback, userdata);
}

int ipc_renderer_on_any(ipc_renderer *renderer, ipc_slot **ret_slot, ipc_listener_t callback, void *userdata)
{
    return renderer_observe(renderer, ret_slot, RENDERER_ANY, (EmitterFunction)callback, userdata);
}

int ipc_renderer_on_state(ipc_renderer *renderer, ipc_slot **ret_slot, ipc_renderer_state_t callback, void *userdata)
{
    return renderer_observe(renderer, ret_slot, RENDERER_STATE, (EmitterFunction)callback, userdata);
}

int ipc_renderer_on_warning(ipc_renderer *renderer, ipc_slot **ret_slot,
                            void (*callback)(const char *message, void *userdata), void *userdata)
{
    return renderer_observe(renderer, ret_slot, RENDERER_WARNING, (EmitterFunction)callback, userdata);
}
