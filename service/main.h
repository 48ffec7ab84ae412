/* SPDX-License-Identifier: MIT */
#pragma once

/* The registry of listeners and handlers: the app's, and a scoped one of each web contents that asks for it. */

#include "emitter.h"
#include "ipc-main.h"

struct ipc_main {
    Emitter listeners;
    Emitter handlers; /* one a channel */
    bool is_gone;     /* its web contents is */
    ipc_app *app;
    uint32_t renderer_id; /* of its web contents; 0: it is the app's */
};

/* The leak guard reports to an app, whatever the registry belongs to. */
void main_init(ipc_main *main, ipc_app *app, uint32_t renderer_id);
void main_clear(ipc_main *main);

/* Runs the handler of a channel, if there is one; *ret is what it answered. */
bool main_run_handler(ipc_main *main, ipc_invocation *invocation, json_t *args, int *ret);
