/* SPDX-License-Identifier: MIT */
#include "builtin.h"

#include <errno.h>
#include <string.h>

#include "app.h"
#include "ipc-names.h"
#include "macro.h"
#include "main-dbus.h"
#include "monitor-dbus.h"
#include "peer.h"

/* About how long the answers are: an estimate will do, because what counts is that no answer costs nothing. */
#define SIZE_SMALL 256u
#define SIZE_INTROSPECTION (6u * 1024)
#define SIZE_OBJECT 512u /* of a renderer, with all properties */

/* The one interface whose properties are long; whoever names none means it, too. */
static bool is_about_monitor(sd_bus_message *call)
{
    const char *interface = NULL;

    if (sd_bus_message_read_basic(call, 's', &interface) < 0)
        interface = NULL;
    (void)sd_bus_message_rewind(call, true);
    return interface && (!*interface || strcmp(interface, IPC_MONITOR_INTERFACE) == 0);
}

static size_t estimate(const ipc_app *app, sd_bus_message *call)
{
    const char *member = sd_bus_message_get_member(call);

    if ((strcmp(member, "GetAll") == 0 || strcmp(member, "Get") == 0) && is_about_monitor(call))
        return SIZE_SMALL + SIZE_OBJECT + monitor_dbus_estimate(app);
    if (strcmp(member, "GetManagedObjects") == 0)
        return SIZE_SMALL + SIZE_OBJECT * app->web_contents.n;
    if (strcmp(member, "Introspect") == 0)
        return SIZE_INTROSPECTION;
    return strcmp(member, "GetAll") == 0 ? SIZE_SMALL + SIZE_OBJECT : SIZE_SMALL;
}

/* Everyone may ask whether main is alive, as main asks everyone. */
static bool is_ping(sd_bus_message *call)
{
    const char *interface = sd_bus_message_get_interface(call);

    return interface && strcmp(interface, "org.freedesktop.DBus.Peer") == 0;
}

static int queue_error(int r, sd_bus_error *error)
{
    if (r == -ENOBUFS)
        sd_bus_error_setf(error, IPC_ERROR_QUEUE_FULL, "You do not read, and your queue is full");
    return r;
}

/* 0: sd-bus may answer it now. */
static int admit(Peer *peer, sd_bus_message *call, sd_bus_error *error)
{
    int r = is_ping(call) ? 0 : policy_check_look(peer, error);

    return r < 0 ? r : queue_error(peer_queue_admit(peer, call, estimate(peer->app, call)), error);
}

/* When it is known who calls, sd-bus is past the call: it has to read it again. */
static int run_late(Peer *peer, sd_bus_message *call, sd_bus_error *error)
{
    int r;

    peer->n_received--; /* it is no message for main */
    r = policy_check_look(peer, error);
    return r < 0 ? r : queue_error(peer_queue_defer(peer, call, estimate(peer->app, call)), error);
}

static void refuse(Peer *peer, sd_bus_message *call, int number, const sd_bus_error *error)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
    int r;

    if (sd_bus_error_is_set(error))
        r = sd_bus_message_new_method_error(call, &answer, error);
    else
        r = sd_bus_message_new_method_errno(call, &answer, number, NULL);
    /* The queue that has no room for the call may have some for this. */
    if (r >= 0)
        (void)peer_answer(peer, call, answer, 0);
}

static bool is_builtin(sd_bus_message *message)
{
    return sd_bus_message_is_method_call(message, NULL, NULL) > 0 && sd_bus_message_get_expect_reply(message) > 0 &&
           !main_dbus_has_method(message);
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *unused)
{
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    ipc_app *app = userdata;
    Peer *peer;
    int r;

    (void)unused;
    if (!is_builtin(message) || peer_queue_set_take_readmitted(&app->queues, message))
        return 0;
    if (peer_obtain(app, message, &peer) < 0)
        return 0;
    if (peer_queue_refuse(peer, message))
        return 1;
    if (!is_ping(message) && peer_is_waiting(peer))
        return peer_admit(app, message, run_late);
    r = admit(peer, message, &error);
    if (r >= 0)
        return r;
    refuse(peer, message, r, &error);
    return 1;
}

int builtin_add(ipc_app *app)
{
    return sd_bus_add_filter(app->bus, &app->builtin_slot, on_message, app);
}
