/* SPDX-License-Identifier: MIT */

/* A module that misbehaves: what the service manager and the sandbox are there for. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc-main.h"

/* The text of an errno, or "done". */
static int resolve_done(ipc_invocation *invocation, bool is_done)
{
    return ipc_invocation_resolvef(invocation, "s", is_done ? "done" : strerrorname_np(errno));
}

static int on_hang(ipc_invocation *invocation, json_t *args, void *userdata)
{
    for (;;)
        pause();
    return 0;
}

static int on_crash(ipc_invocation *invocation, json_t *args, void *userdata)
{
    signal(SIGSEGV, SIG_DFL);
    return raise(SIGSEGV);
}

static int on_write(ipc_invocation *invocation, json_t *args, void *userdata)
{
    const char *path = json_string_value(json_array_get(args, 0));
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;

    return resolve_done(invocation, fd >= 0 && close(fd) == 0);
}

static int on_inet(ipc_invocation *invocation, json_t *args, void *userdata)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return resolve_done(invocation, fd >= 0 && close(fd) == 0);
}

static int on_namespace(ipc_invocation *invocation, json_t *args, void *userdata)
{
    return resolve_done(invocation, unshare(CLONE_NEWNS | CLONE_NEWUSER) == 0);
}

static int on_code(ipc_invocation *invocation, json_t *args, void *userdata)
{
    void *page = mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return resolve_done(invocation, page != MAP_FAILED && munmap(page, 4096) == 0);
}

/* Writes down the word in the state folder, so that what ran is known whoever answers. */
static int on_count(ipc_invocation *invocation, json_t *args, void *userdata)
{
    const char *word = json_string_value(json_array_get(args, 0));

    if (!word || dprintf(*(int *)userdata, "%s\n", word) < 0)
        return -EINVAL;
    return ipc_invocation_resolve(invocation, json_array_get(args, 0));
}

static void on_nothing(ipc_event *event, json_t *args, void *userdata)
{
}

/* Listens too often for the renderer that asks. */
static int on_leak(ipc_invocation *invocation, json_t *args, void *userdata)
{
    ipc_web_contents *contents = ipc_sender_get_web_contents(ipc_invocation_get_sender(invocation));
    ipc_main *main = contents ? ipc_web_contents_get_main(contents) : NULL;
    int r = main ? 0 : -ENODATA;

    for (int i = 0; i <= 10 && r >= 0; i++)
        r = ipc_main_on(main, NULL, "leaky", on_nothing, NULL);
    return r < 0 ? r : ipc_invocation_resolve(invocation, NULL);
}

static int open_count(void)
{
    const char *folder = getenv("STATE_DIRECTORY");
    char path[4096];

    if (!folder)
        return -1;
    snprintf(path, sizeof(path), "%s/count", folder);
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

int ipc_module_init(ipc_app *app)
{
    static const struct {
        const char *channel;
        ipc_handler_t handler;
    } handlers[] = {
        { "hang", on_hang },           { "crash", on_crash }, { "write", on_write }, { "inet", on_inet },
        { "namespace", on_namespace }, { "code", on_code },   { "count", on_count }, { "leak", on_leak },
    };
    static int count_fd;
    const char *slow = getenv("MODULE_SLOW");
    int r = 0;

    count_fd = open_count();
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]) && r >= 0; i++)
        r = ipc_main_handle(ipc_app_get_main(app), NULL, handlers[i].channel, handlers[i].handler, &count_fd);
    if (slow)
        sleep((unsigned)atoi(slow));
    return r;
}
