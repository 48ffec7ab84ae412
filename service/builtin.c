/* SPDX-License-Identifier: MIT */
#include "builtin.h"

#include <errno.h>
#include <string.h>

#include "app.h"
#include "ipc-names.h"
#include "macro.h"
#include "main-dbus.h"
#include "peer.h"

/* About how long the answers are: an estimate will do, because what counts is that no answer costs nothing. */
#define SIZE_SMALL 256u
#define SIZE_INTROSPECTION (6u * 1024)
#define SIZE_OBJECT 512u /* of a renderer, with all properties */

static size_t estimate(const ipc_app *app, sd_bus_message *call)
{
    const char *member = sd_bus_message_get_member(call);

    if (strcmp(member, "GetManagedObjects") == 0)
        return SIZE_SMALL + SIZE_OBJECT * app->web_contents.n;
    if (strcmp(member, "Introspect") == 0)
        return SIZE_INTROSPECTION;
    return strcmp(member, "GetAll") == 0 ? SIZE_SMALL + SIZE_OBJECT : SIZE_SMALL;
}

static void refuse(Peer *peer, sd_bus_message *call)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;

    /* The queue that has no room for the call may have some for this. */
    if (sd_bus_message_new_method_errorf(call, &answer, IPC_ERROR_QUEUE_FULL,
                                         "You do not read, and your queue is full") >= 0)
        (void)peer_answer(peer, call, answer, 0);
}

static bool is_builtin(sd_bus_message *message)
{
    return sd_bus_message_is_method_call(message, NULL, NULL) > 0 && sd_bus_message_get_expect_reply(message) > 0 &&
           !main_dbus_has_method(message);
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    ipc_app *app = userdata;
    Peer *peer;
    int r;

    (void)error;
    if (!is_builtin(message) || peer_queue_set_take_readmitted(&app->queues, message))
        return 0;
    if (peer_obtain(app, message, &peer) < 0)
        return 0;
    r = peer_queue_admit(peer, message, estimate(app, message));
    if (r >= 0)
        return r;
    refuse(peer, message);
    return 1;
}

int builtin_add(ipc_app *app)
{
    return sd_bus_add_filter(app->bus, &app->builtin_slot, on_message, app);
}
