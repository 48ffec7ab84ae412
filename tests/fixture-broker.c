/* SPDX-License-Identifier: MIT */
#include "broker.h"
#include "fixture-bus.h"
#include "must.h"

Bus *bus_new_broker(const char *max_bytes)
{
    g_autofree char *program = g_find_program_in_path("dbus-broker"), *path = NULL;
    g_autoptr(GError) error = NULL;
    BrokerLimits limits = { .bytes = max_bytes, .fds = "4096", .matches = "16384", .objects = "16384" };
    Broker broker = { 0 };
    Bus *bus;

    if (!program)
        return NULL;
    bus = g_new0(Bus, 1);
    bus->folder = g_dir_make_tmp("ipcbus-test-XXXXXX", &error);
    g_assert_no_error(error);
    path = g_build_filename(bus->folder, "socket", NULL);
    bus->address = g_strconcat("unix:path=", path, NULL);
    must(broker_start(&broker, path, &limits));
    bus->pid = broker.pid;
    bus->controller = broker.controller;
    return bus;
}
