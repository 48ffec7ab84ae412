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

/**
 * ipc_sender_get_unique_name - the name that the bus has given to a peer's connection
 * @sender: the sender
 *
 * Return: the name, such as ":1.42", owned by @sender; NULL if @sender is NULL.
 */
const char *ipc_sender_get_unique_name(const ipc_sender *sender);

/**
 * ipc_sender_get_uid - the user that a peer runs as
 * @sender: the sender
 * @ret_uid: the user
 *
 * Return: 0, or -EINVAL, -ENODATA (the bus does not know).
 */
int ipc_sender_get_uid(const ipc_sender *sender, uid_t *ret_uid);

/**
 * ipc_sender_get_pid - the process of a peer
 * @sender: the sender
 * @ret_pid: the process that connected; it may be gone, and another one have its number
 *
 * Electron: contents.getOSProcessId().
 *
 * Return: 0, or -EINVAL, -ENODATA (the bus does not know).
 */
int ipc_sender_get_pid(const ipc_sender *sender, pid_t *ret_pid);

/** ipc_sender_get_id - the id of a peer's renderer; Return: the id; 0 if it is anonymous, or gone, or @sender NULL */
uint32_t ipc_sender_get_id(const ipc_sender *sender);

/**
 * ipc_sender_get_web_contents - the renderer of a peer
 * @sender: the sender
 *
 * Electron: event.sender.
 *
 * Return: the web contents, owned by the app; NULL if it is anonymous, or gone, or @sender is NULL.
 */
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

/** ipc_web_contents_ref - keep it beyond its renderer; Return: @contents, which may be NULL */
ipc_web_contents *ipc_web_contents_ref(ipc_web_contents *contents);

/** ipc_web_contents_unref - drop a reference of ipc_web_contents_ref(); @contents may be NULL; Return: NULL */
ipc_web_contents *ipc_web_contents_unref(ipc_web_contents *contents);

/**
 * ipc_web_contents_get_id - the id of a renderer
 * @contents: the web contents; it may be destroyed
 *
 * Electron: contents.id.
 *
 * Return: the id, from 1 up and never used again by this app; 0 if @contents is NULL.
 */
uint32_t ipc_web_contents_get_id(const ipc_web_contents *contents);

/**
 * ipc_web_contents_get_title - what a renderer calls itself
 * @contents: the web contents; it may be destroyed
 *
 * Electron: contents.getTitle().
 *
 * Return: the title, owned by @contents; "" without one; NULL if @contents is NULL.
 */
const char *ipc_web_contents_get_title(const ipc_web_contents *contents);

/**
 * ipc_web_contents_get_sender - what the bus vouches for about a renderer
 * @contents: the web contents; it may be destroyed
 *
 * Return: the sender, owned by @contents; NULL if @contents is NULL.
 */
ipc_sender *ipc_web_contents_get_sender(const ipc_web_contents *contents);

/**
 * ipc_web_contents_get_app - the app that a renderer belongs to
 * @contents: the web contents
 *
 * Return: the app, borrowed; NULL once @contents is destroyed and everyone has been told of it, or if it is NULL.
 */
ipc_app *ipc_web_contents_get_app(const ipc_web_contents *contents);

/**
 * ipc_web_contents_is_destroyed - tell whether the renderer is gone
 * @contents: the web contents, or NULL
 *
 * Electron: contents.isDestroyed().
 *
 * Return: true if it is, or @contents is NULL.
 */
bool ipc_web_contents_is_destroyed(const ipc_web_contents *contents);

/**
 * ipc_web_contents_get_host - the renderer that embeds this one
 * @contents: the web contents
 *
 * Electron: contents.hostWebContents.
 *
 * Return: the web contents, owned by the app; NULL if @contents is no guest, or one of the two is gone, or it is NULL.
 */
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
 * Return: 0, or -EINVAL (bad channel, @args no array, too deep), -EMSGSIZE (over IPC_ARGS_MAX, on a lane over
 * IPC_LANE_ARGS_MAX), -ENOBUFS (the renderer does not read and its queue is full), -ENOTCONN (it is gone), -ENOMEM.
 */
int ipc_web_contents_send(ipc_web_contents *contents, const char *channel, json_t *args);

/**
 * ipc_web_contents_send_text - ipc_web_contents_send() with the JSON text of the array
 * @contents: the web contents
 * @channel: 1 to 255 bytes of UTF-8
 * @text: JSON, which nobody parses on this side; what is no array is dropped where a listener wants JSON
 * @length: of @text in bytes; a NUL follows them
 *
 * Electron: contents.send().
 *
 * Return: as ipc_web_contents_send(); -EINVAL also where no NUL follows, or the bus does not take the text.
 */
int ipc_web_contents_send_text(ipc_web_contents *contents, const char *channel, const char *text, size_t length);

/**
 * ipc_web_contents_sendf - ipc_web_contents_send() with arguments made by json_pack()
 * @contents: the web contents
 * @channel: 1 to 255 bytes of UTF-8
 * @format: the elements of the array in json_pack()'s format, such as "s, {s:i}"; NULL is none
 *
 * Electron: contents.send().
 *
 * Return: as ipc_web_contents_send(); -EINVAL also for a bad format, NaN and infinity.
 */
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

/**
 * ipc_web_contents_post_messagef - ipc_web_contents_post_message() with a message made by json_pack()
 * @contents: the web contents
 * @channel: 1 to 255 bytes of UTF-8
 * @transfer: what goes along; NULL: nothing
 * @format: one value in json_pack()'s format, such as "{s:i}"; NULL is null
 *
 * Electron: contents.postMessage().
 *
 * Return: as ipc_web_contents_post_message(); -EINVAL also for a bad format, NaN and infinity.
 */
int ipc_web_contents_post_messagef(ipc_web_contents *contents, const char *channel, const ipc_transfer *transfer,
                                   const char *format, ...);

/**
 * ipc_web_contents_post_text - ipc_web_contents_post_message() with the JSON text of the value
 * @contents: the web contents
 * @channel: 1 to 255 bytes of UTF-8
 * @text: JSON, which nobody parses on this side; what is none is dropped where a listener wants JSON
 * @length: of @text in bytes; a NUL follows them
 * @transfer: what goes along; NULL: nothing
 *
 * Electron: contents.postMessage().
 *
 * Return: as ipc_web_contents_post_message(); -EINVAL also where no NUL follows, or the bus does not take the text.
 */
int ipc_web_contents_post_text(ipc_web_contents *contents, const char *channel, const char *text, size_t length,
                               const ipc_transfer *transfer);

/**
 * ipc_web_contents_on_message - see each message of a renderer before any listener does
 * @contents: the web contents
 * @ret_slot: the registration; NULL: as long as @contents
 * @callback: ipc_event_get_channel() tells the channel
 * @userdata: for @callback
 *
 * Electron: contents.on('ipc-message').
 *
 * Return: 0, or -EINVAL, -ENOTCONN (it is gone), -ENOMEM.
 */
int ipc_web_contents_on_message(ipc_web_contents *contents, ipc_slot **ret_slot, ipc_listener_t callback,
                                void *userdata);

/**
 * ipc_web_contents_on_message_sync - ipc_web_contents_on_message() for what is sent with ipc_renderer_send_sync()
 * @contents: the web contents
 * @ret_slot: the registration; NULL: as long as @contents
 * @callback: may answer with ipc_event_return()
 * @userdata: for @callback
 *
 * Electron: contents.on('ipc-message-sync').
 *
 * Return: as ipc_web_contents_on_message().
 */
int ipc_web_contents_on_message_sync(ipc_web_contents *contents, ipc_slot **ret_slot, ipc_listener_t callback,
                                     void *userdata);

/**
 * ipc_web_contents_on_message_text - as ipc_web_contents_on_message(), but for who wants the text: see
 * ipc_main_on_text()
 */
int ipc_web_contents_on_message_text(ipc_web_contents *contents, ipc_slot **ret_slot, ipc_text_listener_t callback,
                                     void *userdata);

/**
 * ipc_web_contents_on_message_sync_text - as ipc_web_contents_on_message_sync(), but for who wants the text: see
 * ipc_main_on_text()
 */
int ipc_web_contents_on_message_sync_text(ipc_web_contents *contents, ipc_slot **ret_slot,
                                          ipc_text_listener_t callback, void *userdata);

/**
 * ipc_web_contents_on_destroyed - be told that this renderer goes
 * @contents: the web contents
 * @ret_slot: the registration; NULL: as long as @contents
 * @callback: runs once, before those of ipc_app_on_web_contents_destroyed()
 * @userdata: for @callback
 *
 * Electron: contents.on('destroyed').
 *
 * Return: as ipc_web_contents_on_message().
 */
int ipc_web_contents_on_destroyed(ipc_web_contents *contents, ipc_slot **ret_slot,
                                  ipc_web_contents_callback_t callback, void *userdata);

/* For __attribute__((cleanup)). */
static inline void ipc_web_contents_unrefp(ipc_web_contents **contents)
{
    if (*contents)
        ipc_web_contents_unref(*contents);
}

#ifdef __cplusplus
}
#endif

#endif
