/* SPDX-License-Identifier: MIT */
#include "bench-bus.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "macro.h"

#define NAME_TIMEOUT_USEC (10u * 1000 * 1000)
#define NAME_POLL_USEC 5000u
#define SERVICES_MAX 4u

/* The limits are those of the session bus: none of them shall be what is measured. */
#define CONFIGURATION                                                                               \
    "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"          \
    " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"                           \
    "<busconfig>\n"                                                                                 \
    "  <type>session</type>\n"                                                                      \
    "  <listen>unix:path=%s/bus</listen>\n"                                                         \
    "  <auth>EXTERNAL</auth>\n"                                                                     \
    "  <servicedir>%s</servicedir>\n"                                                               \
    "  <policy context=\"default\">\n"                                                              \
    "    <allow send_destination=\"*\" eavesdrop=\"true\"/>\n"                                      \
    "    <allow eavesdrop=\"true\"/>\n"                                                             \
    "    <allow own=\"*\"/>\n"                                                                      \
    "  </policy>\n"                                                                                 \
    "  <limit name=\"max_incoming_bytes\">1000000000</limit>\n"                                     \
    "  <limit name=\"max_outgoing_bytes\">1000000000</limit>\n"                                     \
    "  <limit name=\"max_message_size\">1000000000</limit>\n"                                       \
    "  <limit name=\"max_completed_connections\">100000</limit>\n"                                  \
    "  <limit name=\"max_incomplete_connections\">10000</limit>\n"                                  \
    "  <limit name=\"max_connections_per_user\">100000</limit>\n"                                   \
    "  <limit name=\"max_names_per_connection\">50000</limit>\n"                                    \
    "  <limit name=\"max_match_rules_per_connection\">50000</limit>\n"                              \
    "  <limit name=\"max_replies_per_connection\">50000</limit>\n"                                  \
    "%s"                                                                                            \
    "</busconfig>\n"

/* Static, because a signal that ends the benchmark removes them, too. */
static char folder[128];
static char socket_path[160];
static char configuration_path[160];
static char log_path[160];
static char broker_path[160];
static char service_paths[SERVICES_MAX][256];
static unsigned n_services;

static void remove_files(void)
{
    if (!*folder)
        return;
    (void)unlink(socket_path);
    (void)unlink(configuration_path);
    (void)unlink(log_path);
    (void)unlink(broker_path);
    for (unsigned i = 0; i < n_services; i++)
        (void)unlink(service_paths[i]);
    (void)rmdir(folder);
}

/* The children end by themselves. */
static void on_signal(int number)
{
    remove_files();
    _exit(128 + number);
}

static int make_files(const char *limits)
{
    const char *parent = getenv("TMPDIR");
    FILE *file;

    snprintf(folder, sizeof(folder), "%s/ipcbus-bench-XXXXXX", parent && strlen(parent) < 80 ? parent : "/tmp");
    if (!mkdtemp(folder)) {
        *folder = '\0';
        return -errno;
    }
    snprintf(socket_path, sizeof(socket_path), "%s/bus", folder);
    snprintf(configuration_path, sizeof(configuration_path), "%s/bus.conf", folder);
    snprintf(log_path, sizeof(log_path), "%s/log", folder);
    snprintf(broker_path, sizeof(broker_path), "%s/broker", folder);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    file = fopen(configuration_path, "we");
    if (!file)
        return -errno;
    fprintf(file, CONFIGURATION, folder, folder, limits);
    return fclose(file) < 0 ? -errno : 0;
}

static int run_daemon(int control, void *userdata)
{
    char print[64];
    int log;

    (void)userdata;
    (void)fcntl(control, F_SETFD, 0);
    /* It warns of limits that it could not raise, which is of interest only if it does not start. */
    log = open(log_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (log < 0 || dup2(log, STDERR_FILENO) < 0)
        return -errno;
    snprintf(print, sizeof(print), "--print-address=%d", control);
    execlp("dbus-daemon", "dbus-daemon", "--config-file", configuration_path, "--nofork", "--nopidfile", print,
           NULL);
    return -errno;
}

static void print_log(void)
{
    char line[512];
    FILE *file = fopen(log_path, "re");

    while (file && fgets(line, sizeof(line), file))
        fputs(line, stderr);
    if (file)
        fclose(file);
}

int bus_start(Bus *bus, const char *limits)
{
    ssize_t n;
    int r;

    r = make_files(limits);
    if (r >= 0)
        r = child_start(&bus->daemon, run_daemon, NULL);
    if (r < 0)
        return r;
    n = child_read_some(bus->daemon.control, bus->address, sizeof(bus->address) - 1);
    if (n < 0) {
        print_log();
        return (int)n;
    }
    bus->address[n] = '\0';
    bus->address[strcspn(bus->address, "\n")] = '\0';
    return 0;
}

const char *bus_get_folder(void)
{
    return folder;
}

void bus_stop(Bus *bus)
{
    bus->controller = sd_bus_unref(bus->controller);
    child_stop(&bus->daemon);
    remove_files();
}

int bus_open(const char *address, sd_bus **ret_bus)
{
    _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
    int r;

    r = sd_bus_new(&bus);
    if (r >= 0)
        r = sd_bus_set_address(bus, address);
    if (r >= 0)
        r = sd_bus_set_bus_client(bus, true);
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r < 0)
        return r;
    *ret_bus = TAKE_PTR(bus);
    return 0;
}

int bus_wait_for_name(const char *address, const char *name, const Child *owner)
{
    _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
    unsigned waited = 0;
    int r;

    r = bus_open(address, &bus);
    while (r >= 0) {
        r = sd_bus_get_name_creds(bus, name, 0, NULL);
        if (r != -ENXIO)
            break;
        r = child_has_ended(owner) ? -ESRCH : waited < NAME_TIMEOUT_USEC ? 0 : -ETIMEDOUT;
        waited += NAME_POLL_USEC;
        usleep(NAME_POLL_USEC);
    }
    return r < 0 ? r : 0;
}

int bus_wait_until_free(const char *address, const char *name)
{
    _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
    unsigned waited = 0;
    int r;

    r = bus_open(address, &bus);
    while (r >= 0 && (r = sd_bus_get_name_creds(bus, name, 0, NULL)) >= 0) {
        if (waited >= NAME_TIMEOUT_USEC)
            return -ETIMEDOUT;
        waited += NAME_POLL_USEC;
        usleep(NAME_POLL_USEC);
    }
    return r == -ENXIO ? 0 : r;
}

int bus_add_service(const Bus *bus, const char *name, const char *command)
{
    _cleanup_(sd_bus_flush_close_unrefp) sd_bus *connection = NULL;
    FILE *file;
    int r;

    if (n_services == SERVICES_MAX)
        return -E2BIG;
    snprintf(service_paths[n_services], sizeof(*service_paths), "%s/%s.service", folder, name);
    file = fopen(service_paths[n_services++], "we");
    if (!file)
        return -errno;
    fprintf(file, "[D-BUS Service]\nName=%s\nExec=%s\n", name, command);
    if (fclose(file) < 0)
        return -errno;
    r = bus_open(bus->address, &connection);
    return r < 0 ? r :
                   sd_bus_call_method(connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                      "org.freedesktop.DBus", "ReloadConfig", NULL, NULL, NULL);
}
