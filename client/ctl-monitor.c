/* SPDX-License-Identifier: MIT */
#include "ctl-monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "ctl-client.h"
#include "ctl-loop.h"
#include "ctl-monitor-row.h"
#include "ctl-output.h"
#include "file-kind.h"
#include "ipc-names.h"
#include "macro.h"

#define CHUNK 65536u                 /* bytes that are read at once */
#define LINE_LIMIT (64u * 1024 * 1024) /* bytes: no service writes lines as long */

typedef struct Monitoring {
    Client client;
    Failure *failure;
    sd_event *event;
    int fd;
    bool is_table;
    char *line; /* as much of it as there is */
    size_t length;
    size_t allocated;
} Monitoring;

static void monitoring_clear(Monitoring *monitoring)
{
    if (monitoring->fd >= 0)
        close(monitoring->fd);
    free(monitoring->line);
    sd_event_unref(monitoring->event);
    client_close(&monitoring->client);
}

/* ---- lines ---- */

static void print_line(const Monitoring *monitoring, const char *line)
{
    const Options *options = monitoring->client.options;

    if (monitoring->is_table && monitor_row_print(stdout, line))
        return;
    output_json(stdout, line, options->style == STYLE_PRETTY ? STYLE_PRETTY : STYLE_SHORT);
    putchar('\n');
}

/* The lines that are whole are printed and go. */
static void print_lines(Monitoring *monitoring, size_t n_new)
{
    char *begin = monitoring->line, *end = monitoring->line + monitoring->length, *at = end - n_new, *stop;

    while ((stop = memchr(at, '\n', (size_t)(end - at)))) {
        *stop = '\0';
        print_line(monitoring, begin);
        at = begin = stop + 1;
    }
    monitoring->length = (size_t)(end - begin);
    memmove(monitoring->line, begin, monitoring->length);
}

static int make_room(Monitoring *monitoring)
{
    size_t allocated = monitoring->allocated ? 2 * monitoring->allocated : 2 * CHUNK;
    char *line;

    if (monitoring->allocated - monitoring->length >= CHUNK)
        return 0;
    if (monitoring->length > LINE_LIMIT)
        return -EBADMSG;
    line = realloc(monitoring->line, allocated);
    if (!line)
        return -ENOMEM;
    monitoring->line = line;
    monitoring->allocated = allocated;
    return 0;
}

/* 1: there was something; 0: that is all. */
static int read_lines(Monitoring *monitoring)
{
    ssize_t n;
    int r;

    r = make_room(monitoring);
    if (r < 0)
        return r;
    n = read(monitoring->fd, monitoring->line + monitoring->length, CHUNK);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 1 : -errno;
    monitoring->length += (size_t)n;
    print_lines(monitoring, (size_t)n);
    return n > 0;
}

static ExitStatus fail_at_end(Monitoring *monitoring)
{
    return failure_set(monitoring->failure, STATUS_FAILED, NULL,
                       "%s tells no more: it went away, or does not let you watch any longer",
                       monitoring->client.options->name);
}

/* Whoever reads the lines acts on each at once. */
static int on_lines(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    Monitoring *monitoring = userdata;
    ExitStatus status;
    int r;

    (void)source, (void)fd, (void)events;
    loop_begin_writing();
    r = read_lines(monitoring);
    status = output_finish(monitoring->failure);
    loop_end_writing();
    if (status == STATUS_OK && r == 0)
        status = fail_at_end(monitoring);
    else if (status == STATUS_OK && r < 0)
        status = client_fail(&monitoring->client, r, monitoring->failure);
    return status != STATUS_OK || ferror(stdout) ? sd_event_exit(monitoring->event, (int)status) : 0;
}

/* ---- starting ---- */

static int new_call(Client *client, char **channels, sd_bus_message **ret_call)
{
    int r;

    r = client_new_call(client, ret_call, IPC_MAIN_PATH, IPC_MONITOR_INTERFACE, "Watch");
    return r < 0 ? r : sd_bus_message_append_strv(*ret_call, channels);
}

static ExitStatus explain(const Client *client, ExitStatus status, Failure *failure)
{
    _cleanup_free_ char *message = NULL;

    if (!failure->name || !failure->message)
        return status;
    message = strdup(failure->message);
    if (message && strcmp(failure->name, IPC_ERROR_ACCESS_DENIED) == 0)
        return failure_set(failure, status, IPC_ERROR_ACCESS_DENIED,
                           "%s: its policy says who may, or without one its own user and root", message);
    if (message && (strcmp(failure->name, SD_BUS_ERROR_UNKNOWN_METHOD) == 0 ||
                    strcmp(failure->name, SD_BUS_ERROR_UNKNOWN_INTERFACE) == 0))
        return failure_set(failure, status, SD_BUS_ERROR_UNKNOWN_METHOD,
                           "%s has no " IPC_MONITOR_INTERFACE ": it is no ipcbus app, or an older one",
                           client->options->name);
    return status;
}

/* What ssh passes on are bytes, whatever the ends of it agree on. */
static bool has_fds(const Client *client)
{
    return client->options->bus.kind != BUS_HOST && sd_bus_can_send(client->bus, SD_BUS_TYPE_UNIX_FD) > 0;
}

static bool is_pipe(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

static bool is_readable(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && (flags & O_ACCMODE) != O_WRONLY;
}

static ExitStatus fail_without_pipe(const Client *client, int fd, Failure *failure)
{
    return failure_set(failure, STATUS_FAILED, NULL, "%s answered Watch with %s, not with a pipe to read from",
                       client->options->name, is_pipe(fd) ? "the end of a pipe that is written to" : file_kind(fd));
}

static ExitStatus open_pipe(Monitoring *monitoring, char **channels)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *answer = NULL;
    Client *client = &monitoring->client;
    ExitStatus status;
    int fd, r;

    if (!has_fds(client))
        return failure_set(monitoring->failure, STATUS_FAILED, NULL,
                           "The bus passes no file descriptors on, as from another machine: run the command there");
    r = new_call(client, channels, &call);
    if (r < 0)
        return client_fail(client, r, monitoring->failure);
    status = client_call(client, call, &answer, monitoring->failure);
    if (status != STATUS_OK)
        return explain(client, status, monitoring->failure);
    r = sd_bus_message_read_basic(answer, SD_BUS_TYPE_UNIX_FD, &fd);
    if (r <= 0)
        return client_fail(client, r < 0 ? r : -EBADMSG, monitoring->failure);
    if (!is_pipe(fd) || !is_readable(fd))
        return fail_without_pipe(client, fd, monitoring->failure);
    monitoring->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return monitoring->fd < 0 ? client_fail(client, -errno, monitoring->failure) : STATUS_OK;
}

static int run(Monitoring *monitoring)
{
    int r;

    r = sd_event_new(&monitoring->event);
    if (r >= 0)
        r = loop_add_endings(monitoring->event);
    if (r >= 0)
        r = sd_event_add_io(monitoring->event, NULL, monitoring->fd, EPOLLIN, on_lines, monitoring);
    if (r < 0)
        return r;
    if (monitoring->is_table) {
        monitor_row_print_titles(stdout);
        fflush(stdout);
    }
    return sd_event_loop(monitoring->event);
}

ExitStatus monitor_command(const Options *options, char **operands, Failure *failure)
{
    _cleanup_(monitoring_clear) Monitoring monitoring = { .failure = failure, .fd = -1 };
    ExitStatus status;
    int r;

    monitoring.is_table = options->style == STYLE_TEXT && (options->is_style_given || isatty(STDOUT_FILENO));
    status = client_open(&monitoring.client, options, failure);
    if (status == STATUS_OK)
        status = open_pipe(&monitoring, operands);
    if (status != STATUS_OK)
        return status;
    r = run(&monitoring);
    return r < 0 ? client_fail(&monitoring.client, r, failure) : (ExitStatus)r;
}
