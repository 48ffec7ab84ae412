/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "fixture-glib.h"

/* How apps and renderers live in GLib's main loop. */

#define IDLE_MSEC 1000

/* ---- living there ---- */

static void test_app_and_renderers(void)
{
    g_autoptr(Fixture) f = glib_fixture_new();
    Client *a, *b, *c;

    answer(f, "x", "[1]");
    hear(f, "y");
    a = glib_renderer_new(f);
    b = glib_renderer_new(f);
    c = glib_renderer_new(f);
    assert_resolved(invoke(a, "x", "[]"), "[1]");
    send_message(b, "y", "[2]");
    wait_until(f, f->heard.length > 0);
    expect_heard(f, "y", "[2]", client_id(b));
    send_to(b, client_id(c), "z", "[3]");
    wait_until(f, c->heard.length > 0);
    expect_message(c, "z", "[3]", client_id(b));
    must(ipc_app_broadcastf(f->app, "all", NULL));
    wait_until(f, a->heard.length == 1 && b->heard.length == 1 && c->heard.length == 1);
}

/* More at once than the socket takes. */
static void test_writes(void)
{
    g_autofree char *text = g_strnfill(1024 * 1024, 'x');
    g_autoptr(Fixture) f = glib_fixture_new();
    Client *r;
    unsigned i;

    hear(f, "x");
    r = glib_renderer_new(f);
    for (i = 0; i < 8; i++)
        must(ipc_renderer_sendf(r->renderer, "x", "s", text));
    wait_until(f, f->heard.length == 8);
}

static void on_result(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata)
{
    (void)renderer, (void)error;
    *(json_int_t *)userdata = json_integer_value(result);
}

static gpointer add_in_thread(gpointer data)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    Client *c = data;
    json_int_t result = 0;

    g_main_context_push_thread_default(context);
    must(ipc_renderer_attach_glib(c->renderer, NULL));
    must(ipc_renderer_invokef(c->renderer, NULL, "add", on_result, &result, "ii", 1, 2));
    while (result == 0)
        g_main_context_iteration(context, TRUE);
    must(ipc_renderer_detach_glib(c->renderer));
    g_main_context_pop_thread_default(context);
    return GINT_TO_POINTER((int)result);
}

/* The thread's default context. */
static void test_thread(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Client *r;

    main_fork(f, serve_memory);
    r = renderer_make(f);
    freeze(r);
    g_assert_cmpint(GPOINTER_TO_INT(g_thread_join(g_thread_new("adder", add_in_thread, r))), ==, 3);
}

/* App and renderer need not share one. */
static void test_two_contexts(void)
{
    g_autoptr(GMainContext) other = g_main_context_new();
    g_autoptr(Fixture) f = glib_fixture_new();
    Client *r = renderer_make(f);
    Outcome *o;

    answer(f, "x", "1");
    freeze(r);
    must(ipc_renderer_attach_glib(r->renderer, other));
    o = invoke_start(r, "x", "[]");
    while (!is_settled(o)) {
        g_main_context_iteration(f->context, FALSE);
        g_main_context_iteration(other, FALSE);
    }
    assert_resolved(o, "1");
}

/* ---- waking up ---- */

static gboolean on_time(gpointer is_over)
{
    *(bool *)is_over = true;
    return G_SOURCE_REMOVE;
}

/* From the first sleep on, the timer is the only one who wakes it. */
static void assert_idle(Fixture *f, unsigned msec)
{
    g_autoptr(GSource) timer = g_timeout_source_new(msec);
    bool is_over = false;

    settle(f);
    g_source_set_callback(timer, on_time, &is_over, NULL);
    g_source_attach(timer, f->context);
    glib_n_polls = 0;
    wait_until(f, is_over);
    g_assert_cmpuint(glib_n_polls, ==, 1);
}

static void test_idle(void)
{
    g_autoptr(Fixture) f = glib_fixture_new();
    Client *renderers[3];
    uint32_t id;
    unsigned i;

    answer(f, "x", "1");
    keep(f, "slow");
    for (i = 0; i < G_N_ELEMENTS(renderers); i++)
        renderers[i] = glib_renderer_new(f);
    for (i = 0; i < G_N_ELEMENTS(renderers); i++)
        assert_resolved(invoke(renderers[i], "x", "[]"), "1");
    assert_idle(f, IDLE_MSEC);

    /* Its timeout is far away. */
    invoke_start(renderers[0], "slow", "[]");
    wait_until(f, f->kept.length == 1);
    assert_idle(f, 50);

    id = client_id(renderers[2]);
    for (i = 0; i < G_N_ELEMENTS(renderers); i++)
        leave(renderers[i]);
    wait_until(f, !ipc_web_contents_from_id(f->app, id));
    assert_idle(f, 50);
}

static void test_idle_without_main(void)
{
    g_autoptr(Fixture) f = glib_fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Client *r = renderer_make(f);

    move(r);
    await_state(r, IPC_RENDERER_GONE);
    assert_idle(f, 50);
}

/* No timeout is missed, each is told in its order, and nobody spins until then. */
static void test_timeouts(void)
{
    g_autoptr(Fixture) f = glib_fixture_new();
    Client *renderers[3];
    Outcome *outcomes[3];
    unsigned i;

    keep(f, "slow");
    for (i = 0; i < 3; i++)
        renderers[i] = glib_renderer_new(f);
    for (i = 0; i < 3; i++) {
        must(ipc_renderer_set_timeout(renderers[i]->renderer, (i + 1) * 100 * 1000));
        outcomes[i] = invoke_start(renderers[i], "slow", "[]");
    }
    wait_until(f, f->kept.length == 3);
    glib_n_polls = 0;
    for (i = 0; i < 3; i++) {
        wait_until(f, is_settled(outcomes[i]));
        assert_rejected(outcomes[i], IPC_ERROR_TIMEOUT, NULL);
    }
    g_assert_cmpuint(outcomes[0]->order, <, outcomes[1]->order);
    g_assert_cmpuint(outcomes[1]->order, <, outcomes[2]->order);
    g_assert_cmpuint(glib_n_polls, <, 30);
}

/* ---- coming back ---- */

static void test_reconnect(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = glib_fixture_new();
    Client *r = glib_renderer_new(f);

    note_states(d, r);
    main_vanish(f);
    await_state(r, IPC_RENDERER_GONE);
    main_return(f);
    move_main(f);
    answer(f, "x", "1");
    await_state(r, IPC_RENDERER_READY);
    assert_resolved(invoke(r, "x", "[]"), "1");
    assert_diary(d, "gone:MainGone connecting ready");
}

static void test_bus_dies(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = glib_fixture_new();
    Client *r;
    Outcome *o;

    keep(f, "slow");
    r = glib_renderer_new(f);
    note_states(d, r);
    o = invoke_start(r, "slow", "[]");
    wait_until(f, f->kept.length == 1);
    bus_kill(f->bus);
    wait_until(f, is_settled(o));
    assert_rejected(o, IPC_ERROR_MAIN_GONE, NULL);
    await_state(r, IPC_RENDERER_CLOSED);
    settle(f);
    /* A lane may tell first that main has lost the bus. */
    if (!is_over_lanes())
        assert_diary(d, "closed:MainGone");
    assert_idle(f, 50);
    must_fail(ipc_renderer_attach_glib(r->renderer, f->context), ENOTCONN);
    must_fail(ipc_app_attach_glib(f->app, f->context), ENOTCONN);
}

/* ---- going ---- */

static void act_leave(Note *note)
{
    leave(note->client);
}

static void act_close(Note *note)
{
    ipc_renderer_close(note->client->renderer);
}

static void act_detach(Note *note)
{
    must(ipc_renderer_detach_glib(note->client->renderer));
}

/* Two messages are there at once, and the callback of the first does something. */
static void go_in_callback(void (*act)(Note *note))
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = glib_fixture_new();
    Client *r;

    r = glib_renderer_new(f);
    must(ipc_renderer_on(r->renderer, NULL, "x", on_note, note_new_acting(d, "x", r, act)));
    must(ipc_app_broadcastf(f->app, "x", NULL));
    must(ipc_app_broadcastf(f->app, "x", NULL));
    wait_until(f, d->words->len > 0);
    while (g_main_context_iteration(f->context, FALSE))
        ;
    assert_diary(d, "x");
    if (r->renderer && ipc_renderer_get_state(r->renderer) != IPC_RENDERER_CLOSED) {
        must(ipc_renderer_attach_glib(r->renderer, f->context));
        wait_until(f, d->words->len > 0);
        assert_diary(d, "x");
    }
}

static void test_dropped_in_callback(void)
{
    go_in_callback(act_leave);
}

static void test_closed_in_callback(void)
{
    go_in_callback(act_close);
}

static void test_detached_in_callback(void)
{
    go_in_callback(act_detach);
}

static void on_quit(ipc_event *event, json_t *args, void *userdata)
{
    (void)event, (void)args;
    must(ipc_app_stop(userdata, 0));
}

static void test_app_stopped_in_callback(void)
{
    g_autoptr(Fixture) f = glib_fixture_new();
    Client *r;

    must(ipc_main_on(f->main, NULL, "quit", on_quit, f->app));
    r = glib_renderer_new(f);
    send_message(r, "quit", "[]");
    await_state(r, IPC_RENDERER_GONE);
    must_fail(ipc_app_get_fd(f->app), ENOTCONN);
    assert_idle(f, 50);
}

/* Whoever was in it is free, and can move into another one. */
static void test_context_goes_first(void)
{
    g_autoptr(Fixture) f = glib_fixture_new();
    Client *r = glib_renderer_new(f);

    answer(f, "x", "1");
    g_main_context_unref(f->context);
    f->context = g_main_context_new();
    must(ipc_renderer_attach_glib(r->renderer, f->context));
    must(ipc_app_attach_glib(f->app, f->context));
    assert_resolved(invoke(r, "x", "[]"), "1");
}

static void test_renderer_goes_first(void)
{
    g_autoptr(Fixture) f = glib_fixture_new();
    Client *r;

    r = glib_renderer_new(f);
    leave(r);
    ipc_app_unref(g_steal_pointer(&f->app));
    assert_idle(f, 50);
}

/* ---- attaching ---- */

static void test_attach(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    f->context = g_main_context_new();
    must_fail(ipc_renderer_attach_glib(NULL, f->context), EINVAL);
    must_fail(ipc_app_attach_glib(NULL, f->context), EINVAL);
    must_fail(ipc_renderer_detach_glib(NULL), EINVAL);
    must_fail(ipc_app_detach_glib(NULL), EINVAL);
    must_fail(ipc_renderer_attach_glib(r->renderer, f->context), EBUSY); /* it is in the sd-event loop */
    must_fail(ipc_app_attach_glib(f->app, f->context), EBUSY);
    move(r);
    move_main(f);
    must_fail(ipc_renderer_attach_event(r->renderer, f->event, 0), EBUSY);
    must_fail(ipc_app_attach_event(f->app, f->event, 0), EBUSY);
    must_fail(ipc_app_run(f->app), EBUSY);
    g_assert_null(ipc_app_get_event(f->app));
    must(ipc_app_detach_glib(f->app));
    must(ipc_app_detach_glib(f->app));
    g_assert_nonnull(ipc_app_get_event(f->app));
    ipc_renderer_close(r->renderer);
    must_fail(ipc_renderer_attach_glib(r->renderer, f->context), ENOTCONN);
}

static void on_detached(void *n_detached)
{
    ++*(unsigned *)n_detached;
}

/* The glue of any other loop is told once. */
static void test_attach_loop(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    unsigned n_detached = 0;

    must_fail(ipc_renderer_attach_loop(NULL, on_detached, NULL), EINVAL);
    must_fail(ipc_renderer_attach_loop(r->renderer, NULL, NULL), EINVAL);
    must_fail(ipc_app_attach_loop(f->app, NULL, NULL), EINVAL);
    must_fail(ipc_renderer_attach_loop(r->renderer, on_detached, &n_detached), EBUSY);
    freeze(r);
    must(ipc_renderer_attach_loop(r->renderer, on_detached, &n_detached));
    must_fail(ipc_renderer_attach_loop(r->renderer, on_detached, &n_detached), EBUSY);
    must(ipc_renderer_detach_loop(r->renderer));
    must(ipc_renderer_detach_loop(r->renderer));
    g_assert_cmpuint(n_detached, ==, 1);
    must(ipc_renderer_attach_loop(r->renderer, on_detached, &n_detached));
    leave(r);
    g_assert_cmpuint(n_detached, ==, 2);
    main_freeze(f);
    must(ipc_app_attach_loop(f->app, on_detached, &n_detached));
    main_vanish(f);
    g_assert_cmpuint(n_detached, ==, 3);
}

/* ---- sharing ---- */

typedef struct Turn {
    Fixture *fixture;
    unsigned n_heard; /* before it was its turn */
} Turn;

static gboolean on_turn(gpointer userdata)
{
    Turn *turn = userdata;

    turn->n_heard = turn->fixture->heard.length;
    return G_SOURCE_REMOVE;
}

/* A flood lets others have their turn. */
static void test_shares_the_loop(void)
{
    g_autoptr(Fixture) f = glib_fixture_new();
    g_autoptr(GSource) other = g_idle_source_new();
    Client *r = glib_renderer_new(f);
    Turn turn = { .fixture = f, .n_heard = G_MAXUINT };
    unsigned i;

    hear(f, "x");
    main_freeze(f);
    for (i = 0; i < 1000; i++)
        send_message(r, "x", "[]");
    settle(f);
    must(ipc_app_attach_glib(f->app, f->context));
    g_source_set_priority(other, G_PRIORITY_DEFAULT);
    g_source_set_callback(other, on_turn, &turn, NULL);
    g_source_attach(other, f->context);
    wait_until(f, f->heard.length == 1000);
    g_assert_cmpuint(turn.n_heard, <, 500);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/glib/app-and-renderers", test_app_and_renderers);
    add_story("/glib/writes", test_writes);
    add_story("/glib/thread", test_thread);
    add_story("/glib/two-contexts", test_two_contexts);
    add_story("/glib/idle", test_idle);
    g_test_add_func("/glib/idle-without-main", test_idle_without_main);
    add_story("/glib/timeouts", test_timeouts);
    add_story("/glib/reconnect", test_reconnect);
    add_story("/glib/bus-dies", test_bus_dies);
    add_story("/glib/dropped-in-callback", test_dropped_in_callback);
    add_story("/glib/closed-in-callback", test_closed_in_callback);
    add_story("/glib/detached-in-callback", test_detached_in_callback);
    add_story("/glib/app-stopped-in-callback", test_app_stopped_in_callback);
    add_story("/glib/context-goes-first", test_context_goes_first);
    add_story("/glib/renderer-goes-first", test_renderer_goes_first);
    g_test_add_func("/glib/attach", test_attach);
    g_test_add_func("/glib/attach-loop", test_attach_loop);
    add_story("/glib/shares-the-loop", test_shares_the_loop);
    return g_test_run();
}
