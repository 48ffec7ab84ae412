/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "fixture-renderer.h"

/* Main's registries: who hears a message, in which order, and who answers an invoke. */

/* ---- verbs ---- */

static void listen_as(ipc_main *main, const char *channel, Diary *d, const char *word)
{
    must(ipc_main_on(main, NULL, channel, on_note, note_new(d, word)));
}

static int on_handle(ipc_invocation *invocation, json_t *args, void *userdata)
{
    Note *note = userdata;

    (void)args;
    diary_write(note->diary, "%s", note->word);
    if (note->act)
        note->act(note);
    return ipc_invocation_resolvef(invocation, "s", note->word);
}

static void handle_as(ipc_main *main, const char *channel, Diary *d, const char *word)
{
    must(ipc_main_handle(main, NULL, channel, on_handle, note_new(d, word)));
}

static ipc_main *scoped(Client *c)
{
    return ipc_web_contents_get_main(contents_of(c));
}

/* ---- the order of dispatch ---- */

static void test_order_of_dispatch(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    listen_as(f->main, "x", d, "app");
    listen_as(scoped(r), "x", d, "scoped");
    must(ipc_web_contents_on_message(contents_of(r), NULL, on_note, note_new(d, "observer")));
    must(ipc_web_contents_on_message_sync(contents_of(r), NULL, on_note, note_new(d, "sync-observer")));
    listen_as(f->main, "x", d, "app2");
    send_message(r, "x", "[]");
    expect_diary(f, d, "observer scoped app app2");
    send_message(r, "unheard", "[]");
    expect_diary(f, d, "observer");
}

static void test_order_of_sync_dispatch(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);

    listen_as(f->main, "x", d, "app");
    listen_as(scoped(c), "x", d, "scoped");
    must(ipc_web_contents_on_message(contents_of(c), NULL, on_note, note_new(d, "observer")));
    must(ipc_web_contents_on_message_sync(contents_of(c), NULL, on_note, note_new(d, "sync-observer")));
    assert_rejected(send_sync_start(c, "x", "[]"), IPC_ERROR_REPLY_NEVER_SENT, NULL);
    expect_diary(f, d, "sync-observer scoped app");
}

static void test_scoped_main_is_one_renderers_own(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *a = renderer_new(f), *b = renderer_new(f), *c = foreign_new(f);

    listen_as(f->main, "x", d, "app");
    listen_as(scoped(a), "x", d, "a");
    listen_as(scoped(b), "x", d, "b");
    must(ipc_web_contents_on_message(contents_of(a), NULL, on_note, note_new(d, "observer")));
    send_message(b, "x", "[]");
    expect_diary(f, d, "b app");
    send_message(c, "x", "[]");
    expect_diary(f, d, "app");
}

/* What others are sent, and what is invoked, is no message for listeners. */
static void test_observers_see_messages_alone(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    listen_as(f->main, "x", d, "app");
    must(ipc_web_contents_on_message(contents_of(r), NULL, on_note, note_new(d, "observer")));
    send_to(r, client_id(r), "x", "[]");
    assert_rejected(invoke(r, "x", "[]"), IPC_ERROR_NO_HANDLER, NULL);
    expect_message(r, "x", "[]", 1);
    settle(f);
    assert_diary(d, "");
}

/* ---- what listeners may do ---- */

static void act_vanish_contents(Note *note)
{
    /* The renderer is asked to leave while its message is on its way through the listeners. */
    vanish(note->client);
}

static void test_renderer_goes_while_its_message_is_dispatched(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);

    must(ipc_web_contents_on_message(contents_of(c), NULL, on_note,
                                     note_new_acting(d, "observer", c, act_vanish_contents)));
    listen_as(scoped(c), "x", d, "scoped");
    listen_as(f->main, "x", d, "app");
    send_message(c, "x", "[]");
    expect_diary(f, d, "observer scoped app");
    wait_until(f, !ipc_web_contents_from_id(f->app, 1));
}

static void act_drop_slot(Note *note)
{
    note->slot = ipc_slot_unref(note->slot);
}

static void test_listener_removes_itself(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);
    Note *note = note_new_acting(d, "a", c, act_drop_slot), *observer = note_new_acting(d, "o", c, act_drop_slot);

    must(ipc_main_on(f->main, &note->slot, "x", on_note, note));
    must(ipc_web_contents_on_message(contents_of(c), &observer->slot, on_note, observer));
    listen_as(f->main, "x", d, "b");
    send_message(c, "x", "[]");
    send_message(c, "x", "[]");
    expect_diary(f, d, "o a b b");
}

static void act_remove_all(Note *note)
{
    must(ipc_main_remove_all_listeners(note->client->fixture->main, NULL));
}

static void test_listener_removes_all(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);

    listen_as(scoped(c), "x", d, "scoped");
    must(ipc_main_on(f->main, NULL, "x", on_note, note_new_acting(d, "a", c, act_remove_all)));
    listen_as(f->main, "x", d, "b");
    send_message(c, "x", "[]");
    send_message(c, "x", "[]");
    expect_diary(f, d, "scoped a scoped");
}

static void act_broadcast(Note *note)
{
    must(ipc_app_broadcast(note->client->fixture->app, "news", NULL));
}

static void test_listener_sends(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f), *r = renderer_new(f);

    must(ipc_main_on(f->main, NULL, "x", on_note, note_new_acting(d, "a", c, act_broadcast)));
    send_message(c, "x", "[]");
    expect_message(c, "news", "[]", 0);
    expect_message(r, "news", "[]", 0);
}

/* ---- the registry ---- */

static void test_once_prepend_and_off(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    Note *a = note_new(d, "a");

    must(ipc_main_on(f->main, NULL, "x", on_note, a));
    must(ipc_main_once(f->main, NULL, "x", on_note, note_new(d, "once")));
    must(ipc_main_prepend_listener(f->main, NULL, "x", on_note, note_new(d, "first")));
    must(ipc_main_prepend_once_listener(f->main, NULL, "x", on_note, note_new(d, "first-once")));
    g_assert_cmpint(ipc_main_listener_count(f->main, "x"), ==, 4);
    send_message(c, "x", "[]");
    expect_diary(f, d, "first-once first a once");
    g_assert_cmpint(ipc_main_listener_count(f->main, "x"), ==, 2);
    must(ipc_main_off(f->main, "x", on_note, a));
    must_fail(ipc_main_off(f->main, "x", on_note, a), ENOENT);
    send_message(c, "x", "[]");
    expect_diary(f, d, "first");
}

static void test_channel_names(void)
{
    g_autoptr(Fixture) f = fixture_new();
    char **none = NULL, **names = NULL;

    g_assert_cmpint(ipc_main_channel_names(f->main, &none), ==, 0);
    g_assert_nonnull(none);
    g_assert_null(none[0]);
    free(none);
    hear(f, "b");
    hear(f, "a");
    keep(f, "c");
    g_assert_cmpint(ipc_main_channel_names(f->main, &names), ==, 2);
    g_assert_cmpstr(names[0], ==, "a");
    g_assert_cmpstr(names[1], ==, "b");
    g_assert_null(names[2]);
    free(names[0]);
    free(names[1]);
    free(names);
}

static void test_leak_guard(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    unsigned i;

    for (i = 0; i < 12; i++)
        listen_as(f->main, "x", d, "a");
    expect_warning(f, "More than 10 listeners on channel 'x': is each removed when it is no longer needed?");
    g_assert_cmpuint(f->warnings->len, ==, 0);
    for (i = 0; i < 12; i++)
        listen_as(scoped(r), "scoped", d, "a");
    expect_warning(f, "More than 10 listeners on channel 'scoped': is each removed when it is no longer needed?");
    g_assert_cmpuint(f->warnings->len, ==, 0);
}

/* ---- handlers ---- */

static void test_one_handler_a_channel(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    handle_as(f->main, "x", d, "app");
    must_fail(ipc_main_handle(f->main, NULL, "x", on_handle, NULL), EEXIST);
    must_fail(ipc_main_handle_once(f->main, NULL, "x", on_handle, NULL), EEXIST);
    assert_resolved(invoke(r, "x", "[]"), "\"app\"");
    must(ipc_main_remove_handler(f->main, "x"));
    must_fail(ipc_main_remove_handler(f->main, "x"), ENOENT);
    assert_rejected(invoke(r, "x", "[]"), IPC_ERROR_NO_HANDLER, NULL);
    handle_as(f->main, "x", d, "again");
    /* Listeners and handlers are apart. */
    must(ipc_main_remove_all_listeners(f->main, NULL));
    assert_resolved(invoke(r, "x", "[]"), "\"again\"");
}

static void test_scoped_handler_wins(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *a = renderer_new(f), *b = renderer_new(f), *c = foreign_new(f);

    handle_as(f->main, "x", d, "app");
    handle_as(scoped(a), "x", d, "scoped");
    handle_as(scoped(a), "y", d, "scoped-y");
    assert_resolved(invoke(a, "x", "[]"), "\"scoped\"");
    assert_resolved(invoke(b, "x", "[]"), "\"app\"");
    assert_resolved(invoke(c, "x", "[]"), "\"app\"");
    assert_resolved(invoke(a, "y", "[]"), "\"scoped-y\"");
    assert_rejected(invoke(b, "y", "[]"), IPC_ERROR_NO_HANDLER, NULL);
    must(ipc_main_remove_handler(scoped(a), "x"));
    assert_resolved(invoke(a, "x", "[]"), "\"app\"");
    expect_diary(f, d, "scoped app app scoped-y app");
}

static void act_handle_again(Note *note)
{
    /* It is gone already, so there is room. */
    handle_as(note->client->fixture->main, "x", note->diary, "second");
}

static void test_handle_once(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    must(ipc_main_handle_once(f->main, NULL, "x", on_handle, note_new_acting(d, "first", r, act_handle_again)));
    assert_resolved(invoke(r, "x", "[]"), "\"first\"");
    assert_resolved(invoke(r, "x", "[]"), "\"second\"");
    assert_resolved(invoke(r, "x", "[]"), "\"second\"");
    expect_diary(f, d, "first second second");
}

static void act_remove_handler(Note *note)
{
    must(ipc_main_remove_handler(note->client->fixture->main, "x"));
    must_fail(ipc_main_remove_handler(note->client->fixture->main, "x"), ENOENT);
    handle_as(note->client->fixture->main, "x", note->diary, "second");
}

static void test_handler_removes_itself(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Note *note;

    must(ipc_main_handle(f->main, NULL, "x", on_handle, note_new_acting(d, "first", r, act_remove_handler)));
    assert_resolved(invoke(r, "x", "[]"), "\"first\"");
    assert_resolved(invoke(r, "x", "[]"), "\"second\"");

    note = note_new_acting(d, "dropped", r, act_drop_slot);
    must(ipc_main_handle(f->main, &note->slot, "y", on_handle, note));
    assert_resolved(invoke(r, "y", "[]"), "\"dropped\"");
    assert_rejected(invoke(r, "y", "[]"), IPC_ERROR_NO_HANDLER, NULL);
}

static void test_handler_slot(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    ipc_slot *slot;

    must(ipc_main_handle(f->main, &slot, "x", on_handle, note_new(d, "a")));
    assert_resolved(invoke(r, "x", "[]"), "\"a\"");
    ipc_slot_unref(slot);
    assert_rejected(invoke(r, "x", "[]"), IPC_ERROR_NO_HANDLER, NULL);
    /* One that was removed otherwise leads nowhere, and not to the next handler either. */
    must(ipc_main_handle(f->main, &slot, "x", on_handle, note_new(d, "b")));
    must(ipc_main_remove_handler(f->main, "x"));
    handle_as(f->main, "x", d, "c");
    ipc_slot_unref(slot);
    assert_resolved(invoke(r, "x", "[]"), "\"c\"");
}

/* ---- when the renderer is gone ---- */

static void test_registry_of_a_renderer_that_is_gone(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);
    ipc_web_contents *contents = ipc_web_contents_ref(contents_of(c));
    ipc_main *main = ipc_web_contents_get_main(contents);
    _cleanup_slot_ ipc_slot *slot = NULL;

    must(ipc_main_on(main, &slot, "x", on_note, note_new(d, "a")));
    handle_as(main, "x", d, "a");
    vanish(c);
    wait_until(f, ipc_web_contents_is_destroyed(contents));
    must_fail(ipc_main_on(main, NULL, "x", on_note, NULL), ENOTCONN);
    must_fail(ipc_main_handle(main, NULL, "x", on_handle, NULL), ENOTCONN);
    must_fail(ipc_main_off(main, "x", on_note, NULL), ENOENT);
    must_fail(ipc_main_remove_handler(main, "x"), ENOENT);
    g_assert_cmpint(ipc_main_listener_count(main, "x"), ==, 0);
    g_assert_null(ipc_web_contents_get_main(contents));
    ipc_web_contents_unref(contents);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/main/order-of-dispatch", test_order_of_dispatch);
    add_story("/main/order-of-sync-dispatch", test_order_of_sync_dispatch);
    add_story("/main/scoped-main-is-one-renderers-own", test_scoped_main_is_one_renderers_own);
    add_story("/main/observers-see-messages-alone", test_observers_see_messages_alone);
    add_story("/main/renderer-goes-while-its-message-is-dispatched",
                    test_renderer_goes_while_its_message_is_dispatched);
    add_story("/main/listener-removes-itself", test_listener_removes_itself);
    add_story("/main/listener-removes-all", test_listener_removes_all);
    add_story("/main/listener-sends", test_listener_sends);
    add_story("/main/once-prepend-and-off", test_once_prepend_and_off);
    add_story("/main/channel-names", test_channel_names);
    add_story("/main/leak-guard", test_leak_guard);
    add_story("/main/one-handler-a-channel", test_one_handler_a_channel);
    add_story("/main/scoped-handler-wins", test_scoped_handler_wins);
    add_story("/main/handle-once", test_handle_once);
    add_story("/main/handler-removes-itself", test_handler_removes_itself);
    add_story("/main/handler-slot", test_handler_slot);
    add_story("/main/registry-of-a-renderer-that-is-gone", test_registry_of_a_renderer_that_is_gone);
    return g_test_run();
}
