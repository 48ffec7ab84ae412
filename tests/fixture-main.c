/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The main process of a fixture: the app in the test's own process, or one in a process that the test forks. */

/* ---- coming and going ---- */

static void on_warning(const char *message, void *userdata)
{
    Fixture *f = userdata;

    g_ptr_array_add(f->warnings, g_strdup(message));
}

void main_return(Fixture *f)
{
    sd_bus *bus = bus_connect(f->bus);

    g_assert_null(f->app);
    must(ipc_app_new(&f->app, bus, FIXTURE_NAME));
    sd_bus_unref(bus);
    must(ipc_app_on_warning(f->app, NULL, on_warning, f));
    must(ipc_app_attach_event(f->app, f->event, SD_EVENT_PRIORITY_NORMAL));
    must(ipc_app_start(f->app));
    f->main = ipc_app_get_main(f->app);
    f->is_main_frozen = false;
}

void main_stop(Fixture *f)
{
    must(ipc_app_stop(f->app, 0));
    main_vanish(f);
}

void main_vanish(Fixture *f)
{
    f->main = NULL;
    f->app = ipc_app_unref(f->app);
}

void load_policy(Fixture *f, const char *json)
{
    g_autofree char *path = g_build_filename(f->bus->folder, "policy.json", NULL);
    ipc_error failure = IPC_ERROR_INIT;
    g_autoptr(GError) error = NULL;

    if (!g_file_set_contents(path, json, -1, &error))
        g_error("Failed to write %s: %s", path, error->message);
    if (ipc_app_load_policy(f->app, path, &failure) < 0)
        g_error("The policy is refused: %s", failure.message);
    g_unlink(path);
}

void main_freeze(Fixture *f)
{
    must(ipc_app_detach_event(f->app));
    f->is_main_frozen = true;
}

void main_thaw(Fixture *f)
{
    must(ipc_app_attach_event(f->app, f->event, SD_EVENT_PRIORITY_NORMAL));
    f->is_main_frozen = false;
}

ipc_web_contents *contents_of(Client *c)
{
    ipc_web_contents *contents = ipc_web_contents_from_id(c->fixture->app, client_id(c));

    g_assert_nonnull(contents);
    return contents;
}

/* ---- handlers and listeners ---- */

static int on_answer(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)args;
    return ipc_invocation_resolve(invocation, userdata);
}

void answer(Fixture *f, const char *channel, const char *json)
{
    json_t *value = json_from(json);

    g_ptr_array_add(f->answers, value);
    must(ipc_main_handle(f->main, NULL, channel, on_answer, value));
}

static int on_keep(ipc_invocation *invocation, json_t *args, void *userdata)
{
    Fixture *f = userdata;

    (void)args;
    g_queue_push_tail(&f->kept, ipc_invocation_ref(invocation));
    return 0;
}

void keep(Fixture *f, const char *channel)
{
    must(ipc_main_handle(f->main, NULL, channel, on_keep, f));
}

static void on_keep_event(ipc_event *event, json_t *args, void *userdata)
{
    Fixture *f = userdata;

    (void)args;
    g_queue_push_tail(&f->kept_events, ipc_event_ref(event));
}

void keep_events(Fixture *f, const char *channel)
{
    must(ipc_main_on(f->main, NULL, channel, on_keep_event, f));
}

static void on_hear(ipc_event *event, json_t *args, void *userdata)
{
    Fixture *f = userdata;

    g_queue_push_tail(&f->heard, heard_new("Send", ipc_event_get_channel(event), args,
                                           ipc_event_get_sender_id(event)));
}

void hear(Fixture *f, const char *channel)
{
    must(ipc_main_on(f->main, NULL, channel, on_hear, f));
}

static void await_any(const char *where, Fixture *f, const GQueue *queue, const char *what)
{
    Wait wait = wait_begin(where, what);

    while (queue->length == 0)
        wait_step(f, &wait);
}

ipc_invocation *fixture_take_kept(const char *where, Fixture *f)
{
    await_any(where, f, &f->kept, "an invocation");
    return g_queue_pop_head(&f->kept);
}

ipc_event *fixture_take_kept_event(const char *where, Fixture *f)
{
    await_any(where, f, &f->kept_events, "an event");
    return g_queue_pop_head(&f->kept_events);
}

void fixture_expect_heard(const char *where, Fixture *f, const char *channel, const char *args, uint32_t sender_id)
{
    Heard *heard;

    await_any(where, f, &f->heard, channel);
    heard = g_queue_pop_head(&f->heard);
    heard_compare(where, heard, "Send", channel, args, sender_id);
    heard_free(heard);
}

void fixture_expect_warning(const char *where, Fixture *f, const char *message)
{
    g_autofree char *warning = NULL;

    if (f->warnings->len == 0)
        g_error("%s: expected a warning, got none", where);
    warning = g_ptr_array_steal_index(f->warnings, 0);
    if (strcmp(warning, message) != 0)
        g_error("%s: expected the warning\n  %s\ngot\n  %s", where, message, warning);
}

/* ---- a process of its own ---- */

/* A connection must end when the test closes it. */
void close_all_but(int fd)
{
    int other, max = (int)sysconf(_SC_OPEN_MAX);

    for (other = STDERR_FILENO + 1; other < max; other++)
        if (other != fd)
            close(other);
}

static G_GNUC_NORETURN void run_child(const Fixture *f, void (*set_up)(ipc_app *app), int pipe_fd, pid_t parent)
{
    ipc_app *app = NULL;
    sigset_t signals;
    sd_bus *bus;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    close_all_but(pipe_fd);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);

    bus = bus_connect(f->bus);
    must(ipc_app_new(&app, bus, FIXTURE_NAME));
    sd_bus_unref(bus);
    set_up(app);
    must(ipc_app_start(app));
    if (write(pipe_fd, "", 1) != 1)
        _exit(1);
    must(ipc_app_run(app));
    ipc_app_unref(app);
    exit(EXIT_SUCCESS);
}

static void await_pipe(int fd, const char *what)
{
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };

    if (poll(&pollfd, 1, (int)(patience() / 1000)) != 1)
        g_error("The main process took too long to %s", what);
}

void main_fork(Fixture *f, void (*set_up)(ipc_app *app))
{
    pid_t parent = getpid();
    int fds[2];
    char byte;

    g_assert_null(f->app);
    g_assert_cmpint(f->main_pid, ==, 0);
    g_assert_cmpint(pipe(fds), ==, 0);
    fflush(NULL);
    f->main_pid = fork();
    g_assert_cmpint(f->main_pid, >=, 0);
    if (f->main_pid == 0)
        run_child(f, set_up, fds[1], parent);
    close(fds[1]);
    f->main_pipe = fds[0];
    await_pipe(f->main_pipe, "start");
    g_assert_cmpint(read(f->main_pipe, &byte, 1), ==, 1);
}

void main_end(Fixture *f, int signal_number)
{
    int status;

    g_assert_cmpint(f->main_pid, >, 0);
    g_assert_cmpint(kill(f->main_pid, signal_number), ==, 0);
    await_pipe(f->main_pipe, "end");
    g_assert_cmpint(waitpid(f->main_pid, &status, 0), ==, f->main_pid);
    close(f->main_pipe);
    f->main_pid = 0;
    if (signal_number == SIGKILL)
        g_assert_true(WIFSIGNALED(status));
    else
        g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
