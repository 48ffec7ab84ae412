/* SPDX-License-Identifier: MIT */
#include "fixture-bus.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "must.h"

/*
 * Any user may connect, own any name and talk to anyone: who may do what is for the app to say. And everyone may take
 * time to say hello, because under valgrind everyone does.
 */
static const char config_format[] =
    "<!DOCTYPE busconfig PUBLIC '-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN'\n"
    " 'http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd'>\n"
    "<busconfig>\n"
    "  <type>session</type>\n"
    "  <listen>unix:path=%s/socket</listen>\n"
    "  <auth>EXTERNAL</auth>\n"
    "  <policy context='default'>\n"
    "    <allow user='*'/>\n"
    "    <allow send_destination='*' eavesdrop='true'/>\n"
    "    <allow eavesdrop='true'/>\n"
    "    <allow own='*'/>\n"
    "  </policy>\n"
    "  <limit name='auth_timeout'>600000</limit>\n"
    "  %s\n"
    "</busconfig>\n";

static char *write_config(const Bus *bus, const char *config)
{
    g_autofree char *path = g_build_filename(bus->folder, "bus.conf", NULL);
    g_autofree char *text = g_strdup_printf(config_format, bus->folder, config ? config : BUS_LIMITS_SESSION);
    g_autoptr(GError) error = NULL;

    if (!g_file_set_contents(path, text, -1, &error))
        g_error("Failed to write %s: %s", path, error->message);
    return g_steal_pointer(&path);
}

/* Runs between fork and exec: a test that aborts takes its bus with it. */
static void end_with_parent(gpointer parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != (pid_t)GPOINTER_TO_INT(parent))
        _exit(1);
}

static char *read_line(int fd)
{
    GString *line = g_string_new(NULL);
    char c;

    while (read(fd, &c, 1) == 1 && c != '\n')
        g_string_append_c(line, c);
    close(fd);
    return g_string_free(line, FALSE);
}

Bus *bus_new(const char *config)
{
    Bus *bus = g_new0(Bus, 1);
    g_autofree char *path = NULL, *config_option = NULL;
    g_autoptr(GError) error = NULL;
    int out;

    bus->folder = g_dir_make_tmp("ipcbus-test-XXXXXX", &error);
    if (!bus->folder || g_chmod(bus->folder, 0755) < 0)
        g_error("Failed to make a folder for the bus: %s", error ? error->message : g_strerror(errno));
    path = write_config(bus, config);
    config_option = g_strconcat("--config-file=", path, NULL);

    const char *argv[] = { "dbus-daemon", config_option, "--nofork", "--nopidfile", "--print-address", NULL };

    if (!g_spawn_async_with_pipes(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                                  end_with_parent, GINT_TO_POINTER(getpid()), &bus->pid, NULL, &out, NULL, &error))
        g_error("Failed to start a dbus-daemon: %s", error->message);
    bus->address = read_line(out);
    if (!*bus->address)
        g_error("The dbus-daemon did not start");
    return bus;
}

void bus_kill(Bus *bus)
{
    if (bus->pid == 0)
        return;
    kill(bus->pid, SIGKILL);
    while (waitpid(bus->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    bus->pid = 0;
}

void bus_free(Bus *bus)
{
    static const char *const files[] = { "bus.conf", "socket" };
    size_t i;

    if (!bus)
        return;
    bus_kill(bus);
    for (i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(bus->folder, files[i], NULL);

        g_unlink(path);
    }
    g_rmdir(bus->folder);
    g_free(bus->folder);
    g_free(bus->address);
    sd_bus_unref(bus->controller);
    g_free(bus);
}

sd_bus *bus_connect(const Bus *bus)
{
    sd_bus *connection;

    must(sd_bus_new(&connection));
    must(sd_bus_set_address(connection, bus->address));
    must(sd_bus_set_bus_client(connection, true));
    must(sd_bus_start(connection));
    return connection;
}

/* The kernel notes who connects when it connects, so the process may go back at once. */
sd_bus *bus_connect_as(const Bus *bus, uid_t uid)
{
    sd_bus *connection;

    must(seteuid(uid) < 0 ? -errno : 0);
    connection = bus_connect(bus);
    must(seteuid(0) < 0 ? -errno : 0);
    return connection;
}
