/* SPDX-License-Identifier: MIT */
#include "ctl-client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bus-open.h"
#include "clock.h"
#include "ctl-start.h"
#include "ipc-names.h"
#include "macro.h"

/*
 * Calls are asynchronous ones without a time-out of sd-bus's, and the clock is watched here. sd_bus_call() would drop
 * the body of an error, and makes the same error of a time-out, of a service that dies and of a bus that does.
 */

#define CANCEL_USEC (1u * 1000 * 1000) /* us that writing a Cancel may take */
#define ANSWER_USEC (1u * 1000 * 1000) /* us that the bus may take to say what it could start */
#define DBUS_NAME "org.freedesktop.DBus"

static uint64_t usec_from_now(uint64_t usec)
{
    uint64_t now = clock_now(CLOCK_MONOTONIC);

    return usec < UINT64_MAX - now ? now + usec : UINT64_MAX;
}

/* One step: works, or sleeps until there is work. -ETIMEDOUT: the time is over. */
static int client_step(Client *client, uint64_t until)
{
    uint64_t now;
    int r;

    r = sd_bus_process(client->bus, NULL);
    if (r != 0)
        return r;
    now = clock_now(CLOCK_MONOTONIC);
    if (now >= until)
        return -ETIMEDOUT;
    r = sd_bus_wait(client->bus, until == UINT64_MAX ? UINT64_MAX : until - now);
    return r == -EINTR ? 0 : r;
}

void client_restart(Client *client)
{
    client->until = usec_from_now(client->options->timeout_usec);
}

void client_close(Client *client)
{
    client->bus = sd_bus_close_unref(client->bus);
}

int client_new_call(Client *client, sd_bus_message **ret_call, const char *path, const char *interface,
                    const char *member)
{
    return sd_bus_message_new_method_call(client->bus, ret_call, client->options->name, path, interface, member);
}

ExitStatus client_fail(Client *client, int error, Failure *failure)
{
    switch (-error) {
    case ENOMEM:
        return failure_out_of_memory(failure);
    case ETIMEDOUT:
        return failure_set(failure, STATUS_TIMED_OUT, IPC_ERROR_TIMEOUT, "%s did not answer within %g s",
                           client->options->name, (double)client->options->timeout_usec / 1e6);
    case ENOTCONN:
    case ECONNRESET:
    case EPIPE:
        return failure_set(failure, STATUS_FAILED, NULL, "The bus went away");
    case EBADMSG:
    case ENXIO:
        return failure_set(failure, STATUS_FAILED, NULL, "%s answered in a form that is not org.ipcbus's",
                           client->options->name);
    case EDOM:
        return failure_set(failure, STATUS_FAILED, NULL,
                           "%s answered with a property that is no finite number, which JSON does not have",
                           client->options->name);
    default:
        return failure_set(failure, STATUS_FAILED, NULL, "The call failed: %s", strerror(-error));
    }
}

ExitStatus client_fail_by_error(const ipc_error *error, Failure *failure)
{
    ExitStatus status = failure_status_of(error->name, false);

    if (ipc_error_is(error, IPC_ERROR_TIMEOUT))
        status = STATUS_TIMED_OUT;
    return failure_set(failure, status, error->name, "%s", error->message);
}

static ExitStatus status_at_first(const ipc_error *error)
{
    if (ipc_error_is(error, IPC_ERROR_MAIN_GONE))
        return STATUS_NO_SERVICE;
    if (ipc_error_is(error, IPC_ERROR_TIMEOUT))
        return STATUS_TIMED_OUT;
    return failure_status_of(error->name, true);
}

static const char *bus_description(const BusTarget *target)
{
    static const char *const descriptions[] = {
        [BUS_USER] = "the user's bus",
        [BUS_SYSTEM] = "the system bus",
        [BUS_ADDRESS] = "the bus at ",
        [BUS_HOST] = "the bus of ",
        [BUS_MACHINE] = "the bus of ",
    };

    return descriptions[target->kind];
}

/* The user must learn which service is meant, and what to do. */
static ExitStatus explain_missing(Client *client, const char *error_name, const char *message, Failure *failure)
{
    const BusTarget *target = &client->options->bus;
    const char *name = client->options->name;

    if (start_explain(client, failure))
        return failure->status;
    if (strcmp(error_name, SD_BUS_ERROR_SERVICE_UNKNOWN) == 0 ||
        strcmp(error_name, SD_BUS_ERROR_NAME_HAS_NO_OWNER) == 0)
        return failure_set(failure, STATUS_NO_SERVICE, error_name, "%s is not running on %s%s; " CLIENT_START_HINT,
                           name, bus_description(target), target->where ? target->where : "", name);
    return failure_set(failure, STATUS_NO_SERVICE, error_name, "%s is not running and could not be started: %s", name,
                       message);
}

/* Whether the bus would start the app; true where it does not say. */
static bool is_activatable(Client *client)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *answer = NULL;
    const char *name = "";

    if (sd_bus_message_new_method_call(client->bus, &call, DBUS_NAME, "/org/freedesktop/DBus", DBUS_NAME,
                                       "ListActivatableNames") < 0 ||
        sd_bus_call(client->bus, call, ANSWER_USEC, NULL, &answer) < 0 ||
        sd_bus_message_enter_container(answer, 'a', "s") < 0)
        return true;
    while (sd_bus_message_read_basic(answer, 's', &name) > 0)
        if (strcmp(name, client->options->name) == 0)
            return true;
    return false;
}

/* What went wrong with one that runs is no matter of starting it; false where the bus does not say. */
static bool is_running(Client *client)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *answer = NULL;
    int has_owner = false;

    return sd_bus_message_new_method_call(client->bus, &call, DBUS_NAME, "/org/freedesktop/DBus", DBUS_NAME,
                                          "NameHasOwner") >= 0 &&
           sd_bus_message_append(call, "s", client->options->name) >= 0 &&
           sd_bus_call(client->bus, call, ANSWER_USEC, NULL, &answer) >= 0 &&
           sd_bus_message_read_basic(answer, 'b', &has_owner) > 0 && has_owner;
}

/* Of what could not be started, the message of the library tells why, and of a unit, too, what to do. */
ExitStatus client_fail_to_register(Client *client, const ipc_error *error, Failure *failure)
{
    ExitStatus status = status_at_first(error);

    if (status == STATUS_NO_SERVICE && is_running(client))
        status = STATUS_FAILED;
    if (status == STATUS_NO_SERVICE && !is_activatable(client))
        return explain_missing(client, SD_BUS_ERROR_SERVICE_UNKNOWN, error->message, failure);
    return failure_set(failure, status, error->name, "%s", error->message);
}

/* The bus sent the error in place of the service, which it could not reach. */
static ExitStatus explain_for_bus(Client *client, const char *error_name, const char *message, Failure *failure)
{
    ExitStatus status = failure_status_of(error_name, true);

    if (status == STATUS_NO_SERVICE)
        return explain_missing(client, error_name, message, failure);
    if (strcmp(error_name, SD_BUS_ERROR_NO_REPLY) != 0)
        return failure_set(failure, status, error_name, "%s", message);
    if (sd_bus_is_open(client->bus) <= 0) /* sd-bus makes the same error of it */
        return client_fail(client, -ENOTCONN, failure);
    return failure_set(failure, status, error_name, "%s gave no answer: the service went away",
                       client->options->name);
}

/* A handler may add a second string. */
static void take_detail(sd_bus_message *answer, Failure *failure)
{
    const char *detail;

    if (sd_bus_message_rewind(answer, true) >= 0 && sd_bus_message_has_signature(answer, "ss") > 0 &&
        sd_bus_message_read(answer, "ss", NULL, &detail) >= 0)
        failure_set_detail(failure, detail);
}

static ExitStatus explain_answer(Client *client, sd_bus_message *answer, Failure *failure)
{
    const sd_bus_error *error = sd_bus_message_get_error(answer);
    const char *sender = sd_bus_message_get_sender(answer);
    const char *message = error->message ? error->message : "The call failed";

    if (sender && strcmp(sender, DBUS_NAME) == 0)
        return explain_for_bus(client, error->name, message, failure);
    (void)failure_set(failure, failure_status_of(error->name, false), error->name, "%s", message);
    take_detail(answer, failure);
    return failure->status;
}

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *error)
{
    sd_bus_message **ret_answer = userdata;

    (void)error;
    *ret_answer = sd_bus_message_ref(answer);
    return 1;
}

/* Who waits for a service that cannot start would wait long for the bus to say so. -EHOSTDOWN: that is the failure. */
static int client_wait(Client *client, sd_bus_message *const *answer, Failure *failure)
{
    uint64_t look_at = usec_from_now(START_LOOK_USEC);
    int r = 0;

    while (r >= 0 && !*answer) {
        r = client_step(client, look_at < client->until ? look_at : client->until);
        if (r != -ETIMEDOUT || look_at >= client->until)
            continue;
        look_at = start_look(client, failure) ? usec_from_now(START_LOOK_USEC) : UINT64_MAX;
        r = failure->status == STATUS_OK ? 0 : -EHOSTDOWN;
    }
    return r;
}

ExitStatus client_call(Client *client, sd_bus_message *call, sd_bus_message **ret_answer, Failure *failure)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
    _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
    int r;

    r = sd_bus_call_async(client->bus, &slot, call, on_answer, &answer, UINT64_MAX);
    if (r >= 0)
        r = client_wait(client, &answer, failure);
    if (r == -EHOSTDOWN)
        return failure->status;
    if (!answer)
        return client_fail(client, r, failure);
    if (sd_bus_message_is_method_error(answer, NULL) > 0)
        return explain_answer(client, answer, failure);
    *ret_answer = TAKE_PTR(answer);
    return STATUS_OK;
}

void client_cancel(Client *client, sd_bus_message *call)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *cancel = NULL;
    uint64_t until = usec_from_now(CANCEL_USEC), serial, n_queued = 0;

    if (sd_bus_message_get_cookie(call, &serial) < 0 ||
        client_new_call(client, &cancel, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "Cancel") < 0 ||
        sd_bus_message_append(cancel, "u", (uint32_t)serial) < 0 || sd_bus_message_set_expect_reply(cancel, 0) < 0 ||
        sd_bus_message_set_auto_start(cancel, 0) < 0 || sd_bus_send(client->bus, cancel, NULL) < 0)
        return; /* leaving the bus says the same, if less politely */

    while (sd_bus_get_n_queued_write(client->bus, &n_queued) >= 0 && n_queued > 0)
        if (client_step(client, until) < 0)
            return;
}

ExitStatus client_get_properties(Client *client, const char *path, const char *interface, sd_bus_message **ret_answer,
                                 Failure *failure)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
    int r;

    r = client_new_call(client, &call, path, "org.freedesktop.DBus.Properties", "GetAll");
    if (r >= 0)
        r = sd_bus_message_append(call, "s", interface);
    if (r < 0)
        return client_fail(client, r, failure);
    return client_call(client, call, ret_answer, failure);
}

/* Who may not start the app finds out whether it runs before anything is sent to it. */
static ExitStatus check_owner(Client *client, Failure *failure)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *answer = NULL;
    int r;

    r = sd_bus_message_new_method_call(client->bus, &call, DBUS_NAME, "/org/freedesktop/DBus", DBUS_NAME,
                                       "GetNameOwner");
    if (r >= 0)
        r = sd_bus_message_append(call, "s", client->options->name);
    if (r < 0)
        return client_fail(client, r, failure);
    return client_call(client, call, &answer, failure);
}

/* Another machine has more that may be missing than the errno can tell. */
static ExitStatus fail_to_open(const BusTarget *target, const char *tried, int error, Failure *failure)
{
    switch (target->kind) {
    case BUS_HOST:
        return failure_set(failure, STATUS_FAILED, NULL,
                           "Failed to open the bus of %s: %s; it takes ssh here, a way for it to get in, and there "
                           "systemd with its systemd-stdio-bridge and a system bus",
                           target->where, strerror(-error));
    case BUS_MACHINE:
        return failure_set(failure, STATUS_FAILED, NULL,
                           "Failed to open the bus of %s: %s; it takes a running container ('machinectl' lists them), "
                           "systemd and a bus in it, and the right to enter it",
                           target->where, strerror(-error));
    default:
        return failure_set(failure, STATUS_FAILED, NULL, "Failed to open the bus%s%s: %s", tried ? " at " : "",
                           tried ? tried : "", strerror(-error));
    }
}

ExitStatus client_open(Client *client, const Options *options, Failure *failure)
{
    _cleanup_free_ char *tried = NULL;
    int r;

    *client = (Client){ .options = options };
    r = bus_open(&options->bus, &client->bus, &tried);
    if (r == -ENOMEM)
        return failure_out_of_memory(failure);
    if (r < 0)
        return fail_to_open(&options->bus, tried, r, failure);
    client_restart(client);
    return options->no_auto_start ? check_owner(client, failure) : STATUS_OK;
}
