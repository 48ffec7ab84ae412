/* SPDX-License-Identifier: MIT */
#include "ctl-start.h"

#include <string.h>

#include "activation.h"
#include "ipc-names.h"
#include "macro.h"

#define ANSWER_USEC (1u * 1000 * 1000) /* us that the bus or systemd may take to answer */
#define DBUS_NAME "org.freedesktop.DBus"
#define DBUS_PATH "/org/freedesktop/DBus"

/* The unique name of a name's owner: the caller frees it. NULL: it has none, or there was no answer. */
static char *owner_of(Client *client, const char *name)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *answer = NULL;
    const char *owner;

    if (sd_bus_message_new_method_call(client->bus, &call, DBUS_NAME, DBUS_PATH, DBUS_NAME, "GetNameOwner") < 0 ||
        sd_bus_message_append(call, "s", name) < 0 ||
        sd_bus_call(client->bus, call, ANSWER_USEC, NULL, &answer) < 0 ||
        sd_bus_message_read(answer, "s", &owner) <= 0)
        return NULL;
    return strdup(owner);
}

static UnitState ask_about_unit(Client *client, Activation *activation, size_t unit, const char *systemd)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *answer = NULL;
    const char *sender;

    if (activation_new_question(activation, unit, client->bus, &call) < 0 ||
        sd_bus_message_set_destination(call, systemd) < 0 ||
        sd_bus_call(client->bus, call, ANSWER_USEC, NULL, &answer) < 0)
        return UNIT_OTHER;
    /* On the bus of a user anyone may answer anyone. */
    sender = sd_bus_message_get_sender(answer);
    return sender && strcmp(sender, systemd) == 0 ? activation_read_answer(activation, answer) : UNIT_OTHER;
}

static void set_failure(Client *client, const Activation *activation, size_t unit, UnitState state, Failure *failure)
{
    _cleanup_free_ char *text = activation_explain(activation, unit, state, client->options->name);

    if (text)
        failure_set(failure, STATUS_NO_SERVICE, IPC_ERROR_MAIN_GONE, "%s", text);
    else
        failure_out_of_memory(failure);
}

/* Another machine's files and units are not ours to look at. */
static bool has_units(Client *client, Activation *activation)
{
    BusKind kind = client->options->bus.kind;

    return kind != BUS_HOST && kind != BUS_MACHINE &&
           activation_find(activation, client->bus, client->options->name) >= 0 && activation->n_units > 0;
}

bool start_look(Client *client, Failure *failure)
{
    _cleanup_(activation_clear) Activation activation = { 0 };
    _cleanup_free_ char *owner = owner_of(client, client->options->name), *systemd = NULL;
    UnitState state;

    if (owner || !has_units(client, &activation))
        return false;
    systemd = owner_of(client, SYSTEMD_NAME);
    if (!systemd)
        return false;
    for (size_t unit = 0; unit < activation.n_units; unit++) {
        state = ask_about_unit(client, &activation, unit, systemd);
        if (state != UNIT_FAILED && state != UNIT_ENDED)
            continue;
        set_failure(client, &activation, unit, state, failure);
        return false;
    }
    return true;
}

bool start_explain(Client *client, Failure *failure)
{
    _cleanup_(activation_clear) Activation activation = { 0 };
    _cleanup_free_ char *systemd = NULL;
    UnitState state;

    /* A guess is no better than what the bus knows. */
    if (!has_units(client, &activation) || !activation.is_certain)
        return false;
    systemd = owner_of(client, SYSTEMD_NAME);
    if (!systemd)
        return false;
    state = ask_about_unit(client, &activation, 0, systemd);
    if (state != UNIT_OTHER)
        set_failure(client, &activation, 0, state, failure);
    return state != UNIT_OTHER;
}
