/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "fixture-renderer.h"

/* What a renderer hears: its listeners, their slots, and the events that they are given. */

static void tell(Client *c, const char *channel)
{
    must(ipc_web_contents_sendf(contents_of(c), channel, NULL));
}

static void listen_on(Client *c, const char *channel, Note *note)
{
    must(ipc_renderer_on(c->renderer, NULL, channel, on_note, note));
}

static void test_order(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    listen_on(r, "x", note_new(d, "b"));
    listen_on(r, "x", note_new(d, "c"));
    must(ipc_renderer_prepend_listener(r->renderer, NULL, "x", on_note, note_new(d, "a")));
    listen_on(r, "y", note_new(d, "other"));
    must(ipc_renderer_on_any(r->renderer, NULL, on_note, note_new(d, "any")));
    tell(r, "x");
    expect_diary(f, d, "any a b c");
    tell(r, "y");
    tell(r, "z");
    expect_diary(f, d, "any other any");
}

static void test_once(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    must(ipc_renderer_once(r->renderer, NULL, "x", on_note, note_new(d, "once")));
    listen_on(r, "x", note_new(d, "on"));
    must(ipc_renderer_prepend_once_listener(r->renderer, NULL, "x", on_note, note_new(d, "first")));
    g_assert_cmpint(ipc_renderer_listener_count(r->renderer, "x"), ==, 3);
    tell(r, "x");
    tell(r, "x");
    expect_diary(f, d, "first once on on");
    g_assert_cmpint(ipc_renderer_listener_count(r->renderer, "x"), ==, 1);
}

/* Of several that are the same, the one added last goes. */
static void test_off(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Note *same = note_new(d, "same");

    listen_on(r, "x", same);
    listen_on(r, "x", note_new(d, "other"));
    listen_on(r, "x", same);
    must(ipc_renderer_off(r->renderer, "x", on_note, same));
    tell(r, "x");
    expect_diary(f, d, "same other");
    must(ipc_renderer_off(r->renderer, "x", on_note, same));
    must_fail(ipc_renderer_off(r->renderer, "x", on_note, same), ENOENT);
    must_fail(ipc_renderer_off(r->renderer, "nowhere", on_note, same), ENOENT);
    tell(r, "x");
    expect_diary(f, d, "other");
}

/* A listener put in front was added last all the same. */
static void test_off_prepended(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Note *same = note_new(d, "same");

    listen_on(r, "x", same);
    listen_on(r, "x", note_new(d, "other"));
    must(ipc_renderer_prepend_listener(r->renderer, NULL, "x", on_note, same));
    must(ipc_renderer_off(r->renderer, "x", on_note, same));
    tell(r, "x");
    expect_diary(f, d, "same other");
}

static void test_remove_all(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    listen_on(r, "x", note_new(d, "x"));
    listen_on(r, "x", note_new(d, "x"));
    listen_on(r, "y", note_new(d, "y"));
    must(ipc_renderer_on_any(r->renderer, NULL, on_note, note_new(d, "any")));
    must(ipc_renderer_remove_all_listeners(r->renderer, "x"));
    must(ipc_renderer_remove_all_listeners(r->renderer, "nowhere"));
    tell(r, "x");
    tell(r, "y");
    expect_diary(f, d, "any any y");
    must(ipc_renderer_remove_all_listeners(r->renderer, NULL));
    tell(r, "y");
    expect_diary(f, d, "any");
    g_assert_cmpint(ipc_renderer_listener_count(r->renderer, "y"), ==, 0);
}

static void expect_names(Client *c, const char *expected)
{
    char **names, **name;
    g_autofree char *joined = NULL;
    int n = must(ipc_renderer_channel_names(c->renderer, &names));

    g_assert_cmpint(n, ==, g_strv_length(names));
    joined = g_strjoinv(" ", names);
    g_assert_cmpstr(joined, ==, expected);
    for (name = names; *name; name++)
        free(*name);
    free(names);
}

static void test_channel_names(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Note *note = note_new(d, "x");

    expect_names(r, "");
    listen_on(r, "b", note);
    listen_on(r, "c", note);
    listen_on(r, "a", note);
    listen_on(r, "b", note);
    expect_names(r, "a b c");
    must(ipc_renderer_off(r->renderer, "a", on_note, note));
    expect_names(r, "b c");
}

/* ---- while an event runs ---- */

static void act_listen(Note *note)
{
    listen_on(note->client, "x", note_new(note->diary, "new"));
}

static void test_added_meanwhile(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    must(ipc_renderer_once(r->renderer, NULL, "x", on_note, note_new_acting(d, "adds", r, act_listen)));
    tell(r, "x");
    expect_diary(f, d, "adds");
    tell(r, "x");
    expect_diary(f, d, "new");
}

static void act_remove_all(Note *note)
{
    must(ipc_renderer_remove_all_listeners(note->client->renderer, NULL));
}

static void test_removed_meanwhile(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    listen_on(r, "x", note_new(d, "before"));
    listen_on(r, "x", note_new_acting(d, "clears", r, act_remove_all));
    listen_on(r, "x", note_new(d, "after"));
    tell(r, "x");
    tell(r, "x");
    expect_diary(f, d, "before clears");
    expect_names(r, "");
}

/* ---- slots ---- */

static void test_slot(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    ipc_slot *slot, *again;

    must(ipc_renderer_on(r->renderer, &slot, "x", on_note, note_new(d, "slot")));
    listen_on(r, "x", note_new(d, "plain"));
    again = ipc_slot_ref(slot);
    ipc_slot_unref(slot);
    tell(r, "x");
    expect_diary(f, d, "slot plain");
    g_assert_null(ipc_slot_unref(again));
    tell(r, "x");
    expect_diary(f, d, "plain");
    g_assert_null(ipc_slot_unref(NULL));
    g_assert_null(ipc_slot_ref(NULL));
}

/* Whatever ends a registration, its slot stays valid and leads nowhere. */
static void test_slot_outlives_registration(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    _cleanup_slot_ ipc_slot *off = NULL, *once = NULL, *all = NULL, *any = NULL, *state = NULL, *warning = NULL;
    Note *note = note_new(d, "x");

    must(ipc_renderer_on(r->renderer, &off, "x", on_note, note));
    must(ipc_renderer_once(r->renderer, &once, "y", on_note, note));
    must(ipc_renderer_on(r->renderer, &all, "z", on_note, note));
    must(ipc_renderer_on_any(r->renderer, &any, on_note, note));
    must(ipc_renderer_on_state(r->renderer, &state, on_note_state, note));
    must(ipc_renderer_on_warning(r->renderer, &warning, on_note_warning, note));
    must(ipc_renderer_off(r->renderer, "x", on_note, note));
    tell(r, "y");
    expect_diary(f, d, "x x");
    must(ipc_renderer_remove_all_listeners(r->renderer, "z"));
    leave(r);
}

static void test_slot_of_observers(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_make(f);
    ipc_slot *any, *state;

    must(ipc_renderer_on_any(r->renderer, &any, on_note, note_new(d, "any")));
    must(ipc_renderer_on_state(r->renderer, &state, on_note_state, note_new(d, "state")));
    expect_diary(f, d, "state");
    tell(r, "x");
    expect_diary(f, d, "any");
    ipc_slot_unref(any);
    ipc_slot_unref(state);
    tell(r, "x");
    main_vanish(f);
    await_state(r, IPC_RENDERER_GONE);
    expect_diary(f, d, "");
}

static void test_leak_guard(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    unsigned i;

    must(ipc_renderer_on_warning(r->renderer, NULL, on_note_warning, note_new(d, "warned")));
    for (i = 0; i < IPC_LISTENERS_MAX; i++)
        listen_on(r, "x", note_new(d, "x"));
    assert_diary(d, "");
    listen_on(r, "x", note_new(d, "x"));
    assert_diary(d, "warned");
    listen_on(r, "x", note_new(d, "x"));
    assert_diary(d, "");
}

/* ---- events ---- */

static ipc_event *kept;

static void on_keep(ipc_event *event, json_t *args, void *userdata)
{
    (void)args, (void)userdata;
    kept = ipc_event_ref(event);
}

static void test_event(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *a = renderer_new(f), *b = renderer_new(f);

    must(ipc_renderer_once(a->renderer, NULL, "x", on_keep, NULL));
    send_to(b, client_id(a), "x", "[]");
    wait_until(f, kept);
    g_assert_cmpstr(ipc_event_get_channel(kept), ==, "x");
    g_assert_cmpuint(ipc_event_get_sender_id(kept), ==, client_id(b));
    g_assert_null(ipc_event_get_sender(kept));
    g_assert_false(ipc_event_is_sync(kept));
    must_fail(ipc_event_return(kept, NULL), EINVAL);
    kept = ipc_event_unref(kept);
}

static void on_reply(ipc_event *event, json_t *args, void *userdata)
{
    must(ipc_event_replyf(event, "thanks", "O", json_array_get(args, 0)));
}

static void test_reply(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *a = renderer_new(f), *b = renderer_new(f);

    hear(f, "thanks");
    must(ipc_renderer_on(a->renderer, NULL, "x", on_reply, NULL));
    must(ipc_web_contents_sendf(contents_of(a), "x", "i", 1));
    expect_heard(f, "thanks", "[1]", client_id(a));
    send_to(b, client_id(a), "x", "[2]");
    expect_message(b, "thanks", "[2]", client_id(a));
}

static void test_reply_later(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *a = renderer_new(f), *b = renderer_new(f);

    hear(f, "thanks");
    must(ipc_renderer_on(a->renderer, NULL, "x", on_keep, NULL));
    send_to(b, client_id(a), "x", "[]");
    wait_until(f, kept);
    must(ipc_event_reply(kept, "thanks", NULL));
    expect_message(b, "thanks", "[]", client_id(a));
    must_fail(ipc_event_reply(kept, "", NULL), EINVAL);
    must_fail(ipc_event_replyf(kept, "thanks", "f", NAN), EINVAL);
    ipc_renderer_close(a->renderer);
    must_fail(ipc_event_reply(kept, "thanks", NULL), ENOTCONN);
    kept = ipc_event_unref(kept);
}

/* An event keeps what it needs to reply. */
static void test_event_outlives_the_last_reference(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    hear(f, "thanks");
    must(ipc_renderer_on(r->renderer, NULL, "x", on_keep, NULL));
    tell(r, "x");
    wait_until(f, kept);
    r->renderer = ipc_renderer_unref(r->renderer);
    must(ipc_event_replyf(kept, "thanks", "i", 1));
    expect_heard(f, "thanks", "[1]", 1);
    kept = ipc_event_unref(kept);
    settle(f);
    g_assert_null(ipc_web_contents_from_id(f->app, 1));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/renderer-listen/order", test_order);
    add_story("/renderer-listen/once", test_once);
    add_story("/renderer-listen/off", test_off);
    add_story("/renderer-listen/off-prepended", test_off_prepended);
    add_story("/renderer-listen/remove-all", test_remove_all);
    add_story("/renderer-listen/channel-names", test_channel_names);
    add_story("/renderer-listen/added-meanwhile", test_added_meanwhile);
    add_story("/renderer-listen/removed-meanwhile", test_removed_meanwhile);
    add_story("/renderer-listen/slot", test_slot);
    add_story("/renderer-listen/slot-outlives-registration", test_slot_outlives_registration);
    add_story("/renderer-listen/slot-of-observers", test_slot_of_observers);
    add_story("/renderer-listen/leak-guard", test_leak_guard);
    add_story("/renderer-listen/event", test_event);
    add_story("/renderer-listen/reply", test_reply);
    add_story("/renderer-listen/reply-later", test_reply_later);
    add_story("/renderer-listen/event-outlives-the-last-reference", test_event_outlives_the_last_reference);
    return g_test_run();
}
