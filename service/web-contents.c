/* SPDX-License-Identifier: MIT */
#include "web-contents.h"

#include <assert.h>
#include <errno.h>
#include <search.h>
#include <string.h>

#include "app.h"
#include "clock.h"
#include "file.h"
#include "macro.h"
#include "main-dbus.h"
#include "peer.h"
#include "shared-text.h"
#include "text.h"
#include "traffic.h"

static int compare_ids(const void *a, const void *b)
{
    uint32_t x = ((const ipc_web_contents *)a)->id;
    uint32_t y = ((const ipc_web_contents *)b)->id;

    return (x > y) - (x < y);
}

static int compare_id(const void *id, const void *contents)
{
    uint32_t x = *(const uint32_t *)id;
    uint32_t y = ((const ipc_web_contents *)contents)->id;

    return (x > y) - (x < y);
}

void web_contents_set_init(WebContentsSet *set)
{
    *set = (WebContentsSet){ 0 };
    TAILQ_INIT(&set->list);
}

ipc_web_contents *ipc_web_contents_from_id(ipc_app *app, uint32_t id)
{
    ipc_web_contents **node = app ? tfind(&id, &app->web_contents.tree, compare_id) : NULL;

    return node ? *node : NULL;
}

int web_contents_create(Peer *peer, const char *title, ipc_web_contents *host, ipc_web_contents **ret_contents)
{
    WebContentsSet *set = &peer->app->web_contents;
    ipc_web_contents *contents;
    size_t size = strlen(title) + 1;

    assert(!peer->contents);
    contents = calloc(1, sizeof(*contents) + size);
    if (!contents)
        return -ENOMEM;
    contents->n_ref = 1;
    contents->id = set->last_id + 1;
    contents->connected = clock_now(CLOCK_REALTIME);
    contents->n_sent_before = peer->n_sent;
    contents->n_received_before = peer->n_received;
    LIST_INIT(&contents->guests);
    memcpy(contents->title, title, size);
    if (!tsearch(contents, &set->tree, compare_ids)) {
        free(contents);
        return -ENOMEM;
    }
    set->last_id++;
    set->n++;
    peer->user->n_renderers++;
    TAILQ_INSERT_TAIL(&set->list, contents, link);
    contents->peer = peer_ref(peer);
    peer->contents = contents;
    contents->host = host;
    if (host)
        LIST_INSERT_HEAD(&host->guests, contents, guest_link);

    *ret_contents = contents;
    return 0;
}

void web_contents_announce(ipc_web_contents *contents)
{
    main_dbus_object_added(contents);
    app_tell(contents->peer->app, APP_WEB_CONTENTS_CREATED, contents);
}

void web_contents_call(EmitterFunction function, void *userdata, void *context)
{
    ((ipc_web_contents_callback_t)function)(context, userdata);
}

static void web_contents_unlink(ipc_web_contents *contents)
{
    WebContentsSet *set = &contents->peer->app->web_contents;
    ipc_web_contents *guest;

    tdelete(contents, &set->tree, compare_ids);
    TAILQ_REMOVE(&set->list, contents, link);
    set->n--;
    contents->peer->user->n_renderers--;
    if (contents->host)
        LIST_REMOVE(contents, guest_link);
    contents->host = NULL;
    while ((guest = LIST_FIRST(&contents->guests))) {
        LIST_REMOVE(guest, guest_link);
        guest->host = NULL;
    }
}

void web_contents_destroy(ipc_web_contents *contents)
{
    ipc_app *app = contents->peer->app;

    traffic_happened(contents->peer, "gone", NULL);
    /* Observers find it by its id no more, and nothing can be added to it. */
    if (!app->is_closed)
        main_dbus_object_removed(contents);
    webview_host_forget(contents);
    web_contents_unlink(contents);
    contents->is_destroyed = true;
    if (contents->main)
        main_clear(contents->main);
    if (contents->observers)
        emitter_emit(contents->observers, WEB_CONTENTS_DESTROYED, web_contents_call, contents);
    app_tell(app, APP_WEB_CONTENTS_DESTROYED, contents);
    contents->peer->contents = NULL;
    ipc_web_contents_unref(contents);
}

ipc_web_contents *ipc_web_contents_ref(ipc_web_contents *contents)
{
    if (contents)
        contents->n_ref++;
    return contents;
}

ipc_web_contents *ipc_web_contents_unref(ipc_web_contents *contents)
{
    if (!contents)
        return NULL;
    assert(contents->n_ref > 0);
    if (--contents->n_ref > 0)
        return NULL;

    assert(contents->is_destroyed);
    free(contents->main);
    if (contents->observers)
        emitter_clear(contents->observers);
    free(contents->observers);
    peer_unref(contents->peer);
    free(contents);
    return NULL;
}

uint32_t ipc_web_contents_get_id(const ipc_web_contents *contents)
{
    return contents ? contents->id : 0;
}

const char *ipc_web_contents_get_title(const ipc_web_contents *contents)
{
    return contents ? contents->title : NULL;
}

ipc_sender *ipc_web_contents_get_sender(const ipc_web_contents *contents)
{
    return contents ? contents->peer : NULL;
}

ipc_app *ipc_web_contents_get_app(const ipc_web_contents *contents)
{
    return contents ? contents->peer->app : NULL;
}

bool ipc_web_contents_is_destroyed(const ipc_web_contents *contents)
{
    return !contents || contents->is_destroyed;
}

ipc_web_contents *ipc_web_contents_get_host(const ipc_web_contents *contents)
{
    return contents ? contents->host : NULL;
}

int ipc_web_contents_get_all(ipc_app *app, ipc_web_contents ***ret_list)
{
    ipc_web_contents **list, *contents;
    int n = 0;

    if (!app || !ret_list)
        return -EINVAL;
    list = calloc(app->web_contents.n + 1, sizeof(ipc_web_contents *));
    if (!list)
        return -ENOMEM;
    TAILQ_FOREACH(contents, &app->web_contents.list, link)
        list[n++] = contents;
    *ret_list = list;
    return n;
}

ipc_main *ipc_web_contents_get_main(ipc_web_contents *contents)
{
    if (!contents || contents->is_destroyed)
        return NULL;
    if (!contents->main) {
        contents->main = calloc(1, sizeof(*contents->main));
        if (contents->main)
            main_init(contents->main, contents->peer->app, contents->id);
    }
    return contents->main;
}

static int send_text(ipc_web_contents *contents, const char *channel, const char *text, size_t length)
{
    if (contents->is_destroyed)
        return -ENOTCONN;
    return peer_send_message(contents->peer, channel, text, length, 0);
}

static int post_text(ipc_web_contents *contents, const char *channel, const char *text, size_t length,
                     const ipc_transfer *transfer)
{
    if (contents->is_destroyed)
        return -ENOTCONN;
    return peer_send_port_message(contents->peer, channel, text, length, transfer);
}

static int check_text(const void *object, const char *channel, const char *text, size_t length)
{
    return object && text_is_channel(channel) && text_is_terminated(text, length) ? 0 : -EINVAL;
}

static size_t contents_max(const ipc_web_contents *contents)
{
    return contents ? peer_get_max(contents->peer) : IPC_ARGS_MAX;
}

int ipc_web_contents_post_message(ipc_web_contents *contents, const char *channel, json_t *message,
                                  const ipc_transfer *transfer)
{
    _cleanup_(text_clear) Text text;
    int r;

    r = text_encode_max(&text, message, contents_max(contents));
    if (!contents || !text_is_channel(channel))
        return -EINVAL;
    return r < 0 ? r : post_text(contents, channel, text.data, text.length, transfer);
}

int ipc_web_contents_post_text(ipc_web_contents *contents, const char *channel, const char *text, size_t length,
                               const ipc_transfer *transfer)
{
    int r = check_text(contents, channel, text, length);

    return r < 0 ? r : post_text(contents, channel, text, length, transfer);
}

int ipc_web_contents_post_messagef(ipc_web_contents *contents, const char *channel, const ipc_transfer *transfer,
                                   const char *format, ...)
{
    _cleanup_(json_cleanup) json_t *message = NULL;
    int r = TEXT_PACK(text_pack_value, &message, format);

    return r < 0 ? r : ipc_web_contents_post_message(contents, channel, message, transfer);
}

int ipc_web_contents_send(ipc_web_contents *contents, const char *channel, json_t *args)
{
    _cleanup_(text_clear) Text text;
    int r;

    r = text_encode_args_max(&text, args, contents_max(contents));
    if (!contents || !text_is_channel(channel))
        return -EINVAL;
    return r < 0 ? r : send_text(contents, channel, text.data, text.length);
}

int ipc_web_contents_send_text(ipc_web_contents *contents, const char *channel, const char *text, size_t length)
{
    int r = check_text(contents, channel, text, length);

    return r < 0 ? r : send_text(contents, channel, text, length);
}

int ipc_web_contents_sendf(ipc_web_contents *contents, const char *channel, const char *format, ...)
{
    _cleanup_(json_cleanup) json_t *args = NULL;
    int r = TEXT_PACK(text_pack_args, &args, format);

    return r < 0 ? r : ipc_web_contents_send(contents, channel, args);
}

/* A large text goes into one file for all that have lanes. Without one, each of them gets its own, or an error. */
static int share_text(ipc_app *app, const char *text, size_t length)
{
    const ipc_web_contents *contents;
    unsigned n_lanes = 0;
    int fd = -1;

    TAILQ_FOREACH(contents, &app->web_contents.list, link)
        n_lanes += contents->peer->lane != NULL;
    if (n_lanes > 1)
        (void)packet_make_text_fd(&(Packet){ .text = text, .length = length, .text_fd = -1 }, &fd);
    if (fd >= 0 && shared_text_add(text, length, fd))
        return fd;
    /* It is shared as it is: a text that came in a file. */
    file_closep(&fd);
    return -1;
}

static int broadcast_to_all(ipc_app *app, const char *channel, const char *text, size_t length)
{
    ipc_web_contents *contents;
    int n = 0, r, failed = 0;

    TAILQ_FOREACH(contents, &app->web_contents.list, link) {
        r = send_text(contents, channel, text, length);
        if (r < 0)
            failed = r;
        else
            n++;
    }
    return failed < 0 ? failed : n;
}

static int broadcast(ipc_app *app, const char *channel, const char *text, size_t length)
{
    _cleanup_(file_closep) int fd = -1;
    int r;

    if (app->is_closed)
        return -ENOTCONN;
    if (length > IPC_INLINE_MAX)
        fd = share_text(app, text, length);
    r = broadcast_to_all(app, channel, text, length);
    if (fd >= 0)
        shared_text_remove(text);
    return r;
}

int ipc_app_broadcast(ipc_app *app, const char *channel, json_t *args)
{
    _cleanup_(text_clear) Text text;
    int r;

    r = text_encode_args(&text, args);
    if (!app || !text_is_channel(channel))
        return -EINVAL;
    return r < 0 ? r : broadcast(app, channel, text.data, text.length);
}

int ipc_app_broadcast_text(ipc_app *app, const char *channel, const char *text, size_t length)
{
    int r = check_text(app, channel, text, length);

    return r < 0 ? r : broadcast(app, channel, text, length);
}

int ipc_app_broadcastf(ipc_app *app, const char *channel, const char *format, ...)
{
    _cleanup_(json_cleanup) json_t *args = NULL;
    int r = TEXT_PACK(text_pack_args, &args, format);

    return r < 0 ? r : ipc_app_broadcast(app, channel, args);
}

int ipc_app_web_contents_count(const ipc_app *app)
{
    return app ? (int)app->web_contents.n : -EINVAL;
}

static int web_contents_observe(ipc_web_contents *contents, ipc_slot **ret_slot, const char *name,
                                EmitterFlags flags, EmitterFunction callback, void *userdata)
{
    if (!contents || !callback)
        return -EINVAL;
    if (contents->is_destroyed)
        return -ENOTCONN;
    if (!contents->observers)
        contents->observers = calloc(1, sizeof(*contents->observers));
    if (!contents->observers)
        return -ENOMEM;
    return emitter_add(contents->observers, ret_slot, name, flags, callback, userdata);
}

int ipc_web_contents_on_message(ipc_web_contents *contents, ipc_slot **ret_slot, ipc_listener_t callback,
                                void *userdata)
{
    return web_contents_observe(contents, ret_slot, WEB_CONTENTS_MESSAGE, 0, (EmitterFunction)callback, userdata);
}

int ipc_web_contents_on_message_text(ipc_web_contents *contents, ipc_slot **ret_slot, ipc_text_listener_t callback,
                                     void *userdata)
{
    return web_contents_observe(contents, ret_slot, WEB_CONTENTS_MESSAGE, EMITTER_TEXT, (EmitterFunction)callback,
                                userdata);
}

int ipc_web_contents_on_message_sync(ipc_web_contents *contents, ipc_slot **ret_slot, ipc_listener_t callback,
                                     void *userdata)
{
    return web_contents_observe(contents, ret_slot, WEB_CONTENTS_MESSAGE_SYNC, 0, (EmitterFunction)callback,
                                userdata);
}

int ipc_web_contents_on_message_sync_text(ipc_web_contents *contents, ipc_slot **ret_slot,
                                          ipc_text_listener_t callback, void *userdata)
{
    return web_contents_observe(contents, ret_slot, WEB_CONTENTS_MESSAGE_SYNC, EMITTER_TEXT,
                                (EmitterFunction)callback, userdata);
}

int ipc_web_contents_on_destroyed(ipc_web_contents *contents, ipc_slot **ret_slot,
                                  ipc_web_contents_callback_t callback, void *userdata)
{
    return web_contents_observe(contents, ret_slot, WEB_CONTENTS_DESTROYED, 0, (EmitterFunction)callback, userdata);
}
