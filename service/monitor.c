/* SPDX-License-Identifier: MIT */
#include "monitor.h"

#include <errno.h>
#include <string.h>

#include "app.h"
#include "clock.h"
#include "macro.h"
#include "policy.h"

#define LIST_OF_WATCHERS(app) (&(app)->monitor.watchers.list)

/* ---- watchers ---- */

static unsigned count_of_user(const Monitor *monitor, uid_t uid)
{
    const Watcher *watcher;
    unsigned n = 0;

    LIST_FOREACH(watcher, &monitor->watchers.list, link)
        n += watcher->peer->uid == uid;
    return n;
}

static int check_globs(char **channels, sd_bus_error *error)
{
    size_t n;

    for (n = 0; channels[n]; n++) {
        if (!rule_glob_is_valid(channels[n]))
            return sd_bus_error_setf(error, IPC_ERROR_INVALID_ARGS, "'%.*s' is no glob: " RULE_NO_GLOB,
                                     (int)IPC_CHANNEL_MAX, channels[n]);
        if (strlen(channels[n]) > IPC_CHANNEL_MAX)
            return sd_bus_error_setf(error, IPC_ERROR_INVALID_ARGS,
                                     "A glob of channels has %zu bytes, at most %u are allowed", strlen(channels[n]),
                                     IPC_CHANNEL_MAX);
    }
    if (n > IPC_WATCHER_CHANNELS_MAX)
        return sd_bus_error_setf(error, IPC_ERROR_INVALID_ARGS,
                                 "There are more globs of channels than the %u that are allowed",
                                 IPC_WATCHER_CHANNELS_MAX);
    return 0;
}

static int check_number(const Peer *peer, sd_bus_error *error)
{
    const Monitor *monitor = &peer->app->monitor;

    if (monitor->watchers.n >= IPC_WATCHERS_MAX)
        return sd_bus_error_setf(error, IPC_ERROR_LIMITS_EXCEEDED, "%u watch this service: no more are let in",
                                 monitor->watchers.n);
    if (count_of_user(monitor, peer->uid) >= IPC_WATCHERS_PER_UID_MAX)
        return sd_bus_error_setf(error, IPC_ERROR_LIMITS_EXCEEDED,
                                 "%u of user %u watch this service: no more of them are let in",
                                 IPC_WATCHERS_PER_UID_MAX, peer->uid);
    return 0;
}

int monitor_check(Peer *peer, sd_bus_error *error)
{
    int r;

    r = policy_check(peer, VERB_MONITOR, NULL, error);
    return r < 0 ? r : check_number(peer, error);
}

int monitor_open(Peer *peer, char **channels, int *ret_fd, sd_bus_error *error)
{
    int r;

    r = check_globs(channels, error);
    if (r < 0) {
        watcher_channels_free(channels);
        return r;
    }
    r = watcher_new(peer, channels, &peer->app->monitor.watchers, ret_fd);
    if (r == -EMFILE || r == -ENFILE)
        return sd_bus_error_setf(error, IPC_ERROR_LIMITS_EXCEEDED,
                                 "Too many files are open here for one more who watches");
    return r;
}

void monitor_close(Monitor *monitor)
{
    Watcher *watcher;

    while ((watcher = LIST_FIRST(&monitor->watchers.list)))
        watcher_free(watcher);
}

/* Of who has left the bus, nobody can say any more who he is. */
void monitor_judge(ipc_app *app)
{
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    Watcher *watcher, *next;

    LIST_FOREACH_SAFE(watcher, LIST_OF_WATCHERS(app), link, next) {
        if (!watcher->peer->app || policy_check(watcher->peer, VERB_MONITOR, NULL, &error) < 0)
            watcher_free(watcher);
        sd_bus_error_free(&error);
    }
}

/* ---- lines ---- */

/* Whether there is anybody to write the line for; who is behind misses it. */
static bool is_wanted(ipc_app *app, const Line *line)
{
    bool is_wanted_by_any = false;
    Watcher *watcher;

    LIST_FOREACH(watcher, LIST_OF_WATCHERS(app), link) {
        if (!watcher_wants(watcher, line->channel))
            continue;
        if (watcher_is_behind(watcher))
            watcher_drop(watcher);
        else
            is_wanted_by_any = true;
    }
    return is_wanted_by_any;
}

static void write_to_all(ipc_app *app, const Line *line, const Text *text)
{
    Watcher *watcher, *next;

    LIST_FOREACH_SAFE(watcher, LIST_OF_WATCHERS(app), link, next) {
        if (watcher_is_behind(watcher) || !watcher_wants(watcher, line->channel))
            continue;
        if (text)
            watcher_write(watcher, text->data, text->length);
        else
            watcher_drop(watcher); /* for want of memory */
    }
}

static void tell(ipc_app *app, const Line *line)
{
    Text text;
    int r;

    if (!is_wanted(app, line))
        return;
    r = line_write(app, line, &text);
    write_to_all(app, line, r < 0 ? NULL : &text);
    text_clear(&text);
}

static void tell_held(ipc_app *app)
{
    Line *held = TAKE_PTR(app->monitor.held);

    if (!held)
        return;
    held->is_pending = held->serial > 0;
    tell(app, held);
}

static void set_time(Line *line)
{
    if (line->time == 0)
        line->time = clock_now(CLOCK_REALTIME);
}

void monitor_tell(ipc_app *app, Line *line)
{
    tell_held(app);
    set_time(line);
    tell(app, line);
}

void monitor_hold(ipc_app *app, Line *line)
{
    tell_held(app);
    set_time(line);
    app->monitor.held = line;
}

void monitor_release(ipc_app *app, Line *line)
{
    if (app->monitor.held == line)
        tell_held(app);
}

void monitor_forget(ipc_app *app)
{
    app->monitor.held = NULL;
}

void monitor_tell_end(ipc_app *app, Line *line)
{
    const Line *held = app->monitor.held;

    if (held && held->serial == line->serial) {
        line->time = held->time;
        line->args = held->args;
        monitor_forget(app);
    }
    monitor_tell(app, line);
}
