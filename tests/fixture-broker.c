/* SPDX-License-Identifier: MIT */
#include "fixture-bus.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "must.h"

/*
 * A dbus-broker without its launcher, which wants a systemd: we are its controller, and give it a socket to listen on
 * and a policy that allows everything.
 */

#define BATCH "bta(btbs)a(btssssuutt)a(btssssuutt)"
#define POLICY "a(u(" BATCH "))a(buu(" BATCH "))a(ss)bs"
#define MACHINE "0123456789abcdef0123456789abcdef"
#define PRIORITY UINT64_C(1)

static void append_policy(sd_bus_message *call)
{
    must(sd_bus_message_open_container(call, 'v', "(" POLICY ")"));
    must(sd_bus_message_open_container(call, 'r', POLICY));
    must(sd_bus_message_append(call, "a(u(" BATCH "))", 1, UINT32_MAX, true, PRIORITY, 1, true, PRIORITY, true, "", 1,
                               true, PRIORITY, "", "", "", "", 0, 0, UINT64_C(0), UINT64_MAX, 1, true, PRIORITY, "",
                               "", "", "", 0, 0, UINT64_C(0), UINT64_MAX));
    must(sd_bus_message_append(call, "a(buu(" BATCH "))a(ss)bs", 0, 0, false, "session"));
    must(sd_bus_message_close_container(call));
    must(sd_bus_message_close_container(call));
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(fd, 100), ==, 0);
    return fd;
}

static void add_listener(sd_bus *controller, const char *path)
{
    int fd = listen_at(path);
    sd_bus_message *call;

    must(sd_bus_message_new_method_call(controller, &call, NULL, "/org/bus1/DBus/Broker", "org.bus1.DBus.Broker",
                                        "AddListener"));
    must(sd_bus_message_append(call, "oh", "/org/bus1/DBus/Listener/0", fd));
    append_policy(call);
    must(sd_bus_call(controller, call, 0, NULL, NULL));
    sd_bus_message_unref(call);
    close(fd);
}

static pid_t start_broker(int control, const char *max_bytes)
{
    pid_t parent = getpid(), pid;
    char number[16];

    fflush(NULL);
    pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    snprintf(number, sizeof(number), "%d", control);
    (void)fcntl(control, F_SETFD, 0);
    execlp("dbus-broker", "dbus-broker", "--controller", number, "--machine-id", MACHINE, "--max-bytes", max_bytes,
           "--max-fds", "4096", "--max-matches", "16384", "--max-objects", "16384", NULL);
    _exit(1);
}

Bus *bus_new_broker(const char *max_bytes)
{
    g_autofree char *program = g_find_program_in_path("dbus-broker"), *path = NULL;
    g_autoptr(GError) error = NULL;
    int pair[2];
    Bus *bus;

    if (!program)
        return NULL;
    bus = g_new0(Bus, 1);
    bus->folder = g_dir_make_tmp("ipcbus-test-XXXXXX", &error);
    g_assert_no_error(error);
    path = g_build_filename(bus->folder, "socket", NULL);
    bus->address = g_strconcat("unix:path=", path, NULL);

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), ==, 0);
    bus->pid = start_broker(pair[1], max_bytes);
    close(pair[1]);
    must(sd_bus_new(&bus->controller));
    must(sd_bus_set_fd(bus->controller, pair[0], pair[0]));
    must(sd_bus_start(bus->controller));
    add_listener(bus->controller, path);
    return bus;
}
