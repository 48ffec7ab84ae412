/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "fixture-renderer.h"

/* The app: how it comes, and how it goes. */

#define OTHER_NAME "org.example.Other"

/* ---- verbs ---- */

/* A second app on the bus, not started and attached to nothing. */
static ipc_app *app_new(Fixture *f, const char *name)
{
    sd_bus *bus = bus_connect(f->bus);
    ipc_app *app = NULL;

    must(ipc_app_new(&app, bus, name));
    sd_bus_unref(bus);
    return app;
}

static void on_note_app(ipc_app *app, void *userdata)
{
    Note *note = userdata;

    (void)app;
    diary_write(note->diary, "%s", note->word);
    if (note->act)
        note->act(note);
}

static void on_note_cancelled(ipc_invocation *invocation, void *userdata)
{
    (void)invocation;
    diary_write(userdata, "cancelled");
}

static void act_stop(Note *note)
{
    must(ipc_app_stop(note->client->fixture->app, 0));
}

static void act_unref(Note *note)
{
    main_vanish(note->client->fixture);
}

/* ---- coming ---- */

static void test_bad_names(void)
{
    static const char *const names[] = { "", "x", ":1.5", ".a.b", "a..b", "a.b.", "a.1b", "a b.c",
                                         "org.ipcbus.M\xc3\xa9" };
    g_autoptr(Fixture) f = fixture_new();
    sd_bus *bus = bus_connect(f->bus);
    ipc_app *app = NULL;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(names); i++)
        must_fail(ipc_app_new(&app, bus, names[i]), EINVAL);
    must_fail(ipc_app_new(&app, bus, NULL), EINVAL);
    must_fail(ipc_app_new(NULL, bus, OTHER_NAME), EINVAL);
    sd_bus_close(bus);
    must_fail(ipc_app_new(&app, bus, OTHER_NAME), ENOTCONN);
    g_assert_null(app);
    sd_bus_unref(bus);
}

static void test_users_bus(void)
{
    g_autoptr(Fixture) f = fixture_new();
    ipc_app *app = NULL;

    g_setenv("DBUS_SESSION_BUS_ADDRESS", f->bus->address, TRUE);
    must(ipc_app_new(&app, NULL, OTHER_NAME));
    must(ipc_app_start(app));
    g_assert_cmpstr(ipc_app_get_name(app), ==, OTHER_NAME);
    app = ipc_app_unref(app);

    g_setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/at/all", TRUE);
    must_fail(ipc_app_new(&app, NULL, OTHER_NAME), ENOENT);
    g_assert_null(app);
    bus_kill(f->bus);
    g_setenv("DBUS_SESSION_BUS_ADDRESS", f->bus->address, TRUE);
    must_fail(ipc_app_new(&app, NULL, OTHER_NAME), ECONNREFUSED);

    g_unsetenv("DBUS_SESSION_BUS_ADDRESS");
    g_unsetenv("XDG_RUNTIME_DIR");
    must_fail(ipc_app_new(&app, NULL, OTHER_NAME), ENOMEDIUM);
}

static void test_start(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Client *c = foreign_new(f);

    f->app = app_new(f, FIXTURE_NAME);
    f->main = ipc_app_get_main(f->app);
    must(ipc_app_attach_event(f->app, f->event, 0));
    assert_rejected(call(c, "Register", "a{sv}", 0), "org.freedesktop.DBus.Error.ServiceUnknown", NULL);
    must(ipc_app_start(f->app));
    must(ipc_app_start(f->app));
    answer(f, "add", "3");
    assert_resolved(invoke(c, "add", "[]"), "3");
}

static void test_name_is_taken(void)
{
    g_autoptr(Fixture) f = fixture_new();
    ipc_app *app = app_new(f, FIXTURE_NAME);

    must_fail(ipc_app_start(app), EEXIST);
    must_fail(ipc_app_run(app), EEXIST);
    main_stop(f);
    must(ipc_app_start(app));
    /* What failed has left nothing behind. */
    must(ipc_app_attach_event(app, f->event, 0));
    ipc_app_unref(app);
}

static void test_name_is_forbidden(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){
        .is_without_main = true,
        .bus_config = "<policy context='mandatory'><deny own='" FIXTURE_NAME "'/></policy>",
    });
    ipc_app *app = app_new(f, FIXTURE_NAME);

    must_fail(ipc_app_start(app), EACCES);
    ipc_app_unref(app);
}

/* ---- going ---- */

static void test_after_stop(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    uint64_t until;

    must(ipc_app_on_closed(f->app, NULL, on_note_app, note_new(d, "closed")));
    must(ipc_app_stop(f->app, 0));
    must(ipc_app_stop(f->app, 1));
    assert_diary(d, "closed");
    must_fail(ipc_app_start(f->app), ENOTCONN);
    must_fail(ipc_app_run(f->app), ENOTCONN);
    must_fail(ipc_app_attach_event(f->app, f->event, 0), ENOTCONN);
    must_fail(ipc_app_process(f->app), ENOTCONN);
    must_fail(ipc_app_wait(f->app, 0), ENOTCONN);
    must_fail(ipc_app_get_fd(f->app), ENOTCONN);
    must_fail(ipc_app_get_events(f->app), ENOTCONN);
    must_fail(ipc_app_get_timeout(f->app, &until), ENOTCONN);
    must_fail(ipc_app_broadcast(f->app, "x", NULL), ENOTCONN);
    g_assert_null(ipc_app_get_event(f->app));
    must(ipc_app_detach_event(f->app));
    /* What belongs to its user is there to the end. */
    hear(f, "x");
    main_vanish(f);
    assert_diary(d, "");
}

static void test_stop_rejects_what_is_pending(void)
{
    static const char message[] = "The service stops: call again when it is back";
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f), *r = renderer_new(f);
    Outcome *o, *p, *sync;
    ipc_invocation *invocation;

    keep(f, "slow");
    keep_events(f, "slow");
    o = invoke_start(c, "slow", "[]");
    invocation = take_kept(f);
    must(ipc_invocation_on_cancelled(invocation, on_note_cancelled, d));
    p = invoke_start(r, "slow", "[]");
    sync = send_sync_start(c, "slow", "[]");
    settle(f);
    main_stop(f);
    assert_rejected(o, IPC_ERROR_MAIN_GONE, message);
    assert_rejected(p, IPC_ERROR_MAIN_GONE, NULL);
    assert_rejected(sync, IPC_ERROR_MAIN_GONE, message);
    assert_diary(d, "cancelled");
    must_fail(ipc_invocation_resolve(invocation, NULL), ECANCELED);
    ipc_invocation_unref(invocation);
}

static void test_stop_loses_nothing(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *known = foreign_new_registered(f), *stranger = foreign_new(f), *r = renderer_new(f);
    unsigned i;
    Outcome *o;

    /* It has arrived but has not been read, some of it from one that main does not know yet. */
    hear(f, "x");
    answer(f, "add", "3");
    main_freeze(f);
    for (i = 0; i < 10; i++)
        send_message(known, "x", "[\"known\"]");
    send_message(stranger, "x", "[\"stranger\"]");
    o = invoke_start(known, "add", "[]");
    settle(f);
    must(ipc_web_contents_sendf(ipc_web_contents_from_id(f->app, 2), "bye", NULL));
    main_stop(f);
    for (i = 0; i < 10; i++)
        expect_heard(f, "x", "[\"known\"]", 1);
    expect_heard(f, "x", "[\"stranger\"]", 0);
    assert_resolved(o, "3");
    expect_message(r, "bye", "[]", 0);
}

static void test_stop_from_a_listener(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    must(ipc_app_on_closed(f->app, NULL, on_note_app, note_new(d, "closed")));
    must(ipc_main_on(f->main, NULL, "x", on_note, note_new_acting(d, "a", c, act_stop)));
    must(ipc_main_on(f->main, NULL, "x", on_note, note_new(d, "b")));
    assert_replied(call(c, "Send", "ss", "x", "[]"), "");
    expect_diary(f, d, "a b closed");
    must_fail(ipc_app_process(f->app), ENOTCONN);
}

static int on_stop_and_resolve(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)userdata;
    must(ipc_app_stop(ipc_invocation_get_app(invocation), 0));
    return ipc_invocation_resolve(invocation, args);
}

static void test_stop_from_a_handler(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f), *r = renderer_new(f);
    Outcome *o;

    keep(f, "slow");
    must(ipc_main_handle(f->main, NULL, "stop", on_stop_and_resolve, NULL));
    o = invoke_start(r, "slow", "[]");
    settle(f);
    assert_resolved(invoke(c, "stop", "[1]"), "[1]");
    assert_rejected(o, IPC_ERROR_MAIN_GONE, NULL);
    assert_rejected(invoke(c, "stop", "[]"), "org.freedesktop.DBus.Error.ServiceUnknown", NULL);
}

static void test_stop_from_closed(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    must(ipc_app_on_closed(f->app, NULL, on_note_app, note_new_acting(d, "closed", c, act_stop)));
    must(ipc_app_stop(f->app, 0));
    assert_diary(d, "closed");
}

static void test_stop_takes_its_time_at_most(void)
{
    g_autoptr(Fixture) f = fixture_new();

    kill(f->bus->pid, SIGSTOP);
    must_fail(ipc_app_stop(f->app, 1000), ETIMEDOUT);
    kill(f->bus->pid, SIGCONT);
    must_fail(ipc_app_process(f->app), ENOTCONN);
}

static void test_unref_from_a_listener(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    Outcome *o;

    must(ipc_app_on_closed(f->app, NULL, on_note_app, note_new(d, "closed")));
    must(ipc_main_on(f->main, NULL, "x", on_note, note_new_acting(d, "a", c, act_unref)));
    must(ipc_main_on(f->main, NULL, "x", on_note, note_new(d, "b")));
    o = send_sync_start(c, "x", "[]");
    expect_diary(f, d, "a b closed");
    await(o);
    g_assert_nonnull(o->error.name);
}

static void test_unref_from_closed(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    must(ipc_app_on_closed(f->app, NULL, on_note_app, note_new_acting(d, "closed", c, act_unref)));
    must(ipc_app_stop(f->app, 0));
    assert_diary(d, "closed");
    g_assert_null(f->app);
}

/* ---- the bus goes ---- */

static void test_bus_goes(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);
    ipc_invocation *invocation;

    keep(f, "slow");
    must(ipc_app_on_closed(f->app, NULL, on_note_app, note_new(d, "closed")));
    invoke_start(c, "slow", "[]");
    invocation = take_kept(f);
    must(ipc_invocation_on_cancelled(invocation, on_note_cancelled, d));
    bus_kill(f->bus);
    wait_until(f, d->words->len >= strlen("cancelled closed"));
    assert_diary(d, "cancelled closed");
    must_fail(ipc_invocation_resolve(invocation, NULL), ECANCELED);
    ipc_invocation_unref(invocation);
    must_fail(ipc_app_process(f->app), ENOTCONN);
    must_fail(ipc_app_broadcast(f->app, "x", NULL), ENOTCONN);
    g_assert_null(ipc_web_contents_from_id(f->app, 1));
    must(ipc_app_stop(f->app, 0));
}

/* The app has not been told yet when it is asked to do something. */
static void test_bus_went(void)
{
    g_autoptr(Fixture) f = fixture_new();
    ipc_app *app = app_new(f, OTHER_NAME);

    bus_kill(f->bus);
    must_fail(ipc_app_start(app), ENOTCONN);
    must_fail(ipc_app_stop(f->app, 0), ENOTCONN);
    must(ipc_app_stop(f->app, 0));
    ipc_app_unref(app);
}

static void test_unref_when_the_bus_goes(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    must(ipc_app_on_closed(f->app, NULL, on_note_app, note_new_acting(d, "closed", c, act_unref)));
    bus_kill(f->bus);
    wait_until(f, !f->app);
    assert_diary(d, "closed");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/app/bad-names", test_bad_names);
    g_test_add_func("/app/users-bus", test_users_bus);
    g_test_add_func("/app/start", test_start);
    g_test_add_func("/app/name-is-taken", test_name_is_taken);
    g_test_add_func("/app/name-is-forbidden", test_name_is_forbidden);
    g_test_add_func("/app/after-stop", test_after_stop);
    g_test_add_func("/app/stop-rejects-what-is-pending", test_stop_rejects_what_is_pending);
    g_test_add_func("/app/stop-loses-nothing", test_stop_loses_nothing);
    g_test_add_func("/app/stop-from-a-listener", test_stop_from_a_listener);
    g_test_add_func("/app/stop-from-a-handler", test_stop_from_a_handler);
    g_test_add_func("/app/stop-from-closed", test_stop_from_closed);
    g_test_add_func("/app/stop-takes-its-time-at-most", test_stop_takes_its_time_at_most);
    g_test_add_func("/app/unref-from-a-listener", test_unref_from_a_listener);
    g_test_add_func("/app/unref-from-closed", test_unref_from_closed);
    g_test_add_func("/app/bus-goes", test_bus_goes);
    g_test_add_func("/app/bus-went", test_bus_went);
    g_test_add_func("/app/unref-when-the-bus-goes", test_unref_when_the_bus_goes);
    return g_test_run();
}
