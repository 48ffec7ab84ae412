/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture-renderer.h"

/* ipc_app_run() and its ends. */

static int on_quit(ipc_invocation *invocation, json_t *args, void *app)
{
    must_fail(ipc_app_run(app), EBUSY);
    must(ipc_app_quit(app));
    return ipc_invocation_resolvef(invocation, "s", "bye");
}

static void serve_quit(ipc_app *app)
{
    must(ipc_main_handle(ipc_app_get_main(app), NULL, "quit", on_quit, app));
}

/* It exits with success, or else the fixture complains. */
static void test_ends(int signal_number)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Client *r;

    main_fork(f, serve_quit);
    r = renderer_new(f);
    if (signal_number == 0)
        assert_resolved(invoke(r, "quit", "[]"), "\"bye\"");
    main_end(f, signal_number);
    await_state(r, IPC_RENDERER_GONE);
}

static void test_until_sigterm(void)
{
    test_ends(SIGTERM);
}

static void test_until_sigint(void)
{
    test_ends(SIGINT);
}

static void test_until_quit(void)
{
    test_ends(0);
}

static void test_misuse(void)
{
    g_autoptr(Fixture) f = fixture_new();

    must_fail(ipc_app_run(NULL), EINVAL);
    must_fail(ipc_app_quit(NULL), EINVAL);
    must_fail(ipc_app_quit(f->app), ESTALE);
    must_fail(ipc_app_run(f->app), EBUSY);
    main_freeze(f);
    must(ipc_app_stop(f->app, 0));
    must_fail(ipc_app_run(f->app), ENOTCONN);
}

/* Signals are blocked by it, so it runs in a process of its own. The answer is the errno that this ended with. */
static int run_in_child(Fixture *f, int (*run)(Fixture *f), void (*meanwhile)(Fixture *f))
{
    pid_t parent = getpid(), pid = fork();
    int status;

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(getppid() == parent ? -run(f) : 255);
    }
    g_assert_cmpint(pid, >, 0);
    if (meanwhile)
        meanwhile(f);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int run_app(Fixture *f)
{
    sd_bus *bus = bus_connect(f->bus);
    ipc_app *app;
    int r;

    must(ipc_app_new(&app, bus, FIXTURE_NAME));
    r = ipc_app_run(app);
    ipc_app_unref(app);
    sd_bus_unref(bus);
    return r;
}

static void kill_bus_when_it_runs(Fixture *f)
{
    Client *r = renderer_make(f);

    await_state(r, IPC_RENDERER_READY);
    bus_kill(f->bus);
}

static void test_until_the_bus_goes(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });

    g_assert_cmpint(run_in_child(f, run_app, kill_bus_when_it_runs), ==, ENOTCONN);
}

/* What fails to start can be tried again. */
static int run_app_twice(Fixture *f)
{
    sd_bus *bus = bus_connect(f->bus), *owner = bus_connect(f->bus);
    ipc_app *app;
    int r;

    must(sd_bus_request_name(owner, FIXTURE_NAME, 0));
    must(ipc_app_new(&app, bus, FIXTURE_NAME));
    must_fail(ipc_app_run(app), EEXIST);
    must(sd_bus_release_name(owner, FIXTURE_NAME));
    kill(getpid(), SIGTERM); /* it is blocked, and waits for the loop */
    r = ipc_app_run(app);
    ipc_app_unref(app);
    sd_bus_unref(bus);
    sd_bus_flush_close_unref(owner);
    return r;
}

static void test_again(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });

    g_assert_cmpint(run_in_child(f, run_app_twice, NULL), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/loops-run/until-sigterm", test_until_sigterm);
    add_story("/loops-run/until-sigint", test_until_sigint);
    add_story("/loops-run/until-quit", test_until_quit);
    add_story("/loops-run/misuse", test_misuse);
    add_story("/loops-run/until-the-bus-goes", test_until_the_bus_goes);
    add_story("/loops-run/again", test_again);
    return g_test_run();
}
