/* SPDX-License-Identifier: MIT */
#pragma once

/* The bus connection of a command, and calls on it that are seen to their end. */

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "ctl-failure.h"
#include "ctl-options.h"
#include "ipc-error.h"

/* Takes the name of the app. */
#define CLIENT_START_HINT "start its program, such as 'ipcbusd --name=%s', or choose another app with --name"

typedef struct Client {
    const Options *options;
    sd_bus *bus;
    uint64_t until; /* us of CLOCK_MONOTONIC: when all the calls of the command must be through */
} Client;

/* The options must outlive the client. Close it, whatever the answer. */
ExitStatus client_open(Client *client, const Options *options, Failure *failure);
void client_close(Client *client);

/* The time for calls begins anew. */
void client_restart(Client *client);

/* A call of a method of the app. A negative errno. */
int client_new_call(Client *client, sd_bus_message **ret_call, const char *path, const char *interface,
                    const char *member);

/* What a negative errno of sd-bus means while a call is made or its answer read. */
ExitStatus client_fail(Client *client, int error, Failure *failure);

/* What the error of a renderer's call means; and that of a renderer which main has not registered yet. */
ExitStatus client_fail_by_error(const ipc_error *error, Failure *failure);
ExitStatus client_fail_to_register(Client *client, const ipc_error *error, Failure *failure);

/* Sends a call and waits for the answer, which the caller owns. */
ExitStatus client_call(Client *client, sd_bus_message *call, sd_bus_message **ret_answer, Failure *failure);

/* Tells main that nobody waits any more for the answer of an Invoke. */
void client_cancel(Client *client, sd_bus_message *call);

/* All properties of an interface of the app's object at path. */
ExitStatus client_get_properties(Client *client, const char *path, const char *interface, sd_bus_message **ret_answer,
                                 Failure *failure);
