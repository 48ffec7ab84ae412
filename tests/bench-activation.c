/* SPDX-License-Identifier: MIT */
#include "bench-activation.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench-contender.h"
#include "ipc-names.h"
#include "macro.h"

#define IPCBUS_NAME "org.ipcbus.BenchCold"

typedef struct Cold {
    const char *name;
    const char *signature; /* of the call */
    Series *series;
} Cold;

int activation_serve(const char *address)
{
    Tally tally = { 0 };
    Scene scene = { .address = address, .bus_name = bare_contender.bus_name, .payload = PAYLOAD, .tally = &tally };
    int pair[2];

    /* Nobody is told that it is ready. */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    scene.control = pair[0];
    return bare_contender.serve(&scene);
}

static int call(sd_bus *bus, const Cold *cold)
{
    if (strcmp(cold->signature, "s") == 0)
        return sd_bus_call_method(bus, cold->name, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "Invoke", NULL, NULL, "s",
                                  PAYLOAD);
    return sd_bus_call_method(bus, cold->name, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "Invoke", NULL, NULL, "ss", CHANNEL,
                              "[\"" PAYLOAD "\"]");
}

static int stop_service(const char *address, sd_bus *bus, const char *name)
{
    _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *credentials = NULL;
    pid_t pid;
    int r;

    r = sd_bus_get_name_creds(bus, name, SD_BUS_CREDS_PID, &credentials);
    if (r >= 0)
        r = sd_bus_creds_get_pid(credentials, &pid);
    if (r < 0)
        return r;
    if (kill(pid, SIGKILL) < 0)
        return -errno;
    return bus_wait_until_free(address, name);
}

static int start_once(const char *address, const Cold *cold, bool counts)
{
    _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
    uint64_t start;
    int r;

    r = bus_open(address, &bus);
    if (r < 0)
        return r;
    start = now_nsec();
    r = call(bus, cold);
    if (r >= 0 && counts)
        series_add(cold->series, (double)(now_nsec() - start) / 1e6);
    return r < 0 ? r : stop_service(address, bus, cold->name);
}

/* From a build tree, libtool's script would be started first: the program behind it is what is installed. */
static void write_command(char *command, size_t size, const char *program, const char *address)
{
    const char *name = strrchr(program, '/') ? strrchr(program, '/') + 1 : program;
    const char *build = getenv("top_builddir");
    char built[4096];

    snprintf(built, sizeof(built), "%.*s.libs/%s", (int)(name - program), program, name);
    if (access(built, X_OK) == 0)
        snprintf(command, size,
                 "/usr/bin/env LD_LIBRARY_PATH=%s/.libs %s --address=%s --name=" IPCBUS_NAME " --module=echo",
                 build ? build : ".", built, address);
    else
        snprintf(command, size, "/usr/bin/env %s --address=%s --name=" IPCBUS_NAME " --module=echo", program, address);
}

static int add_services(const Bus *bus, const char *program, const char *self)
{
    char command[8192];
    int r;

    write_command(command, sizeof(command), program, bus->address);
    r = bus_add_service(bus, IPCBUS_NAME, command);
    if (r < 0)
        return r;
    snprintf(command, sizeof(command), "/usr/bin/env %s%s", self, bus->address);
    return bus_add_service(bus, bare_contender.bus_name, command);
}

int activation_measure(const Bus *bus, const char *program, const char *self, unsigned n_rounds, Series *ipcbus,
                       Series *bare)
{
    const Cold colds[] = { { IPCBUS_NAME, "ss", ipcbus }, { bare_contender.bus_name, "s", bare } };
    int r;

    r = add_services(bus, program, self);
    for (unsigned round = 0; round <= n_rounds && r >= 0; round++)
        for (size_t i = 0; i < ELEMENTSOF(colds) && r >= 0; i++)
            r = start_once(bus->address, &colds[i], round > 0);
    return r;
}
