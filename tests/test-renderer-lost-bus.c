/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "fixture-renderer.h"

/* The bus goes, and takes everything with it: each call settles, the end is told, and it is for good. */

static void assert_over(Client *c)
{
    ipc_renderer *r = c->renderer;
    uint64_t usec;

    g_assert_cmpint(ipc_renderer_get_state(r), ==, IPC_RENDERER_CLOSED);
    g_assert_cmpuint(ipc_renderer_get_id(r), ==, 0);
    must_fail(ipc_renderer_process(r), ENOTCONN);
    must_fail(ipc_renderer_send(r, "x", NULL), ENOTCONN);
    must_fail(ipc_renderer_invoke(r, NULL, "x", NULL, NULL, NULL), ENOTCONN);
    must_fail(ipc_renderer_send_sync(r, "x", NULL, NULL, NULL), ENOTCONN);
    must_fail(ipc_renderer_get_fd(r), ENOTCONN);
    must_fail(ipc_renderer_get_events(r), ENOTCONN);
    must_fail(ipc_renderer_get_timeout(r, &usec), ENOTCONN);
    must_fail(ipc_renderer_wait(r, 0), ENOTCONN);
}

static void run_until_closed(Fixture *f, Client *c, Diary *d)
{
    wait_until(f, g_str_has_suffix(d->words->str, "closed:MainGone"));
    while (sd_event_run(f->event, 0) > 0)
        ;
    assert_over(c);
}

static void test_idle(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    note_states(d, r);
    bus_kill(f->bus);
    run_until_closed(f, r, d);
    assert_diary(d, "closed:MainGone");
}

static void test_calls_settle(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    g_autoptr(GPtrArray) outcomes = NULL;

    note_states(d, r);
    keep(f, "slow");
    outcomes = invoke_many(r, "slow", 3);
    settle(f);
    bus_kill(f->bus);
    assert_all_rejected(outcomes, IPC_ERROR_MAIN_GONE);
    run_until_closed(f, r, d);
    assert_diary(d, "closed:MainGone");
}

/* More than a loop deals with in one go. */
static void test_many_calls_settle(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    g_autoptr(GPtrArray) outcomes = NULL;

    note_states(d, r);
    keep(f, "slow");
    outcomes = invoke_many(r, "slow", 3 * IPC_IN_FLIGHT_MAX);
    settle(f);
    bus_kill(f->bus);
    assert_all_rejected(outcomes, IPC_ERROR_MAIN_GONE);
    run_until_closed(f, r, d);
}

/* The same in a loop of the program's own. */
static void test_many_calls_settle_without_sd_event(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    g_autoptr(GPtrArray) outcomes = NULL;
    int result;

    keep(f, "slow");
    outcomes = invoke_many(r, "slow", 3 * IPC_IN_FLIGHT_MAX);
    settle(f);
    freeze(r);
    bus_kill(f->bus);
    while ((result = ipc_renderer_process(r->renderer)) >= 0)
        if (result == 0)
            must(ipc_renderer_wait(r->renderer, (uint64_t)patience()));
    g_assert_cmpuint(count_settled(outcomes), ==, outcomes->len);
    assert_over(r);
}

static void test_send_finds_out(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r;

    r = renderer_new(f);
    note_states(d, r);
    bus_kill(f->bus);
    must_fail(ipc_renderer_send(r->renderer, "x", NULL), ENOTCONN);
    must_fail(ipc_renderer_invoke(r->renderer, NULL, "x", NULL, NULL, NULL), ENOTCONN);
    must_fail(ipc_renderer_send_sync(r->renderer, "x", NULL, NULL, NULL), ENOTCONN);
    run_until_closed(f, r, d);
}

/* Nothing is told from within a call that blocks, and all of it soon after. */
static void test_send_sync_finds_out(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    g_autoptr(GPtrArray) outcomes = NULL;

    note_states(d, r);
    keep(f, "slow");
    outcomes = invoke_many(r, "slow", IPC_IN_FLIGHT_MAX);
    settle(f);
    bus_kill(f->bus);
    assert_rejected(send_sync(r, "held", "[]"), IPC_ERROR_MAIN_GONE, "The bus went away");
    assert_diary(d, "");
    g_assert_cmpuint(count_settled(outcomes), ==, 0);
    assert_all_rejected(outcomes, IPC_ERROR_MAIN_GONE);
    run_until_closed(f, r, d);
}

static void test_while_connecting(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_make(f);
    Outcome *o;

    note_states(d, r);
    main_freeze(f);
    o = invoke_start(r, "x", "[]");
    settle(f);
    bus_kill(f->bus);
    assert_rejected(o, IPC_ERROR_MAIN_GONE, "The bus went away");
    run_until_closed(f, r, d);
    assert_diary(d, "closed:MainGone");
}

/* Nothing has answered its hello yet. */
static void test_before_hello(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_make(f);

    note_states(d, r);
    bus_kill(f->bus);
    run_until_closed(f, r, d);
    assert_diary(d, "closed:MainGone");
}

static void act_close(Note *note)
{
    ipc_renderer_close(note->client->renderer);
}

static void act_unref(Note *note)
{
    note->client->renderer = ipc_renderer_unref(note->client->renderer);
}

/* Those who are told may leave at once, and the others are told all the same. */
static void test_callback_leaves(void (*act)(Note *note))
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    keep(f, "slow");
    must(ipc_renderer_invoke(r->renderer, NULL, "slow", NULL, on_note_reply, note_new_acting(d, "a", r, act)));
    must(ipc_renderer_invoke(r->renderer, NULL, "slow", NULL, on_note_reply, note_new(d, "b")));
    settle(f);
    bus_kill(f->bus);
    expect_diary(f, d, "a:MainGone b:MainGone");
}

static void test_callback_closes(void)
{
    test_callback_leaves(act_close);
}

static void test_callback_drops_the_renderer(void)
{
    test_callback_leaves(act_unref);
}

static void test_closed_by_hand(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Outcome *o;

    keep(f, "slow");
    o = invoke_start(r, "slow", "[]");
    settle(f);
    bus_kill(f->bus);
    ipc_renderer_close(r->renderer);
    g_assert_cmpuint(o->n_settled, ==, 1);
    assert_over(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/renderer-lost-bus/idle", test_idle);
    add_story("/renderer-lost-bus/calls-settle", test_calls_settle);
    add_story("/renderer-lost-bus/many-calls-settle", test_many_calls_settle);
    add_story("/renderer-lost-bus/many-calls-settle-without-sd-event", test_many_calls_settle_without_sd_event);
    g_test_add_func("/renderer-lost-bus/send-finds-out", test_send_finds_out);
    add_story("/renderer-lost-bus/send-sync-finds-out", test_send_sync_finds_out);
    add_story("/renderer-lost-bus/while-connecting", test_while_connecting);
    add_story("/renderer-lost-bus/before-hello", test_before_hello);
    add_story("/renderer-lost-bus/callback-closes", test_callback_closes);
    add_story("/renderer-lost-bus/callback-drops-the-renderer", test_callback_drops_the_renderer);
    add_story("/renderer-lost-bus/closed-by-hand", test_closed_by_hand);
    return g_test_run();
}
