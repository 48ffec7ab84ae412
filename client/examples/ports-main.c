/* SPDX-License-Identifier: MIT */
/*
 * Main joins two of its renderers by a message channel, and is out of the way from then on: they talk directly, and go
 * on when it has ended. cc ports-main.c $(pkg-config --cflags --libs ipcbus)
 *
 *     $ ports-main &
 *     $ ports-renderer          it says "I am 1", and waits
 *     $ ports-renderer 1        in another terminal: what is typed here comes out there, and the other way round
 */
#include <error.h>
#include <ipcbus/ipc-main.h>

/* What goes with the message is no longer ours. */
static int post_port(ipc_web_contents *to, ipc_port *port, uint32_t from_id)
{
    ipc_transfer transfer = { .ports = &port, .n_ports = 1 };

    return ipc_web_contents_post_messagef(to, "port", &transfer, "I", (json_int_t)from_id);
}

static int join(ipc_web_contents *one, ipc_web_contents *other)
{
    __attribute__((cleanup(ipc_port_unrefp))) ipc_port *port = NULL, *other_port = NULL;
    int r;

    r = ipc_port_new_pair(&port, &other_port);
    if (r >= 0)
        r = post_port(other, other_port, ipc_web_contents_get_id(one));
    if (r >= 0)
        r = post_port(one, port, ipc_web_contents_get_id(other));
    return r;
}

/* connect(id): the caller wants to talk to that renderer. */
static int on_connect(ipc_invocation *invocation, json_t *args, void *app)
{
    ipc_web_contents *caller = ipc_sender_get_web_contents(ipc_invocation_get_sender(invocation)), *other;
    json_int_t id;
    int r;

    if (json_unpack(args, "[I!]", &id) < 0)
        return ipc_invocation_reject(invocation, IPC_ERROR_INVALID_ARGS, "connect takes the id of a renderer", NULL);
    other = id > 0 && id <= UINT32_MAX ? ipc_web_contents_from_id(app, (uint32_t)id) : NULL;
    if (!caller || !other || caller == other)
        return ipc_invocation_reject(invocation, IPC_ERROR_NO_SUCH_WEB_CONTENTS,
                                     "Two renderers are needed: the caller, and another one", NULL);
    r = join(caller, other);
    return r < 0 ? r : ipc_invocation_resolve(invocation, NULL);
}

int main(void)
{
    __attribute__((cleanup(ipc_app_unrefp))) ipc_app *app = NULL;
    int r;

    r = ipc_app_new(&app, NULL, "com.example.Ports");
    if (r >= 0)
        r = ipc_main_handle(ipc_app_get_main(app), NULL, "connect", on_connect, app);
    if (r >= 0)
        r = ipc_app_run(app);
    if (r < 0)
        error(1, -r, "Failed to serve com.example.Ports");
    return 0;
}
