/* SPDX-License-Identifier: MIT */
#ifndef IPCBUS_IPC_MAIN_H
#define IPCBUS_IPC_MAIN_H

/*
 * The main process: an app on the bus, its registry of listeners and handlers (Electron's ipcMain), and its view
 * of each renderer (Electron's webContents).
 *
 * An app and all that belongs to it are used from one thread. Callbacks run from ipc_app_process() or the attached
 * loop only. JSON inputs are borrowed; outputs are owned by the caller and untouched on failure.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
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

typedef struct ipc_app ipc_app;
typedef struct ipc_main ipc_main;
typedef struct ipc_invocation ipc_invocation;
typedef struct ipc_web_contents ipc_web_contents;

/* ---- app: the service object ---- */

/**
 * ipc_app_new - make an app on a bus
 * @ret_app: the app; drop it with ipc_app_unref()
 * @bus: a started connection of its own, in no loop, which the app closes when it ends; NULL opens the user's bus
 * @name: the well-known name that the app will own, such as "com.example.Notes"
 *
 * The app is not reachable by its name before ipc_app_start(): register handlers in between.
 *
 * Blocks until the bus has let it in and answered, 90 s at most, as ipc_app_start() does, 25 s at most.
 *
 * Return: 0, or -EINVAL (no bus name), -EBUSY (@bus is in a loop), -ENOTCONN (@bus is not started, or closed), -ENOMEM,
 * or what opening the bus and asking for its signals answers, such as -ENOMEDIUM (the environment names no bus),
 * -ENOENT or -ECONNREFUSED (no bus there) and -ETIMEDOUT.
 */
int ipc_app_new(ipc_app **ret_app, sd_bus *bus, const char *name);

ipc_app *ipc_app_ref(ipc_app *app);

/**
 * ipc_app_unref - drop a reference; with the last one the app leaves the bus
 * @app: the app, or NULL
 *
 * What is pending is dropped, so its callers see main go. ipc_app_stop() leaves in good order.
 *
 * Return: NULL.
 */
ipc_app *ipc_app_unref(ipc_app *app);

/**
 * ipc_app_start - take the name: from here on renderers and activation find the app
 * @app: the app
 *
 * Return: 0 (also when it was started before), or -EINVAL (also a name that nobody may own), -EEXIST (another service
 * owns the name), -EACCES (the bus forbids the name), -ENOTCONN (the bus is gone or the app was stopped), -ETIMEDOUT.
 */
int ipc_app_start(ipc_app *app);

/**
 * ipc_app_stop - leave the bus in good order
 * @app: the app
 * @timeout_usec: us that writing what was accepted may take; 0 is IPC_STOP_TIMEOUT_USEC
 *
 * Gives up the name, dispatches what had already arrived, answers what is still pending with
 * IPC_ERROR_MAIN_GONE, writes all that was accepted, and closes. May be called from a callback: then it happens
 * when the callback has returned.
 *
 * Return: 0 (also when it was stopped before), or -EINVAL, -ETIMEDOUT (the bus did not take everything in time),
 * -ENOTCONN (the bus went away meanwhile).
 */
int ipc_app_stop(ipc_app *app, uint64_t timeout_usec);

/**
 * ipc_app_set_exit_on_idle - leave when nobody needs the app
 * @app: the app
 * @timeout_usec: us without any work, from the start or the last piece of it on; 0: never, as it is at first
 *
 * The app leaves when no renderer is registered, no call is pending and nothing waits to be written. It tells the
 * service manager STOPPING=1, if there is one, because its program is expected to end with it; gives up the name;
 * serves what had arrived by then, for IPC_TIMEOUT_USEC at most; and closes. Then ipc_app_run() returns 0, and who has
 * another loop hears of it from ipc_app_on_closed(). No call is lost: one that the app does not serve starts the
 * service again.
 *
 * Return: 0, or -EINVAL, -ENOTCONN (the app has left the bus).
 */
int ipc_app_set_exit_on_idle(ipc_app *app, uint64_t timeout_usec);

/**
 * ipc_app_run - start the app, and serve until it ends
 * @app: the app, attached to no loop
 *
 * Ends by ipc_app_quit(), SIGTERM or SIGINT (blocked from here on), then stops the app, and tells the service manager
 * STOPPING=1 first, if there is one; or when the bus goes away, or as ipc_app_set_exit_on_idle() wants.
 *
 * Return: 0, or -EINVAL, -EBUSY (it is attached to a loop), -ENOTCONN (the bus went away), or as ipc_app_start()
 * and ipc_app_stop().
 */
int ipc_app_run(ipc_app *app);

/**
 * ipc_app_quit - let ipc_app_run() return
 * @app: the app
 *
 * Electron: app.quit().
 *
 * Return: 0, or -EINVAL, -ESTALE (the app does not run).
 */
int ipc_app_quit(ipc_app *app);

/**
 * ipc_app_load_policy - say who may do what, and how much of it
 * @app: the app
 * @path: the policy, a JSON file as ipcbusd(8) describes it under POLICY
 * @error: what is wrong, with file, line and column; or NULL. Clear it with ipc_error_clear().
 *
 * Without a policy, the app's own user and root may do everything, and others nothing. With one, its rules decide for
 * all. Calling it again reads the file again: renderers stay, and the next call of each is judged anew; on failure the
 * policy stays as it was. May be called from a callback. It waits for the disk, and for the system's lists of users
 * and groups where a rule has their names.
 *
 * Return: 0, or -EINVAL, -EBADMSG (it is no policy: IPC_ERROR_INVALID_POLICY), -EFBIG (over a MiB), -ENOMEM, or what
 * opening and reading the file answers, such as -ENOENT and -EACCES.
 */
int ipc_app_load_policy(ipc_app *app, const char *path, ipc_error *error);

ipc_main *ipc_app_get_main(ipc_app *app);  /* the app's registry (Electron: ipcMain), owned by the app */
sd_bus *ipc_app_get_bus(ipc_app *app);     /* the connection, owned by the app */
const char *ipc_app_get_name(ipc_app *app);

/* How many renderers are registered, or -EINVAL. Electron: webContents.getAllWebContents().length. */
int ipc_app_web_contents_count(const ipc_app *app);

/* How many invokes and sync messages have not been answered yet, or -EINVAL. */
int ipc_app_pending_count(const ipc_app *app);

/**
 * ipc_app_get_event - the loop that the app runs in
 * @app: the app
 *
 * A module hangs its timers here. Before the app is attached or runs, it is the loop that ipc_app_run() will run; so
 * attach first what is driven by a loop of your own. Where ipc_app_process() is called by hand, nothing runs it.
 *
 * Return: the loop, owned by the app; NULL if the app is in a loop of another kind (ipc_app_attach_loop(),
 * ipc_app_attach_glib()) or has left the bus, or memory is out.
 */
sd_event *ipc_app_get_event(ipc_app *app);

/**
 * ipc_app_attach_event - serve from an sd-event loop
 * @app: the app
 * @event: the loop; NULL is the thread's default one
 * @priority: as of sd_event_source_set_priority()
 *
 * The app still has to be started.
 *
 * Return: 0, or -EINVAL, -EBUSY (attached already), -ENOTCONN (stopped), -ENOMEM.
 */
int ipc_app_attach_event(ipc_app *app, sd_event *event, int64_t priority);
int ipc_app_detach_event(ipc_app *app);

/**
 * ipc_app_attach_loop - live in a loop that this library does not know
 * @app: the app
 * @on_detached: runs once, when the app leaves the loop: it is detached, leaves the bus, or goes
 * @userdata: for @on_detached
 *
 * For who writes the glue of a loop, which from here on does what the next paragraph says; it need not hold a reference.
 * GLib has its glue: see ipc_app_attach_glib().
 *
 * Return: 0, or -EINVAL, -EBUSY (attached already), -ENOTCONN (stopped).
 */
int ipc_app_attach_loop(ipc_app *app, void (*on_detached)(void *userdata), void *userdata);

/* Leaves the loop, of whichever kind. Return: 0, or -EINVAL. */
int ipc_app_detach_loop(ipc_app *app);

/*
 * For any other loop: poll get_fd() for get_events() until get_timeout(), an absolute time of CLOCK_MONOTONIC in us
 * (UINT64_MAX: none; 0: now), then call process() until it returns 0; and ask all three anew before each poll.
 * Each returns a negative errno on failure: -EINVAL, and -ENOTCONN once the app has left the bus.
 */
int ipc_app_get_fd(ipc_app *app);
int ipc_app_get_events(ipc_app *app);
int ipc_app_get_timeout(ipc_app *app, uint64_t *ret_usec);

/**
 * ipc_app_process - do one piece of work
 * @app: the app
 *
 * Return: 1 if something was done, 0 if there is nothing to do, or -EINVAL, -EBUSY (called from a callback),
 * -ENOTCONN (the app has left the bus).
 */
int ipc_app_process(ipc_app *app);

/**
 * ipc_app_wait - sleep until there is something to process
 * @app: the app
 * @timeout_usec: us at most, UINT64_MAX for ever
 *
 * Return: positive if there is, 0 if the time is over, or -EINVAL, -ENOTCONN, -EINTR.
 */
int ipc_app_wait(ipc_app *app, uint64_t timeout_usec);

/**
 * ipc_app_attach_port - drive a port by whatever drives the app
 * @app: the app
 * @port: a port, such as one of ipc_event_get_ports(); it may be used beyond the app, but has to be attached anew then
 *
 * Return: 0, or -EINVAL, -EBUSY (the port is attached already), -ENOTCONN (the app was stopped, or the port is closed),
 * -ESTALE (the port was transferred), -ENOMEM.
 */
int ipc_app_attach_port(ipc_app *app, ipc_port *port);

/**
 * ipc_app_broadcast - send one message to each registered renderer
 * @app: the app
 * @channel: the channel
 * @args: a JSON array; NULL is []
 *
 * A renderer whose queue is full is left out; the others get the message. Electron: a loop over
 * webContents.getAllWebContents().
 *
 * Return: the number of renderers it went to, or -EINVAL, -EMSGSIZE, -ENOBUFS (it was left out somewhere),
 * -ENOTCONN, -ENOMEM.
 */
int ipc_app_broadcast(ipc_app *app, const char *channel, json_t *args);
int ipc_app_broadcastf(ipc_app *app, const char *channel, const char *format, ...);

/* The same with the JSON text of the array, @length bytes and a NUL, which nobody parses on this side. */
int ipc_app_broadcast_text(ipc_app *app, const char *channel, const char *text, size_t length);

/**
 * ipc_app_callback_t - what runs when something befalls the app
 */
typedef void (*ipc_app_callback_t)(ipc_app *app, void *userdata);

/**
 * ipc_web_contents_callback_t - what runs when a renderer comes or goes
 */
typedef void (*ipc_web_contents_callback_t)(ipc_web_contents *contents, void *userdata);

/**
 * ipc_warning_t - what runs when a program should be told something that is no error
 * @message: one line for the log, such as that a channel seems to leak listeners
 */
typedef void (*ipc_warning_t)(const char *message, void *userdata);

/**
 * ipc_notice_t - what runs when there is something for the log
 * @priority: as of syslog(3), such as LOG_WARNING
 * @message: one line
 * @channel: the channel that it is about; NULL: none
 * @renderer_id: the renderer that it is about; 0: none
 */
typedef void (*ipc_notice_t)(int priority, const char *message, const char *channel, uint32_t renderer_id,
                             void *userdata);

/**
 * ipc_app_on_web_contents_created - be told of each renderer that registers
 * @app: the app
 * @ret_slot: the registration, or NULL: as long as the app
 * @callback: runs before any message of that renderer is dispatched
 * @userdata: for @callback
 *
 * Electron: app.on('web-contents-created').
 *
 * Return: 0, or -EINVAL, -ENOMEM. The next four the same.
 */
int ipc_app_on_web_contents_created(ipc_app *app, ipc_slot **ret_slot, ipc_web_contents_callback_t callback,
                                    void *userdata);

/* Each renderer that goes; its id and name can still be asked. Electron: webContents.on('destroyed'). */
int ipc_app_on_web_contents_destroyed(ipc_app *app, ipc_slot **ret_slot, ipc_web_contents_callback_t callback,
                                      void *userdata);

/* The bus went away, or the app was stopped. */
int ipc_app_on_closed(ipc_app *app, ipc_slot **ret_slot, ipc_app_callback_t callback, void *userdata);

/* Warnings; they run from the call that causes them. Node: process.on('warning'). */
int ipc_app_on_warning(ipc_app *app, ipc_slot **ret_slot, ipc_warning_t callback, void *userdata);

/* All that ipc_app_on_warning() tells, with what it is about, and the first call of each peer that was denied. */
int ipc_app_on_notice(ipc_app *app, ipc_slot **ret_slot, ipc_notice_t callback, void *userdata);

/* ---- main: the registry of listeners and handlers ---- */

/**
 * ipc_handler_t - what answers an invoke
 * @invocation: settle it now, or take a reference and settle it later
 * @args: the arguments, a JSON array; borrowed
 * @userdata: as it was registered
 *
 * Electron: the listener of ipcMain.handle().
 *
 * Return: 0 or more; or a negative errno, which rejects the invocation with IPC_ERROR_HANDLER_FAILED unless it has
 * settled.
 */
typedef int (*ipc_handler_t)(ipc_invocation *invocation, json_t *args, void *userdata);

/**
 * ipc_main_on - listen on a channel
 * @main: the app's registry, or that of one web contents
 * @ret_slot: the registration; NULL: as long as @main
 * @channel: 1 to 255 bytes of UTF-8
 * @callback: runs for each message of ipc_renderer_send() and ipc_renderer_send_sync()
 * @userdata: for @callback
 *
 * Electron: ipcMain.on(). The variants: ipcMain.once() (removed before it runs), and in front of those that are
 * there (emitter.prependListener(), emitter.prependOnceListener()).
 *
 * Return: 0, or -EINVAL (bad channel), -ENOTCONN (the web contents of @main is gone), -ENOMEM.
 */
int ipc_main_on(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback, void *userdata);
int ipc_main_once(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback, void *userdata);
int ipc_main_prepend_listener(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback,
                              void *userdata);
int ipc_main_prepend_once_listener(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback,
                                   void *userdata);

/**
 * ipc_main_on_text - ipc_main_on() for who forwards or stores JSON, and does not parse it
 * @main: the app's registry, or that of one web contents
 * @ret_slot: the registration; NULL: as long as @main
 * @channel: 1 to 255 bytes of UTF-8
 * @callback: runs for each message, in its place among the other listeners
 * @userdata: for @callback
 *
 * What all listeners of a message want as text is not parsed at all. Else it is parsed before any of them runs, once,
 * and what is no JSON array is refused.
 *
 * Return: as ipc_main_on(). ipc_main_once_text() is removed before it runs.
 */
int ipc_main_on_text(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_text_listener_t callback,
                     void *userdata);
int ipc_main_once_text(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_text_listener_t callback,
                       void *userdata);

/**
 * ipc_main_off - remove a listener
 * @main: the registry
 * @channel: the channel
 * @callback: as it was registered
 * @userdata: as it was registered
 *
 * Of several that are the same, the one added last goes. Electron: ipcMain.off(), ipcMain.removeListener().
 *
 * Return: 0, or -EINVAL, -ENOENT (there is none).
 */
int ipc_main_off(ipc_main *main, const char *channel, ipc_listener_t callback, void *userdata);
int ipc_main_off_text(ipc_main *main, const char *channel, ipc_text_listener_t callback, void *userdata);

/**
 * ipc_main_remove_all_listeners - remove the listeners of a channel
 * @main: the registry
 * @channel: the channel; NULL: of every channel
 *
 * Handlers stay. Electron: ipcMain.removeAllListeners().
 *
 * Return: 0, or -EINVAL.
 */
int ipc_main_remove_all_listeners(ipc_main *main, const char *channel);

/* How many listeners a channel has, or -EINVAL. Node: emitter.listenerCount(). */
int ipc_main_listener_count(ipc_main *main, const char *channel);

/**
 * ipc_main_channel_names - the channels that have listeners
 * @main: the registry
 * @ret_names: a sorted list that ends with NULL; free each name and the list
 *
 * Node: emitter.eventNames().
 *
 * Return: how many there are, or -EINVAL, -ENOMEM.
 */
int ipc_main_channel_names(ipc_main *main, char ***ret_names);

/**
 * ipc_main_handle - answer the invokes of a channel
 * @main: the app's registry, or that of one web contents, whose handlers win
 * @ret_slot: the registration; NULL: as long as @main
 * @channel: 1 to 255 bytes of UTF-8
 * @handler: runs for each ipc_renderer_invoke()
 * @userdata: for @handler
 *
 * Electron: ipcMain.handle(), and ipcMain.handleOnce() (removed before it runs).
 *
 * Return: 0, or -EINVAL (bad channel), -EEXIST (the channel has a handler), -ENOTCONN (the web contents of @main is
 * gone), -ENOMEM.
 */
int ipc_main_handle(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_handler_t handler, void *userdata);
int ipc_main_handle_once(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_handler_t handler,
                         void *userdata);

/**
 * ipc_text_handler_t - what answers an invoke by its text
 * @invocation: as of ipc_handler_t; ipc_invocation_resolve_text() answers with text
 * @text: the arguments as they came, checked by nobody: JSON if the caller is honest. NUL-terminated, and good until the
 *        handler returns
 * @length: of @text in bytes
 * @userdata: as it was registered
 *
 * Return: as of ipc_handler_t.
 */
typedef int (*ipc_text_handler_t)(ipc_invocation *invocation, const char *text, size_t length, void *userdata);

/**
 * ipc_main_handle_text - ipc_main_handle() for who forwards or stores JSON, and does not parse it
 * @main: the app's registry, or that of one web contents
 * @ret_slot: the registration; NULL: as long as @main
 * @channel: 1 to 255 bytes of UTF-8
 * @handler: runs for each invoke
 * @userdata: for @handler
 *
 * Return: as ipc_main_handle().
 */
int ipc_main_handle_text(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_text_handler_t handler,
                         void *userdata);

/**
 * ipc_main_remove_handler - remove the handler of a channel
 * @main: the registry
 * @channel: the channel
 *
 * What it was invoked for before may still be settled. Electron: ipcMain.removeHandler().
 *
 * Return: 0, or -EINVAL, -ENOENT (there is none).
 */
int ipc_main_remove_handler(ipc_main *main, const char *channel);

/* ---- sender: what the bus vouches for about a peer ---- */

const char *ipc_sender_get_unique_name(const ipc_sender *sender); /* such as ":1.42"; owned by @sender */
int ipc_sender_get_uid(const ipc_sender *sender, uid_t *ret_uid); /* -EINVAL, -ENODATA (the bus does not know) */
int ipc_sender_get_pid(const ipc_sender *sender, pid_t *ret_pid); /* the same */
uint32_t ipc_sender_get_id(const ipc_sender *sender);             /* its renderer's id; 0: anonymous */

/* Its renderer, owned by the sender; NULL: it is anonymous, or gone. */
ipc_web_contents *ipc_sender_get_web_contents(const ipc_sender *sender);

/* ---- invocation: an invoke that waits for its answer ---- */

ipc_invocation *ipc_invocation_ref(ipc_invocation *invocation);

/**
 * ipc_invocation_unref - drop a reference
 * @invocation: the invocation, or NULL
 *
 * If the last one goes and nothing has settled it, the caller gets IPC_ERROR_REPLY_NEVER_SENT.
 *
 * Return: NULL.
 */
ipc_invocation *ipc_invocation_unref(ipc_invocation *invocation);

const char *ipc_invocation_get_channel(const ipc_invocation *invocation);    /* owned by @invocation */
ipc_sender *ipc_invocation_get_sender(const ipc_invocation *invocation);     /* owned by @invocation */
uint32_t ipc_invocation_get_sender_id(const ipc_invocation *invocation);     /* 0: an anonymous caller */

/* Borrowed; NULL once the caller or the app is gone. */
ipc_app *ipc_invocation_get_app(const ipc_invocation *invocation);

/**
 * ipc_invocation_resolve - answer with a result
 * @invocation: the invocation
 * @result: any JSON value, borrowed; NULL is null
 *
 * Return: 0, or -EINVAL (too deep: it stays unsettled), -EALREADY (settled before), -ECANCELED (the caller is gone
 * or has cancelled: nothing is sent), -EMSGSIZE (over IPC_ARGS_MAX: the caller is told IPC_ERROR_TOO_LARGE),
 * -ENOBUFS (the caller's queue is full), -ENOTCONN (the bus is gone), -ENOMEM (it stays unsettled).
 */
int ipc_invocation_resolve(ipc_invocation *invocation, json_t *result);

/**
 * ipc_invocation_resolve_text - answer with the JSON text of a result, which nobody parses on this side
 * @invocation: the invocation
 * @text: JSON; the caller is told IPC_ERROR_INVALID_ARGS if it is none
 * @length: of @text in bytes; a NUL follows them
 *
 * A text that its handler was given, and gives back, is not copied.
 *
 * Return: as ipc_invocation_resolve(); -EINVAL also where no NUL follows, or the bus does not take the text.
 */
int ipc_invocation_resolve_text(ipc_invocation *invocation, const char *text, size_t length);

/* The result made by json_pack() from one value's format, such as "{s:i}". A bad format, NaN, infinity: -EINVAL. */
int ipc_invocation_resolvef(ipc_invocation *invocation, const char *format, ...);

/**
 * ipc_invocation_reject - answer with an error
 * @invocation: the invocation
 * @name: a D-Bus error name, such as "com.example.Error.NoSuchNote"; NULL is IPC_ERROR_HANDLER_FAILED
 * @message: one line for a person
 * @detail: any JSON value, borrowed; NULL: none
 *
 * All three reach the caller.
 *
 * Return: as ipc_invocation_resolve(); -EINVAL also for a name that is no D-Bus error name or a message that is
 * not UTF-8.
 */
int ipc_invocation_reject(ipc_invocation *invocation, const char *name, const char *message, json_t *detail);

/* The detail made by json_pack() from one value's format. */
int ipc_invocation_rejectf(ipc_invocation *invocation, const char *name, const char *message, const char *format, ...);

/**
 * ipc_cancelled_t - what runs when nobody waits for an invocation any more
 */
typedef void (*ipc_cancelled_t)(ipc_invocation *invocation, void *userdata);

/**
 * ipc_invocation_on_cancelled - be told that the caller is gone or has cancelled, or that the app stops
 * @invocation: an invocation that has not settled
 * @callback: runs once; NULL: nothing any more
 * @userdata: for @callback
 *
 * Return: 0, or -EINVAL, -EALREADY (settled), -ECANCELED (it happened already).
 */
int ipc_invocation_on_cancelled(ipc_invocation *invocation, ipc_cancelled_t callback, void *userdata);

/* ---- web contents: main's view of one registered renderer ---- */

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

/* ---- modules ---- */

/**
 * ipc_module_init - the one symbol of a module that ipcbusd loads, defined by the module
 * @app: the app, not started yet
 *
 * Return: 0 or more; a negative errno ends ipcbusd with a message (-ECANCELED: with the one that the module itself
 * has written to standard error).
 */
int ipc_module_init(ipc_app *app);

static inline void ipc_app_unrefp(ipc_app **app)
{
    if (*app)
        ipc_app_unref(*app);
}

static inline void ipc_invocation_unrefp(ipc_invocation **invocation)
{
    if (*invocation)
        ipc_invocation_unref(*invocation);
}

static inline void ipc_web_contents_unrefp(ipc_web_contents **contents)
{
    if (*contents)
        ipc_web_contents_unref(*contents);
}

#ifdef __cplusplus
}
#endif

#endif
