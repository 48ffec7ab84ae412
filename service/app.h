/* SPDX-License-Identifier: MIT */
#pragma once

/* The app: the bus connection, its name, and everyone who talks to it. */

#include <errno.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "bus-poll.h"
#include "emitter.h"
#include "figures.h"
#include "idle.h"
#include "ipc-main.h"
#include "loop.h"
#include "main.h"
#include "monitor.h"
#include "notice.h"
#include "peer.h"
#include "policy.h"
#include "quota.h"
#include "stuck.h"
#include "watch.h"
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
    unsigned n_in_a_row; /* messages of the bus since lanes had a turn, by ipc_app_process() */
    bool is_stop_wanted; /* from within a callback */
    bool is_process_ending; /* with the app, so that the service manager is told */
    bool is_stopping;    /* nothing new is dispatched */
    bool is_closed;
    uint64_t stop_timeout;
    Loop loop;        /* of the bus */
    WatchSet watches; /* lanes, and ports */
    BusPoll poll;
    sd_event *run_event; /* of ipc_app_run(), and of who asks before it runs */
    bool is_running;

    ipc_main main;
    Emitter observers; /* by the names below */

    PeerSet peers;
    UserSet users;
    PeerQueueSet queues;
    StuckSet stuck;
    Denials denials;
    WindowSet windows;
    WebContentsSet web_contents;
    TokenSet tokens;
    unsigned n_pending; /* calls of all peers that have not settled */
    uint64_t last_serial; /* of all calls */
    FiguresSet figures;
    Monitor monitor;
    Idle idle;

    sd_bus_slot *names_slot;
    sd_bus_slot *disconnected_slot;
    sd_bus_slot *builtin_slot;
    sd_bus_slot *objects_slots[5];
};

#define APP_WEB_CONTENTS_CREATED "web-contents-created"
#define APP_WEB_CONTENTS_DESTROYED "web-contents-destroyed"
#define APP_CLOSED "closed"
#define APP_WARNING "warning"
#define APP_NOTICE "notice"

/* Tells the observers of a name about a renderer. */
void app_tell(ipc_app *app, const char *observers, ipc_web_contents *contents);

/* -EINVAL, -ENOTCONN */
int app_check_open(const ipc_app *app);

/* Runs what is ready, as ipc_app_process() does with the bus. */
void app_run_watch(ipc_app *app, Watch *watch, WatchRun run);

/* Once the callback that runs has returned, the app leaves in good order. 0 us: IPC_STOP_TIMEOUT_USEC. */
void app_want_stop(ipc_app *app, uint64_t timeout_usec);

/* Leaves in good order, within app->stop_timeout. */
int app_stop_now(ipc_app *app);

/* Leaves at once. Nothing of the app stays on the bus; what belongs to its user stays until it is freed. */
void app_close(ipc_app *app);

/* The connection may know of its end before the app does. */
static inline int app_errno(int r)
{
    return r == -ECONNRESET || r == -EPIPE ? -ENOTCONN : r;
}
