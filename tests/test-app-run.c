/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "fixture-renderer.h"

/* How an app is driven: by a loop of sd-event, by any poll loop, and by ipc_app_run(). */

/* ---- loops ---- */

static void test_attach(void)
{
    g_autoptr(Fixture) f = fixture_new();
    sd_event *event;

    g_assert_true(ipc_app_get_event(f->app) == f->event);
    must_fail(ipc_app_attach_event(f->app, f->event, 0), EBUSY);
    must_fail(ipc_app_run(f->app), EBUSY);
    must_fail(ipc_app_quit(f->app), ESTALE);
    must(ipc_app_detach_event(f->app));
    must(ipc_app_detach_event(f->app));
    must(ipc_app_attach_event(f->app, NULL, 0));
    must(sd_event_default(&event));
    g_assert_true(ipc_app_get_event(f->app) == event);
    must(ipc_app_detach_event(f->app));
    sd_event_unref(event);
}

/* One turn of a poll loop as any program has one. */
static void poll_once(ipc_app *app, int timeout_ms)
{
    struct pollfd pollfd = { 0 };
    uint64_t until;
    int r;

    pollfd.fd = must(ipc_app_get_fd(app));
    pollfd.events = (short)must(ipc_app_get_events(app));
    must(ipc_app_get_timeout(app, &until));
    must(poll(&pollfd, 1, until == 0 ? 0 : timeout_ms));
    while ((r = ipc_app_process(app)) > 0)
        ;
    must(r);
}

static void test_poll_loop(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    Wait wait = wait_begin(G_STRLOC, "an answer through a poll loop");
    Outcome *o;

    answer(f, "add", "3");
    must(ipc_app_detach_event(f->app));
    o = invoke_start(c, "add", "[]");
    while (!is_settled(o)) {
        poll_once(f->app, 1);
        must(sd_event_run(f->event, 0));
        g_assert_cmpint(g_get_monotonic_time(), <, wait.deadline);
    }
    assert_resolved(o, "3");
}

static void test_process_and_wait(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    Outcome *o;

    answer(f, "add", "3");
    must(ipc_app_detach_event(f->app));
    while (ipc_app_process(f->app) > 0)
        ;
    g_assert_cmpint(ipc_app_process(f->app), ==, 0);
    g_assert_cmpint(ipc_app_wait(f->app, 0), ==, 0);
    g_assert_cmpint(ipc_app_wait(f->app, 1000), ==, 0);

    o = invoke_start(c, "add", "[]");
    must(sd_bus_flush(c->bus));
    g_assert_cmpint(ipc_app_wait(f->app, (uint64_t)patience()), >, 0);
    g_assert_cmpint(ipc_app_process(f->app), ==, 1);
    must(ipc_app_attach_event(f->app, f->event, 0));
    assert_resolved(o, "3");
}

static void act_process(Note *note)
{
    must_fail(ipc_app_process(note->client->fixture->app), EBUSY);
}

static void test_process_from_a_callback(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    must(ipc_main_on(f->main, NULL, "x", on_note, note_new_acting(d, "a", c, act_process)));
    send_message(c, "x", "[]");
    expect_diary(f, d, "a");
}

static void act_stop(Note *note)
{
    must(ipc_app_stop(note->client->fixture->app, 0));
}

static void act_kill_bus(Note *note)
{
    bus_kill(note->client->fixture->bus);
}

/* ---- running ---- */

/* The message that ends the app is there before it runs, because the clients of this process then do not. */
static int run_until(Fixture *f, Diary *d, void (*act)(Note *note))
{
    Client *c = foreign_new(f);

    must(ipc_app_detach_event(f->app));
    must(ipc_main_on(f->main, NULL, "end", on_note, note_new_acting(d, "end", c, act)));
    send_message(c, "end", "[]");
    must(sd_bus_flush(c->bus));
    return ipc_app_run(f->app);
}

static void act_quit(Note *note)
{
    ipc_app *app = note->client->fixture->app;

    g_assert_nonnull(ipc_app_get_event(app));
    must_fail(ipc_app_run(app), EBUSY);
    must(ipc_app_quit(app));
    must(ipc_app_quit(app));
}

static void test_run_until_quit(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    Outcome *o;

    keep(f, "slow");
    o = invoke_start(c, "slow", "[]");
    settle(f);
    g_assert_cmpint(run_until(f, d, act_quit), ==, 0);
    assert_diary(d, "end");
    must_fail(ipc_app_quit(f->app), ESTALE);
    must_fail(ipc_app_process(f->app), ENOTCONN);
    assert_rejected(o, IPC_ERROR_MAIN_GONE, NULL);
}

static int on_quit_time(sd_event_source *timer, uint64_t usec, void *userdata)
{
    (void)timer, (void)usec;
    return ipc_app_quit(userdata);
}

/* As a module does, which has the app before it runs. */
static void test_run_what_was_hung_in_the_loop_before(void)
{
    g_autoptr(Fixture) f = fixture_new();
    sd_event *event;

    must(ipc_app_detach_event(f->app));
    event = ipc_app_get_event(f->app);
    g_assert_true(event && event != f->event && event == ipc_app_get_event(f->app));
    must(sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, 0, 1, on_quit_time, f->app));
    g_assert_cmpint(ipc_app_run(f->app), ==, 0);
    g_assert_null(ipc_app_get_event(f->app));
}

static void test_run_until_stop(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();

    g_assert_cmpint(run_until(f, d, act_stop), ==, 0);
    must_fail(ipc_app_process(f->app), ENOTCONN);
}

static void test_run_until_the_bus_goes(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();

    must_fail(run_until(f, d, act_kill_bus), ENOTCONN);
}

static void set_up(ipc_app *app)
{
    g_assert_nonnull(ipc_app_get_main(app));
}

static void test_run_until_a_signal(void)
{
    static const int numbers[] = { SIGTERM, SIGINT };
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(numbers); i++) {
        main_fork(f, set_up);
        assert_rejected(invoke(foreign_new(f), "nothing", "[]"), IPC_ERROR_NO_HANDLER, NULL);
        main_end(f, numbers[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/app-run/attach", test_attach);
    g_test_add_func("/app-run/poll-loop", test_poll_loop);
    g_test_add_func("/app-run/process-and-wait", test_process_and_wait);
    g_test_add_func("/app-run/process-from-a-callback", test_process_from_a_callback);
    g_test_add_func("/app-run/run-until-quit", test_run_until_quit);
    g_test_add_func("/app-run/run-what-was-hung-in-the-loop-before",
                    test_run_what_was_hung_in_the_loop_before);
    g_test_add_func("/app-run/run-until-stop", test_run_until_stop);
    g_test_add_func("/app-run/run-until-the-bus-goes", test_run_until_the_bus_goes);
    g_test_add_func("/app-run/run-until-a-signal", test_run_until_a_signal);
    return g_test_run();
}
