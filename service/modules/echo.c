/* SPDX-License-Identifier: MIT */

/*
 * The module `echo`: a self-test. It gives back what it gets, in each way in which main can answer: at once, later,
 * with an error, never. Benchmarks and black-box tests lean on it.
 */

#include <errno.h>
#include <sys/queue.h>

#include "ipc-main.h"
#include "macro.h"

#define LATER_MAX_MSEC (365.0 * 24 * 3600 * 1000) /* a longer wait is taken for this one */

/* An invoke of echo-later that waits for its time. */
typedef struct Later {
    LIST_ENTRY(Later) link;
    ipc_invocation *invocation;
    sd_event_source *timer;
    json_t *result;
} Later;

/* A port that was transferred on echo-port, until its other end closes. */
typedef struct EchoPort {
    LIST_ENTRY(EchoPort) link;
    ipc_port *port;
} EchoPort;

typedef struct Echo {
    ipc_app *app; /* borrowed */
    LIST_HEAD(, Later) waiting;
    LIST_HEAD(, EchoPort) ports;
} Echo;

static void on_echo(ipc_event *event, json_t *args, void *userdata)
{
    /* A sender that cannot be answered is no affair of a self-test: the sender's side sees it. */
    (void)ipc_event_reply(event, "echo", args);
    if (ipc_event_is_sync(event))
        (void)ipc_event_return(event, args);
}

static void on_echo_broadcast(ipc_event *event, json_t *args, void *userdata)
{
    ipc_app *app = userdata;

    (void)ipc_app_broadcast(app, ipc_event_get_channel(event), args);
}

/* ---- ports ---- */

static void echo_port_free(EchoPort *self)
{
    LIST_REMOVE(self, link);
    ipc_port_unref(self->port);
    free(self);
}

static void on_port_closed(ipc_port *port, void *userdata)
{
    echo_port_free(userdata);
}

/* What cannot go back because nobody reads it is no affair of a self-test. */
static void on_port_message(ipc_port *port, ipc_event *event, json_t *message, void *userdata)
{
    ipc_transfer transfer = { 0 };

    transfer.ports = ipc_event_get_ports(event, &transfer.n_ports);
    transfer.files = ipc_event_get_files(event, &transfer.n_files);
    (void)ipc_port_post_message(port, message, &transfer);
}

static int echo_port_start(Echo *echo, EchoPort *self)
{
    int r;

    r = ipc_port_on_message(self->port, NULL, on_port_message, NULL);
    if (r >= 0)
        r = ipc_port_on_close(self->port, NULL, on_port_closed, self);
    if (r >= 0)
        r = ipc_app_attach_port(echo->app, self->port);
    return r < 0 ? r : ipc_port_start(self->port);
}

static void on_echo_port(ipc_event *event, json_t *args, void *userdata)
{
    Echo *echo = userdata;
    ipc_port *const *ports;
    EchoPort *self;
    size_t i, n;

    ports = ipc_event_get_ports(event, &n);
    for (i = 0; i < n; i++) {
        self = calloc(1, sizeof(*self));
        if (!self)
            return; /* it closes, and so its other end is told */
        self->port = ipc_port_ref(ports[i]);
        LIST_INSERT_HEAD(&echo->ports, self, link);
        if (echo_port_start(echo, self) < 0)
            echo_port_free(self);
    }
}

/* ---- handlers ---- */

static int handle_echo(ipc_invocation *invocation, json_t *args, void *userdata)
{
    return ipc_invocation_resolve(invocation, args);
}

static int handle_echo_error(ipc_invocation *invocation, json_t *args, void *userdata)
{
    const char *name = json_string_value(json_array_get(args, 0));
    const char *message = json_string_value(json_array_get(args, 1));
    int r = -EINVAL;

    if (name && message && json_array_size(args) <= 3)
        r = ipc_invocation_reject(invocation, name, message, json_array_get(args, 2));
    if (r != -EINVAL)
        return r;
    return ipc_invocation_reject(invocation, IPC_ERROR_INVALID_ARGS,
                                 "echo-error wants a D-Bus error name, a message and, if you like, a detail", NULL);
}

static int handle_echo_never(ipc_invocation *invocation, json_t *args, void *userdata)
{
    return 0; /* nobody keeps a reference */
}

static int handle_whoami(ipc_invocation *invocation, json_t *args, void *userdata)
{
    ipc_sender *sender = ipc_invocation_get_sender(invocation);
    json_t *user = json_null(), *process = json_null();
    uid_t uid;
    pid_t pid;

    if (ipc_sender_get_uid(sender, &uid) >= 0)
        user = json_integer(uid);
    if (ipc_sender_get_pid(sender, &pid) >= 0)
        process = json_integer(pid);
    return ipc_invocation_resolvef(invocation, "{s:I, s:s, s:o, s:o}", "id", (json_int_t)ipc_sender_get_id(sender),
                                   "name", ipc_sender_get_unique_name(sender), "uid", user, "pid", process);
}

static void later_free(Later *later)
{
    LIST_REMOVE(later, link);
    sd_event_source_disable_unref(later->timer);
    ipc_invocation_unref(later->invocation);
    json_decref(later->result);
    free(later);
}

static int on_later_due(sd_event_source *timer, uint64_t usec, void *userdata)
{
    Later *later = userdata;

    (void)ipc_invocation_resolve(later->invocation, later->result);
    later_free(later);
    return 0;
}

static void on_later_cancelled(ipc_invocation *invocation, void *userdata)
{
    Later *later = userdata;

    later_free(later);
}

static int later_start(Later *later, uint64_t delay_usec)
{
    sd_event *event = ipc_app_get_event(ipc_invocation_get_app(later->invocation));
    int r;

    if (!event)
        return -EOPNOTSUPP; /* the app's loop is a foreign one */
    r = sd_event_add_time_relative(event, &later->timer, CLOCK_MONOTONIC, delay_usec, 1, on_later_due, later);
    if (r < 0)
        return r;
    return ipc_invocation_on_cancelled(later->invocation, on_later_cancelled, later);
}

static int handle_echo_later(ipc_invocation *invocation, json_t *args, void *userdata)
{
    Echo *echo = userdata;
    json_t *delay = json_array_get(args, 0);
    double msec = json_number_value(delay);
    Later *later;
    int r;

    if (!json_is_number(delay) || msec < 0 || json_array_size(args) > 2)
        return ipc_invocation_reject(invocation, IPC_ERROR_INVALID_ARGS,
                                     "echo-later wants a number of milliseconds, 0 or more, and a value", NULL);

    later = calloc(1, sizeof(*later));
    if (!later)
        return -ENOMEM;
    LIST_INSERT_HEAD(&echo->waiting, later, link);
    later->invocation = ipc_invocation_ref(invocation);
    later->result = json_incref(json_array_get(args, 1));

    r = later_start(later, (uint64_t)((msec < LATER_MAX_MSEC ? msec : LATER_MAX_MSEC) * 1000));
    if (r < 0)
        later_free(later);
    return r;
}

static Echo *echo_free(Echo *echo)
{
    EchoPort *port, *next_port;
    Later *later, *next;

    if (!echo)
        return NULL;
    LIST_FOREACH_SAFE(port, &echo->ports, link, next_port)
        echo_port_free(port);
    LIST_FOREACH_SAFE(later, &echo->waiting, link, next)
        later_free(later);
    free(echo);
    return NULL;
}

static void echo_freep(Echo **echo)
{
    echo_free(*echo);
}

static void on_closed(ipc_app *app, void *userdata)
{
    echo_free(userdata);
}

static int add_channels(ipc_app *app, Echo *echo)
{
    static const struct {
        const char *channel;
        ipc_handler_t handler;
    } handlers[] = {
        { "echo", handle_echo },
        { "echo-error", handle_echo_error },
        { "echo-later", handle_echo_later },
        { "echo-never", handle_echo_never },
        { "whoami", handle_whoami },
    };
    ipc_main *main = ipc_app_get_main(app);
    int r = 0;

    for (size_t i = 0; i < ELEMENTSOF(handlers) && r >= 0; i++)
        r = ipc_main_handle(main, NULL, handlers[i].channel, handlers[i].handler, echo);
    if (r >= 0)
        r = ipc_main_on(main, NULL, "echo", on_echo, NULL);
    if (r >= 0)
        r = ipc_main_on(main, NULL, "echo-broadcast", on_echo_broadcast, app);
    if (r >= 0)
        r = ipc_main_on(main, NULL, "echo-port", on_echo_port, echo);
    return r;
}

int ipc_module_init(ipc_app *app)
{
    _cleanup_(echo_freep) Echo *echo = NULL;
    int r;

    echo = calloc(1, sizeof(*echo));
    if (!echo)
        return -ENOMEM;
    echo->app = app;
    LIST_INIT(&echo->waiting);
    LIST_INIT(&echo->ports);

    /* From here on the app owns it, whatever fails below. */
    r = ipc_app_on_closed(app, NULL, on_closed, echo);
    if (r < 0)
        return r;
    return add_channels(app, TAKE_PTR(echo));
}
