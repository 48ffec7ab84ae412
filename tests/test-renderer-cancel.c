/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "fixture-renderer.h"

/* Giving up an invoke: by its slot, which is silent, or by ipc_renderer_cancel(), which is told. */

static Note *start(Client *c, Diary *d, const char *channel, const char *word)
{
    Note *note = note_new(d, word);

    must(ipc_renderer_invoke(c->renderer, &note->slot, channel, NULL, on_note_reply, note));
    return note;
}

static void cancel(Client *c, Note *note)
{
    must(ipc_renderer_cancel(c->renderer, note->slot));
}

static void drop(Note *note)
{
    note->slot = ipc_slot_unref(note->slot);
}

/* The settles of what main has been told about are no-ops. */
static void settle_kept(Fixture *f, int number)
{
    ipc_invocation *invocation = take_kept(f);

    g_assert_cmpint(ipc_invocation_resolve(invocation, NULL), ==, -number);
    ipc_invocation_unref(invocation);
}

/* ---- the slot ---- */

static void test_drop(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Note *note;

    keep_and_note(f, d, "slow");
    note = start(r, d, "slow", "reply");
    expect_diary(f, d, "slow");
    drop(note);
    expect_diary(f, d, "slow-cancelled");
    settle_kept(f, ECANCELED);
    expect_diary(f, d, "");
}

static void test_drop_before_it_is_sent(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_make(f);

    keep_and_note(f, d, "slow");
    drop(start(r, d, "slow", "reply"));
    await_state(r, IPC_RENDERER_READY);
    expect_diary(f, d, "");
}

/* The answer is there, but has not been told yet. */
static void test_drop_when_answered(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Note *a, *b;

    keep(f, "slow");
    a = start(r, d, "slow", "a");
    b = start(r, d, "slow", "b");
    settle(f);
    freeze(r);
    resolve_kept(f, "1");
    resolve_kept(f, "2");
    settle(f);
    /* One step reads a message, another one tells of it. */
    while (must(ipc_renderer_process(r->renderer)) > 0 && d->words->len == 0)
        drop(b);
    thaw(r);
    expect_diary(f, d, "a:ok");
    g_assert_nonnull(a->slot);
}

static void test_drop_one_of_two_references(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Note *note;

    keep_and_note(f, d, "slow");
    note = start(r, d, "slow", "reply");
    ipc_slot_ref(note->slot);
    ipc_slot_unref(note->slot);
    expect_diary(f, d, "slow");
    resolve_kept(f, "1");
    expect_diary(f, d, "reply:ok");
    drop(note);
    expect_diary(f, d, "");
}

static void test_slot_outlives_renderer(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *other = renderer_new(f);
    Note *note;

    keep(f, "slow");
    note = start(r, d, "slow", "reply");
    settle(f);
    leave(r);
    assert_diary(d, "reply:Cancelled");
    must_fail(ipc_renderer_cancel(other->renderer, note->slot), EALREADY);
    drop(note);
    settle(f);
    settle_kept(f, ECANCELED);
}

/* ---- ipc_renderer_cancel() ---- */

static void test_cancel(void)
{
    g_autoptr(Diary) d = diary_new(), m = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Note *note;

    keep_and_note(f, m, "slow");
    note = start(r, d, "slow", "reply");
    expect_diary(f, m, "slow");
    cancel(r, note);
    assert_diary(d, ""); /* not from within */
    expect_diary(f, d, "reply:Cancelled");
    expect_diary(f, m, "slow-cancelled");
    must_fail(ipc_renderer_cancel(r->renderer, note->slot), EALREADY);
    settle_kept(f, ECANCELED);
}

static void test_cancel_held(void)
{
    g_autoptr(Diary) d = diary_new(), m = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    g_autoptr(GPtrArray) in_flight = NULL;
    Note *first, *last;

    keep(f, "slow");
    keep_and_note(f, m, "held");
    in_flight = invoke_many(r, "slow", in_flight_max());
    first = start(r, d, "held", "first");
    last = start(r, d, "held", "last");
    settle(f);
    cancel(r, first);
    expect_diary(f, d, "first:Cancelled");
    resolve_kept(f, "1");
    expect_diary(f, m, "held");
    cancel(r, last);
    expect_diary(f, d, "last:Cancelled");
    expect_diary(f, m, "held-cancelled");
}

/* It was given up before main was found. */
static void test_cancel_before_ready(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_make(f);

    keep_and_note(f, d, "slow");
    cancel(r, start(r, d, "slow", "reply"));
    expect_diary(f, d, "reply:Cancelled");
    await_state(r, IPC_RENDERER_READY);
    expect_diary(f, d, "");
}

/* The answer is on its way, and comes to nobody. */
static void test_cancel_crosses_answer(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Note *note;

    keep_and_note(f, d, "slow");
    note = start(r, d, "slow", "reply");
    expect_diary(f, d, "slow");
    freeze(r);
    resolve_kept(f, "1");
    settle(f);
    cancel(r, note);
    thaw(r);
    expect_diary(f, d, "reply:Cancelled");
    answer(f, "next", "2");
    assert_resolved(invoke(r, "next", "[]"), "2");
}

static void test_cancel_twice(void)
{
    g_autoptr(Diary) d = diary_new(), m = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Note *note;

    keep_and_note(f, m, "slow");
    note = start(r, d, "slow", "reply");
    expect_diary(f, m, "slow");
    cancel(r, note);
    cancel(r, note); /* it has not settled yet */
    expect_diary(f, d, "reply:Cancelled");
    expect_diary(f, m, "slow-cancelled");
}

static void test_cancel_then_drop(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Note *note;

    keep_and_note(f, d, "slow");
    note = start(r, d, "slow", "reply");
    expect_diary(f, d, "slow");
    cancel(r, note);
    drop(note);
    expect_diary(f, d, "slow-cancelled");
}

static void test_cancel_then_close(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Note *note;

    keep(f, "slow");
    note = start(r, d, "slow", "reply");
    settle(f);
    cancel(r, note);
    ipc_renderer_close(r->renderer);
    assert_diary(d, "reply:Cancelled");
}

/* Neither on the bus nor held any more, it still settles. */
static void test_cancel_held_then_close(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    g_autoptr(GPtrArray) in_flight = NULL;
    Note *note;

    keep(f, "slow");
    in_flight = invoke_many(r, "slow", in_flight_max());
    note = start(r, d, "slow", "held");
    settle(f);
    cancel(r, note);
    ipc_renderer_close(r->renderer);
    assert_diary(d, "held:Cancelled");
    assert_all_rejected(in_flight, IPC_ERROR_CANCELLED);
}

static void test_cancel_held_then_lose_the_bus(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    g_autoptr(GPtrArray) in_flight = NULL;
    Note *note;

    keep(f, "slow");
    in_flight = invoke_many(r, "slow", in_flight_max());
    note = start(r, d, "slow", "held");
    settle(f);
    freeze(r);
    bus_kill(f->bus);
    cancel(r, note);
    thaw(r);
    wait_until(f, d->words->len > 0);
    assert_diary(d, "held:Cancelled");
}

/* Main has gone, and what was cancelled was cancelled. */
static void test_cancel_then_lose_main(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Note *note;

    keep(f, "slow");
    note = start(r, d, "slow", "reply");
    settle(f);
    freeze(r);
    cancel(r, note);
    main_vanish(f);
    thaw(r);
    await_state(r, IPC_RENDERER_GONE);
    expect_diary(f, d, "reply:Cancelled");
}

/* Those on the bus count until they are answered, and make room then. */
static void test_cancel_makes_room(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .bus_config = BUS_LIMITS_SYSTEM });
    Client *r = renderer_new(f);
    g_autoptr(GPtrArray) first = NULL, second = NULL;
    unsigned i;

    keep(f, "slow");
    answer(f, "fast", "1");
    first = invoke_many(r, "slow", in_flight_max());
    second = invoke_many(r, "fast", in_flight_max());
    settle(f);
    g_assert_cmpuint(count_settled(second), ==, 0);
    for (i = 0; i < first->len; i++)
        must(ipc_renderer_cancel(r->renderer, ((Outcome *)first->pdata[i])->slot));
    assert_all_rejected(first, IPC_ERROR_CANCELLED);
    assert_all_resolved(second, "1");
}

static void test_cancel_misuse(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *other = renderer_new(f);
    _cleanup_slot_ ipc_slot *listener = NULL;
    Note *note;

    keep(f, "slow");
    note = start(r, d, "slow", "reply");
    must(ipc_renderer_on(r->renderer, &listener, "x", on_note, note));
    must_fail(ipc_renderer_cancel(r->renderer, NULL), EINVAL);
    must_fail(ipc_renderer_cancel(NULL, note->slot), EINVAL);
    must_fail(ipc_renderer_cancel(r->renderer, listener), EINVAL);
    must_fail(ipc_renderer_cancel(other->renderer, note->slot), EINVAL);
    resolve_kept(f, "1");
    expect_diary(f, d, "reply:ok");
    must_fail(ipc_renderer_cancel(r->renderer, note->slot), EALREADY);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/renderer-cancel/drop", test_drop);
    add_story("/renderer-cancel/drop-before-it-is-sent", test_drop_before_it_is_sent);
    add_story("/renderer-cancel/drop-when-answered", test_drop_when_answered);
    add_story("/renderer-cancel/drop-one-of-two-references", test_drop_one_of_two_references);
    add_story("/renderer-cancel/slot-outlives-renderer", test_slot_outlives_renderer);
    add_story("/renderer-cancel/cancel", test_cancel);
    add_story("/renderer-cancel/held", test_cancel_held);
    add_story("/renderer-cancel/before-ready", test_cancel_before_ready);
    add_story("/renderer-cancel/crosses-answer", test_cancel_crosses_answer);
    add_story("/renderer-cancel/twice", test_cancel_twice);
    add_story("/renderer-cancel/then-drop", test_cancel_then_drop);
    add_story("/renderer-cancel/then-close", test_cancel_then_close);
    add_story("/renderer-cancel/held-then-close", test_cancel_held_then_close);
    add_story("/renderer-cancel/held-then-lose-the-bus", test_cancel_held_then_lose_the_bus);
    add_story("/renderer-cancel/then-lose-main", test_cancel_then_lose_main);
    add_story("/renderer-cancel/makes-room", test_cancel_makes_room);
    add_story("/renderer-cancel/misuse", test_cancel_misuse);
    return g_test_run();
}
