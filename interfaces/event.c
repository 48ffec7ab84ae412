/* SPDX-License-Identifier: MIT */
#include "event.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "ipc-names.h"
#include "macro.h"

int event_init(ipc_event *event, const EventOps *ops, const char *channel, uint32_t sender_id, bool is_sync)
{
    *event = (ipc_event){
        .n_ref = 1,
        .ops = ops,
        .sender_id = sender_id,
        .is_sync = is_sync,
        .was_sync = is_sync,
        .channel = channel ? strdup(channel) : NULL,
    };
    return event->channel || !channel ? 0 : -ENOMEM;
}

void event_done(ipc_event *event)
{
    transfers_free(event->transfers);
    free(event->channel);
}

ipc_event *ipc_event_ref(ipc_event *event)
{
    if (event)
        event->n_ref++;
    return event;
}

ipc_event *ipc_event_unref(ipc_event *event)
{
    if (!event)
        return NULL;
    assert(event->n_ref > 0);
    if (--event->n_ref == 0)
        event->ops->destroy(event);
    return NULL;
}

const char *ipc_event_get_channel(const ipc_event *event)
{
    return event ? event->channel : NULL;
}

uint32_t ipc_event_get_sender_id(const ipc_event *event)
{
    return event ? event->sender_id : 0;
}

ipc_sender *ipc_event_get_sender(const ipc_event *event)
{
    return event && event->ops->get_sender ? event->ops->get_sender(event) : NULL;
}

ipc_port *const *ipc_event_get_ports(const ipc_event *event, size_t *ret_n)
{
    const Transfers *transfers = event ? event->transfers : NULL;

    if (ret_n)
        *ret_n = transfers ? transfers->n_ports : 0;
    return transfers && transfers->n_ports > 0 ? transfers->ports : NULL;
}

const int *ipc_event_get_files(const ipc_event *event, size_t *ret_n)
{
    const Transfers *transfers = event ? event->transfers : NULL;

    if (ret_n)
        *ret_n = transfers ? transfers->n_files : 0;
    return transfers && transfers->n_files > 0 ? transfers->files : NULL;
}

int ipc_event_take_file(ipc_event *event, size_t index)
{
    Transfers *transfers = event ? event->transfers : NULL;
    int fd;

    if (!event)
        return -EINVAL;
    if (!transfers || index >= transfers->n_files)
        return -ENOENT;
    fd = transfers->files[index];
    transfers->files[index] = -1;
    return fd < 0 ? -EALREADY : fd;
}

bool ipc_event_is_posted(const ipc_event *event)
{
    return event && event->is_posted;
}

bool ipc_event_is_sync(const ipc_event *event)
{
    return event && event->is_sync;
}

static size_t reply_max(const ipc_event *event)
{
    return event->ops->get_reply_max ? event->ops->get_reply_max(event) : IPC_ARGS_MAX;
}

static int check_reply(const ipc_event *event, const char *channel)
{
    if (!event || !text_is_channel(channel))
        return -EINVAL;
    return event->ops->reply ? 0 : -EOPNOTSUPP;
}

int ipc_event_reply(ipc_event *event, const char *channel, json_t *args)
{
    _cleanup_(text_clear) Text text;
    int encoded, r;

    encoded = text_encode_args_max(&text, args, event ? reply_max(event) : IPC_ARGS_MAX);
    r = check_reply(event, channel);
    if (r >= 0)
        r = encoded;
    return r < 0 ? r : event->ops->reply(event, channel, text.data, text.length);
}

int ipc_event_reply_text(ipc_event *event, const char *channel, const char *text, size_t length)
{
    int r = text_is_terminated(text, length) ? check_reply(event, channel) : -EINVAL;

    return r < 0 ? r : event->ops->reply(event, channel, text, length);
}

int ipc_event_replyf(ipc_event *event, const char *channel, const char *format, ...)
{
    _cleanup_(json_cleanup) json_t *args = NULL;
    int r = TEXT_PACK(text_pack_args, &args, format);

    return r < 0 ? r : ipc_event_reply(event, channel, args);
}

static int check_return(const ipc_event *event)
{
    if (!event || !event->was_sync)
        return -EINVAL;
    return event->is_sync ? 0 : event->ended;
}

int ipc_event_return(ipc_event *event, json_t *value)
{
    int r = check_return(event);

    return r < 0 ? r : event->ops->answer(event, value);
}

int ipc_event_return_text(ipc_event *event, const char *text, size_t length)
{
    int r = text_is_terminated(text, length) ? check_return(event) : -EINVAL;

    return r < 0 ? r : event->ops->answer_text(event, text, length);
}

int ipc_event_returnf(ipc_event *event, const char *format, ...)
{
    _cleanup_(json_cleanup) json_t *value = NULL;
    int r = TEXT_PACK(text_pack_value, &value, format);

    return r < 0 ? r : ipc_event_return(event, value);
}

typedef struct Emission {
    ipc_event *event;
    Args *args;
} Emission;

/* Who begins to want the value while the others run is not told of a text that has none. */
static void listener_call(EmitterFunction function, void *userdata, void *context)
{
    const Emission *emission = context;

    if (args_parse(emission->args, NULL) >= 0)
        ((ipc_listener_t)function)(emission->event, emission->args->array, userdata);
}

static void text_listener_call(EmitterFunction function, void *userdata, void *context)
{
    const Emission *emission = context;

    ((ipc_text_listener_t)function)(emission->event, emission->args->text, emission->args->length, userdata);
}

size_t event_emit(Emitter *emitter, const char *channel, ipc_event *event, Args *args)
{
    Emission emission = { .event = event, .args = args };

    return emitter_emit_either(emitter, channel, listener_call, text_listener_call, &emission);
}
