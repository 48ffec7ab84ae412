/* SPDX-License-Identifier: MIT */

/* The library over a lane, with JSON that neither side parses. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench-ipcbus.h"

#define TEXT_CHANNEL "text"
#define COUNT_CHANNEL "told"

/* ---- service ---- */

static int handle_text(ipc_invocation *invocation, const char *text, size_t length, void *userdata)
{
    (void)userdata;
    return ipc_invocation_resolve_text(invocation, text, length);
}

static void on_text(ipc_event *event, const char *text, size_t length, void *userdata)
{
    (void)event, (void)text, (void)length;
    tally_count(userdata);
}

static int serve(const Scene *scene)
{
    ipc_main *main;
    ipc_app *app;
    int r;

    r = ipcbus_new_service(scene, &app);
    if (r < 0)
        return r;
    main = ipc_app_get_main(app);
    r = ipc_main_handle_text(main, NULL, TEXT_CHANNEL, handle_text, NULL);
    if (r >= 0)
        r = ipc_main_on_text(main, NULL, COUNT_CHANNEL, on_text, scene->tally);
    if (r >= 0)
        r = ipc_app_start(app);
    if (r >= 0)
        r = scene_ready(scene);
    return r < 0 ? r : ipc_app_run(app);
}

/* ---- client ---- */

typedef struct TextClient {
    IpcbusClient base;
    char *text;
    size_t length;
} TextClient;

static void on_reply(ipc_renderer *renderer, const char *text, size_t length, const ipc_error *error, void *userdata)
{
    TextClient *client = userdata;

    (void)renderer;
    if (error)
        client->base.r = -ipc_error_get_errno(error);
    else
        client->base.r = length == client->length && memcmp(text, client->text, length) == 0 ? 0 : -EBADMSG;
    client->base.n_left--;
}

static int text_invoke(void *userdata, unsigned n)
{
    TextClient *client = userdata;
    int r = 0;

    for (; n > 0 && r >= 0; n--) {
        client->base.n_left = 1;
        client->base.r = ipc_renderer_invoke_text(client->base.renderer, NULL, TEXT_CHANNEL, client->text,
                                                  client->length, on_reply, client);
        r = ipcbus_run(&client->base);
    }
    return r;
}

static int text_send(void *userdata, unsigned n)
{
    TextClient *client = userdata;
    int r = 0;

    for (; n > 0 && r >= 0; n--)
        r = ipc_renderer_send_text(client->base.renderer, COUNT_CHANNEL, client->text, client->length);
    return r;
}

static int perform(const Scene *scene)
{
    static const ActRun runs[N_ACTS] = {
        [ACT_CALL] = text_invoke, [ACT_INVOKE] = text_invoke, [ACT_SEND] = text_send,
    };
    TextClient client = { 0 };
    int r;

    r = asprintf(&client.text, "[\"%s\"]", scene->payload);
    if (r < 0)
        return -ENOMEM;
    client.length = (size_t)r;
    r = ipcbus_open_client(scene, IPC_RENDERER_LANE, &client.base);
    return r < 0 ? r : ipcbus_perform(scene, runs, &client.base);
}

Contender ipcbus_text_contender = { .bus_name = "org.ipcbus.BenchText", .serve = serve, .perform = perform };
