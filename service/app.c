/* SPDX-License-Identifier: MIT */
#include "app.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "builtin.h"
#include "clock.h"
#include "macro.h"
#include "main-dbus.h"
#include "peer-lane.h"
#include "port.h"

/* Serves all peers: who leaves the bus is told by the loss of its unique name. */
#define NAMES_LOST                                                                                  \
    "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"                     \
    "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''"
#define DISCONNECTED                                                                                \
    "type='signal',sender='org.freedesktop.DBus.Local',path='/org/freedesktop/DBus/Local',"         \
    "interface='org.freedesktop.DBus.Local',member='Disconnected'"

#define BUS_BATCH 8u /* messages in a row, before lanes have their turn */

static void app_call(EmitterFunction function, void *userdata, void *context)
{
    ((ipc_app_callback_t)function)(context, userdata);
}

void app_tell(ipc_app *app, const char *observers, ipc_web_contents *contents)
{
    emitter_emit(&app->observers, observers, web_contents_call, contents);
}

static void app_detach(ipc_app *app)
{
    loop_detach(&app->loop);
    watch_set_detach(&app->watches);
}

void app_close(ipc_app *app)
{
    Peer *peer;

    if (app->is_closed)
        return;
    app->is_closed = true;
    app_detach(app);
    while ((peer = TAILQ_FIRST(&app->peers.list)))
        peer_vanish(peer);
    peer_queue_set_clear(&app->queues);
    monitor_close(&app->monitor);
    main_dbus_remove(app);
    app->builtin_slot = sd_bus_slot_unref(app->builtin_slot);
    app->names_slot = sd_bus_slot_unref(app->names_slot);
    app->disconnected_slot = sd_bus_slot_unref(app->disconnected_slot);
    watch_set_clear(&app->watches);
    bus_poll_clear(&app->poll);
    sd_bus_close(app->bus);
    emitter_emit(&app->observers, APP_CLOSED, app_call, app);
}

static int on_name_lost(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    _cleanup_(ipc_app_unrefp) ipc_app *app = ipc_app_ref(userdata);
    const char *from = sd_bus_message_get_sender(message), *name, *new_owner;
    Peer *peer;
    int r;

    (void)error;
    /* The rule names the sender, but sd-bus lets any unique name pass for a well-known one. */
    if (from && strcmp(from, "org.freedesktop.DBus") != 0)
        return 0;
    r = sd_bus_message_read(message, "sss", &name, NULL, &new_owner);
    if (r < 0 || *new_owner)
        return 0;
    peer = peer_find(&app->peers, name);
    if (!peer)
        return 0;
    /* What it wrote to its lane before it went counts. */
    peer = peer_ref(peer);
    if (peer->lane)
        peer_lane_leave(peer);
    else
        peer_vanish(peer);
    peer_unref(peer);
    return 0;
}

static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    _cleanup_(ipc_app_unrefp) ipc_app *app = ipc_app_ref(userdata);

    (void)error;
    /* sd-bus tells of it in this name, which nobody on a bus can have; but it lets unique names pass for any. */
    if (sd_bus_message_get_sender(message) && *sd_bus_message_get_sender(message) == ':')
        return 0;
    app_close(app);
    return 0;
}

static int app_connect(ipc_app *app, sd_bus *bus)
{
    int r;

    if (bus)
        app->bus = sd_bus_ref(bus);
    else if ((r = sd_bus_open_user(&app->bus)) < 0)
        return r;

    backlog_keep_short(&app->queues.backlog, app->bus);
    r = main_dbus_add(app);
    if (r >= 0)
        r = builtin_add(app);
    if (r >= 0)
        r = sd_bus_add_match(app->bus, &app->disconnected_slot, DISCONNECTED, on_disconnected, app);
    if (r >= 0)
        r = sd_bus_add_match(app->bus, &app->names_slot, NAMES_LOST, on_name_lost, app);
    return r < 0 ? r : 0;
}

int ipc_app_new(ipc_app **ret_app, sd_bus *bus, const char *name)
{
    _cleanup_(ipc_app_unrefp) ipc_app *app = NULL;
    int r;

    if (bus && sd_bus_get_event(bus))
        return -EBUSY;
    if (!ret_app || !name || *name == ':' || sd_bus_service_name_is_valid(name) <= 0)
        return -EINVAL;
    app = calloc(1, sizeof(*app));
    if (!app)
        return -ENOMEM;

    app->n_ref = 1;
    app->uid = geteuid();
    policy_init(&app->policy);
    watch_set_init(&app->watches);
    app->poll = (BusPoll)BUS_POLL_INIT;
    peer_set_init(&app->peers);
    peer_queue_set_init(&app->queues);
    stuck_set_init(&app->stuck);
    window_set_init(&app->windows);
    web_contents_set_init(&app->web_contents);
    figures_set_init(&app->figures);
    main_init(&app->main, app, 0);
    app->name = strdup(name);
    if (!app->name)
        return -ENOMEM;
    r = app_connect(app, bus);
    if (r < 0)
        return r;
    *ret_app = TAKE_PTR(app);
    return 0;
}

ipc_app *ipc_app_ref(ipc_app *app)
{
    if (app)
        app->n_ref++;
    return app;
}

ipc_app *ipc_app_unref(ipc_app *app)
{
    if (!app || --app->n_ref > 0)
        return NULL;

    /* Callbacks may take and drop references to what is going. */
    app->n_ref = 1;
    app_close(app);
    main_clear(&app->main);
    emitter_clear(&app->observers);
    figures_set_clear(&app->figures);
    quota_clear(&app->users);
    policy_clear(&app->policy);
    sd_event_unref(app->run_event);
    sd_bus_unref(app->bus);
    free(app->name);
    free(app);
    return NULL;
}

int ipc_app_start(ipc_app *app)
{
    int r;

    if (!app)
        return -EINVAL;
    if (app->is_closed || app->idle.is_leaving)
        return -ENOTCONN;
    if (app->is_started)
        return 0;
    r = sd_bus_request_name(app->bus, app->name, 0);
    if (r < 0 && r != -EALREADY)
        return app_errno(r);
    app->is_started = true;
    idle_touch(app);
    return 0;
}

ipc_main *ipc_app_get_main(ipc_app *app)
{
    return app ? &app->main : NULL;
}

sd_bus *ipc_app_get_bus(ipc_app *app)
{
    return app ? app->bus : NULL;
}

const char *ipc_app_get_name(ipc_app *app)
{
    return app ? app->name : NULL;
}

sd_event *ipc_app_get_event(ipc_app *app)
{
    if (!app || app->is_closed)
        return NULL;
    if (loop_is_attached(&app->loop))
        return app->loop.event;
    if (!app->run_event && sd_event_new(&app->run_event) < 0)
        return NULL;
    return app->run_event;
}

int ipc_app_pending_count(const ipc_app *app)
{
    return app ? (int)app->n_pending : -EINVAL;
}

int app_check_open(const ipc_app *app)
{
    if (!app)
        return -EINVAL;
    return app->is_closed ? -ENOTCONN : 0;
}

int ipc_app_get_fd(ipc_app *app)
{
    int r = app_check_open(app);

    return r < 0 ? r : bus_poll_get_fd(&app->poll, app->bus, &app->watches);
}

int ipc_app_get_events(ipc_app *app)
{
    int r = app_check_open(app);

    return r < 0 ? r : bus_poll_update(&app->poll, app->bus, &app->watches);
}

/* When there is something to do that the bus does not know of. */
static uint64_t app_get_deadline(const ipc_app *app)
{
    uint64_t idle = idle_get_deadline(app), stuck = stuck_get_deadline(app);

    return stuck < idle ? stuck : idle;
}

int ipc_app_get_timeout(ipc_app *app, uint64_t *ret_usec)
{
    uint64_t until, deadline;
    int r = ret_usec ? app_check_open(app) : -EINVAL;

    if (r >= 0)
        r = sd_bus_get_timeout(app->bus, &until);
    if (r < 0)
        return r;
    deadline = app_get_deadline(app);
    *ret_usec = deadline < until ? deadline : until;
    return r;
}

void app_run_watch(ipc_app *app, Watch *watch, WatchRun run)
{
    _cleanup_(ipc_app_unrefp) ipc_app *held = ipc_app_ref(app);
    bool was_processing = held->is_processing;

    held->is_processing = true;
    run(watch);
    if (!held->is_closed)
        peer_queue_flush(held);
    held->is_processing = was_processing;
    if (held->is_stop_wanted && !was_processing)
        (void)app_stop_now(held);
}

static int process_bus(ipc_app *app)
{
    _cleanup_(ipc_app_unrefp) ipc_app *held = NULL;
    int r;

    r = app_check_open(app);
    if (r < 0)
        return r;
    if (app->is_processing)
        return -EBUSY;

    held = ipc_app_ref(app);
    held->is_processing = true;
    r = sd_bus_process(held->bus, NULL);
    /* Of the files that are under way, the kernel takes as many as it takes. What waits goes when some have arrived. */
    if (r == -ETOOMANYREFS)
        r = 0;
    if (r >= 0 && !held->is_closed)
        peer_queue_flush(held);
    if (r >= 0 && !held->is_closed)
        stuck_tell(held);
    if (r > 0)
        idle_touch(held);
    else if (r == 0 && !held->is_closed)
        r = idle_run(held);
    held->is_processing = false;
    if (held->is_stop_wanted)
        (void)app_stop_now(held);
    else if (r < 0)
        app_close(held);
    return held->is_closed ? -ENOTCONN : r;
}

int ipc_app_process(ipc_app *app)
{
    _cleanup_(ipc_app_unrefp) ipc_app *held = ipc_app_ref(app);
    int r, on_bus;

    on_bus = process_bus(app);
    /* A bus that has always something more must not keep the lanes from their turn. */
    if (on_bus < 0 || (on_bus > 0 && ++held->n_in_a_row < BUS_BATCH))
        return on_bus;
    held->n_in_a_row = 0;
    r = watch_set_dispatch(&held->watches);
    if (held->is_closed)
        return -ENOTCONN;
    return r == 0 ? on_bus : r;
}

int ipc_app_wait(ipc_app *app, uint64_t timeout_usec)
{
    uint64_t until, now, left;
    int r;

    r = ipc_app_get_timeout(app, &until);
    if (r < 0)
        return r;
    now = clock_now(CLOCK_MONOTONIC);
    left = until == UINT64_MAX ? UINT64_MAX : until > now ? until - now : 0;
    r = bus_poll_wait(app->bus, &app->watches, left < timeout_usec ? left : timeout_usec);
    /* What the bus has waited for is something to process, too. */
    return r == 0 && left < timeout_usec ? 1 : r;
}

int ipc_app_attach_port(ipc_app *app, ipc_port *port)
{
    int r = port ? app_check_open(app) : -EINVAL;

    return r < 0 ? r : port_attach(port, &app->watches);
}

static int loop_get_fd(void *object)
{
    return sd_bus_get_fd(((ipc_app *)object)->bus);
}

static int loop_get_events(void *object)
{
    return sd_bus_get_events(((ipc_app *)object)->bus);
}

static int loop_get_timeout(void *object, uint64_t *ret_usec)
{
    return ipc_app_get_timeout(object, ret_usec);
}

static int loop_process(void *object)
{
    return process_bus(object);
}

static const LoopOps app_loop_ops = {
    .get_fd = loop_get_fd,
    .get_events = loop_get_events,
    .get_timeout = loop_get_timeout,
    .process = loop_process,
};

int ipc_app_attach_event(ipc_app *app, sd_event *event, int64_t priority)
{
    int r = app_check_open(app);

    if (r >= 0)
        r = loop_attach(&app->loop, event, priority, &app_loop_ops, app);
    if (r < 0)
        return r;
    r = watch_set_attach(&app->watches, app->loop.event, priority);
    if (r < 0)
        app_detach(app);
    return r;
}

int ipc_app_detach_event(ipc_app *app)
{
    if (!app)
        return -EINVAL;
    app_detach(app);
    return 0;
}

int ipc_app_attach_loop(ipc_app *app, void (*on_detached)(void *userdata), void *userdata)
{
    int r = on_detached ? app_check_open(app) : -EINVAL;

    return r < 0 ? r : loop_attach_foreign(&app->loop, on_detached, userdata);
}

int ipc_app_detach_loop(ipc_app *app)
{
    return ipc_app_detach_event(app);
}

static int app_observe(ipc_app *app, ipc_slot **ret_slot, const char *name, EmitterFunction callback, void *userdata)
{
    if (!app || !callback)
        return -EINVAL;
    return emitter_add(&app->observers, ret_slot, name, 0, callback, userdata);
}

int ipc_app_on_web_contents_created(ipc_app *app, ipc_slot **ret_slot, ipc_web_contents_callback_t callback,
                                    void *userdata)
{
    return app_observe(app, ret_slot, APP_WEB_CONTENTS_CREATED, (EmitterFunction)callback, userdata);
}

int ipc_app_on_web_contents_destroyed(ipc_app *app, ipc_slot **ret_slot, ipc_web_contents_callback_t callback,
                                      void *userdata)
{
    return app_observe(app, ret_slot, APP_WEB_CONTENTS_DESTROYED, (EmitterFunction)callback, userdata);
}

int ipc_app_on_closed(ipc_app *app, ipc_slot **ret_slot, ipc_app_callback_t callback, void *userdata)
{
    return app_observe(app, ret_slot, APP_CLOSED, (EmitterFunction)callback, userdata);
}

int ipc_app_on_warning(ipc_app *app, ipc_slot **ret_slot, ipc_warning_t callback, void *userdata)
{
    return app_observe(app, ret_slot, APP_WARNING, (EmitterFunction)callback, userdata);
}

int ipc_app_on_notice(ipc_app *app, ipc_slot **ret_slot, ipc_notice_t callback, void *userdata)
{
    return app_observe(app, ret_slot, APP_NOTICE, (EmitterFunction)callback, userdata);
}
