/* SPDX-License-Identifier: MIT */
#include "registration.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "file-kind.h"
#include "ipc-names.h"
#include "lane-client.h"
#include "macro.h"
#include "outbox.h"
#include "renderer.h"
#include "sending.h"

#define BUS_NAME "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"
#define ID_KIND "the id of a renderer"
#define LANE_KIND "a connected socket of packets"
#define LOOKS_MAX 3u /* for a main that is gone each time when it is found */

/*
 * Messages go to the unique name of a main process, never to its well-known name: so a call reaches the process that
 * the renderer registered with, or fails. What is sent while there is none waits in the outbox.
 *
 *   want main -> GetNameOwner --------------------> Register -> ready, or OpenLane -> ready
 *                     | no owner                       ^
 *                     +-> StartServiceByName -> GetNameOwner
 *
 * Each answer is believed only from the bus or from main itself, so nobody can pose as main. When the name is lost
 * the renderer is without main until the name has a new owner, or something is sent.
 */

static int ask_owner(ipc_renderer *renderer, CallDone done);

int registration_ask(ipc_renderer *renderer, sd_bus_message *message, const char *destination, CallDone done,
                     Call **ret_call)
{
    Call *call;
    int r;

    r = call_new(renderer, NULL, done, IPC_TIMEOUT_USEC, &call);
    if (r < 0)
        return r;
    call->is_immediate = true;
    r = outbox_send_now(renderer, message, destination, call);
    if (r < 0)
        call_discard(call);
    else if (ret_call)
        *ret_call = call;
    return r;
}

int registration_new_question(ipc_renderer *renderer, sd_bus_message **ret_message, const char *member)
{
    return sd_bus_message_new_method_call(renderer->bus, ret_message, NULL, BUS_PATH, BUS_NAME, member);
}

static int ask_bus(ipc_renderer *renderer, Call **ret_call, CallDone done, const char *member, const char *types, ...)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    va_list values;
    int r;

    r = registration_new_question(renderer, &message, member);
    if (r < 0)
        return r;
    va_start(values, types);
    r = sd_bus_message_appendv(message, types, values);
    va_end(values);
    return r < 0 ? r : registration_ask(renderer, message, BUS_NAME, done, ret_call);
}

/* There is no main. What waits for it fails; calls in flight are answered by it, or by the bus when it goes. */
static void main_gone(ipc_renderer *renderer, const ipc_error *error)
{
    renderer->id = 0;
    renderer_set_state(renderer, IPC_RENDERER_GONE, error);
    outbox_fail_held(renderer, error->name, error->message);
}

static int start_looking(ipc_renderer *renderer, bool may_start_service);
static int send_open_lane(ipc_renderer *renderer);

/*
 * The main that it talked to went, and another came meanwhile, or may be started: one that leaves because nobody needs
 * it may do so in the moment when the renderer finds it. One that dies of being found is not started for ever.
 */
static bool should_look_again(const ipc_renderer *renderer)
{
    if (renderer->has_new_owner)
        return true;
    return renderer->has_lost_owner && renderer->may_start_service && renderer->n_looks < LOOKS_MAX;
}

static void registration_failed(ipc_renderer *renderer, const ipc_error *error)
{
    if (renderer->state != IPC_RENDERER_CONNECTING)
        return;
    if (ipc_error_is(error, IPC_ERROR_MAIN_GONE) && should_look_again(renderer) &&
        start_looking(renderer, renderer->may_start_service) >= 0)
        return;
    main_gone(renderer, error);
}

static void registration_failed_errno(ipc_renderer *renderer, int number)
{
    ipc_error error = IPC_ERROR_INIT;

    if (error_setf(&error, IPC_ERROR_MAIN_GONE, "Could not register with '%s': %s", renderer->name,
                   strerror(-number)) >= 0)
        registration_failed(renderer, &error);
    ipc_error_clear(&error);
}

/* Something runs under the name, and is no main. */
static void registration_misanswered(ipc_renderer *renderer, const char *method, const char *with, const char *not_with)
{
    ipc_error error = IPC_ERROR_INIT;

    if (error_setf(&error, IPC_ERROR_MAIN_GONE, "'%s' answered %s with %s, not with %s", renderer->name, method, with,
                   not_with) >= 0)
        registration_failed(renderer, &error);
    ipc_error_clear(&error);
}

static void registration_misanswered_types(ipc_renderer *renderer, const char *method, sd_bus_message *reply,
                                           const char *not_with)
{
    const char *types = sd_bus_message_get_signature(reply, true);
    char with[sizeof("values of the types ''") + 255]; /* the longest signature */

    snprintf(with, sizeof(with), "values of the types '%s'", types ? types : "");
    registration_misanswered(renderer, method, types && *types ? with : "nothing", not_with);
}

static void no_service(ipc_renderer *renderer, const ipc_error *why)
{
    ipc_error error = IPC_ERROR_INIT;

    renderer->n_looks = LOOKS_MAX;
    if (error_setf(&error, IPC_ERROR_MAIN_GONE, "No service '%s' on this bus, and none could be started: %s",
                   renderer->name, why->message) >= 0)
        registration_failed(renderer, &error);
    ipc_error_clear(&error);
}

static void ready(ipc_renderer *renderer)
{
    renderer->id = renderer->registered_id;
    renderer_set_state(renderer, IPC_RENDERER_READY, NULL);
    outbox_flush(renderer);
}

/* What main has said by the bus before is in the inbox by now, and what it says from here on comes by the lane. */
static void on_lane_opened(Call *call)
{
    ipc_renderer *renderer = call->renderer;
    const ipc_error *error = send_get_error(call);
    int fd, r;

    if (renderer->state != IPC_RENDERER_CONNECTING)
        return;
    if (error) {
        registration_failed(renderer, error);
        return;
    }
    if (renderer->has_lost_owner) {
        registration_failed_errno(renderer, -EHOSTDOWN);
        return;
    }
    if (sd_bus_message_read_basic(call->reply, 'h', &fd) <= 0) {
        registration_misanswered_types(renderer, "OpenLane", call->reply, LANE_KIND);
        return;
    }
    r = lane_open(renderer, fd);
    if (r == -EBADMSG)
        registration_misanswered(renderer, "OpenLane", file_kind(fd), LANE_KIND);
    else if (r < 0)
        registration_failed_errno(renderer, r);
    else
        ready(renderer);
}

static int send_open_lane(ipc_renderer *renderer)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    int r;

    r = sd_bus_message_new_method_call(renderer->bus, &message, NULL, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "OpenLane");
    return r < 0 ? r : registration_ask(renderer, message, renderer->owner, on_lane_opened, NULL);
}

static void on_registered(Call *call)
{
    ipc_renderer *renderer = call->renderer;
    const ipc_error *error = send_get_error(call);
    uint32_t id;
    int r;

    if (renderer->state != IPC_RENDERER_CONNECTING)
        return;
    if (error) {
        registration_failed(renderer, error);
        return;
    }
    if (renderer->has_lost_owner) {
        registration_failed_errno(renderer, -EHOSTDOWN);
        return;
    }
    if (sd_bus_message_read_basic(call->reply, 'u', &id) <= 0) {
        registration_misanswered_types(renderer, "Register", call->reply, ID_KIND);
        return;
    }
    if (id == 0) {
        registration_misanswered(renderer, "Register", "0, which is the id of nobody", ID_KIND);
        return;
    }
    renderer->registered_id = id;
    renderer->n_looks = 0;
    /* A token is good once. */
    free(TAKE_PTR(renderer->guest_token));
    if (!(renderer->flags & IPC_RENDERER_LANE)) {
        ready(renderer);
        return;
    }
    r = send_open_lane(renderer);
    if (r < 0)
        registration_failed_errno(renderer, r);
}

static int append_option(sd_bus_message *message, const char *key, const char *value)
{
    return value ? sd_bus_message_append(message, "{sv}", key, "s", value) : 0;
}

static int send_register(ipc_renderer *renderer)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    int r;

    r = sd_bus_message_new_method_call(renderer->bus, &message, NULL, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "Register");
    if (r >= 0)
        r = sd_bus_message_open_container(message, 'a', "{sv}");
    if (r >= 0)
        r = append_option(message, "title", renderer->title);
    if (r >= 0)
        r = append_option(message, "guest-token", renderer->guest_token);
    if (r >= 0)
        r = sd_bus_message_close_container(message);
    return r < 0 ? r : registration_ask(renderer, message, renderer->owner, on_registered, NULL);
}

static void take_owner(Call *call)
{
    ipc_renderer *renderer = call->renderer;
    const char *owner;
    char *copy;
    int r;

    r = sd_bus_message_read(call->reply, "s", &owner);
    copy = r >= 0 ? strdup(owner) : NULL;
    if (r >= 0 && !copy)
        r = -ENOMEM;
    if (r >= 0) {
        free(renderer->owner);
        renderer->owner = copy;
        renderer->has_lost_owner = false;
        r = send_register(renderer);
    }
    if (r < 0)
        registration_failed_errno(renderer, r);
}

static void on_owner_after_start(Call *call)
{
    const ipc_error *error = send_get_error(call);

    ipc_renderer *renderer = call->renderer;

    if (renderer->state != IPC_RENDERER_CONNECTING)
        return;
    if (!error)
        take_owner(call);
    else if (!ipc_error_is(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER) || renderer->n_looks >= LOOKS_MAX ||
             start_looking(renderer, true) < 0)
        no_service(renderer, error);
}

void registration_start_failed(ipc_renderer *renderer, const ipc_error *error)
{
    /* What the bus still answers is about a start that nobody waits for any more. */
    if (renderer->start_call)
        renderer->start_call->done = NULL;
    renderer->start_call = NULL;
    starting_end(renderer);
    renderer->n_looks = LOOKS_MAX;
    if (ipc_error_is(error, IPC_ERROR_MAIN_GONE))
        registration_failed(renderer, error);
    else
        no_service(renderer, error);
}

static void on_service_started(Call *call)
{
    ipc_renderer *renderer = call->renderer;
    const ipc_error *error = send_get_error(call);
    int r;

    renderer->start_call = NULL;
    if (renderer->state != IPC_RENDERER_CONNECTING)
        return;
    if (error) {
        if (!starting_explain(renderer, error))
            registration_start_failed(renderer, error);
        return;
    }
    starting_end(renderer);
    r = ask_owner(renderer, on_owner_after_start);
    if (r < 0)
        registration_failed_errno(renderer, r);
}

static void on_owner(Call *call)
{
    ipc_renderer *renderer = call->renderer;
    const ipc_error *error = send_get_error(call);
    int r;

    if (renderer->state != IPC_RENDERER_CONNECTING)
        return;
    if (!error) {
        take_owner(call);
        return;
    }
    if (!renderer->may_start_service || !ipc_error_is(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER)) {
        no_service(renderer, error);
        return;
    }
    r = ask_bus(renderer, &renderer->start_call, on_service_started, "StartServiceByName", "su", renderer->name, 0);
    if (r < 0)
        registration_failed_errno(renderer, r);
    else
        starting_begin(renderer);
}

static int ask_owner(ipc_renderer *renderer, CallDone done)
{
    return ask_bus(renderer, NULL, done, "GetNameOwner", "s", renderer->name);
}

/* Tried again with the next look for main. */
static void on_watching(Call *call)
{
    if (send_get_error(call))
        call->renderer->is_watching = false;
}

static int watch_name(ipc_renderer *renderer)
{
    char rule[512];
    int r;

    if (renderer->is_watching)
        return 0;
    snprintf(rule, sizeof(rule),
             "type='signal',sender='%s',path='%s',interface='%s',member='NameOwnerChanged',arg0='%s'", BUS_NAME,
             BUS_PATH, BUS_NAME, renderer->name);
    r = ask_bus(renderer, NULL, on_watching, "AddMatch", "s", rule);
    renderer->is_watching = r >= 0;
    return r;
}

static int start_looking(ipc_renderer *renderer, bool may_start_service)
{
    int r;

    renderer->may_start_service = may_start_service;
    renderer->has_new_owner = false;
    renderer->n_looks++;
    r = watch_name(renderer);
    if (r >= 0)
        r = ask_owner(renderer, on_owner);
    return r;
}

static int look_for_main(ipc_renderer *renderer, bool may_start_service)
{
    bool was_started = renderer->is_started;
    int r;

    renderer->n_looks = 0;

    r = start_looking(renderer, may_start_service);
    if (r < 0)
        return r;
    renderer->is_started = true;
    if (was_started)
        renderer_set_state(renderer, IPC_RENDERER_CONNECTING, NULL);
    return 0;
}

int registration_want_main(ipc_renderer *renderer)
{
    if (renderer->is_started && renderer->state != IPC_RENDERER_GONE) {
        renderer->may_start_service = true;
        return 0;
    }
    return look_for_main(renderer, true);
}

static void lane_gone(ipc_renderer *renderer)
{
    ipc_error error = IPC_ERROR_INIT;

    if (error_setf(&error, IPC_ERROR_MAIN_GONE, "The lane to the main process of '%s' ended", renderer->name) >= 0)
        main_gone(renderer, &error);
    ipc_error_clear(&error);
}

static void on_pong(Call *call)
{
    ipc_renderer *renderer = call->renderer;
    bool is_alive = !send_get_error(call);

    if (renderer->state != IPC_RENDERER_READY || wire_is_open(&renderer->lane))
        return;
    lane_gone(renderer);
    if (is_alive)
        (void)look_for_main(renderer, false);
}

static int ping_owner(ipc_renderer *renderer)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    int r;

    r = sd_bus_message_new_method_call(renderer->bus, &message, NULL, "/", "org.freedesktop.DBus.Peer", "Ping");
    return r < 0 ? r : registration_ask(renderer, message, renderer->owner, on_pong, NULL);
}

/*
 * Mostly it is main that has gone, and the bus is about to say so, and to whom the name goes; asking for main before
 * that would find the one that went. Only if main answers was it the lane alone that broke.
 */
void registration_lane_lost(ipc_renderer *renderer)
{
    if (renderer->state == IPC_RENDERER_READY && ping_owner(renderer) < 0)
        lane_gone(renderer);
}

void registration_name_changed(ipc_renderer *renderer, sd_bus_message *message)
{
    const char *name, *old_owner, *new_owner;
    ipc_error error = IPC_ERROR_INIT;

    if (sd_bus_message_read(message, "sss", &name, &old_owner, &new_owner) < 0 ||
        strcmp(name, renderer->name) != 0)
        return;

    if (renderer->state == IPC_RENDERER_READY && renderer->owner && strcmp(old_owner, renderer->owner) == 0 &&
        error_setf(&error, IPC_ERROR_MAIN_GONE, "The main process of '%s' went away", renderer->name) >= 0)
        main_gone(renderer, &error);
    ipc_error_clear(&error);

    if (renderer->owner && strcmp(old_owner, renderer->owner) == 0)
        renderer->has_lost_owner = true;
    if (!*new_owner)
        return;
    renderer->has_new_owner = true;
    if (renderer->state == IPC_RENDERER_GONE)
        (void)look_for_main(renderer, false);
}
