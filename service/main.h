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

typedef enum HandlerKind {
    HANDLER_NONE,
    HANDLER_JSON,
    HANDLER_TEXT, /* wants the text as it came */
} HandlerKind;

HandlerKind main_get_handler_kind(const ipc_main *main, const char *channel);

/* Runs the handler of a channel, which is there, with what its kind wants. The answer is the handler's. */
int main_run_handler(ipc_main *main, ipc_invocation *invocation, json_t *args, const char *text, size_t length);
