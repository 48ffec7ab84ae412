/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "fixture-renderer.h"

/* Callbacks may do anything to what runs them: remove themselves, send, close their renderer, drop it. */

static void tell(Client *c, const char *channel)
{
    must(ipc_web_contents_sendf(contents_of(c), channel, NULL));
}

/* Both are there when it reads the first. */
static void tell_twice(Fixture *f, Client *c, const char *channel)
{
    freeze(c);
    tell(c, channel);
    tell(c, channel);
    settle(f);
    thaw(c);
}

static void act_drop_slot(Note *note)
{
    note->slot = ipc_slot_unref(note->slot);
}

static void act_off(Note *note)
{
    must(ipc_renderer_off(note->client->renderer, "x", on_note, note));
}

static void act_close(Note *note)
{
    ipc_renderer_close(note->client->renderer);
    g_assert_cmpint(ipc_renderer_get_state(note->client->renderer), ==, IPC_RENDERER_CLOSED);
    must_fail(ipc_renderer_send(note->client->renderer, "x", NULL), ENOTCONN);
}

static void act_unref(Note *note)
{
    note->client->renderer = ipc_renderer_unref(note->client->renderer);
}

static void act_send(Note *note)
{
    must(ipc_renderer_sendf(note->client->renderer, "inside", "i", 1));
}

static void act_invoke(Note *note)
{
    must(ipc_renderer_invoke(note->client->renderer, NULL, "y", NULL, on_note_reply, note_new(note->diary, "inner")));
}

static void act_process(Note *note)
{
    must_fail(ipc_renderer_process(note->client->renderer), EBUSY);
}

static void act_detach(Note *note)
{
    freeze(note->client);
}

/* ---- listeners ---- */

static void test_listener_removes_itself(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Note *slot = note_new_acting(d, "slot", r, act_drop_slot);

    must(ipc_renderer_on(r->renderer, &slot->slot, "x", on_note, slot));
    must(ipc_renderer_on(r->renderer, NULL, "x", on_note, note_new_acting(d, "off", r, act_off)));
    must(ipc_renderer_on(r->renderer, NULL, "x", on_note, note_new(d, "last")));
    tell(r, "x");
    tell(r, "x");
    expect_diary(f, d, "slot off last last");
}

static void test_once_drops_its_slot(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Note *note = note_new_acting(d, "once", r, act_drop_slot);

    must(ipc_renderer_once(r->renderer, &note->slot, "x", on_note, note));
    tell(r, "x");
    tell(r, "x");
    expect_diary(f, d, "once");
}

static void test_observers_remove_themselves(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_make(f);
    Note *state = note_new_acting(d, "state", r, act_drop_slot), *any = note_new_acting(d, "any", r, act_drop_slot);

    must(ipc_renderer_on_state(r->renderer, &state->slot, on_note_state, state));
    must(ipc_renderer_on_any(r->renderer, &any->slot, on_note, any));
    await_state(r, IPC_RENDERER_READY);
    tell(r, "x");
    tell(r, "x");
    main_vanish(f);
    await_state(r, IPC_RENDERER_GONE);
    expect_diary(f, d, "state any");
}

static void test_listener_sends(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    hear(f, "inside");
    answer(f, "y", "1");
    must(ipc_renderer_on(r->renderer, NULL, "x", on_note, note_new_acting(d, "send", r, act_send)));
    must(ipc_renderer_on(r->renderer, NULL, "x", on_note, note_new_acting(d, "invoke", r, act_invoke)));
    must(ipc_renderer_on(r->renderer, NULL, "x", on_note, note_new_acting(d, "process", r, act_process)));
    tell(r, "x");
    expect_diary(f, d, "send invoke process inner:ok");
    expect_heard(f, "inside", "[1]", client_id(r));
}

/* ipc_renderer_close(): listeners do not run any more, those of the same event included. */
static void test_listener_closes(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    must(ipc_renderer_on(r->renderer, NULL, "x", on_note, note_new_acting(d, "close", r, act_close)));
    must(ipc_renderer_on(r->renderer, NULL, "x", on_note, note_new(d, "after")));
    tell_twice(f, r, "x");
    expect_diary(f, d, "close");
    must_fail(ipc_renderer_process(r->renderer), ENOTCONN);
}

static void test_any_closes(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    must(ipc_renderer_on_any(r->renderer, NULL, on_note, note_new_acting(d, "close", r, act_close)));
    must(ipc_renderer_on(r->renderer, NULL, "x", on_note, note_new(d, "after")));
    tell(r, "x");
    expect_diary(f, d, "close");
}

/* What the callback needs may go with the last reference, so no other one runs. */
static void test_listener_drops_the_renderer(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    ipc_slot *slot;

    must(ipc_renderer_on(r->renderer, &slot, "x", on_note, note_new_acting(d, "unref", r, act_unref)));
    tell_twice(f, r, "x");
    expect_diary(f, d, "unref");
    g_assert_null(ipc_web_contents_from_id(f->app, 1));
    ipc_slot_unref(slot);
}

static void test_listener_detaches(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    must(ipc_renderer_on(r->renderer, NULL, "x", on_note, note_new_acting(d, "detach", r, act_detach)));
    tell_twice(f, r, "x");
    expect_diary(f, d, "detach");
    thaw(r);
    expect_diary(f, d, "detach");
}

/* ---- replies ---- */

static void start(Client *c, const char *channel, Note *note)
{
    must(ipc_renderer_invoke(c->renderer, &note->slot, channel, NULL, on_note_reply, note));
}

static void test_reply_drops_its_slot(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    answer(f, "y", "1");
    start(r, "y", note_new_acting(d, "a", r, act_drop_slot));
    start(r, "nobody", note_new_acting(d, "b", r, act_drop_slot));
    expect_diary(f, d, "a:ok b:NoHandler");
}

static void act_cancel(Note *note)
{
    must_fail(ipc_renderer_cancel(note->client->renderer, note->slot), EALREADY);
}

static void test_reply_cancels_itself(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    answer(f, "y", "1");
    start(r, "y", note_new_acting(d, "a", r, act_cancel));
    expect_diary(f, d, "a:ok");
}

static void test_reply_sends(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    hear(f, "inside");
    answer(f, "y", "1");
    start(r, "y", note_new_acting(d, "a", r, act_invoke));
    start(r, "y", note_new_acting(d, "b", r, act_send));
    expect_diary(f, d, "a:ok b:ok inner:ok");
    expect_heard(f, "inside", "[1]", client_id(r));
}

/* What is still pending settles from within the close, which runs within a callback. */
static void test_reply_closes(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    answer(f, "y", "1");
    keep(f, "z");
    start(r, "z", note_new(d, "pending"));
    start(r, "y", note_new_acting(d, "closes", r, act_close));
    expect_diary(f, d, "closes:ok pending:Cancelled");
}

static void test_reply_drops_the_renderer(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    answer(f, "y", "1");
    keep(f, "z");
    start(r, "z", note_new(d, "pending"));
    start(r, "y", note_new_acting(d, "unref", r, act_unref));
    expect_diary(f, d, "unref:ok pending:Cancelled");
}

/* The callbacks of a close may try what is no longer possible. */
static void act_all_is_over(Note *note)
{
    ipc_renderer *renderer = note->client->renderer;

    must_fail(ipc_renderer_send(renderer, "x", NULL), ENOTCONN);
    must_fail(ipc_renderer_invoke(renderer, NULL, "x", NULL, on_note_reply, note), ENOTCONN);
    must_fail(ipc_renderer_send_sync(renderer, "x", NULL, NULL, NULL), ENOTCONN);
    must_fail(ipc_renderer_attach_event(renderer, note->client->fixture->event, 0), ENOTCONN);
    ipc_renderer_close(renderer);
    act_drop_slot(note);
}

static void test_close_calls_back(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    keep(f, "z");
    start(r, "z", note_new_acting(d, "a", r, act_all_is_over));
    start(r, "z", note_new_acting(d, "b", r, act_all_is_over));
    ipc_renderer_close(r->renderer);
    assert_diary(d, "a:Cancelled b:Cancelled");
}

/* A reference that is taken and dropped while the last one goes. */
static void act_ref_and_unref(Note *note)
{
    g_assert_nonnull(ipc_renderer_ref(note->client->renderer));
    ipc_renderer_unref(note->client->renderer);
}

static void test_last_reference_calls_back(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    keep(f, "z");
    start(r, "z", note_new_acting(d, "a", r, act_ref_and_unref));
    ipc_renderer_unref(r->renderer);
    r->renderer = NULL;
    assert_diary(d, "a:Cancelled");
}

/* ---- states ---- */

static void test_state_closes(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_make(f);

    must(ipc_renderer_on_state(r->renderer, NULL, on_note_state, note_new_acting(d, "close", r, act_close)));
    expect_diary(f, d, "close");
}

static void test_state_drops_the_renderer(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_make(f);

    must(ipc_renderer_on_state(r->renderer, NULL, on_note_state, note_new_acting(d, "unref", r, act_unref)));
    expect_diary(f, d, "unref");
}

static void test_state_sends(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_make(f);

    hear(f, "inside");
    must(ipc_renderer_on_state(r->renderer, NULL, on_note_state, note_new_acting(d, "send", r, act_send)));
    expect_diary(f, d, "send");
    expect_heard(f, "inside", "[1]", 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/renderer-callbacks/listener-removes-itself", test_listener_removes_itself);
    add_story("/renderer-callbacks/once-drops-its-slot", test_once_drops_its_slot);
    add_story("/renderer-callbacks/observers-remove-themselves", test_observers_remove_themselves);
    add_story("/renderer-callbacks/listener-sends", test_listener_sends);
    add_story("/renderer-callbacks/listener-closes", test_listener_closes);
    add_story("/renderer-callbacks/any-closes", test_any_closes);
    add_story("/renderer-callbacks/listener-drops-the-renderer", test_listener_drops_the_renderer);
    add_story("/renderer-callbacks/listener-detaches", test_listener_detaches);
    add_story("/renderer-callbacks/reply-drops-its-slot", test_reply_drops_its_slot);
    add_story("/renderer-callbacks/reply-cancels-itself", test_reply_cancels_itself);
    add_story("/renderer-callbacks/reply-sends", test_reply_sends);
    add_story("/renderer-callbacks/reply-closes", test_reply_closes);
    add_story("/renderer-callbacks/reply-drops-the-renderer", test_reply_drops_the_renderer);
    add_story("/renderer-callbacks/close-calls-back", test_close_calls_back);
    add_story("/renderer-callbacks/last-reference-calls-back", test_last_reference_calls_back);
    add_story("/renderer-callbacks/state-closes", test_state_closes);
    add_story("/renderer-callbacks/state-drops-the-renderer", test_state_drops_the_renderer);
    add_story("/renderer-callbacks/state-sends", test_state_sends);
    return g_test_run();
}
