/* SPDX-License-Identifier: MIT */
#include "broker.h"

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

#include "macro.h"

#define BATCH "bta(btbs)a(btssssuutt)a(btssssuutt)"
#define POLICY "a(u(" BATCH "))a(buu(" BATCH "))a(ss)bs"
#define MACHINE "0123456789abcdef0123456789abcdef"
#define PRIORITY UINT64_C(1)
#define BACKLOG 1024

static int append_policy(sd_bus_message *call)
{
    int r;

    r = sd_bus_message_open_container(call, 'v', "(" POLICY ")");
    if (r >= 0)
        r = sd_bus_message_open_container(call, 'r', POLICY);
    if (r >= 0)
        r = sd_bus_message_append(call, "a(u(" BATCH "))", 1, UINT32_MAX, true, PRIORITY, 1, true, PRIORITY, true, "",
                                  1, true, PRIORITY, "", "", "", "", 0, 0, UINT64_C(0), UINT64_MAX, 1, true, PRIORITY,
                                  "", "", "", "", 0, 0, UINT64_C(0), UINT64_MAX);
    if (r >= 0)
        r = sd_bus_message_append(call, "a(buu(" BATCH "))a(ss)bs", 0, 0, false, "session");
    if (r >= 0)
        r = sd_bus_message_close_container(call);
    return r < 0 ? r : sd_bus_message_close_container(call);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd, error;

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    error = -errno;
    close(fd);
    return error;
}

static int add_listener(sd_bus *controller, const char *path)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
    int fd, r;

    fd = listen_at(path);
    if (fd < 0)
        return fd;
    r = sd_bus_message_new_method_call(controller, &call, NULL, "/org/bus1/DBus/Broker", "org.bus1.DBus.Broker",
                                       "AddListener");
    if (r >= 0)
        r = sd_bus_message_append(call, "oh", "/org/bus1/DBus/Listener/0", fd);
    close(fd);
    if (r >= 0)
        r = append_policy(call);
    return r < 0 ? r : sd_bus_call(controller, call, 0, NULL, NULL);
}

static void run_broker(int control, const BrokerLimits *limits, pid_t parent)
{
    char number[16];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    snprintf(number, sizeof(number), "%d", control);
    (void)fcntl(control, F_SETFD, 0);
    execlp("dbus-broker", "dbus-broker", "--controller", number, "--machine-id", MACHINE, "--max-bytes", limits->bytes,
           "--max-fds", limits->fds, "--max-matches", limits->matches, "--max-objects", limits->objects, NULL);
    _exit(1);
}

/* Takes the fd. */
static int open_controller(Broker *broker, int fd, const char *path)
{
    int r;

    r = sd_bus_new(&broker->controller);
    if (r >= 0)
        r = sd_bus_set_fd(broker->controller, fd, fd);
    if (r < 0) {
        close(fd);
        return r;
    }
    r = sd_bus_start(broker->controller);
    return r < 0 ? r : add_listener(broker->controller, path);
}

int broker_start(Broker *broker, const char *path, const BrokerLimits *limits)
{
    pid_t parent = getpid();
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return -errno;
    fflush(NULL);
    broker->pid = fork();
    if (broker->pid == 0)
        run_broker(pair[1], limits, parent);
    close(pair[1]);
    if (broker->pid < 0) {
        close(pair[0]);
        return -errno;
    }
    return open_controller(broker, pair[0], path);
}
