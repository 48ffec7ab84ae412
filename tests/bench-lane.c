/* SPDX-License-Identifier: MIT */
#include "bench-lane.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bench-ipcbus.h"
#include "ipc-file.h"

#define TEXT_CHANNEL "text"
#define BACK_CHANNEL "back"
#define OTHER_CHANNEL "other"
#define FILE_CHANNEL "file"

/* ---- service ---- */

static int handle_text(ipc_invocation *invocation, const char *text, size_t length, void *userdata)
{
    (void)text, (void)length, (void)userdata;
    return ipc_invocation_resolve_text(invocation, "null", 4);
}

static int handle_back(ipc_invocation *invocation, const char *text, size_t length, void *userdata)
{
    (void)userdata;
    return ipc_invocation_resolve_text(invocation, text, length);
}

static int handle_other(ipc_invocation *invocation, const char *text, size_t length, void *userdata)
{
    (void)text;
    return ipc_invocation_resolve_text(invocation, userdata, length);
}

static void on_file(ipc_event *event, json_t *args, void *userdata)
{
    const int *files = ipc_event_get_files(event, NULL);
    const void *data;
    size_t size;

    (void)args, (void)userdata;
    if (!files || ipc_file_map(files[0], &data, &size) < 0)
        return;
    touch_pages(data, size);
    ipc_file_unmap(data, size);
    (void)ipc_event_reply(event, FILE_CHANNEL, NULL);
}

static int serve(const Scene *scene)
{
    char *other = make_args_text(TEXT_SIZE);
    ipc_main *main;
    ipc_app *app;
    int r;

    if (!other)
        return -ENOMEM;
    r = ipcbus_new_service(scene, &app);
    if (r < 0)
        return r;
    main = ipc_app_get_main(app);
    r = ipc_main_handle_text(main, NULL, TEXT_CHANNEL, handle_text, NULL);
    if (r >= 0)
        r = ipc_main_handle_text(main, NULL, BACK_CHANNEL, handle_back, NULL);
    if (r >= 0)
        r = ipc_main_handle_text(main, NULL, OTHER_CHANNEL, handle_other, other);
    if (r >= 0)
        r = ipc_main_on(main, NULL, FILE_CHANNEL, on_file, NULL);
    if (r >= 0)
        r = ipc_app_start(app);
    if (r >= 0)
        r = scene_ready(scene);
    return r < 0 ? r : ipc_app_run(app);
}

/* ---- client ---- */

typedef struct LaneClient {
    IpcbusClient base;
    char *data; /* FILE_SIZE of JSON text */
    char *text;
    char *large;
    size_t expected; /* length of the text that comes back */
} LaneClient;

static void on_text_reply(ipc_renderer *renderer, const char *text, size_t length, const ipc_error *error,
                          void *userdata)
{
    LaneClient *lane = userdata;

    (void)renderer;
    lane->base.r = error ? -ipc_error_get_errno(error) : length == lane->expected && !text[length] ? 0 : -EBADMSG;
    lane->base.n_left--;
}

static int invoke_texts(LaneClient *lane, const char *channel, const char *text, size_t size, unsigned n)
{
    IpcbusClient *client = &lane->base;
    int r = 0;

    lane->expected = strcmp(channel, TEXT_CHANNEL) == 0 ? strlen("null") : size;
    for (; n > 0 && r >= 0; n--) {
        uint64_t start = now_nsec();

        client->n_left = 1;
        client->r = ipc_renderer_invoke_text(client->renderer, NULL, channel, text, size, on_text_reply, lane);
        r = ipcbus_run(client);
        tally_sample(client->tally, start);
    }
    return r;
}

static int lane_text(void *userdata, unsigned n)
{
    return invoke_texts(userdata, TEXT_CHANNEL, ((LaneClient *)userdata)->text, TEXT_SIZE, n);
}

static int lane_large(void *userdata, unsigned n)
{
    return invoke_texts(userdata, TEXT_CHANNEL, ((LaneClient *)userdata)->large, LARGE_SIZE, n);
}

static int lane_back(void *userdata, unsigned n)
{
    return invoke_texts(userdata, BACK_CHANNEL, ((LaneClient *)userdata)->text, TEXT_SIZE, n);
}

static int lane_other(void *userdata, unsigned n)
{
    return invoke_texts(userdata, OTHER_CHANNEL, ((LaneClient *)userdata)->text, TEXT_SIZE, n);
}

static void on_file_read(ipc_event *event, json_t *args, void *userdata)
{
    IpcbusClient *client = userdata;

    (void)event, (void)args;
    client->n_left--;
}

static int lane_file(void *userdata, unsigned n)
{
    LaneClient *lane = userdata;
    IpcbusClient *client = &lane->base;
    int r = 0, fd;

    for (; n > 0 && r >= 0; n--) {
        uint64_t start = now_nsec();

        client->r = 0;
        client->n_left = 1;
        fd = ipc_file_new_from_buffer(lane->data, FILE_SIZE);
        if (fd < 0)
            return fd;
        r = ipc_renderer_post_message(client->renderer, FILE_CHANNEL, NULL,
                                      &(ipc_transfer){ .files = &fd, .n_files = 1 });
        close(fd);
        if (r >= 0)
            r = ipcbus_run(client);
        tally_sample(client->tally, start);
    }
    return r;
}

static const ActRun lane_runs[N_ACTS] = {
    [ACT_CALL] = ipcbus_call, [ACT_INVOKE] = ipcbus_invoke, [ACT_SEND] = ipcbus_send,
    [ACT_TEXT] = lane_text,   [ACT_LARGE] = lane_large,     [ACT_FILE] = lane_file,
    [ACT_BACK] = lane_back,   [ACT_OTHER] = lane_other,
};

static int perform(const Scene *scene)
{
    LaneClient client = { .data = make_args_text(FILE_SIZE), .text = make_args_text(TEXT_SIZE),
                          .large = make_args_text(LARGE_SIZE) };
    int r;

    if (!client.data || !client.text || !client.large)
        return -ENOMEM;
    r = ipcbus_open_client(scene, IPC_RENDERER_LANE, &client.base);
    if (r >= 0)
        r = ipc_renderer_on(client.base.renderer, NULL, FILE_CHANNEL, on_file_read, &client);
    return r < 0 ? r : ipcbus_perform(scene, lane_runs, &client.base);
}

Contender lane_contender = { .bus_name = "org.ipcbus.BenchLane", .serve = serve, .perform = perform };
