/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "fixture-renderer.h"

/* Listeners that are given the text as it came, alone and among others. */

static void on_text(ipc_event *event, const char *text, size_t length, void *note)
{
    Note *self = note;

    g_assert_cmpuint(length, ==, strlen(text));
    diary_write(self->diary, "%s:%s%s", self->word, ipc_event_is_posted(event) ? "posted:" : "", text);
    if (self->act)
        self->act(self);
}

static void on_value(ipc_event *event, json_t *args, void *note)
{
    g_autofree char *text = json_text(args);
    Note *self = note;

    (void)event;
    diary_write(self->diary, "%s:%s", self->word, text);
    if (self->act)
        self->act(self);
}

static void send_text(Client *c, const char *channel, const char *text)
{
    must(ipc_renderer_send_text(c->renderer, channel, text, strlen(text)));
}

/* ---- in main ---- */

static void test_as_it_came(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    must(ipc_main_on_text(f->main, NULL, "x", on_text, note_new(d, "x")));
    send_text(r, "x", "[ 1, {\"b\":1,  \"a\":2} ]");
    expect_diary(f, d, "x:[ 1, {\"b\":1,  \"a\":2} ]");
    send_message(r, "x", "[1]");
    expect_diary(f, d, "x:[1]");
    send_text(r, "y", "[]");
    expect_diary(f, d, "");
}

static void test_in_their_places(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    must(ipc_main_on(f->main, NULL, "x", on_value, note_new(d, "first")));
    must(ipc_main_on_text(f->main, NULL, "x", on_text, note_new(d, "second")));
    must(ipc_main_on(f->main, NULL, "x", on_value, note_new(d, "third")));
    must(ipc_main_prepend_listener(f->main, NULL, "x", on_value, note_new(d, "zeroth")));
    must(ipc_main_once_text(f->main, NULL, "x", on_text, note_new(d, "once")));
    g_assert_cmpint(ipc_main_listener_count(f->main, "x"), ==, 5);
    send_text(r, "x", "[ 1 ]");
    expect_diary(f, d, "zeroth:[1] first:[1] second:[ 1 ] third:[1] once:[ 1 ]");
    send_text(r, "x", "[ 2 ]");
    expect_diary(f, d, "zeroth:[2] first:[2] second:[ 2 ] third:[2]");
}

/* What listeners of text alone hear is read by nobody; one that wants the value has it refused for all. */
static void test_no_json(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *foreign = foreign_new(f);
    ipc_slot *slot;

    must(ipc_main_on_text(f->main, NULL, "x", on_text, note_new(d, "x")));
    send_text(r, "x", "{ no JSON");
    expect_diary(f, d, "x:{ no JSON");
    assert_replied(call(foreign, "Send", "ss", "x", "7"), "");
    expect_diary(f, d, "x:7");

    must(ipc_main_on(f->main, &slot, "x", on_value, note_new(d, "value")));
    send_text(r, "x", "{ no JSON");
    assert_rejected(call(foreign, "Send", "ss", "x", "7"), IPC_ERROR_INVALID_ARGS, NULL);
    assert_rejected(call(foreign, "SendSync", "ss", "x", "7"), IPC_ERROR_INVALID_ARGS, NULL);
    expect_diary(f, d, "");

    ipc_slot_unref(slot);
    send_text(r, "x", "{ no JSON");
    expect_diary(f, d, "x:{ no JSON");
    must(ipc_main_remove_all_listeners(f->main, "x"));
    assert_rejected(call(foreign, "Send", "ss", "x", "7"), IPC_ERROR_INVALID_ARGS, NULL);
}

static void add_value_listener(Note *note)
{
    must(ipc_main_once(note->client->fixture->main, NULL, "x", on_value, note_new(note->diary, "late")));
}

/* Nobody knew that somebody would want the value. */
static void test_wanted_meanwhile(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    ipc_main *scoped = ipc_web_contents_get_main(contents_of(r));

    must(ipc_main_once_text(scoped, NULL, "x", on_text, note_new_acting(d, "one", r, add_value_listener)));
    must(ipc_main_on_text(f->main, NULL, "x", on_text, note_new(d, "two")));
    send_text(r, "x", "[ 1 ]");
    expect_diary(f, d, "one:[ 1 ] two:[ 1 ] late:[1]");

    must(ipc_main_once_text(scoped, NULL, "x", on_text, note_new_acting(d, "one", r, add_value_listener)));
    send_text(r, "x", "{ no JSON");
    expect_diary(f, d, "one:{ no JSON two:{ no JSON");
}

static void drop_slot(Note *note)
{
    note->slot = ipc_slot_unref(note->slot);
}

static void test_removal(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Note *note = note_new(d, "x"), *leaving = note_new_acting(d, "leaving", r, drop_slot);

    must(ipc_main_on_text(f->main, NULL, "x", on_text, note));
    must(ipc_main_on_text(f->main, NULL, "x", on_text, note));
    must(ipc_main_on_text(f->main, &leaving->slot, "x", on_text, leaving));
    must_fail(ipc_main_off(f->main, "x", on_value, note), ENOENT);
    must_fail(ipc_main_off_text(f->main, "y", on_text, note), ENOENT);
    must(ipc_main_off_text(f->main, "x", on_text, note));
    send_text(r, "x", "[]");
    expect_diary(f, d, "x:[] leaving:[]");
    send_text(r, "x", "[]");
    expect_diary(f, d, "x:[]");
    must(ipc_main_off_text(f->main, "x", on_text, note));
    must_fail(ipc_main_off_text(f->main, "x", on_text, note), ENOENT);
    g_assert_cmpint(ipc_main_listener_count(f->main, "x"), ==, 0);
}

/* A renderer's own registry, and who sees all its messages. */
static void test_of_one_renderer(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *other = renderer_new(f);
    ipc_web_contents *contents = contents_of(r);

    must(ipc_web_contents_on_message_text(contents, NULL, on_text, note_new(d, "seen")));
    must(ipc_main_on_text(ipc_web_contents_get_main(contents), NULL, "x", on_text, note_new(d, "own")));
    must(ipc_main_on_text(f->main, NULL, "x", on_text, note_new(d, "all")));
    send_text(r, "x", "[ 1 ]");
    expect_diary(f, d, "seen:[ 1 ] own:[ 1 ] all:[ 1 ]");
    send_text(r, "y", "no JSON");
    expect_diary(f, d, "seen:no JSON");
    send_text(other, "x", "[ 2 ]");
    expect_diary(f, d, "all:[ 2 ]");
}

static void test_sync(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *foreign = foreign_new_registered(f);
    ipc_web_contents *contents = contents_of(foreign);

    must(ipc_web_contents_on_message_sync_text(contents, NULL, on_text, note_new(d, "seen")));
    must(ipc_web_contents_on_message_text(contents, NULL, on_text, note_new(d, "one-way")));
    must(ipc_main_on_text(f->main, NULL, "x", on_text, note_new(d, "x")));
    assert_rejected(call(foreign, "SendSync", "ss", "x", "no JSON"), IPC_ERROR_REPLY_NEVER_SENT, NULL);
    expect_diary(f, d, "seen:no JSON x:no JSON");
    assert_rejected(call(foreign, "SendSync", "ss", "y", "no JSON"), IPC_ERROR_NO_LISTENER, NULL);
    expect_diary(f, d, "seen:no JSON");
}

static void test_posted(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    must(ipc_main_on_text(f->main, NULL, "x", on_text, note_new(d, "x")));
    must(ipc_renderer_post_text(r->renderer, "x", "{ \"a\": 1 }", 10, NULL));
    must(ipc_renderer_post_text(r->renderer, "x", "no JSON", 7, NULL));
    must(ipc_renderer_post_messagef(r->renderer, "x", NULL, "i", 7));
    expect_diary(f, d, "x:posted:{ \"a\": 1 } x:posted:no JSON x:posted:7");
    must(ipc_main_on(f->main, NULL, "x", on_value, note_new(d, "value")));
    must(ipc_renderer_post_text(r->renderer, "x", "no JSON", 7, NULL));
    must(ipc_renderer_post_text(r->renderer, "x", "{ \"a\": 1 }", 10, NULL));
    expect_diary(f, d, "x:posted:{ \"a\": 1 } value:[{\"a\":1}]");
}

/* ---- in a renderer ---- */

static void tell(Client *c, const char *channel, const char *text)
{
    must(ipc_web_contents_send_text(contents_of(c), channel, text, strlen(text)));
}

static void test_renderer(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new_deaf(f);
    Note *note = note_new(d, "x");

    must(ipc_renderer_on_warning(r->renderer, NULL, on_note_warning, note_new(d, "warned")));
    must(ipc_renderer_on_text(r->renderer, NULL, "x", on_text, note));
    must(ipc_renderer_once_text(r->renderer, NULL, "x", on_text, note_new(d, "once")));
    tell(r, "x", "[ 1 ]");
    tell(r, "x", "no JSON");
    tell(r, "y", "no JSON");
    must(ipc_web_contents_post_text(contents_of(r), "x", "{ }", 3, NULL));
    expect_diary(f, d, "x:[ 1 ] once:[ 1 ] x:no JSON x:posted:{ }");

    must(ipc_renderer_on_any_text(r->renderer, NULL, on_text, note_new(d, "any")));
    tell(r, "x", "no JSON");
    tell(r, "y", "no JSON");
    expect_diary(f, d, "any:no JSON x:no JSON any:no JSON");

    must(ipc_renderer_on(r->renderer, NULL, "x", on_value, note_new(d, "value")));
    tell(r, "x", "no JSON");
    tell(r, "x", "[ 2 ]");
    expect_diary(f, d, "warned any:[ 2 ] x:[ 2 ] value:[2]");

    must_fail(ipc_renderer_off(r->renderer, "x", on_value, note), ENOENT);
    must(ipc_renderer_off_text(r->renderer, "x", on_text, note));
    must_fail(ipc_renderer_off_text(r->renderer, "x", on_text, note), ENOENT);
    tell(r, "x", "[ 3 ]");
    expect_diary(f, d, "any:[ 3 ] value:[3]");
}

static void test_misuse(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    ipc_web_contents *contents = contents_of(r);

    must_fail(ipc_main_on_text(NULL, NULL, "x", on_text, NULL), EINVAL);
    must_fail(ipc_main_on_text(f->main, NULL, "", on_text, NULL), EINVAL);
    must_fail(ipc_main_on_text(f->main, NULL, "x", NULL, NULL), EINVAL);
    must_fail(ipc_main_once_text(f->main, NULL, NULL, on_text, NULL), EINVAL);
    must_fail(ipc_main_off_text(f->main, NULL, on_text, NULL), EINVAL);
    must_fail(ipc_main_off_text(f->main, "x", NULL, NULL), EINVAL);
    must_fail(ipc_renderer_on_text(NULL, NULL, "x", on_text, NULL), EINVAL);
    must_fail(ipc_renderer_on_text(r->renderer, NULL, "x", NULL, NULL), EINVAL);
    must_fail(ipc_renderer_once_text(r->renderer, NULL, "\xff", on_text, NULL), EINVAL);
    must_fail(ipc_renderer_off_text(NULL, "x", on_text, NULL), EINVAL);
    must_fail(ipc_renderer_on_any_text(r->renderer, NULL, NULL, NULL), EINVAL);
    must_fail(ipc_web_contents_on_message_text(NULL, NULL, on_text, NULL), EINVAL);
    must_fail(ipc_web_contents_on_message_sync_text(contents, NULL, NULL, NULL), EINVAL);
    must_fail(ipc_webview_on_message_text(NULL, NULL, on_text, NULL), EINVAL);
    g_assert_false(ipc_event_is_posted(NULL));

    ipc_web_contents_ref(contents);
    leave(r);
    settle(f);
    must_fail(ipc_web_contents_on_message_text(contents, NULL, on_text, NULL), ENOTCONN);
    ipc_web_contents_unref(contents);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/text-listeners/as-it-came", test_as_it_came);
    add_story("/text-listeners/in-their-places", test_in_their_places);
    add_story("/text-listeners/no-json", test_no_json);
    add_story("/text-listeners/wanted-meanwhile", test_wanted_meanwhile);
    add_story("/text-listeners/removal", test_removal);
    add_story("/text-listeners/of-one-renderer", test_of_one_renderer);
    g_test_add_func("/text-listeners/sync", test_sync);
    add_story("/text-listeners/posted", test_posted);
    add_story("/text-listeners/renderer", test_renderer);
    add_story("/text-listeners/misuse", test_misuse);
    return g_test_run();
}
