/* SPDX-License-Identifier: MIT */

/*
 * The two ends whose instructions are counted: "serve", and a client that does the same thing N times. Both talk on the
 * user's bus. What runs must not depend on who is quicker: so calls are made one by one, and the service sleeps while
 * messages are sent, to take all of them in one go.
 */

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc-main.h"
#include "ipc-renderer.h"
#include "macro.h"

#define NAME "org.ipcbus.Instructions"
#define CHANNEL "echo"
#define PAYLOAD "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/" /* 64 bytes */

/* ---- service ---- */

static int handle_echo(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)userdata;
    return ipc_invocation_resolve(invocation, args);
}

static void on_echo(ipc_event *event, json_t *args, void *userdata)
{
    (void)userdata;
    if (ipc_event_is_sync(event))
        (void)ipc_event_return(event, args);
}

static int serve(void)
{
    _cleanup_(ipc_app_unrefp) ipc_app *app = NULL;
    int r;

    r = ipc_app_new(&app, NULL, NAME);
    if (r >= 0)
        r = ipc_main_handle(ipc_app_get_main(app), NULL, CHANNEL, handle_echo, NULL);
    if (r >= 0)
        r = ipc_main_on(ipc_app_get_main(app), NULL, CHANNEL, on_echo, NULL);
    return r < 0 ? r : ipc_app_run(app);
}

/* ---- client ---- */

typedef struct Client {
    ipc_renderer *renderer;
    json_t *args;
    bool is_answered;
    int r;
} Client;

static int step(Client *client)
{
    int r;

    r = ipc_renderer_process(client->renderer);
    return r == 0 ? ipc_renderer_wait(client->renderer, UINT64_MAX) : r;
}

static void on_result(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata)
{
    Client *client = userdata;

    (void)renderer;
    client->is_answered = true;
    client->r = error || !json_equal(result, client->args) ? -EBADMSG : 0;
}

static int invoke(Client *client)
{
    int r;

    client->is_answered = false;
    r = ipc_renderer_invoke(client->renderer, NULL, CHANNEL, client->args, on_result, client);
    while (r >= 0 && !client->is_answered)
        r = step(client);
    return r < 0 ? r : client->r;
}

static int send_sync(Client *client)
{
    return ipc_renderer_send_sync(client->renderer, CHANNEL, client->args, NULL, NULL);
}

static int send_one(Client *client)
{
    return ipc_renderer_send(client->renderer, CHANNEL, client->args);
}

static int await_ready(Client *client)
{
    int r = 0;

    while (r >= 0 && ipc_renderer_get_state(client->renderer) == IPC_RENDERER_CONNECTING)
        r = step(client);
    if (r < 0)
        return r;
    return ipc_renderer_get_state(client->renderer) == IPC_RENDERER_READY ? 0 : -ENOTCONN;
}

static int repeat(Client *client, int (*act)(Client *client), unsigned long n)
{
    int r = 0;

    for (; n > 0 && r >= 0; n--)
        r = act(client);
    return r;
}

/* The answer to the last call says that all messages have gone all the way. */
static int repeat_while_asleep(Client *client, int (*act)(Client *client), unsigned long n, pid_t service)
{
    int r;

    if (kill(service, SIGSTOP) < 0)
        return -errno;
    r = repeat(client, act, n);
    if (kill(service, SIGCONT) < 0)
        return -errno;
    return r < 0 ? r : send_sync(client);
}

/* service 0: it is awake. */
static int perform(int (*act)(Client *client), unsigned long n, pid_t service)
{
    Client client = { .args = json_pack("[s]", PAYLOAD) };
    int r;

    r = client.args ? ipc_renderer_new(&client.renderer, NULL, NAME) : -ENOMEM;
    if (r >= 0)
        r = await_ready(&client);
    if (r >= 0)
        r = service ? repeat_while_asleep(&client, act, n, service) : repeat(&client, act, n);
    ipc_renderer_unref(client.renderer);
    json_decref(client.args);
    return r;
}

/* serve; or: ACT N [SERVICE-TO-PUT-TO-SLEEP] */
static int run(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*act)(Client *client);
    } acts[] = { { "invoke", invoke }, { "send", send_one }, { "send-sync", send_sync } };

    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        return serve();
    for (size_t i = 0; (argc == 3 || argc == 4) && i < ELEMENTSOF(acts); i++)
        if (strcmp(argv[1], acts[i].name) == 0)
            return perform(acts[i].act, strtoul(argv[2], NULL, 10), argc == 4 ? atoi(argv[3]) : 0);
    return -EINVAL;
}

int main(int argc, char **argv)
{
    int r;

    json_object_seed(1); /* nothing may be left to chance */
    r = run(argc, argv);
    if (r < 0)
        fprintf(stderr, "%s: %s\n", argv[0], strerror(-r));
    return r < 0;
}
