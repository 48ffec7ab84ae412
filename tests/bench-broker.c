/* SPDX-License-Identifier: MIT */

/*
 * dbus-broker without systemd around it. It wants its socket as systemd hands it over, and a journal: where there is
 * none, it gets a /run of its own with a socket in it that nobody reads.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench-bus.h"
#include "macro.h"

#define JOURNAL "/run/systemd/journal/socket"
#define LAUNCHER "dbus-broker-launch"
#define LISTEN_FD 3 /* where systemd puts the first one */
#define BACKLOG 1024

static int bind_socket(int type, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)) {
        int error = -errno;

        close(fd);
        return error;
    }
    return fd;
}

/* Needs root. The socket stays open, and is never read. */
static int make_journal(void)
{
    int fd;

    if (access(JOURNAL, F_OK) == 0)
        return 0;
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0 || mkdir("/run/systemd", 0755) < 0 ||
        mkdir("/run/systemd/journal", 0755) < 0)
        return -errno;
    fd = bind_socket(SOCK_DGRAM, JOURNAL);
    return fd < 0 ? fd : fcntl(fd, F_SETFD, 0);
}

/* fd: the listening socket */
static int run_launcher(int control, void *userdata)
{
    char configuration[192], pid[32], address[256];
    int *fd = userdata, null, r;

    (void)control;
    r = make_journal();
    if (r < 0)
        return r;
    null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, STDERR_FILENO) < 0 || dup2(*fd, LISTEN_FD) < 0)
        return -errno;
    snprintf(configuration, sizeof(configuration), "--config-file=%s/bus.conf", bus_get_folder());
    snprintf(address, sizeof(address), "unix:path=%s/broker", bus_get_folder());
    snprintf(pid, sizeof(pid), "%d", getpid());
    setenv("LISTEN_FDS", "1", 1);
    setenv("LISTEN_PID", pid, 1);
    setenv("DBUS_SESSION_BUS_ADDRESS", address, 1);
    execlp(LAUNCHER, LAUNCHER, "--scope", "user", configuration, NULL);
    return -errno;
}

/* It answers, once it is up; its end closes the socket that it was given. */
static int await_answer(const char *address)
{
    _cleanup_(sd_bus_flush_close_unrefp) sd_bus *connection = NULL;
    int r;

    r = bus_open(address, &connection);
    return r < 0 ? r :
                   sd_bus_call_method(connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                      "org.freedesktop.DBus", "GetId", NULL, NULL, NULL);
}

int bus_start_broker(Bus *bus)
{
    char path[192];
    int fd, r;

    if (!child_program_exists(LAUNCHER))
        return -ENOENT;
    snprintf(path, sizeof(path), "%s/broker", bus_get_folder());
    fd = bind_socket(SOCK_STREAM, path);
    if (fd < 0)
        return fd;
    r = child_start(&bus->daemon, run_launcher, &fd);
    close(fd);
    snprintf(bus->address, sizeof(bus->address), "unix:path=%s", path);
    return r < 0 ? r : await_answer(bus->address);
}
