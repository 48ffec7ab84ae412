/* SPDX-License-Identifier: MIT */
#pragma once

/* The app: the bus connection, its name, and everyone who talks to it. */

#include <errno.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "emitter.h"
#include "ipc-main.h"
#include "loop.h"
#include "main.h"
#include "peer.h"
#include "policy.h"
#include "quota.h"
#include "web-contents.h"
#include "webview-host.h"

struct ipc_app {
    unsigned n_ref;
    sd_bus *bus;
    char *name;
    uid_t uid; /* its own */
    Policy policy;
    bool is_started;
    bool is_processing;
    bool is_stop_wanted; /* from within a callback */
    bool is_stopping;    /* nothing new is dispatched */
    bool is_closed;
    uint64_t stop_timeout;
    Loop loop;
    sd_event *run_event; /* of ipc_app_run(), and of who asks before it runs */
    bool is_running;

    ipc_main main;
    Emitter observers; /* by the names below */

    PeerSet peers;
    UserSet users;
    PeerQueueSet queues;
    WindowSet windows;
    WebContentsSet web_contents;
    TokenSet tokens;

    sd_bus_slot *names_slot;
    sd_bus_slot *disconnected_slot;
    sd_bus_slot *builtin_slot;
    sd_bus_slot *objects_slots[4];
};

#define APP_WEB_CONTENTS_CREATED "web-contents-created"
#define APP_WEB_CONTENTS_DESTROYED "web-contents-destroyed"
#define APP_CLOSED "closed"
#define APP_WARNING "warning"

void app_warn(ipc_app *app, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Tells the observers of a name about a renderer. */
void app_tell(ipc_app *app, const char *observers, ipc_web_contents *contents);

/* -EINVAL, -ENOTCONN */
int app_check_open(const ipc_app *app);

/* Leaves in good order, within app->stop_timeout. */
int app_stop_now(ipc_app *app);

/* Leaves at once. Nothing of the app stays on the bus; what belongs to its user stays until it is freed. */
void app_close(ipc_app *app);

/* The connection may know of its end before the app does. */
static inline int app_errno(int r)
{
    return r == -ECONNRESET || r == -EPIPE ? -ENOTCONN : r;
}
