/* SPDX-License-Identifier: MIT */
#ifndef IPCBUS_IPC_WEB_CONTENTS_H
#define IPCBUS_IPC_WEB_CONTENTS_H

/* Main's view of each renderer (Electron's webContents), and what the bus vouches for about any peer. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ipc-app.h"
#include "ipc-event.h"
#include "ipc-port.h"
#include "ipc-slot.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- sender: what the bus vouches for about a peer ---- */

const char *ipc_sender_get_unique_name(const ipc_sender *sender); /* such as ":1.42"; owned by @sender */
int ipc_sender_get_uid(const ipc_sender *sender, uid_t *ret_uid); /* -EINVAL, -ENODATA (the bus does not know) */
int ipc_sender_get_pid(const ipc_sender *sender, pid_t *ret_pid); /* the same */
uint32_t ipc_sender_get_id(const ipc_sender *sender);             /* its renderer's id; 0: anonymous */

/* Its renderer, owned by the sender; NULL: it is anonymous, or gone. */
ipc_web_contents *ipc_sender_get_web_contents(const ipc_sender *sender);

/* ---- web contents: one registered renderer ---- */

/**
 * ipc_web_contents_from_id - find a renderer
 * @app: the app
 * @id: its id
 *
 * Electron: webContents.fromId().
 *
 * Return: the web contents, owned by the app; NULL if there is none.
 */
ipc_web_contents *ipc_web_contents_from_id(ipc_app *app, uint32_t id);

/**
 * ipc_web_contents_get_all - list the renderers
 * @app: the app
 * @ret_list: in the order of their ids, with a NULL behind the last one; free the list. The app owns its members.
 *
 * A renderer that goes is destroyed when the app is next processed; keep it with ipc_web_contents_ref(). Electron:
 * webContents.getAllWebContents().
 *
 * Return: how many there are, or -EINVAL, -ENOMEM.
 */
int ipc_web_contents_get_all(ipc_app *app, ipc_web_contents ***ret_list);

ipc_web_contents *ipc_web_contents_ref(ipc_web_contents *contents);
ipc_web_contents *ipc_web_contents_unref(ipc_web_contents *contents);

uint32_t ipc_web_contents_get_id(const ipc_web_contents *contents);
const char *ipc_web_contents_get_title(const ipc_web_contents *contents); /* "" without one; owned by @contents */
ipc_sender *ipc_web_contents_get_sender(const ipc_web_contents *contents); /* owned by @contents */
ipc_app *ipc_web_contents_get_app(const ipc_web_contents *contents);       /* NULL once it is destroyed */
bool ipc_web_contents_is_destroyed(const ipc_web_contents *contents);

/* The renderer that embeds this one, owned by the app; NULL: it is no guest. Electron: contents.hostWebContents. */
ipc_web_contents *ipc_web_contents_get_host(const ipc_web_contents *contents);

/**
 * ipc_web_contents_get_main - the registry of one renderer
 * @contents: the web contents
 *
 * Its listeners run before the app's, and its handlers win over them. Electron: contents.ipc.
 *
 * Return: the registry, owned by @contents; NULL if @contents is NULL or destroyed, or memory is out.
 */
ipc_main *ipc_web_contents_get_main(ipc_web_contents *contents);

/**
 * ipc_web_contents_send - send a message to a renderer
 * @contents: the web contents
 * @channel: 1 to 255 bytes of UTF-8
 * @args: a JSON array; NULL is []
 *
 * Electron: contents.send().
 *
 * Return: 0, or -EINVAL (bad channel, @args no array, too deep), -EMSGSIZE (over IPC_ARGS_MAX), -ENOBUFS (the
 * renderer does not read and its queue is full), -ENOTCONN (it is gone), -ENOMEM.
 */
int ipc_web_contents_send(ipc_web_contents *contents, const char *channel, json_t *args);

/* The same with the JSON text of the array, @length bytes and a NUL, which nobody parses on this side. */
int ipc_web_contents_send_text(ipc_web_contents *contents, const char *channel, const char *text, size_t length);
int ipc_web_contents_sendf(ipc_web_contents *contents, const char *channel, const char *format, ...);

/**
 * ipc_web_contents_post_message - send one value to a renderer, and ports and files with it
 * @contents: the web contents
 * @channel: 1 to 255 bytes of UTF-8
 * @message: any JSON value; NULL is null. The renderer's listeners get it as their only argument
 * @transfer: what goes along; NULL: nothing
 *
 * Electron: contents.postMessage().
 *
 * Return: as ipc_web_contents_send(), or as struct ipc_transfer says.
 */
int ipc_web_contents_post_message(ipc_web_contents *contents, const char *channel, json_t *message,
                                  const ipc_transfer *transfer);

/* The message made by json_pack() from one value's format, such as "{s:i}". */
int ipc_web_contents_post_messagef(ipc_web_contents *contents, const char *channel, const ipc_transfer *transfer,
                                   const char *format, ...);

/* The same with the JSON text of the value, @length bytes and a NUL, which nobody parses on this side. */
int ipc_web_contents_post_text(ipc_web_contents *contents, const char *channel, const char *text, size_t length,
                               const ipc_transfer *transfer);

/**
 * ipc_web_contents_on_message - see each message of a renderer before any listener does
 * @contents: the web contents
 * @ret_slot: the registration; NULL: as long as @contents
 * @callback: ipc_event_get_channel() tells the channel
 * @userdata: for @callback
 *
 * Electron: contents.on('ipc-message') and, for _sync, contents.on('ipc-message-sync').
 *
 * Return: 0, or -EINVAL, -ENOTCONN (it is gone), -ENOMEM.
 */
int ipc_web_contents_on_message(ipc_web_contents *contents, ipc_slot **ret_slot, ipc_listener_t callback,
                                void *userdata);
int ipc_web_contents_on_message_sync(ipc_web_contents *contents, ipc_slot **ret_slot, ipc_listener_t callback,
                                     void *userdata);

/* The same for who wants the text, as with ipc_main_on_text(). */
int ipc_web_contents_on_message_text(ipc_web_contents *contents, ipc_slot **ret_slot, ipc_text_listener_t callback,
                                     void *userdata);
int ipc_web_contents_on_message_sync_text(ipc_web_contents *contents, ipc_slot **ret_slot,
                                          ipc_text_listener_t callback, void *userdata);

/* This renderer goes. Electron: contents.on('destroyed'). Return: as ipc_web_contents_on_message(). */
int ipc_web_contents_on_destroyed(ipc_web_contents *contents, ipc_slot **ret_slot,
                                  ipc_web_contents_callback_t callback, void *userdata);

static inline void ipc_web_contents_unrefp(ipc_web_contents **contents)
{
    if (*contents)
        ipc_web_contents_unref(*contents);
}

#ifdef __cplusplus
}
#endif

#endif
