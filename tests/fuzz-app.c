/* SPDX-License-Identifier: MIT */
#include "fuzz-app.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "ipc-port.h"
#include "macro.h"

#define ROUNDS_MAX 1000

/* ---- main ---- */

static int handle_echo(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)userdata;
    return ipc_invocation_resolve(invocation, args);
}

static int handle_keep(ipc_invocation *invocation, json_t *args, void *userdata)
{
    FuzzApp *self = userdata;

    (void)args;
    if (self->n_kept == FUZZ_KEPT_MAX)
        return -EBUSY;
    self->kept[self->n_kept++] = ipc_invocation_ref(invocation);
    return 0;
}

static void on_message(ipc_event *event, json_t *args, void *userdata)
{
    (void)userdata;
    if (ipc_event_is_sync(event))
        (void)ipc_event_return(event, args);
    (void)ipc_event_reply(event, "reply", args);
}

/* Ports go back to where they came from; one that comes alone is heard. */
static void on_port(ipc_event *event, json_t *args, void *userdata)
{
    FuzzApp *self = userdata;
    ipc_web_contents *contents = ipc_sender_get_web_contents(ipc_event_get_sender(event));
    ipc_transfer transfer = { 0 };

    transfer.ports = ipc_event_get_ports(event, &transfer.n_ports);
    transfer.files = ipc_event_get_files(event, &transfer.n_files);
    if (transfer.n_ports == 1 && transfer.n_files == 0) {
        (void)ipc_app_attach_port(self->app, transfer.ports[0]);
        (void)ipc_port_start(transfer.ports[0]);
        (void)ipc_port_post_message(transfer.ports[0], args, NULL);
    } else if (contents) {
        (void)ipc_web_contents_post_message(contents, "port", args, &transfer);
    }
}

void fuzz_app_settle_one(FuzzApp *self)
{
    if (self->n_kept == 0)
        return;
    (void)ipc_invocation_resolvef(self->kept[--self->n_kept], "s", "late");
    ipc_invocation_unref(self->kept[self->n_kept]);
}

/* ---- the bus ---- */

static void answer_as(sd_bus_message *call, const char *sender)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

    check(sd_bus_message_new_method_return(call, &reply) >= 0);
    check(sd_bus_message_set_sender(reply, sender) >= 0);
    if (strcmp(sd_bus_message_get_member(call), "GetConnectionCredentials") == 0)
        check(sd_bus_message_append(reply, "a{sv}", 2, "UnixUserID", "u", (uint32_t)geteuid(), "ProcessID", "u",
                                    (uint32_t)getpid()) >= 0);
    (void)sd_bus_send(NULL, reply, NULL);
}

static void take_lane(FuzzApp *self, sd_bus_message *reply)
{
    int fd;

    if (!sd_bus_message_has_signature(reply, "h") || sd_bus_message_read_basic(reply, 'h', &fd) <= 0)
        return;
    if (self->lane >= 0)
        close(self->lane);
    self->lane = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    check(self->lane >= 0);
}

static int on_bus(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *destination = sd_bus_message_get_destination(message);
    FuzzApp *self = userdata;
    uint8_t type;

    (void)error;
    check(sd_bus_message_get_type(message, &type) >= 0);
    if (type == SD_BUS_MESSAGE_METHOD_RETURN)
        take_lane(self, message);
    if (type != SD_BUS_MESSAGE_METHOD_CALL || !destination)
        return 0;
    if (*destination != ':' || self->answers_pings)
        answer_as(message, destination);
    return 1;
}

void fuzz_app_run(FuzzApp *self)
{
    int i, r = 1, s = 1;

    for (i = 0; i < ROUNDS_MAX && (r > 0 || s > 0); i++) {
        r = ipc_app_process(self->app);
        s = sd_bus_process(self->bus, NULL);
    }
}

void fuzz_app_call(FuzzApp *self, const char *sender, const char *member, const char *types, ...)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
    va_list values;
    uint64_t cookie;

    check(sd_bus_message_new_method_call(self->bus, &call, NULL, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member) >= 0);
    va_start(values, types);
    check(sd_bus_message_appendv(call, types, values) >= 0);
    va_end(values);
    if (sd_bus_message_set_sender(call, sender) >= 0)
        (void)sd_bus_send(self->bus, call, &cookie);
}

void fuzz_app_leave(FuzzApp *self, const char *sender)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *signal = NULL;

    check(sd_bus_message_new_signal(self->bus, &signal, "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                    "NameOwnerChanged") >= 0);
    check(sd_bus_message_append(signal, "sss", sender, sender, "") >= 0);
    fuzz_bus_send(self->bus, signal, "org.freedesktop.DBus");
}

/* ---- its life ---- */

void fuzz_app_open(FuzzApp *self)
{
    _cleanup_(sd_bus_unrefp) sd_bus *tested = NULL;
    ipc_main *main;

    *self = (FuzzApp){ .lane = -1 };
    self->bus = fuzz_bus_new(on_bus, self, &tested);
    check(ipc_app_new(&self->app, tested, "org.example.Fuzz") >= 0);
    main = ipc_app_get_main(self->app);
    check(ipc_main_handle(main, NULL, "echo", handle_echo, NULL) >= 0);
    check(ipc_main_handle(main, NULL, "keep", handle_keep, self) >= 0);
    check(ipc_main_on(main, NULL, "echo", on_message, NULL) >= 0);
    check(ipc_main_on(main, NULL, "port", on_port, self) >= 0);
}

void fuzz_app_close(FuzzApp *self)
{
    fuzz_app_run(self);
    while (self->n_kept > 0)
        fuzz_app_settle_one(self);
    ipc_app_unref(self->app);
    sd_bus_close_unref(self->bus);
    if (self->lane >= 0)
        close(self->lane);
}
