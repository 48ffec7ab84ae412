/* SPDX-License-Identifier: MIT */
#ifndef IPCBUS_IPC_EVENT_H
#define IPCBUS_IPC_EVENT_H

/* An event is one message on its way through the listeners, in main and in renderers alike. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ipc_event ipc_event;
typedef struct ipc_port ipc_port;
typedef struct ipc_sender ipc_sender;

/**
 * ipc_listener_t - what runs when a message arrives
 * @event: the event; take a reference to use it after the callback returned
 * @args: the arguments, a JSON array; borrowed
 * @userdata: as it was registered
 *
 * Electron: the listener of ipcMain.on() and ipcRenderer.on().
 */
typedef void (*ipc_listener_t)(ipc_event *event, json_t *args, void *userdata);

/**
 * ipc_text_listener_t - what runs when a message arrives, for who forwards or stores JSON, and does not parse it
 * @event: as of ipc_listener_t
 * @text: the JSON text of the array of arguments as it came, checked by nobody: JSON if the sender is honest. Of a
 *        message that was posted (see ipc_event_is_posted()) it is that of its one value. NUL-terminated, and good
 *        until the callback returns
 * @length: of @text in bytes
 * @userdata: as it was registered
 *
 * Where others hear the same message as JSON, it has been parsed once for them all, and is JSON.
 */
typedef void (*ipc_text_listener_t)(ipc_event *event, const char *text, size_t length, void *userdata);

/**
 * ipc_event_ref - keep an event beyond its callback
 * @event: the event, or NULL
 *
 * Return: @event.
 */
ipc_event *ipc_event_ref(ipc_event *event);

/**
 * ipc_event_unref - drop a reference
 * @event: the event, or NULL
 *
 * The caller of a send_sync whose event goes without ipc_event_return() gets IPC_ERROR_REPLY_NEVER_SENT.
 *
 * Return: NULL.
 */
ipc_event *ipc_event_unref(ipc_event *event);

/**
 * ipc_event_get_channel - the channel on which the message came
 * @event: the event
 *
 * Return: the name, owned by the event; NULL if @event is NULL.
 */
const char *ipc_event_get_channel(const ipc_event *event);

/**
 * ipc_event_get_sender_id - who sent the message
 * @event: the event
 *
 * Electron: event.senderId.
 *
 * Return: the id of the sending renderer. 0 is, in main, a bus client that did not register and, in a
 * renderer, main itself.
 */
uint32_t ipc_event_get_sender_id(const ipc_event *event);

/**
 * ipc_event_get_sender - what the bus vouches for about the sender
 * @event: an event in main
 *
 * Electron: event.sender.
 *
 * Return: the sender, owned by the event (see ipc_sender_get_unique_name() and the like); NULL in a renderer.
 */
ipc_sender *ipc_event_get_sender(const ipc_event *event);

/**
 * ipc_event_get_ports - the ports that came along
 * @event: the event
 * @ret_n: how many; or NULL
 *
 * Nobody drives them yet: listen, attach (ipc_port_attach_event(), ipc_app_attach_port(), ipc_renderer_attach_port()),
 * start, and take a reference, since a port that nobody keeps is closed. Or pass them on. Electron: event.ports.
 *
 * Return: the ports, owned by the event; NULL if there are none.
 */
ipc_port *const *ipc_event_get_ports(const ipc_event *event, size_t *ret_n);

/**
 * ipc_event_get_files - the files that came along
 * @event: the event
 * @ret_n: how many; or NULL
 *
 * Return: the fds, owned by the event (-1 where one was taken); NULL if there are none.
 */
const int *ipc_event_get_files(const ipc_event *event, size_t *ret_n);

/**
 * ipc_event_take_file - keep a file beyond its event
 * @event: the event
 * @index: which one
 *
 * Return: the fd, which the caller closes, or -EINVAL, -ENOENT (there are not as many), -EALREADY (it was taken).
 */
int ipc_event_take_file(ipc_event *event, size_t index);

/**
 * ipc_event_is_posted - tell whether the message came by post_message
 * @event: the event
 *
 * A listener that is given its text has the text of one value then, for ipc_renderer_post_text() and the like, and else
 * that of an array.
 *
 * Return: true if it did, or came through a port.
 */
bool ipc_event_is_posted(const ipc_event *event);

/**
 * ipc_event_is_sync - tell whether the sender waits for ipc_event_return()
 * @event: the event
 *
 * Return: true if the message was sent with send_sync and nothing has been returned yet.
 */
bool ipc_event_is_sync(const ipc_event *event);

/**
 * ipc_event_reply - send a message back to the sender, registered or not
 * @event: the event
 * @channel: the channel of the answer, 1 to 255 bytes
 * @args: a JSON array, borrowed; NULL is []
 *
 * Electron: event.reply(). In a renderer it answers whoever sent the message: main, or another renderer.
 *
 * Return: 0, or -EINVAL (bad channel, @args no array, too deep), -EMSGSIZE (over IPC_ARGS_MAX, on a lane over
 * IPC_LANE_ARGS_MAX), -ENOBUFS (the peer's queue is full), -ENOTCONN (the sender is gone), -EOPNOTSUPP (it came through
 * a port), -ENOMEM.
 */
int ipc_event_reply(ipc_event *event, const char *channel, json_t *args);

/**
 * ipc_event_replyf - ipc_event_reply() with arguments made by json_pack()
 * @event: the event
 * @channel: the channel of the answer
 * @format: the elements of the array in json_pack()'s format, such as "s, {s:i}"; NULL is none
 *
 * Electron: event.reply().
 *
 * Return: as ipc_event_reply(); -EINVAL also for a bad format, NaN and infinity.
 */
int ipc_event_replyf(ipc_event *event, const char *channel, const char *format, ...);

/**
 * ipc_event_reply_text - ipc_event_reply() with the JSON text of the array, which nobody parses on this side
 * @event: the event
 * @channel: the channel of the answer
 * @text: JSON; what is no array is dropped by who gets it, or by main on the way
 * @length: of @text in bytes; a NUL follows them
 *
 * Electron: event.reply().
 *
 * Return: as ipc_event_reply(); -EINVAL also where no NUL follows, or the bus does not take the text.
 */
int ipc_event_reply_text(ipc_event *event, const char *channel, const char *text, size_t length);

/**
 * ipc_event_return - answer a send_sync
 * @event: the event
 * @value: any JSON value, borrowed; NULL is null
 *
 * The first value returned is the answer. Electron: event.returnValue.
 *
 * Return: 0, or -EINVAL (the message was not sent with send_sync; too deep), -EALREADY (answered before),
 * -EMSGSIZE (over IPC_ARGS_MAX, on a lane over IPC_LANE_ARGS_MAX: the sender is told IPC_ERROR_TOO_LARGE), -ENOTCONN
 * (the sender is gone), -ENOBUFS (its queue is full), -ENOMEM.
 */
int ipc_event_return(ipc_event *event, json_t *value);

/**
 * ipc_event_returnf - ipc_event_return() with a value made by json_pack()
 * @event: the event
 * @format: one value in json_pack()'s format, such as "{s:i}"; NULL is null
 *
 * Electron: event.returnValue.
 *
 * Return: as ipc_event_return(); -EINVAL also for a bad format, NaN and infinity.
 */
int ipc_event_returnf(ipc_event *event, const char *format, ...);

/**
 * ipc_event_return_text - ipc_event_return() with the JSON text of a value, which nobody parses on this side
 * @event: the event
 * @text: JSON; the sender is told IPC_ERROR_INVALID_ARGS if it is none
 * @length: of @text in bytes; a NUL follows them
 *
 * Electron: event.returnValue.
 *
 * Return: as ipc_event_return(); -EINVAL also where no NUL follows, or the bus does not take the text.
 */
int ipc_event_return_text(ipc_event *event, const char *text, size_t length);

/* For __attribute__((cleanup)). */
static inline void ipc_event_unrefp(ipc_event **event)
{
    if (*event)
        ipc_event_unref(*event);
}

#ifdef __cplusplus
}
#endif

#endif
