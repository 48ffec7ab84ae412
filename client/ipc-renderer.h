/* SPDX-License-Identifier: MIT */
#ifndef IPCBUS_IPC_RENDERER_H
#define IPCBUS_IPC_RENDERER_H

/*
 * A renderer: the client's end (Electron's ipcRenderer), one for each window, panel, tool or script, each with a bus
 * connection of its own.
 *
 * A renderer and its webviews are used from one thread. Callbacks run from ipc_renderer_process(), the attached loop
 * and, for what is still pending, ipc_renderer_close(); never from a call that sends. JSON inputs are borrowed;
 * outputs are owned by the caller and untouched on failure.
 */

#include <jansson.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "ipc-error.h"
#include "ipc-event.h"
#include "ipc-names.h"
#include "ipc-port.h"
#include "ipc-slot.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ipc_renderer ipc_renderer;

/**
 * enum ipc_renderer_state - how a renderer stands with its main process
 * @IPC_RENDERER_CONNECTING: it looks for main, has main started, or registers; what is sent waits
 * @IPC_RENDERER_READY: it is registered and has an id
 * @IPC_RENDERER_GONE: there is no main, or main refuses it; the next message tries again
 * @IPC_RENDERER_CLOSED: it was closed, or the bus went away; for good
 */
typedef enum ipc_renderer_state {
    IPC_RENDERER_CONNECTING,
    IPC_RENDERER_READY,
    IPC_RENDERER_GONE,
    IPC_RENDERER_CLOSED
} ipc_renderer_state;

/**
 * ipc_renderer_new - make a renderer of an app
 * @ret_renderer: the renderer; drop it with ipc_renderer_unref()
 * @bus: a started connection of its own, in no loop, which the renderer closes when it ends; NULL opens the user's
 *       bus
 * @name: the well-known name of the app, such as "com.example.Notes"; NULL is IPC_MAIN_NAME
 *
 * Nothing blocks: the renderer registers when it is first processed, and what is sent until then waits its turn.
 *
 * Electron: ipcRenderer.
 *
 * Return: 0, or -EINVAL (no bus name), -EBUSY (@bus is in a loop), -ENOMEM, or what opening the bus answers, such
 * as -ENOMEDIUM (the environment names no bus), -ENOENT or -ECONNREFUSED (no bus there).
 */
int ipc_renderer_new(ipc_renderer **ret_renderer, sd_bus *bus, const char *name);

/** ipc_renderer_ref - take another reference; Return: @renderer, which may be NULL */
ipc_renderer *ipc_renderer_ref(ipc_renderer *renderer);

/**
 * ipc_renderer_unref - drop a reference; with the last one the renderer is closed, as by ipc_renderer_close()
 * @renderer: the renderer, or NULL
 *
 * Return: NULL.
 */
ipc_renderer *ipc_renderer_unref(ipc_renderer *renderer);

/**
 * ipc_renderer_close - leave the bus
 * @renderer: the renderer, or NULL
 *
 * Every call that is still pending settles with IPC_ERROR_CANCELLED, from within this call; listeners and observers do
 * not run any more. What was sent is written first: where the bus or main do not take it, this blocks, for
 * IPC_STOP_TIMEOUT_USEC at most.
 */
void ipc_renderer_close(ipc_renderer *renderer);

/**
 * ipc_renderer_set_title - what the renderer is called in lists
 * @renderer: a renderer that has not started to register
 * @title: up to IPC_TITLE_MAX bytes of UTF-8
 *
 * Electron: document.title.
 *
 * Return: 0, or -EINVAL (too long, or not UTF-8), -EBUSY (too late), -ENOMEM.
 */
int ipc_renderer_set_title(ipc_renderer *renderer, const char *title);

/**
 * ipc_renderer_set_guest_token - become the guest of the renderer that made the token
 * @renderer: a renderer that has not started to register
 * @token: as of ipc_webview_get_token(), handed over by whatever way the two programs have
 *
 * A token is good once: after main restarts, the renderer registers without it.
 *
 * Electron: what is in a <webview>.
 *
 * Return: 0, or -EINVAL (too long, or not UTF-8), -EBUSY (too late), -ENOMEM. A token that main does not know makes the
 * renderer IPC_RENDERER_GONE with IPC_ERROR_INVALID_TOKEN.
 */
int ipc_renderer_set_guest_token(ipc_renderer *renderer, const char *token);

/**
 * enum ipc_renderer_flags - how a renderer talks to main
 * @IPC_RENDERER_LANE: by a private socket, once main has opened it, instead of the bus: several times as fast, with
 *                     args up to IPC_LANE_ARGS_MAX, but out of the sight of busctl monitor. All else is the same
 */
typedef enum ipc_renderer_flags {
    IPC_RENDERER_LANE = 1 << 0
} ipc_renderer_flags;

/**
 * ipc_renderer_set_flags - choose how it talks to main
 * @renderer: a renderer that has not started to register
 * @flags: a set of the above; 0 is how it begins
 *
 * Where main refuses a lane, the renderer is IPC_RENDERER_GONE with that error, as where main refuses to register it.
 *
 * Return: 0, or -EINVAL, -EBUSY (too late).
 */
int ipc_renderer_set_flags(ipc_renderer *renderer, ipc_renderer_flags flags);

/**
 * ipc_renderer_set_timeout - how long the calls from here on wait for an answer
 * @renderer: the renderer
 * @timeout_usec: us; 0 is IPC_TIMEOUT_USEC, UINT64_MAX for ever
 *
 * Return: 0, or -EINVAL.
 */
int ipc_renderer_set_timeout(ipc_renderer *renderer, uint64_t timeout_usec);

/** ipc_renderer_get_state - how it stands with main; Return: the state; IPC_RENDERER_CLOSED if @renderer is NULL */
ipc_renderer_state ipc_renderer_get_state(const ipc_renderer *renderer);

/**
 * ipc_renderer_get_id - the id that main has given to a renderer
 * @renderer: the renderer
 *
 * Electron: webContents.id, as main sees it.
 *
 * Return: the id, from 1 up, a new one each time it registers; 0 unless it is IPC_RENDERER_READY, or if it is NULL.
 */
uint32_t ipc_renderer_get_id(const ipc_renderer *renderer);

/** ipc_renderer_get_name - the name of its app; Return: the name, owned by @renderer; NULL if @renderer is NULL */
const char *ipc_renderer_get_name(const ipc_renderer *renderer);

/** ipc_renderer_get_bus - its connection; Return: the bus, owned by @renderer; NULL if @renderer is NULL */
sd_bus *ipc_renderer_get_bus(ipc_renderer *renderer);

/**
 * ipc_renderer_state_t - what runs when the state changes
 * @renderer: the renderer; ipc_renderer_get_id() is new each time it becomes IPC_RENDERER_READY
 * @state: what it became
 * @error: why, for IPC_RENDERER_GONE and IPC_RENDERER_CLOSED; else NULL
 * @userdata: as it was registered
 */
typedef void (*ipc_renderer_state_t)(ipc_renderer *renderer, ipc_renderer_state state, const ipc_error *error,
                                     void *userdata);

/**
 * ipc_renderer_on_state - be told when the state changes
 * @renderer: the renderer
 * @ret_slot: the registration; NULL: as long as @renderer
 * @callback: runs for each change; not for that of ipc_renderer_close()
 * @userdata: for @callback
 *
 * Return: 0, or -EINVAL, -ENOMEM.
 */
int ipc_renderer_on_state(ipc_renderer *renderer, ipc_slot **ret_slot, ipc_renderer_state_t callback, void *userdata);

/**
 * ipc_renderer_on_warning - be told what is no error, and should be known
 * @renderer: the renderer
 * @ret_slot: the registration; NULL: as long as @renderer
 * @callback: runs with one line for the log, such as that a channel seems to leak listeners; @message is good until it
 *            returns
 * @userdata: for @callback
 *
 * Node: process.on('warning').
 *
 * Return: 0, or -EINVAL, -ENOMEM.
 */
int ipc_renderer_on_warning(ipc_renderer *renderer, ipc_slot **ret_slot,
                            void (*callback)(const char *message, void *userdata), void *userdata);

/* ---- loops ---- */

/**
 * ipc_renderer_attach_event - live in an sd-event loop
 * @renderer: the renderer
 * @event: the loop; NULL is the thread's default one
 * @priority: as of sd_event_source_set_priority()
 *
 * Return: 0, or -EINVAL, -EBUSY (attached already), -ENOTCONN (closed), -EMFILE, -ENOMEM.
 */
int ipc_renderer_attach_event(ipc_renderer *renderer, sd_event *event, int64_t priority);

/**
 * ipc_renderer_detach_event - leave the loop, of whichever kind
 * @renderer: the renderer
 *
 * Return: 0 (also when it is in none), or -EINVAL.
 */
int ipc_renderer_detach_event(ipc_renderer *renderer);

/**
 * ipc_renderer_attach_loop - live in a loop that this library does not know
 * @renderer: the renderer
 * @on_detached: runs once, when the renderer leaves the loop: it is detached, is closed, or goes
 * @userdata: for @on_detached
 *
 * For who writes the glue of a loop, which from here on does what the paragraph above ipc_renderer_get_fd() says; it
 * need not hold a reference. GLib has its glue: see ipc_renderer_attach_glib().
 *
 * Return: 0, or -EINVAL, -EBUSY (attached already), -ENOTCONN (closed).
 */
int ipc_renderer_attach_loop(ipc_renderer *renderer, void (*on_detached)(void *userdata), void *userdata);

/** ipc_renderer_detach_loop - leave the loop, as by ipc_renderer_detach_event(); Return: 0, or -EINVAL */
int ipc_renderer_detach_loop(ipc_renderer *renderer);

/*
 * For any other loop: poll get_fd() for get_events() until get_timeout(), then call process() until it returns 0; and
 * ask all three anew before each poll.
 */

/**
 * ipc_renderer_get_fd - what to poll
 * @renderer: the renderer
 *
 * Return: the fd, owned by the renderer, or -EINVAL, -ENOTCONN (closed), -EMFILE, -ENFILE, -ENOMEM.
 */
int ipc_renderer_get_fd(ipc_renderer *renderer);

/**
 * ipc_renderer_get_events - what to poll for
 * @renderer: the renderer
 *
 * Return: a set of POLLIN and POLLOUT, or a failure of ipc_renderer_get_fd().
 */
int ipc_renderer_get_events(ipc_renderer *renderer);

/**
 * ipc_renderer_get_timeout - until when to poll
 * @renderer: the renderer
 * @ret_usec: an absolute time of CLOCK_MONOTONIC in us; UINT64_MAX: none; 0: now
 *
 * Return: 0, or -EINVAL, -ENOTCONN (closed, and every callback has run).
 */
int ipc_renderer_get_timeout(ipc_renderer *renderer, uint64_t *ret_usec);

/**
 * ipc_renderer_process - do one piece of work
 * @renderer: the renderer
 *
 * Return: 1 if something was done, 0 if there is nothing to do, or -EINVAL, -EBUSY (called from a callback),
 * -ENOTCONN (closed, and every callback has run), -EMFILE, -ENFILE, -ENOMEM.
 */
int ipc_renderer_process(ipc_renderer *renderer);

/**
 * ipc_renderer_wait - sleep until there is something to process
 * @renderer: the renderer
 * @timeout_usec: us at most, UINT64_MAX for ever
 *
 * Return: positive if there is, 0 if the time is over, or -EINVAL, -ENOTCONN (closed, and every callback has run),
 * -EINTR (a signal came), -EMFILE, -ENFILE, -ENOMEM.
 */
int ipc_renderer_wait(ipc_renderer *renderer, uint64_t timeout_usec);

/**
 * ipc_renderer_attach_port - drive a port by whatever drives the renderer
 * @renderer: the renderer
 * @port: a port, such as one of ipc_event_get_ports(); it may be used beyond the renderer, but has to be attached anew
 *        then
 *
 * Return: 0, or -EINVAL, -EBUSY (the port is attached already), -ENOTCONN (the renderer or the port is closed), -ESTALE
 * (the port was transferred), -ENOMEM.
 */
int ipc_renderer_attach_port(ipc_renderer *renderer, ipc_port *port);

/* ---- listening ---- */

/**
 * ipc_renderer_on - listen on a channel
 * @renderer: the renderer
 * @ret_slot: the registration; NULL: as long as @renderer
 * @channel: 1 to 255 bytes of UTF-8
 * @callback: runs for each message of main and of other renderers
 * @userdata: for @callback
 *
 * Electron: ipcRenderer.on().
 *
 * Return: 0, or -EINVAL (bad channel), -ENOMEM.
 */
int ipc_renderer_on(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback,
                    void *userdata);

/** ipc_renderer_once - as ipc_renderer_on(), but it is removed before it runs; Electron: ipcRenderer.once() */
int ipc_renderer_once(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback,
                      void *userdata);

/**
 * ipc_renderer_prepend_listener - as ipc_renderer_on(), but before those that are there
 *
 * Node: emitter.prependListener().
 */
int ipc_renderer_prepend_listener(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel,
                                  ipc_listener_t callback, void *userdata);

/**
 * ipc_renderer_prepend_once_listener - as ipc_renderer_on(), but before those that are there, and it is removed before
 * it runs
 *
 * Node: emitter.prependOnceListener().
 */
int ipc_renderer_prepend_once_listener(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel,
                                       ipc_listener_t callback, void *userdata);

/**
 * ipc_renderer_on_text - ipc_renderer_on() for who forwards or stores JSON, and does not parse it
 * @renderer: the renderer
 * @ret_slot: the registration; NULL: as long as @renderer
 * @channel: 1 to 255 bytes of UTF-8
 * @callback: runs for each message, in its place among the other listeners
 * @userdata: for @callback
 *
 * What all listeners of a message want as text is not parsed at all; else it is parsed before any of them runs, once.
 *
 * Electron: ipcRenderer.on().
 *
 * Return: as ipc_renderer_on().
 */
int ipc_renderer_on_text(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel,
                         ipc_text_listener_t callback, void *userdata);

/**
 * ipc_renderer_once_text - as ipc_renderer_on_text(), but it is removed before it runs
 *
 * Electron: ipcRenderer.once().
 */
int ipc_renderer_once_text(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel,
                           ipc_text_listener_t callback, void *userdata);

/**
 * ipc_renderer_off - remove a listener
 * @renderer: the renderer
 * @channel: the channel
 * @callback: as it was registered
 * @userdata: as it was registered
 *
 * Of several that are the same, the one added last goes. Electron: ipcRenderer.off(), ipcRenderer.removeListener().
 *
 * Return: 0, or -EINVAL, -ENOENT (there is none).
 */
int ipc_renderer_off(ipc_renderer *renderer, const char *channel, ipc_listener_t callback, void *userdata);

/**
 * ipc_renderer_off_text - as ipc_renderer_off(), for a listener of ipc_renderer_on_text()
 *
 * Electron: ipcRenderer.off(), ipcRenderer.removeListener().
 */
int ipc_renderer_off_text(ipc_renderer *renderer, const char *channel, ipc_text_listener_t callback, void *userdata);

/**
 * ipc_renderer_remove_all_listeners - remove the listeners of a channel
 * @renderer: the renderer
 * @channel: the channel; NULL: of every channel
 *
 * Electron: ipcRenderer.removeAllListeners().
 *
 * Return: 0, or -EINVAL.
 */
int ipc_renderer_remove_all_listeners(ipc_renderer *renderer, const char *channel);

/**
 * ipc_renderer_listener_count - how many listeners a channel has
 * @renderer: the renderer
 * @channel: the channel
 *
 * Node: emitter.listenerCount().
 *
 * Return: the number, or -EINVAL.
 */
int ipc_renderer_listener_count(ipc_renderer *renderer, const char *channel);

/**
 * ipc_renderer_channel_names - the channels that have listeners
 * @renderer: the renderer
 * @ret_names: a sorted list that ends with NULL; free each name and the list
 *
 * Node: emitter.eventNames().
 *
 * Return: how many there are, or -EINVAL, -ENOMEM.
 */
int ipc_renderer_channel_names(ipc_renderer *renderer, char ***ret_names);

/**
 * ipc_renderer_on_any - see each message before any listener does
 * @renderer: the renderer
 * @ret_slot: the registration; NULL: as long as @renderer
 * @callback: ipc_event_get_channel() tells the channel
 * @userdata: for @callback
 *
 * Return: 0, or -EINVAL, -ENOMEM.
 */
int ipc_renderer_on_any(ipc_renderer *renderer, ipc_slot **ret_slot, ipc_listener_t callback, void *userdata);

/** ipc_renderer_on_any_text - as ipc_renderer_on_any(), but for who wants the text: see ipc_renderer_on_text() */
int ipc_renderer_on_any_text(ipc_renderer *renderer, ipc_slot **ret_slot, ipc_text_listener_t callback,
                             void *userdata);

/* ---- sending ---- */

/**
 * ipc_renderer_send - send a message to main
 * @renderer: the renderer
 * @channel: 1 to 255 bytes of UTF-8
 * @args: a JSON array; NULL is []
 *
 * Nothing is answered, and what main refuses (a policy, say) is not reported. Electron: ipcRenderer.send().
 *
 * Return: 0, or -EINVAL (bad channel, @args no array, too deep), -EMSGSIZE (over IPC_ARGS_MAX, with IPC_RENDERER_LANE
 * over IPC_LANE_ARGS_MAX), -ENOBUFS (over IPC_QUEUE_BYTES_MAX wait to be sent), -ENOTCONN (closed), -ENOMEM.
 */
int ipc_renderer_send(ipc_renderer *renderer, const char *channel, json_t *args);

/**
 * ipc_renderer_sendf - ipc_renderer_send() with arguments made by json_pack()
 * @renderer: the renderer
 * @channel: 1 to 255 bytes of UTF-8
 * @format: the elements of the array in json_pack()'s format, such as "s, {s:i}"; NULL is none
 *
 * Electron: ipcRenderer.send().
 *
 * Return: as ipc_renderer_send(); -EINVAL also for a bad format, NaN and infinity.
 */
int ipc_renderer_sendf(ipc_renderer *renderer, const char *channel, const char *format, ...);

/**
 * ipc_renderer_send_text - ipc_renderer_send() with the JSON text of the array, which nobody parses on this side
 * @renderer: the renderer
 * @channel: 1 to 255 bytes of UTF-8
 * @text: JSON; main drops what is no array
 * @length: of @text in bytes; a NUL follows them
 *
 * Electron: ipcRenderer.send().
 *
 * Return: as ipc_renderer_send(); -EINVAL also where no NUL follows, or the bus does not take the text.
 */
int ipc_renderer_send_text(ipc_renderer *renderer, const char *channel, const char *text, size_t length);

/**
 * ipc_renderer_send_to - send a message to another renderer of the same app
 * @renderer: the renderer
 * @id: the other one's id
 * @channel: the channel
 * @args: a JSON array; NULL is []
 *
 * A message to an id that does not exist is lost, as in Electron: ipcRenderer.sendTo().
 *
 * Return: as ipc_renderer_send().
 */
int ipc_renderer_send_to(ipc_renderer *renderer, uint32_t id, const char *channel, json_t *args);

/**
 * ipc_renderer_send_tof - ipc_renderer_send_to() with arguments made by json_pack()
 * @renderer: the renderer
 * @id: the other one's id
 * @channel: the channel
 * @format: as of ipc_renderer_sendf()
 *
 * Electron: ipcRenderer.sendTo().
 *
 * Return: as ipc_renderer_sendf().
 */
int ipc_renderer_send_tof(ipc_renderer *renderer, uint32_t id, const char *channel, const char *format, ...);

/**
 * ipc_renderer_send_to_text - ipc_renderer_send_to() with the JSON text of the array
 * @renderer: the renderer
 * @id: the other one's id
 * @channel: the channel
 * @text: as of ipc_renderer_send_text()
 * @length: of @text in bytes; a NUL follows them
 *
 * Electron: ipcRenderer.sendTo().
 *
 * Return: as ipc_renderer_send_text().
 */
int ipc_renderer_send_to_text(ipc_renderer *renderer, uint32_t id, const char *channel, const char *text,
                              size_t length);

/**
 * ipc_renderer_send_to_host - send a message from a guest to the renderer that embeds it
 * @renderer: the guest
 * @channel: 1 to 255 bytes of UTF-8
 * @args: a JSON array; NULL is []
 *
 * The host's ipc_webview_on_message() runs; the message of who is no guest is lost. Electron: ipcRenderer.sendToHost().
 *
 * Return: as ipc_renderer_send().
 */
int ipc_renderer_send_to_host(ipc_renderer *renderer, const char *channel, json_t *args);

/**
 * ipc_renderer_send_to_hostf - ipc_renderer_send_to_host() with arguments made by json_pack()
 * @renderer: the guest
 * @channel: 1 to 255 bytes of UTF-8
 * @format: as of ipc_renderer_sendf()
 *
 * Electron: ipcRenderer.sendToHost().
 *
 * Return: as ipc_renderer_sendf().
 */
int ipc_renderer_send_to_hostf(ipc_renderer *renderer, const char *channel, const char *format, ...);

/**
 * ipc_renderer_send_to_host_text - ipc_renderer_send_to_host() with the JSON text of the array
 * @renderer: the guest
 * @channel: 1 to 255 bytes of UTF-8
 * @text: as of ipc_renderer_send_text()
 * @length: of @text in bytes; a NUL follows them
 *
 * Electron: ipcRenderer.sendToHost().
 *
 * Return: as ipc_renderer_send_text().
 */
int ipc_renderer_send_to_host_text(ipc_renderer *renderer, const char *channel, const char *text, size_t length);

/**
 * ipc_renderer_post_message - send one value to main, and ports and files with it
 * @renderer: the renderer
 * @channel: 1 to 255 bytes of UTF-8
 * @message: any JSON value; NULL is null. Main's listeners get it as their only argument
 * @transfer: what goes along; NULL: nothing
 *
 * Electron: ipcRenderer.postMessage().
 *
 * Return: as ipc_renderer_send(), or as struct ipc_transfer says.
 */
int ipc_renderer_post_message(ipc_renderer *renderer, const char *channel, json_t *message,
                              const ipc_transfer *transfer);

/**
 * ipc_renderer_post_messagef - ipc_renderer_post_message() with a message made by json_pack()
 * @renderer: the renderer
 * @channel: 1 to 255 bytes of UTF-8
 * @transfer: what goes along; NULL: nothing
 * @format: one value in json_pack()'s format, such as "{s:i}"; NULL is null
 *
 * Electron: ipcRenderer.postMessage().
 *
 * Return: as ipc_renderer_post_message(); -EINVAL also for a bad format, NaN and infinity.
 */
int ipc_renderer_post_messagef(ipc_renderer *renderer, const char *channel, const ipc_transfer *transfer,
                               const char *format, ...);

/**
 * ipc_renderer_post_text - ipc_renderer_post_message() with the JSON text of the value
 * @renderer: the renderer
 * @channel: 1 to 255 bytes of UTF-8
 * @text: JSON, which nobody parses on this side
 * @length: of @text in bytes; a NUL follows them
 * @transfer: what goes along; NULL: nothing
 *
 * Electron: ipcRenderer.postMessage().
 *
 * Return: as ipc_renderer_post_message(); -EINVAL also where no NUL follows, or the bus does not take the text.
 */
int ipc_renderer_post_text(ipc_renderer *renderer, const char *channel, const char *text, size_t length,
                           const ipc_transfer *transfer);

/**
 * ipc_reply_t - what runs when an invoke settles
 * @renderer: the renderer
 * @result: the JSON value, borrowed; NULL if it failed
 * @error: why it failed, borrowed; NULL if it did not. The handler's own error, one of IPC_ERROR_..., or, in
 *         particular, IPC_ERROR_TIMEOUT, IPC_ERROR_CANCELLED, IPC_ERROR_MAIN_GONE
 * @userdata: as it was given
 */
typedef void (*ipc_reply_t)(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata);

/**
 * ipc_renderer_invoke - call the handler of a channel
 * @renderer: the renderer
 * @ret_slot: the pending call, to give it up with ipc_slot_unref() or ipc_renderer_cancel(); NULL: none
 * @channel: 1 to 255 bytes of UTF-8
 * @args: a JSON array; NULL is []
 * @callback: runs exactly once, unless the slot is dropped first; NULL: nobody cares
 * @userdata: for @callback
 *
 * Electron: ipcRenderer.invoke().
 *
 * Return: as ipc_renderer_send().
 */
int ipc_renderer_invoke(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel, json_t *args,
                        ipc_reply_t callback, void *userdata);

/**
 * ipc_renderer_invokef - ipc_renderer_invoke() with arguments made by json_pack()
 * @renderer: the renderer
 * @ret_slot: the pending call; NULL: none
 * @channel: 1 to 255 bytes of UTF-8
 * @callback: runs exactly once, unless the slot is dropped first; NULL: nobody cares
 * @userdata: for @callback
 * @format: as of ipc_renderer_sendf()
 *
 * Electron: ipcRenderer.invoke().
 *
 * Return: as ipc_renderer_sendf().
 */
int ipc_renderer_invokef(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel, ipc_reply_t callback,
                         void *userdata, const char *format, ...);

/**
 * ipc_reply_text_t - what runs when an invoke settles whose result nobody parses
 * @renderer: the renderer
 * @text: the JSON text of the result as it came, checked by nobody; NUL-terminated, and good until the callback
 *        returns. NULL if it failed
 * @length: of @text in bytes
 * @error: as of ipc_reply_t
 * @userdata: as it was given
 */
typedef void (*ipc_reply_text_t)(ipc_renderer *renderer, const char *text, size_t length, const ipc_error *error,
                                 void *userdata);

/**
 * ipc_renderer_invoke_text - ipc_renderer_invoke() with text both ways
 * @renderer: the renderer
 * @ret_slot: the pending call; NULL: none
 * @channel: 1 to 255 bytes of UTF-8
 * @text: the JSON text of the array of arguments
 * @length: of @text in bytes; a NUL follows them
 * @callback: runs exactly once, unless the slot is dropped first; NULL: nobody cares
 * @userdata: for @callback
 *
 * Electron: ipcRenderer.invoke().
 *
 * Return: as ipc_renderer_send_text().
 */
int ipc_renderer_invoke_text(ipc_renderer *renderer, ipc_slot **ret_slot, const char *channel, const char *text,
                             size_t length, ipc_reply_text_t callback, void *userdata);

/**
 * ipc_renderer_cancel - give up a pending invoke, and still be told how it ended
 * @renderer: the renderer
 * @invoke: its slot
 *
 * Main is told, too. The callback runs soon, with IPC_ERROR_CANCELLED. The web: AbortController.abort().
 *
 * Return: 0, or -EINVAL (the slot of something else), -EALREADY (it has settled).
 */
int ipc_renderer_cancel(ipc_renderer *renderer, ipc_slot *invoke);

/**
 * ipc_renderer_send_sync - send a message and block until a listener in main has answered
 * @renderer: the renderer
 * @channel: 1 to 255 bytes of UTF-8
 * @args: a JSON array; NULL is []
 * @ret_result: what the listener returned, or NULL
 * @ret_error: initialised; set if main or the way to it failed; or NULL
 *
 * What was sent before goes before. What arrives meanwhile waits for the next ipc_renderer_process(): no callback
 * runs in this call. Electron: ipcRenderer.sendSync().
 *
 * Return: 0, or as ipc_renderer_send(), -EBUSY (called from a callback of sd-bus on the renderer's connection), or the
 * negative ipc_error_get_errno() of the error.
 */
int ipc_renderer_send_sync(ipc_renderer *renderer, const char *channel, json_t *args, json_t **ret_result,
                           ipc_error *ret_error);

/**
 * ipc_renderer_send_syncf - ipc_renderer_send_sync() with arguments made by json_pack()
 * @renderer: the renderer
 * @channel: 1 to 255 bytes of UTF-8
 * @ret_result: what the listener returned, or NULL
 * @ret_error: as of ipc_renderer_send_sync()
 * @format: as of ipc_renderer_sendf()
 *
 * Electron: ipcRenderer.sendSync().
 *
 * Return: as ipc_renderer_send_sync(); -EINVAL also for a bad format, NaN and infinity.
 */
int ipc_renderer_send_syncf(ipc_renderer *renderer, const char *channel, json_t **ret_result, ipc_error *ret_error,
                            const char *format, ...);

/**
 * ipc_renderer_send_sync_text - ipc_renderer_send_sync() with text both ways
 * @renderer: the renderer
 * @channel: 1 to 255 bytes of UTF-8
 * @text: the JSON text of the array of arguments
 * @length: of @text in bytes; a NUL follows them
 * @ret_text: the JSON text of what the listener returned, as it came, checked by nobody; NUL-terminated; free it. Or
 *            NULL
 * @ret_length: of @ret_text in bytes; or NULL
 * @ret_error: as of ipc_renderer_send_sync()
 *
 * Electron: ipcRenderer.sendSync().
 *
 * Return: as ipc_renderer_send_sync(), and as ipc_renderer_send_text().
 */
int ipc_renderer_send_sync_text(ipc_renderer *renderer, const char *channel, const char *text, size_t length,
                                char **ret_text, size_t *ret_length, ipc_error *ret_error);

/* For __attribute__((cleanup)). */
static inline void ipc_renderer_unrefp(ipc_renderer **renderer)
{
    if (*renderer)
        ipc_renderer_unref(*renderer);
}

#ifdef __cplusplus
}
#endif

#include "ipc-webview.h"

#endif
