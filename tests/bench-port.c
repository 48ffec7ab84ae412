/* SPDX-License-Identifier: MIT */

/* A port of the library between two processes that have inherited its ends. */

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench-pair.h"
#include "ipc-port.h"

static int port_pair[2] = { -1, -1 }; /* the service's end, and the client's */

int port_prepare(void)
{
    return pair_make(port_pair, SOCK_SEQPACKET);
}

/* A string comes back, an array does not. */
static void on_post(ipc_port *port, ipc_event *event, json_t *message, void *userdata)
{
    (void)event;
    if (json_is_string(message))
        (void)ipc_port_post_message(port, message, NULL);
    else
        tally_count(userdata);
}

static int open_port(int fd, ipc_port_message_t callback, void *userdata, ipc_port **ret_port)
{
    int r;

    r = ipc_port_new_from_fd(ret_port, fd);
    if (r >= 0)
        r = ipc_port_on_message(*ret_port, NULL, callback, userdata);
    return r < 0 ? r : ipc_port_start(*ret_port);
}

static int port_step(ipc_port *port)
{
    int r = ipc_port_process(port);

    return r == 0 ? ipc_port_wait(port, UINT64_MAX) : r;
}

static int port_serve(const Scene *scene)
{
    ipc_port *port;
    int r;

    close(port_pair[1]);
    r = open_port(port_pair[0], on_post, scene->tally, &port);
    if (r >= 0)
        r = scene_ready(scene);
    while (r >= 0)
        r = port_step(port);
    return r;
}

typedef struct PortClient {
    ipc_port *port;
    const Scene *scene;
    json_t *message;
    json_t *array;
    bool has_answer;
    int r;
} PortClient;

static void on_pong(ipc_port *port, ipc_event *event, json_t *message, void *userdata)
{
    PortClient *client = userdata;
    const char *text = json_string_value(message);

    (void)port, (void)event;
    client->r = text && strcmp(text, client->scene->payload) == 0 ? 0 : -EBADMSG;
    client->has_answer = true;
}

static int port_call(void *userdata, unsigned n)
{
    PortClient *client = userdata;
    int r = 0;

    for (; n > 0 && r >= 0; n--) {
        uint64_t start = now_nsec();

        client->has_answer = false;
        r = ipc_port_post_message(client->port, client->message, NULL);
        while (r >= 0 && !client->has_answer)
            r = port_step(client->port);
        if (r >= 0)
            r = client->r;
        tally_sample(client->scene->tally, start);
    }
    return r;
}

static int port_send(void *userdata, unsigned n)
{
    PortClient *client = userdata;
    int r = 0;

    for (; n > 0 && r >= 0; n--)
        r = ipc_port_post_message(client->port, client->array, NULL);
    return r;
}

static int port_perform(const Scene *scene)
{
    static const ActRun runs[N_ACTS] = { [ACT_CALL] = port_call, [ACT_INVOKE] = port_call, [ACT_SEND] = port_send };
    PortClient client = { .scene = scene, .message = json_string(scene->payload),
                          .array = json_pack("[s]", scene->payload) };
    int r;

    if (!client.message || !client.array)
        return -ENOMEM;
    close(port_pair[0]);
    r = open_port(port_pair[1], on_pong, &client, &client.port);
    return r < 0 ? r : scene_perform(scene, runs, &client);
}

Contender port_contender = { .bus_name = "a port", .serve = port_serve, .perform = port_perform };
