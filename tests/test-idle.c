/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>

#include "fixture-renderer.h"

/* How an app leaves when nobody needs it, and who keeps it. */

#define SOON_USEC 1000u
#define LATE_USEC (3600ull * 1000 * 1000)

static bool has_left(Fixture *f)
{
    return ipc_app_get_fd(f->app) == -ENOTCONN;
}

/* When the app wants to be woken: UINT64_MAX is never. */
static uint64_t deadline_of(Fixture *f)
{
    uint64_t deadline;

    settle(f);
    must(ipc_app_get_timeout(f->app, &deadline));
    return deadline;
}

static void leave_when_idle_for(Fixture *f, uint64_t usec)
{
    must(ipc_app_set_exit_on_idle(f->app, usec));
}

/* ---- leaving ---- */

static void test_leaves(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    leave_when_idle_for(f, SOON_USEC);
    wait_until(f, has_left(f));
    assert_rejected(call(c, "Send", "ss", "x", "[]"), SD_BUS_ERROR_SERVICE_UNKNOWN, NULL);
}

static void test_ends_run(void)
{
    g_autoptr(Fixture) f = fixture_new();

    must(ipc_app_detach_event(f->app));
    leave_when_idle_for(f, SOON_USEC);
    g_assert_cmpint(ipc_app_run(f->app), ==, 0);
    g_assert_true(has_left(f));
}

static void test_ends_a_poll_loop(void)
{
    g_autoptr(Fixture) f = fixture_new();
    int r;

    must(ipc_app_detach_event(f->app));
    leave_when_idle_for(f, SOON_USEC);
    while ((r = ipc_app_process(f->app)) >= 0)
        if (r == 0)
            g_assert_cmpint(ipc_app_wait(f->app, (uint64_t)patience()), ==, 1);
    g_assert_cmpint(r, ==, -ENOTCONN);
}

static void test_not_before_it_starts(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    sd_bus *bus = bus_connect(f->bus);
    uint64_t deadline;

    must(ipc_app_new(&f->app, bus, FIXTURE_NAME));
    sd_bus_unref(bus);
    leave_when_idle_for(f, SOON_USEC);
    must(ipc_app_get_timeout(f->app, &deadline));
    while (ipc_app_process(f->app) > 0)
        ;
    must(ipc_app_start(f->app));
    must(ipc_app_get_timeout(f->app, &deadline));
    g_assert_cmpuint(deadline, <=, (uint64_t)g_get_monotonic_time() + SOON_USEC);
}

/* ---- who keeps it ---- */

static void test_kept_by_a_renderer(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    leave_when_idle_for(f, SOON_USEC);
    g_assert_cmpuint(deadline_of(f), ==, UINT64_MAX);
    leave(r);
    wait_until(f, has_left(f));
}

static void test_kept_by_a_pending_call(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    Outcome *o;

    keep(f, "slow");
    leave_when_idle_for(f, LATE_USEC);
    o = invoke_start(c, "slow", "[]");
    settle(f);
    leave_when_idle_for(f, SOON_USEC);
    g_assert_cmpuint(deadline_of(f), ==, UINT64_MAX);
    resolve_kept(f, "1");
    assert_resolved(o, "1");
    wait_until(f, has_left(f));
}

static void test_calls_begin_the_time_anew(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    uint64_t before;

    answer(f, "add", "3");
    leave_when_idle_for(f, LATE_USEC);
    before = deadline_of(f);
    g_assert_cmpuint(before, <=, (uint64_t)g_get_monotonic_time() + LATE_USEC);
    assert_resolved(invoke(c, "add", "[]"), "3");
    g_assert_cmpuint(deadline_of(f), >, before);
}

static void test_turned_off(void)
{
    g_autoptr(Fixture) f = fixture_new();

    leave_when_idle_for(f, LATE_USEC);
    g_assert_cmpuint(deadline_of(f), <, UINT64_MAX);
    leave_when_idle_for(f, 0);
    g_assert_cmpuint(deadline_of(f), ==, UINT64_MAX);
}

/* ---- who comes late ---- */

/* A client that knows the app by its unique name, to which messages go that were under way. */
static Outcome *call_late(Client *c, const char *member, const char *types, ...)
{
    const char *main_name;
    sd_bus_message *message;
    Outcome *o = outcome_new(c->fixture);
    va_list values;

    must(sd_bus_get_unique_name(ipc_app_get_bus(c->fixture->app), &main_name));
    must(sd_bus_message_new_method_call(c->bus, &message, main_name, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member));
    va_start(values, types);
    must(sd_bus_message_appendv(message, types, values));
    va_end(values);
    must(sd_bus_send(c->bus, message, &o->serial));
    must(sd_bus_flush(c->bus));
    sd_bus_message_unref(message);
    return o;
}

/* Until the app, which no loop drives, has given up its name. */
static void give_up_name(Fixture *f)
{
    main_freeze(f);
    leave_when_idle_for(f, SOON_USEC);
    while (ipc_app_start(f->app) != -ENOTCONN)
        if (must(ipc_app_process(f->app)) == 0)
            must(ipc_app_wait(f->app, (uint64_t)patience()));
}

/* What came before the end is served, and what is pending keeps the app there, without its name. */
static void test_late_call(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f), *other = foreign_new(f);

    keep(f, "slow");
    give_up_name(f);
    call_late(c, "Invoke", "ss", "slow", "[]");
    settle(f);
    main_thaw(f);
    wait_until(f, f->kept.length == 1);
    assert_rejected(call(other, "Send", "ss", "x", "[]"), SD_BUS_ERROR_SERVICE_UNKNOWN, NULL);
    g_assert_false(has_left(f));
    resolve_kept(f, "1");
    wait_until(f, has_left(f));
}

/* A renderer that comes in that moment is let in, but does not hold the app. */
static void test_late_renderer(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    give_up_name(f);
    call_late(c, "Register", "a{sv}", 0);
    settle(f);
    main_thaw(f);
    wait_until(f, has_left(f));
}

/* ---- counts, and misuse ---- */

static void test_counts(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *c = foreign_new(f);

    keep(f, "slow");
    keep_events(f, "slow");
    g_assert_cmpint(ipc_app_web_contents_count(f->app), ==, 1);
    g_assert_cmpint(ipc_app_pending_count(f->app), ==, 0);
    invoke_start(r, "slow", "[]");
    send_sync_start(c, "slow", "[]");
    wait_until(f, ipc_app_pending_count(f->app) == 2);
    vanish(c);
    wait_until(f, ipc_app_pending_count(f->app) == 1);
    resolve_kept(f, "1");
    g_assert_cmpint(ipc_app_pending_count(f->app), ==, 0);
    leave(r);
    wait_until(f, ipc_app_web_contents_count(f->app) == 0);
}

static void test_misuse(void)
{
    g_autoptr(Fixture) f = fixture_new();

    must_fail(ipc_app_set_exit_on_idle(NULL, 1), EINVAL);
    must_fail(ipc_app_web_contents_count(NULL), EINVAL);
    must_fail(ipc_app_pending_count(NULL), EINVAL);
    must(ipc_app_stop(f->app, 0));
    must_fail(ipc_app_set_exit_on_idle(f->app, 1), ENOTCONN);
}

/* Who has a port is no renderer, and needs the app all the same. */
static void test_port_keeps_it(void)
{
    g_autoptr(Fixture) f = fixture_new();
    ipc_port *mine, *theirs;

    must(ipc_port_new_pair(&mine, &theirs));
    must(ipc_app_attach_port(f->app, mine));
    must(ipc_port_start(mine));
    leave_when_idle_for(f, SOON_USEC);
    g_assert_cmpuint(deadline_of(f), ==, UINT64_MAX);
    ipc_port_unref(theirs);
    wait_until(f, has_left(f));
    ipc_port_unref(mine);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/idle/leaves", test_leaves);
    g_test_add_func("/idle/ends-run", test_ends_run);
    g_test_add_func("/idle/ends-a-poll-loop", test_ends_a_poll_loop);
    g_test_add_func("/idle/not-before-it-starts", test_not_before_it_starts);
    g_test_add_func("/idle/kept-by-a-renderer", test_kept_by_a_renderer);
    g_test_add_func("/idle/kept-by-a-pending-call", test_kept_by_a_pending_call);
    g_test_add_func("/idle/calls-begin-the-time-anew", test_calls_begin_the_time_anew);
    g_test_add_func("/idle/turned-off", test_turned_off);
    g_test_add_func("/idle/late-call", test_late_call);
    g_test_add_func("/idle/late-renderer", test_late_renderer);
    g_test_add_func("/idle/counts", test_counts);
    g_test_add_func("/idle/misuse", test_misuse);
    g_test_add_func("/idle/port-keeps-it", test_port_keeps_it);
    return g_test_run();
}
