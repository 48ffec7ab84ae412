/* SPDX-License-Identifier: MIT */
#ifndef IPCBUS_IPC_APP_H
#define IPCBUS_IPC_APP_H

/*
 * The app: the service object of the main process, its place on the bus and in a loop. ipc-main.h has the rest.
 *
 * An app and all that belongs to it are used from one thread. Callbacks run from ipc_app_process() or the attached
 * loop only. JSON inputs are borrowed; outputs are owned by the caller and untouched on failure.
 */

#include <jansson.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "ipc-error.h"
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
 * Electron: app.
 *
 * Return: 0, or -EINVAL (no bus name), -EBUSY (@bus is in a loop), -ENOTCONN (@bus is not started, or closed), -ENOMEM,
 * or what opening the bus and asking for its signals answers, such as -ENOMEDIUM (the environment names no bus),
 * -ENOENT or -ECONNREFUSED (no bus there) and -ETIMEDOUT.
 */
int ipc_app_new(ipc_app **ret_app, sd_bus *bus, const char *name);

/** ipc_app_ref - take another reference; Return: @app, which may be NULL */
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
 * owns the name), -EACCES (the bus forbids the name), -ENOTCONN (the bus is gone, or the app was stopped or leaves),
 * -ETIMEDOUT, -ENOMEM.
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
 * A renderer that does not read its lane for so long loses what was sent to it; the app's warnings tell which.
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
 * The app leaves when no renderer is registered, no port is attached to it, no call is pending and nothing waits to be
 * written. It tells the service manager STOPPING=1, if there is one, because its program is expected to end with it;
 * gives up the name; serves what had arrived by then, for IPC_TIMEOUT_USEC at most; and closes. Then ipc_app_run()
 * returns 0, and who has another loop hears of it from ipc_app_on_closed(). No call is lost: one that the app does not
 * serve starts the service again.
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
 * Electron: app, from its start to its quit.
 *
 * Return: 0, or -EINVAL, -EBUSY (it runs already, or is attached to a loop), -ENOTCONN (the bus went away, or the app
 * was stopped before), -EMFILE, -ENOMEM, or as ipc_app_start() and ipc_app_stop().
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

/**
 * ipc_app_get_main - the app's registry of listeners and handlers
 * @app: the app
 *
 * Electron: ipcMain.
 *
 * Return: the registry, owned by @app; NULL if @app is NULL.
 */
ipc_main *ipc_app_get_main(ipc_app *app);

/** ipc_app_get_bus - the connection of an app; Return: the bus, owned by @app; NULL if @app is NULL */
sd_bus *ipc_app_get_bus(ipc_app *app);

/** ipc_app_get_name - the well-known name of an app; Return: the name, owned by @app; NULL if @app is NULL */
const char *ipc_app_get_name(ipc_app *app);

/**
 * ipc_app_web_contents_count - how many renderers are registered
 * @app: the app
 *
 * Electron: webContents.getAllWebContents().length.
 *
 * Return: the number, or -EINVAL.
 */
int ipc_app_web_contents_count(const ipc_app *app);

/**
 * ipc_app_pending_count - how many invokes and sync messages have not been answered yet
 * @app: the app
 *
 * Return: the number, or -EINVAL.
 */
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
 * Return: 0, or -EINVAL, -EBUSY (attached already), -ENOTCONN (stopped), -EMFILE, -ENOMEM.
 */
int ipc_app_attach_event(ipc_app *app, sd_event *event, int64_t priority);

/**
 * ipc_app_detach_event - leave the loop, of whichever kind
 * @app: the app
 *
 * Return: 0 (also when it is in none), or -EINVAL.
 */
int ipc_app_detach_event(ipc_app *app);

/**
 * ipc_app_attach_loop - live in a loop that this library does not know
 * @app: the app
 * @on_detached: runs once, when the app leaves the loop: it is detached, leaves the bus, or goes
 * @userdata: for @on_detached
 *
 * For who writes the glue of a loop, which from here on does what the paragraph above ipc_app_get_fd() says; it need
 * not hold a reference. GLib has its glue: see ipc_app_attach_glib().
 *
 * Return: 0, or -EINVAL, -EBUSY (attached already), -ENOTCONN (stopped).
 */
int ipc_app_attach_loop(ipc_app *app, void (*on_detached)(void *userdata), void *userdata);

/** ipc_app_detach_loop - leave the loop, of whichever kind, as by ipc_app_detach_event(); Return: 0, or -EINVAL */
int ipc_app_detach_loop(ipc_app *app);

/*
 * For any other loop: poll get_fd() for get_events() until get_timeout(), then call process() until it returns 0; and
 * ask all three anew before each poll.
 */

/**
 * ipc_app_get_fd - what to poll
 * @app: the app
 *
 * Return: the fd, owned by the app, or -EINVAL, -ENOTCONN (the app has left the bus), -EMFILE, -ENFILE, -ENOMEM.
 */
int ipc_app_get_fd(ipc_app *app);

/** ipc_app_get_events - what to poll for; Return: a set of POLLIN and POLLOUT, or a failure of ipc_app_get_fd() */
int ipc_app_get_events(ipc_app *app);

/**
 * ipc_app_get_timeout - until when to poll
 * @app: the app
 * @ret_usec: an absolute time of CLOCK_MONOTONIC in us; UINT64_MAX: none; 0: now
 *
 * Return: 0, or -EINVAL, -ENOTCONN (the app has left the bus).
 */
int ipc_app_get_timeout(ipc_app *app, uint64_t *ret_usec);

/**
 * ipc_app_process - do one piece of work
 * @app: the app
 *
 * Return: 1 if something was done, 0 if there is nothing to do, or -EINVAL, -EBUSY (called from a callback),
 * -ENOTCONN (the app has left the bus), -EMFILE, -ENFILE, -ENOMEM.
 */
int ipc_app_process(ipc_app *app);

/**
 * ipc_app_wait - sleep until there is something to process
 * @app: the app
 * @timeout_usec: us at most, UINT64_MAX for ever
 *
 * Return: positive if there is, 0 if the time is over, or -EINVAL, -ENOTCONN (the app has left the bus), -EINTR (a
 * signal came), -EMFILE, -ENFILE, -ENOMEM.
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
 * Return: the number of renderers it went to, or -EINVAL (bad channel, @args no array, too deep), -EMSGSIZE (over
 * IPC_ARGS_MAX), -ENOBUFS (it was left out somewhere), -ENOTCONN (the app has left the bus), -ENOMEM.
 */
int ipc_app_broadcast(ipc_app *app, const char *channel, json_t *args);

/**
 * ipc_app_broadcastf - ipc_app_broadcast() with arguments made by json_pack()
 * @app: the app
 * @channel: the channel
 * @format: the elements of the array in json_pack()'s format, such as "s, {s:i}"; NULL is none
 *
 * Electron: a loop over webContents.getAllWebContents().
 *
 * Return: as ipc_app_broadcast(); -EINVAL also for a bad format, NaN and infinity.
 */
int ipc_app_broadcastf(ipc_app *app, const char *channel, const char *format, ...);

/**
 * ipc_app_broadcast_text - ipc_app_broadcast() with the JSON text of the array, which nobody parses on this side
 * @app: the app
 * @channel: the channel
 * @text: JSON; what is no array is dropped where a listener wants JSON
 * @length: of @text in bytes; a NUL follows them
 *
 * Electron: a loop over webContents.getAllWebContents().
 *
 * Return: as ipc_app_broadcast(); -EINVAL also where no NUL follows, or the bus does not take the text; -EMSGSIZE also
 * where it is too long for some only, those without a lane.
 */
int ipc_app_broadcast_text(ipc_app *app, const char *channel, const char *text, size_t length);

/**
 * ipc_app_callback_t - what runs when something befalls the app
 * @app: the app
 * @userdata: as it was registered
 */
typedef void (*ipc_app_callback_t)(ipc_app *app, void *userdata);

/**
 * ipc_web_contents_callback_t - what runs when a renderer comes or goes
 * @contents: the renderer; take a reference to use it after the callback returned
 * @userdata: as it was registered
 */
typedef void (*ipc_web_contents_callback_t)(ipc_web_contents *contents, void *userdata);

/**
 * ipc_warning_t - what runs when a program should be told something that is no error
 * @message: one line for the log, such as that a channel seems to leak listeners; good until the callback returns
 * @userdata: as it was registered
 */
typedef void (*ipc_warning_t)(const char *message, void *userdata);

/**
 * ipc_notice_t - what runs when there is something for the log
 * @priority: as of syslog(3), such as LOG_WARNING
 * @message: one line; it and @channel are good until the callback returns
 * @channel: the channel that it is about; NULL: none
 * @renderer_id: the renderer that it is about; 0: none
 * @userdata: as it was registered
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
 * Return: 0, or -EINVAL, -ENOMEM.
 */
int ipc_app_on_web_contents_created(ipc_app *app, ipc_slot **ret_slot, ipc_web_contents_callback_t callback,
                                    void *userdata);

/**
 * ipc_app_on_web_contents_destroyed - be told of each renderer that goes
 * @app: the app
 * @ret_slot: the registration, or NULL: as long as the app
 * @callback: runs when it is found by its id no more; its id, title and sender can still be asked
 * @userdata: for @callback
 *
 * Electron: webContents.on('destroyed').
 *
 * Return: 0, or -EINVAL, -ENOMEM.
 */
int ipc_app_on_web_contents_destroyed(ipc_app *app, ipc_slot **ret_slot, ipc_web_contents_callback_t callback,
                                      void *userdata);

/**
 * ipc_app_on_closed - be told that the app has left the bus
 * @app: the app
 * @ret_slot: the registration, or NULL: as long as the app
 * @callback: runs once: the app was stopped, its last reference went, or the bus went away
 * @userdata: for @callback; what a module keeps for the app is freed here
 *
 * Return: 0, or -EINVAL, -ENOMEM.
 */
int ipc_app_on_closed(ipc_app *app, ipc_slot **ret_slot, ipc_app_callback_t callback, void *userdata);

/**
 * ipc_app_on_warning - be told what is no error, and should be known
 * @app: the app
 * @ret_slot: the registration, or NULL: as long as the app
 * @callback: runs from the call that causes the warning
 * @userdata: for @callback
 *
 * Node: process.on('warning').
 *
 * Return: 0, or -EINVAL, -ENOMEM.
 */
int ipc_app_on_warning(ipc_app *app, ipc_slot **ret_slot, ipc_warning_t callback, void *userdata);

/**
 * ipc_app_on_notice - be told what belongs into a structured log
 * @app: the app
 * @ret_slot: the registration, or NULL: as long as the app
 * @callback: runs for all that ipc_app_on_warning() tells, and for the first call of each peer that was denied
 * @userdata: for @callback
 *
 * Return: 0, or -EINVAL, -ENOMEM.
 */
int ipc_app_on_notice(ipc_app *app, ipc_slot **ret_slot, ipc_notice_t callback, void *userdata);

/* ---- modules ---- */

/**
 * ipc_module_init - the one symbol of a module that ipcbusd loads, defined by the module
 * @app: the app, not started yet
 *
 * Electron: main.js.
 *
 * Return: 0 or more; a negative errno ends ipcbusd with a message (-ECANCELED: with the one that the module itself
 * has written to standard error).
 */
int ipc_module_init(ipc_app *app);

/* For __attribute__((cleanup)). */
static inline void ipc_app_unrefp(ipc_app **app)
{
    if (*app)
        ipc_app_unref(*app);
}

#ifdef __cplusplus
}
#endif

#endif
