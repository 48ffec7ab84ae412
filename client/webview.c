/* SPDX-License-Identifier: MIT */
#include "webview.h"

#include <errno.h>
#include <string.h>

#include "event.h"
#include "macro.h"
#include "receiving.h"
#include "renderer.h"
#include "sending.h"
#include "text.h"

typedef struct StateTelling {
    ipc_webview *webview;
    const ipc_error *error;
} StateTelling;

static void state_call(EmitterFunction function, void *userdata, void *context)
{
    const StateTelling *telling = context;

    ((ipc_webview_state_t)function)(telling->webview, telling->webview->state, telling->error, userdata);
}

static void webview_set_state(ipc_webview *webview, ipc_webview_state state, const ipc_error *error)
{
    _cleanup_(ipc_webview_unrefp) ipc_webview *held = ipc_webview_ref(webview);
    StateTelling telling = { .webview = held, .error = error };

    held->state = state;
    emitter_emit(&held->observers, WEBVIEW_STATE, state_call, &telling);
}

static void on_created(Call *call)
{
    ipc_webview *webview = call->userdata;
    const ipc_error *error = send_get_error(call);
    const char *token;
    size_t length;

    webview->create_slot = ipc_slot_unref(webview->create_slot);
    if (webview->state != IPC_WEBVIEW_PREPARING)
        return;
    if (!error && call_read_text(call, &token, &length) >= 0)
        webview->token = strdup(token);
    webview_set_state(webview, webview->token ? IPC_WEBVIEW_WAITING : IPC_WEBVIEW_DETACHED, error);
}

int ipc_webview_new(ipc_webview **ret_webview, ipc_renderer *renderer)
{
    _cleanup_(ipc_webview_unrefp) ipc_webview *webview = NULL;
    ipc_slot *slot;
    Call *call;
    int r;

    if (!ret_webview)
        return -EINVAL;
    r = renderer_check_open(renderer);
    if (r < 0)
        return r;
    webview = calloc(1, sizeof(*webview));
    if (!webview)
        return -ENOMEM;
    webview->n_ref = 1;
    webview->renderer = ipc_renderer_ref(renderer);
    webview->n_losses = renderer->n_losses;
    LIST_INSERT_HEAD(&renderer->webviews, webview, link);

    r = call_new(renderer, &slot, on_created, renderer->timeout, &call);
    if (r < 0)
        return r;
    call->userdata = webview;
    r = send_call(renderer, call, &(Packet){ .verb = LANE_CREATE_WEBVIEW, .text_fd = -1 });
    if (r < 0)
        return r;
    webview->create_slot = slot;
    *ret_webview = TAKE_PTR(webview);
    return 0;
}

ipc_webview *ipc_webview_ref(ipc_webview *webview)
{
    if (webview)
        webview->n_ref++;
    return webview;
}

ipc_webview *ipc_webview_unref(ipc_webview *webview)
{
    if (!webview || --webview->n_ref > 0)
        return NULL;
    LIST_REMOVE(webview, link);
    ipc_slot_unref(webview->create_slot);
    emitter_clear(&webview->observers);
    ipc_renderer_unref(webview->renderer);
    free(webview->token);
    free(webview);
    return NULL;
}

ipc_webview_state ipc_webview_get_state(const ipc_webview *webview)
{
    return webview ? webview->state : IPC_WEBVIEW_DETACHED;
}

uint32_t ipc_webview_get_id(const ipc_webview *webview)
{
    return webview ? webview->id : 0;
}

int ipc_webview_get_token(const ipc_webview *webview, const char **ret_token)
{
    if (!webview || !ret_token)
        return -EINVAL;
    if (!webview->token)
        return webview->state == IPC_WEBVIEW_PREPARING ? -EAGAIN : -ENOTCONN;
    *ret_token = webview->token;
    return 0;
}

static int webview_observe(ipc_webview *webview, ipc_slot **ret_slot, const char *name, EmitterFlags flags,
                           EmitterFunction callback, void *userdata)
{
    if (!webview || !callback)
        return -EINVAL;
    return emitter_add(&webview->observers, ret_slot, name, flags, callback, userdata);
}

int ipc_webview_on_state(ipc_webview *webview, ipc_slot **ret_slot, ipc_webview_state_t callback, void *userdata)
{
    return webview_observe(webview, ret_slot, WEBVIEW_STATE, 0, (EmitterFunction)callback, userdata);
}

int ipc_webview_on_message(ipc_webview *webview, ipc_slot **ret_slot, ipc_listener_t callback, void *userdata)
{
    return webview_observe(webview, ret_slot, WEBVIEW_MESSAGE, 0, (EmitterFunction)callback, userdata);
}

int ipc_webview_on_message_text(ipc_webview *webview, ipc_slot **ret_slot, ipc_text_listener_t callback,
                                void *userdata)
{
    return webview_observe(webview, ret_slot, WEBVIEW_MESSAGE, EMITTER_TEXT, (EmitterFunction)callback, userdata);
}

static int check_attached(const ipc_webview *webview)
{
    if (!webview)
        return -EINVAL;
    /* Main may have gone already, and that be told only soon: the next one gives the id to another renderer. */
    if (webview->state != IPC_WEBVIEW_ATTACHED || webview->n_losses != webview->renderer->n_losses)
        return -ENOTCONN;
    return 0;
}

int ipc_webview_send(ipc_webview *webview, const char *channel, json_t *args)
{
    int r = check_attached(webview);

    return r < 0 ? r : ipc_renderer_send_to(webview->renderer, webview->id, channel, args);
}

int ipc_webview_send_text(ipc_webview *webview, const char *channel, const char *text, size_t length)
{
    int r = check_attached(webview);

    return r < 0 ? r : ipc_renderer_send_to_text(webview->renderer, webview->id, channel, text, length);
}

int ipc_webview_sendf(ipc_webview *webview, const char *channel, const char *format, ...)
{
    _cleanup_(json_cleanup) json_t *args = NULL;
    int r = TEXT_PACK(text_pack_args, &args, format);

    return r < 0 ? r : ipc_webview_send(webview, channel, args);
}

static ipc_webview *find_by_id(ipc_renderer *renderer, uint32_t id)
{
    ipc_webview *webview;

    LIST_FOREACH(webview, &renderer->webviews, link)
        if (webview->state == IPC_WEBVIEW_ATTACHED && webview->id == id)
            return webview;
    return NULL;
}

static void receive_attached(ipc_renderer *renderer, const Signal *signal)
{
    ipc_webview *webview;

    LIST_FOREACH(webview, &renderer->webviews, link)
        if (webview->state == IPC_WEBVIEW_WAITING && strcmp(webview->token, signal->text) == 0)
            break;
    if (!webview)
        return;
    webview->id = signal->id;
    webview_set_state(webview, IPC_WEBVIEW_ATTACHED, NULL);
}

static void receive_detached(ipc_renderer *renderer, const Signal *signal)
{
    ipc_webview *webview = find_by_id(renderer, signal->id);

    if (!webview)
        return;
    webview->id = 0;
    webview_set_state(webview, IPC_WEBVIEW_DETACHED, NULL);
}

static int receive_guest_message(ipc_renderer *renderer, const Signal *signal)
{
    _cleanup_(args_clear) Args args = receive_args_of(signal);
    _cleanup_(ipc_event_unrefp) ipc_event *event = NULL;
    _cleanup_(ipc_webview_unrefp) ipc_webview *webview = NULL;
    const Emitter *observers;
    int r = 0;

    webview = ipc_webview_ref(find_by_id(renderer, signal->id));
    if (!webview)
        return 0;
    observers = &webview->observers;
    if (emitter_count(observers, WEBVIEW_MESSAGE) > emitter_count_texts(observers, WEBVIEW_MESSAGE))
        r = args_parse(&args, NULL);
    if (r >= 0)
        r = receive_new_event(renderer, signal, &event);
    if (r >= 0)
        event_emit(&webview->observers, WEBVIEW_MESSAGE, event, &args);
    return r < 0 ? r : 0;
}

int webview_receive(ipc_renderer *renderer, const Signal *signal)
{
    switch (signal->verb) {
    case LANE_WEBVIEW_MESSAGE:
        return receive_guest_message(renderer, signal);
    case LANE_WEBVIEW_ATTACHED:
        receive_attached(renderer, signal);
        return 0;
    case LANE_WEBVIEW_DETACHED:
        receive_detached(renderer, signal);
        return 0;
    default:
        return -EBADMSG;
    }
}

/* Who is told may make another one, which belongs to the next main. */
static ipc_webview *find_lost(ipc_renderer *renderer, unsigned n_losses)
{
    ipc_webview *webview;

    LIST_FOREACH(webview, &renderer->webviews, link)
        if (webview->state != IPC_WEBVIEW_DETACHED && webview->n_losses < n_losses)
            return webview;
    return NULL;
}

void webview_detach_all(ipc_renderer *renderer, unsigned n_losses, const ipc_error *error)
{
    ipc_webview *webview;

    while ((webview = find_lost(renderer, n_losses))) {
        webview->id = 0;
        webview_set_state(webview, IPC_WEBVIEW_DETACHED, error);
    }
}
