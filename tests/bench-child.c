/* SPDX-License-Identifier: MIT */
#include "bench-child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_TIMEOUT_SEC 60 /* without a word for so long it hangs */

static void child_main(pid_t parent, int control, ChildRun run, void *userdata)
{
    int r;

    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    r = run(control, userdata);
    if (r < 0)
        fprintf(stderr, "bench: a child failed: %s\n", strerror(-r));
    _exit(r < 0);
}

int child_start(Child *child, ChildRun run, void *userdata)
{
    struct timeval timeout = { .tv_sec = CHILD_TIMEOUT_SEC };
    pid_t pid, parent = getpid();
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        close(pair[0]);
        child_main(parent, pair[1], run, userdata);
    }
    close(pair[1]);
    if (pid < 0 || setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0) {
        close(pair[0]);
        return -errno;
    }
    *child = (Child){ .pid = pid, .control = pair[0] };
    return 0;
}

int child_write(int control, const void *message, size_t size)
{
    return send(control, message, size, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

ssize_t child_read_some(int control, void *message, size_t size)
{
    ssize_t n = recv(control, message, size, 0);

    if (n < 0)
        return errno == EAGAIN ? -ETIMEDOUT : -errno;
    return n > 0 ? n : -ECONNRESET;
}

int child_read(int control, void *message, size_t size)
{
    ssize_t n = child_read_some(control, message, size);

    if (n < 0)
        return (int)n;
    return (size_t)n == size ? 0 : -EPROTO;
}

bool child_program_exists(const char *name)
{
    const char *path = getenv("PATH");
    char file[4096];

    while (path && *path) {
        size_t length = strcspn(path, ":");

        snprintf(file, sizeof(file), "%.*s/%s", (int)length, path, name);
        if (access(file, X_OK) == 0)
            return true;
        path += length + (path[length] == ':');
    }
    return false;
}

bool child_has_ended(const Child *child)
{
    siginfo_t info = { 0 };

    return waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid != 0;
}

void child_stop(Child *child)
{
    if (child->pid <= 0)
        return;
    kill(child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
    close(child->control);
    child->pid = 0;
}
