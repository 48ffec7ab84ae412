/* SPDX-License-Identifier: MIT */
#include "bench-lane.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "bench-bus.h"
#include "ipc-file.h"
#include "ipc-main.h"
#include "ipc-port.h"
#include "ipc-renderer.h"
#include "macro.h"

#define COUNT_CHANNEL "sent"
#define TEXT_CHANNEL "text"
#define FILE_CHANNEL "file"
#define PORT_CHANNEL "port"

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

static void on_sent(ipc_event *event, json_t *args, void *userdata)
{
    (void)event, (void)args;
    tally_count(userdata);
}

static int handle_text(ipc_invocation *invocation, const char *text, size_t length, void *userdata)
{
    (void)text, (void)length, (void)userdata;
    return ipc_invocation_resolve_text(invocation, "null", 4);
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

/* The other end of the port is in a process of its own, and no app has to be there for it. */
static void on_port_message(ipc_port *port, ipc_event *event, json_t *message, void *userdata)
{
    (void)event, (void)userdata;
    (void)ipc_port_post_message(port, message, NULL);
}

static int serve_port(ipc_port *port)
{
    int r;

    r = ipc_port_on_message(port, NULL, on_port_message, NULL);
    if (r >= 0)
        r = ipc_port_start(port);
    while (r >= 0) {
        r = ipc_port_process(port);
        if (r == 0)
            r = ipc_port_wait(port, UINT64_MAX);
    }
    return r == -ENOTCONN ? 0 : r;
}

static void on_port(ipc_event *event, json_t *args, void *userdata)
{
    ipc_port *const *ports = ipc_event_get_ports(event, NULL);

    (void)args, (void)userdata;
    if (ports && fork() == 0)
        _exit(serve_port(ports[0]) < 0);
}

static int serve(const Scene *scene)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    ipc_app *app;
    ipc_main *main;
    int r;

    r = bus_open(scene->address, &bus);
    if (r >= 0)
        r = ipc_app_new(&app, bus, scene->bus_name);
    if (r < 0)
        return r;
    main = ipc_app_get_main(app);
    r = ipc_main_handle(main, NULL, CHANNEL, handle_echo, NULL);
    if (r >= 0)
        r = ipc_main_handle_text(main, NULL, TEXT_CHANNEL, handle_text, NULL);
    if (r >= 0)
        r = ipc_main_on(main, NULL, CHANNEL, on_echo, NULL);
    if (r >= 0)
        r = ipc_main_on(main, NULL, COUNT_CHANNEL, on_sent, scene->tally);
    if (r >= 0)
        r = ipc_main_on(main, NULL, FILE_CHANNEL, on_file, NULL);
    if (r >= 0)
        r = ipc_main_on(main, NULL, PORT_CHANNEL, on_port, NULL);
    if (r >= 0)
        r = ipc_app_start(app);
    if (r >= 0)
        r = scene_ready(scene);
    return r < 0 ? r : ipc_app_run(app);
}

/* ---- client ---- */

typedef struct LaneClient {
    ipc_renderer *renderer;
    ipc_port *port;
    Tally *tally;
    json_t *args;
    json_t *message;
    char *data; /* FILE_SIZE of JSON text */
    char *text;
    char *large;
    unsigned n_left;
    uint64_t start;
    int r;
} LaneClient;

static int check_text(json_t *text)
{
    return json_is_string(text) && strcmp(json_string_value(text), PAYLOAD) == 0 ? 0 : -EBADMSG;
}

static int lane_call(void *userdata, unsigned n)
{
    LaneClient *client = userdata;
    int r = 0;

    for (; n > 0 && r >= 0; n--) {
        json_auto_t *result = NULL;
        uint64_t start = now_nsec();

        r = ipc_renderer_send_sync(client->renderer, CHANNEL, client->args, &result, NULL);
        if (r >= 0)
            r = check_text(json_array_get(result, 0));
        tally_sample(client->tally, start);
    }
    return r;
}

/* Until all are answered. */
static int run(LaneClient *client)
{
    int r = 0;

    while (r >= 0 && client->r >= 0 && client->n_left > 0) {
        r = ipc_renderer_process(client->renderer);
        if (r == 0)
            r = ipc_renderer_wait(client->renderer, UINT64_MAX);
    }
    return r < 0 ? r : client->r;
}

static void on_reply(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata)
{
    LaneClient *client = userdata;

    client->r = error ? -ipc_error_get_errno(error) : check_text(json_array_get(result, 0));
    tally_sample(client->tally, client->start);
    if (client->r < 0 || --client->n_left == 0)
        return;
    client->start = now_nsec();
    client->r = ipc_renderer_invoke(renderer, NULL, CHANNEL, client->args, on_reply, client);
}

static int lane_invoke(void *userdata, unsigned n)
{
    LaneClient *client = userdata;

    client->n_left = n;
    client->start = now_nsec();
    client->r = ipc_renderer_invoke(client->renderer, NULL, CHANNEL, client->args, on_reply, client);
    return run(client);
}

static int lane_send(void *userdata, unsigned n)
{
    LaneClient *client = userdata;
    int r = 0;

    for (; n > 0 && r >= 0; n--) {
        r = ipc_renderer_send(client->renderer, COUNT_CHANNEL, client->args);
        if (r == -ENOBUFS)
            r = ipc_renderer_process(client->renderer);
    }
    return r;
}

static void on_text_reply(ipc_renderer *renderer, const char *text, size_t length, const ipc_error *error,
                          void *userdata)
{
    LaneClient *client = userdata;

    (void)renderer;
    client->r = error ? -ipc_error_get_errno(error) : length == 4 && strcmp(text, "null") == 0 ? 0 : -EBADMSG;
    client->n_left--;
}

static int invoke_texts(LaneClient *client, const char *text, size_t size, unsigned n)
{
    int r = 0;

    for (; n > 0 && r >= 0; n--) {
        uint64_t start = now_nsec();

        client->n_left = 1;
        client->r = ipc_renderer_invoke_text(client->renderer, NULL, TEXT_CHANNEL, text, size, on_text_reply, client);
        r = run(client);
        tally_sample(client->tally, start);
    }
    return r;
}

static int lane_text(void *userdata, unsigned n)
{
    return invoke_texts(userdata, ((LaneClient *)userdata)->text, TEXT_SIZE, n);
}

static int lane_large(void *userdata, unsigned n)
{
    return invoke_texts(userdata, ((LaneClient *)userdata)->large, LARGE_SIZE, n);
}

static void on_file_read(ipc_event *event, json_t *args, void *userdata)
{
    LaneClient *client = userdata;

    (void)event, (void)args;
    client->n_left--;
}

static int lane_file(void *userdata, unsigned n)
{
    LaneClient *client = userdata;
    int r = 0, fd;

    for (; n > 0 && r >= 0; n--) {
        uint64_t start = now_nsec();

        client->r = 0;
        client->n_left = 1;
        fd = ipc_file_new_from_buffer(client->data, FILE_SIZE);
        if (fd < 0)
            return fd;
        r = ipc_renderer_post_message(client->renderer, FILE_CHANNEL, NULL,
                                      &(ipc_transfer){ .files = &fd, .n_files = 1 });
        close(fd);
        if (r >= 0)
            r = run(client);
        tally_sample(client->tally, start);
    }
    return r;
}

static void on_pong(ipc_port *port, ipc_event *event, json_t *message, void *userdata)
{
    LaneClient *client = userdata;

    (void)port, (void)event;
    client->r = check_text(message);
    client->n_left--;
}

static int lane_port(void *userdata, unsigned n)
{
    LaneClient *client = userdata;
    int r = 0;

    for (; n > 0 && r >= 0; n--) {
        uint64_t start = now_nsec();

        client->n_left = 1;
        r = ipc_port_post_message(client->port, client->message, NULL);
        while (r >= 0 && client->n_left > 0) {
            r = ipc_port_process(client->port);
            if (r == 0)
                r = ipc_port_wait(client->port, UINT64_MAX);
        }
        tally_sample(client->tally, start);
        if (r >= 0)
            r = client->r;
    }
    return r;
}

static const ActRun lane_runs[N_ACTS] = {
    [ACT_CALL] = lane_call, [ACT_INVOKE] = lane_invoke, [ACT_SEND] = lane_send, [ACT_PORT] = lane_port,
    [ACT_TEXT] = lane_text, [ACT_LARGE] = lane_large,   [ACT_FILE] = lane_file,
};

static int open_port(LaneClient *client)
{
    ipc_port *other;
    int r;

    r = ipc_port_new_pair(&client->port, &other);
    if (r < 0)
        return r;
    r = ipc_renderer_post_message(client->renderer, PORT_CHANNEL, NULL,
                                  &(ipc_transfer){ .ports = &other, .n_ports = 1 });
    ipc_port_unref(other);
    if (r >= 0)
        r = ipc_port_on_message(client->port, NULL, on_pong, client);
    return r < 0 ? r : ipc_port_start(client->port);
}

static int open_client(const Scene *scene, LaneClient *client)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    int r;

    client->tally = scene->tally;
    client->args = json_pack("[s]", PAYLOAD);
    client->message = json_string(PAYLOAD);
    client->data = make_args_text(FILE_SIZE);
    client->text = make_args_text(TEXT_SIZE);
    client->large = make_args_text(LARGE_SIZE);
    if (!client->args || !client->message || !client->data || !client->text || !client->large)
        return -ENOMEM;
    r = bus_open(scene->address, &bus);
    if (r >= 0)
        r = ipc_renderer_new(&client->renderer, bus, scene->bus_name);
    if (r >= 0)
        r = ipc_renderer_set_flags(client->renderer, IPC_RENDERER_LANE);
    if (r >= 0)
        r = ipc_renderer_on(client->renderer, NULL, FILE_CHANNEL, on_file_read, client);
    return r < 0 ? r : open_port(client);
}

static int perform(const Scene *scene)
{
    LaneClient client = { 0 };
    int r;

    r = open_client(scene, &client);
    if (r >= 0)
        r = lane_call(&client, 1);
    return r < 0 ? r : scene_perform(scene, lane_runs, &client);
}

Contender lane_contender = { .bus_name = "org.ipcbus.BenchLane", .serve = serve, .perform = perform };
