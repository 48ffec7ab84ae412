/* SPDX-License-Identifier: MIT */

/* The library, used as its documentation says, by its own process() and wait() or in an sd-event loop. */

#include "bench-ipcbus.h"

#include <errno.h>
#include <string.h>

#include "bench-bus.h"
#include "macro.h"

#define COUNT_CHANNEL "sent" /* as long as CHANNEL */

/* ---- service ---- */

static int handle_echo(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)userdata;
    return ipc_invocation_resolve(invocation, args);
}

static void on_echo(ipc_event *event, json_t *args, void *userdata)
{
    (void)userdata;
    (void)ipc_event_return(event, args);
}

int ipcbus_echo(ipc_main *main, const char *channel)
{
    int r = ipc_main_handle(main, NULL, channel, handle_echo, NULL);

    return r < 0 ? r : ipc_main_on(main, NULL, channel, on_echo, NULL);
}

static void on_sent(ipc_event *event, json_t *args, void *userdata)
{
    (void)event, (void)args;
    tally_count(userdata);
}

int ipcbus_new_service(const Scene *scene, ipc_app **ret_app)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    ipc_main *main;
    int r;

    r = bus_open(scene->address, &bus);
    if (r >= 0)
        r = ipc_app_new(ret_app, bus, scene->bus_name);
    if (r < 0)
        return r;
    main = ipc_app_get_main(*ret_app);
    r = ipcbus_echo(main, CHANNEL);
    return r < 0 ? r : ipc_main_on(main, NULL, COUNT_CHANNEL, on_sent, scene->tally);
}

static int open_service(const Scene *scene, ipc_app **ret_app)
{
    int r;

    r = ipcbus_new_service(scene, ret_app);
    if (r >= 0)
        r = ipc_app_start(*ret_app);
    return r < 0 ? r : scene_ready(scene);
}

static int serve(const Scene *scene)
{
    ipc_app *app;
    int r;

    r = open_service(scene, &app);
    while (r >= 0) {
        r = ipc_app_process(app);
        if (r == 0)
            r = ipc_app_wait(app, UINT64_MAX);
    }
    return r;
}

int ipcbus_serve_by_event(const Scene *scene)
{
    ipc_app *app;
    int r;

    r = open_service(scene, &app);
    return r < 0 ? r : ipc_app_run(app);
}

/* ---- client ---- */

static int check_result(const IpcbusClient *client, json_t *result)
{
    const char *text = json_string_value(json_array_get(result, 0));

    return text && strcmp(text, client->payload) == 0 ? 0 : -EBADMSG;
}

int ipcbus_call(void *userdata, unsigned n)
{
    IpcbusClient *client = userdata;
    int r = 0;

    for (; n > 0 && r >= 0; n--) {
        json_auto_t *result = NULL;
        uint64_t start = now_nsec();

        r = ipc_renderer_send_sync(client->renderer, CHANNEL, client->args, &result, NULL);
        if (r >= 0)
            r = check_result(client, result);
        tally_sample(client->tally, start);
    }
    return r;
}

static int step(IpcbusClient *client)
{
    int r;

    if (client->event)
        return sd_event_run(client->event, UINT64_MAX);
    r = ipc_renderer_process(client->renderer);
    return r == 0 ? ipc_renderer_wait(client->renderer, UINT64_MAX) : r;
}

int ipcbus_run(IpcbusClient *client)
{
    int r = 0;

    while (r >= 0 && client->r >= 0 && client->n_left > 0)
        r = step(client);
    return r < 0 ? r : client->r;
}

static void on_reply(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata)
{
    IpcbusClient *client = userdata;

    client->r = error ? -ipc_error_get_errno(error) : check_result(client, result);
    tally_sample(client->tally, client->start);
    if (client->r < 0 || --client->n_left == 0)
        return;
    client->start = now_nsec();
    client->r = ipc_renderer_invoke(renderer, NULL, CHANNEL, client->args, on_reply, client);
}

int ipcbus_invoke(void *userdata, unsigned n)
{
    IpcbusClient *client = userdata;

    client->n_left = n;
    client->start = now_nsec();
    client->r = ipc_renderer_invoke(client->renderer, NULL, CHANNEL, client->args, on_reply, client);
    return ipcbus_run(client);
}

int ipcbus_send(void *userdata, unsigned n)
{
    IpcbusClient *client = userdata;
    int r = 0;

    while (n > 0 && r >= 0) {
        r = ipc_renderer_send(client->renderer, COUNT_CHANNEL, client->args);
        if (r == -ENOBUFS)
            r = step(client);
        else
            n--;
    }
    return r;
}

static const ActRun ipcbus_runs[N_ACTS] = {
    [ACT_CALL] = ipcbus_call, [ACT_INVOKE] = ipcbus_invoke, [ACT_SEND] = ipcbus_send,
};

int ipcbus_open_client(const Scene *scene, ipc_renderer_flags flags, IpcbusClient *client)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    int r;

    client->tally = scene->tally;
    client->payload = scene->payload;
    client->args = json_pack("[s]", scene->payload);
    if (!client->args)
        return -ENOMEM;
    r = bus_open(scene->address, &bus);
    if (r >= 0)
        r = ipc_renderer_new(&client->renderer, bus, scene->bus_name);
    return r < 0 ? r : ipc_renderer_set_flags(client->renderer, flags);
}

int ipcbus_perform(const Scene *scene, const ActRun runs[N_ACTS], IpcbusClient *client)
{
    int r = 0;

    while (r >= 0 && ipc_renderer_get_state(client->renderer) == IPC_RENDERER_CONNECTING)
        r = step(client);
    if (r >= 0 && ipc_renderer_get_state(client->renderer) != IPC_RENDERER_READY)
        r = -ENOTCONN;
    return r < 0 ? r : scene_perform(scene, runs, client);
}

static int perform_with(const Scene *scene, ipc_renderer_flags flags)
{
    IpcbusClient client = { 0 };
    int r;

    r = ipcbus_open_client(scene, flags, &client);
    return r < 0 ? r : ipcbus_perform(scene, ipcbus_runs, &client);
}

static int perform(const Scene *scene)
{
    return perform_with(scene, 0);
}

static int perform_by_lane(const Scene *scene)
{
    return perform_with(scene, IPC_RENDERER_LANE);
}

static int perform_by_event(const Scene *scene)
{
    IpcbusClient client = { 0 };
    int r;

    r = ipcbus_open_client(scene, 0, &client);
    if (r >= 0)
        r = sd_event_new(&client.event);
    if (r >= 0)
        r = ipc_renderer_attach_event(client.renderer, client.event, SD_EVENT_PRIORITY_NORMAL);
    return r < 0 ? r : ipcbus_perform(scene, ipcbus_runs, &client);
}

Contender ipcbus_contender = { .bus_name = "org.ipcbus.Bench", .serve = serve, .perform = perform };

Contender ipcbus_event_contender = {
    .bus_name = "org.ipcbus.BenchEvent",
    .serve = ipcbus_serve_by_event,
    .perform = perform_by_event,
};

Contender ipcbus_lane_contender = {
    .bus_name = "org.ipcbus.BenchByLane",
    .serve = ipcbus_serve_by_event,
    .perform = perform_by_lane,
};
