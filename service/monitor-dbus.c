/* SPDX-License-Identifier: MIT */
#include "monitor-dbus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "macro.h"
#include "monitor.h"
#include "peer.h"

#define SIZE_OF_CHANNEL (IPC_CHANNEL_MAX + 88u) /* in Channels, and of a renderer in Renderers */
#define SIZE_OF_RENDERER 32u

/* ---- methods ---- */

static int answer_with_fd(Peer *peer, sd_bus_message *call, int fd)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
    int r;

    r = sd_bus_message_new_method_return(call, &answer);
    if (r >= 0)
        r = sd_bus_message_append_basic(answer, 'h', &fd);
    return r < 0 ? r : peer_answer(peer, call, answer, 0);
}

static int read_channel(sd_bus_message *call, char **ret_channel)
{
    const char *channel;
    int r;

    r = sd_bus_message_read_basic(call, 's', &channel);
    if (r <= 0)
        return r;
    *ret_channel = strdup(channel);
    return *ret_channel ? 1 : -ENOMEM;
}

/* No more than are allowed, and one. */
static int read_channels(sd_bus_message *call, char **channels)
{
    size_t n;
    int r;

    r = sd_bus_message_enter_container(call, 'a', "s");
    for (n = 0; r > 0 && n <= IPC_WATCHER_CHANNELS_MAX; n++)
        r = read_channel(call, &channels[n]);
    return r;
}

/* Who may not watch makes main read nothing. */
static int run_watch(Peer *peer, sd_bus_message *call, sd_bus_error *error)
{
    char **channels;
    int fd, r;

    r = monitor_check(peer, error);
    if (r < 0)
        return r;
    channels = calloc(IPC_WATCHER_CHANNELS_MAX + 2, sizeof(*channels));
    if (!channels)
        return -ENOMEM;
    r = read_channels(call, channels);
    if (r < 0) {
        watcher_channels_free(channels);
        return r;
    }
    r = monitor_open(peer, channels, &fd, error);
    if (r < 0)
        return r;
    r = answer_with_fd(peer, call, fd);
    close(fd);
    return r;
}

static int method_watch(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    _cleanup_(ipc_app_unrefp) ipc_app *app = ipc_app_ref(userdata);

    (void)error;
    return peer_admit(app, call, run_watch);
}

/* ---- properties ---- */

static int append_channel(sd_bus_message *message, const Figures *figures)
{
    const Histogram *times = &figures->times;

    return sd_bus_message_append(message, "(stttttuttt)", figures->channel, figures->calls, figures->messages,
                                 figures->sent, figures->errors, figures->bytes, figures->pending,
                                 histogram_get_percentile(times, 50), histogram_get_percentile(times, 99), times->max);
}

static int get_channels(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const FiguresSet *set = &((const ipc_app *)userdata)->figures;
    const Figures *figures;
    int r;

    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    r = sd_bus_message_open_container(message, 'a', "(stttttuttt)");
    TAILQ_FOREACH(figures, &set->list, link)
        if (r >= 0)
            r = append_channel(message, figures);
    if (r >= 0)
        r = append_channel(message, &set->others);
    return r < 0 ? r : sd_bus_message_close_container(message);
}

static int get_renderers(sd_bus *bus, const char *path, const char *interface, const char *property,
                         sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const ipc_app *app = userdata;
    const ipc_web_contents *contents;
    int r;

    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    r = sd_bus_message_open_container(message, 'a', "(uttt)");
    TAILQ_FOREACH(contents, &app->web_contents.list, link)
        if (r >= 0)
            r = sd_bus_message_append(message, "(uttt)", contents->id, contents->peer->n_calls,
                                      contents->peer->n_errors, contents->peer->n_bytes);
    return r < 0 ? r : sd_bus_message_close_container(message);
}

static int get_watchers(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    return sd_bus_message_append(message, "u", ((const ipc_app *)userdata)->monitor.watchers.n);
}

/* ---- vtable ---- */

const sd_bus_vtable monitor_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Watch", SD_BUS_ARGS("as", channels), SD_BUS_RESULT("h", lines), method_watch,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("Channels", "a(stttttuttt)", get_channels, 0, 0),
    SD_BUS_PROPERTY("Renderers", "a(uttt)", get_renderers, 0, 0),
    SD_BUS_PROPERTY("Watchers", "u", get_watchers, 0, 0),
    SD_BUS_VTABLE_END,
};

int monitor_dbus_add(ipc_app *app, sd_bus_slot **ret_slot)
{
    return sd_bus_add_object_vtable(app->bus, ret_slot, IPC_MAIN_PATH, IPC_MONITOR_INTERFACE, monitor_vtable, app);
}

size_t monitor_dbus_estimate(const ipc_app *app)
{
    return (app->figures.n + 1) * SIZE_OF_CHANNEL + app->web_contents.n * SIZE_OF_RENDERER;
}
