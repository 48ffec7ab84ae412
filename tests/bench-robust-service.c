/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "bench-bus.h"
#include "bench-ipcbus.h"
#include "bench-robust.h"
#include "ipc-main.h"
#include "ipc-names.h"
#include "macro.h"

#define BLAST_BATCH 5
#define MESSAGE_SIZE 1024

/* ---- by ipcbus ---- */

typedef struct Blast {
    ipc_app *app;
    uint32_t id;
    unsigned n_left;
    unsigned n_accepted;
    unsigned n_refused;
    json_t *filling;
} Blast;

static void on_blast(ipc_event *event, json_t *args, void *userdata)
{
    Blast *blast = userdata;

    blast->id = (uint32_t)json_integer_value(json_array_get(args, 0));
    blast->n_left = ROBUST_N_BLAST;
    (void)ipc_event_return(event, args);
}

static void on_count(ipc_event *event, json_t *args, void *userdata)
{
    Blast *blast = userdata;

    (void)args;
    (void)ipc_event_returnf(event, "[iii]", blast->n_left, blast->n_accepted, blast->n_refused);
}

static void blast_some(Blast *blast)
{
    ipc_web_contents *contents = ipc_web_contents_from_id(blast->app, blast->id);
    int i, r;

    for (i = 0; i < BLAST_BATCH && blast->n_left > 0; i++, blast->n_left--) {
        r = ipc_web_contents_sendf(contents, "n", "iO", blast->n_accepted, blast->filling);
        if (r < 0)
            blast->n_refused++;
        else
            blast->n_accepted++;
    }
}

static void on_warning(const char *message, void *userdata)
{
    (void)userdata;
    printf("         the log says: %s\n", message);
}

static int set_up(Blast *blast)
{
    ipc_main *main = ipc_app_get_main(blast->app);
    int r;

    r = ipcbus_echo(main, "echo");
    if (r >= 0)
        r = ipc_main_on(main, NULL, "blast", on_blast, blast);
    if (r >= 0)
        r = ipc_main_on(main, NULL, "count", on_count, blast);
    if (r >= 0)
        r = ipc_app_on_warning(blast->app, NULL, on_warning, NULL);
    return r < 0 ? r : ipc_app_start(blast->app);
}

int robust_serve(int control, void *unused)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    char filling[MESSAGE_SIZE + 1];
    Blast blast = { 0 };
    int r;

    (void)unused;
    memset(filling, 'x', MESSAGE_SIZE);
    filling[MESSAGE_SIZE] = '\0';
    blast.filling = json_string(filling);
    r = bus_open(robust->address, &bus);
    if (r >= 0)
        r = ipc_app_new(&blast.app, bus, ROBUST_NAME);
    if (r >= 0)
        r = set_up(&blast);
    if (r >= 0)
        r = child_write(control, &r, sizeof(r));
    while (r >= 0) {
        blast_some(&blast);
        r = ipc_app_process(blast.app);
        if (r == 0)
            r = ipc_app_wait(blast.app, blast.n_left > 0 ? 0 : UINT64_MAX);
    }
    return r;
}

/* ---- by plain sd-bus ---- */

static int on_register(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    (void)userdata, (void)error;
    return sd_bus_reply_method_return(call, "u", 1);
}

static int on_invoke(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    const char *args;
    int r;

    (void)userdata, (void)error;
    r = sd_bus_message_read(call, "ss", NULL, &args);
    return r < 0 ? r : sd_bus_reply_method_return(call, "s", args);
}

static const sd_bus_vtable bare_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Register", "a{sv}", "u", on_register, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Invoke", "ss", "s", on_invoke, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

int robust_serve_bare(int control, void *unused)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    int r;

    (void)unused;
    r = bus_open(robust->address, &bus);
    if (r >= 0)
        r = sd_bus_add_object_vtable(bus, NULL, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, bare_vtable, NULL);
    if (r >= 0)
        r = sd_bus_request_name(bus, ROBUST_NAME, 0);
    if (r >= 0)
        r = child_write(control, &r, sizeof(r));
    while (r >= 0) {
        r = sd_bus_process(bus, NULL);
        if (r == 0)
            r = sd_bus_wait(bus, UINT64_MAX);
    }
    return r;
}
