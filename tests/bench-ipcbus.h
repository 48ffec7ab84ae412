/* SPDX-License-Identifier: MIT */
#pragma once

/* The library as a contender, and what its variants have in common. */

#include <systemd/sd-event.h>

#include "bench-contender.h"
#include "ipc-main.h"
#include "ipc-renderer.h"

/* The first member of what a variant keeps. */
typedef struct IpcbusClient {
    ipc_renderer *renderer;
    sd_event *event; /* NULL: none */
    Tally *tally;
    const char *payload;
    json_t *args;
    unsigned n_left; /* answers that have not come */
    uint64_t start;  /* of the act that is under way */
    int r;
} IpcbusClient;

/* Handles and hears a channel by echoing what comes. */
int ipcbus_echo(ipc_main *main, const char *channel);

/* An app that echoes and counts; it is not started yet. */
int ipcbus_new_service(const Scene *scene, ipc_app **ret_app);
int ipcbus_serve_by_event(const Scene *scene);

int ipcbus_open_client(const Scene *scene, ipc_renderer_flags flags, IpcbusClient *client);

/* Registers, and does what it is told. */
int ipcbus_perform(const Scene *scene, const ActRun runs[N_ACTS], IpcbusClient *client);

/* Until there are no answers left. */
int ipcbus_run(IpcbusClient *client);

int ipcbus_call(void *client, unsigned n);
int ipcbus_invoke(void *client, unsigned n);
int ipcbus_send(void *client, unsigned n);
