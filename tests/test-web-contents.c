/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "fixture-renderer.h"

/* Web contents: main's view of its renderers, from their coming to their going. */

#define _cleanup_contents_ _cleanup_(ipc_web_contents_unrefp)

/* ---- verbs ---- */

static void on_note_contents(ipc_web_contents *contents, void *userdata)
{
    Note *note = userdata;

    diary_write(note->diary, "%s%u", note->word, ipc_web_contents_get_id(contents));
    if (note->act)
        note->act(note);
}

static void note_comings_and_goings(Fixture *f, Diary *d)
{
    must(ipc_app_on_web_contents_created(f->app, NULL, on_note_contents, note_new(d, "+")));
    must(ipc_app_on_web_contents_destroyed(f->app, NULL, on_note_contents, note_new(d, "-")));
}

static void await_destroyed(Fixture *f, const ipc_web_contents *contents)
{
    wait_until(f, ipc_web_contents_is_destroyed(contents));
}

/* ---- coming and going ---- */

static void test_comings_and_goings(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *a, *b;

    note_comings_and_goings(f, d);
    foreign_new(f);
    a = renderer_new(f);
    b = foreign_new_registered(f);
    client_id(b);
    expect_diary(f, d, "+1 +2");
    must(ipc_web_contents_on_destroyed(contents_of(b), NULL, on_note_contents, note_new(d, "own")));
    vanish(b);
    expect_diary(f, d, "own2 -2");
    leave(a);
    expect_diary(f, d, "-1");
    renderer_new(f);
    expect_diary(f, d, "+3");
    main_vanish(f);
    assert_diary(d, "-3");
}

static void test_accessors(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f), *r = renderer_make(f);
    ipc_web_contents *contents;
    uid_t uid;
    pid_t pid;

    must(ipc_renderer_set_title(r->renderer, "Panel"));
    await_state(r, IPC_RENDERER_READY);
    contents = contents_of(r);
    g_assert_cmpuint(ipc_web_contents_get_id(contents), ==, 1);
    g_assert_cmpstr(ipc_web_contents_get_title(contents), ==, "Panel");
    g_assert_true(ipc_web_contents_get_app(contents) == f->app);
    g_assert_null(ipc_web_contents_get_host(contents));
    g_assert_false(ipc_web_contents_is_destroyed(contents));
    g_assert_true(ipc_web_contents_get_main(contents) == ipc_web_contents_get_main(contents));
    g_assert_true(ipc_web_contents_get_main(contents) != f->main);
    must(ipc_sender_get_uid(ipc_web_contents_get_sender(contents), &uid));
    g_assert_cmpuint(uid, ==, getuid());
    must(ipc_sender_get_pid(ipc_web_contents_get_sender(contents), &pid));
    g_assert_cmpint(pid, ==, getpid());

    g_assert_null(ipc_web_contents_from_id(f->app, 0));
    g_assert_null(ipc_web_contents_from_id(f->app, 2));
    client_id(c);
    g_assert_cmpstr(ipc_web_contents_get_title(ipc_web_contents_from_id(f->app, 2)), ==, "");
}

static void assert_all(Fixture *f, const char *ids)
{
    g_autofree ipc_web_contents **list = NULL;
    g_autoptr(GString) found = g_string_new(NULL);
    int n = must(ipc_web_contents_get_all(f->app, &list)), i;

    for (i = 0; i < n; i++)
        g_string_append_printf(found, " %u", ipc_web_contents_get_id(list[i]));
    g_assert_cmpstr(found->str, ==, ids);
    g_assert_null(list[n]);
}

static void test_all(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *one;

    foreign_new(f); /* it does not register, so it is none */
    assert_all(f, "");
    one = renderer_new(f);
    renderer_new(f);
    client_id(foreign_new_registered(f));
    assert_all(f, " 1 2 3");
    vanish(one);
    wait_until(f, !ipc_web_contents_from_id(f->app, 1));
    renderer_new(f);
    assert_all(f, " 2 3 4");
    must(ipc_app_stop(f->app, 0));
    assert_all(f, "");
}

static void test_kept_beyond_its_end(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    _cleanup_contents_ ipc_web_contents *contents = ipc_web_contents_ref(contents_of(r));
    g_autofree char *name = g_strdup(client_name(r));

    vanish(r);
    await_destroyed(f, contents);
    g_assert_null(ipc_web_contents_from_id(f->app, 1));
    g_assert_cmpuint(ipc_web_contents_get_id(contents), ==, 1);
    g_assert_cmpstr(ipc_web_contents_get_title(contents), ==, "");
    g_assert_cmpstr(ipc_sender_get_unique_name(ipc_web_contents_get_sender(contents)), ==, name);
    g_assert_cmpuint(ipc_sender_get_id(ipc_web_contents_get_sender(contents)), ==, 0);
    g_assert_null(ipc_web_contents_get_app(contents));
    g_assert_null(ipc_web_contents_get_host(contents));
    g_assert_null(ipc_web_contents_get_main(contents));
    must_fail(ipc_web_contents_send(contents, "x", NULL), ENOTCONN);
    must_fail(ipc_web_contents_on_message(contents, NULL, on_note, NULL), ENOTCONN);
    must_fail(ipc_web_contents_on_message_sync(contents, NULL, on_note, NULL), ENOTCONN);
    must_fail(ipc_web_contents_on_destroyed(contents, NULL, on_note_contents, NULL), ENOTCONN);
    main_vanish(f);
    g_assert_cmpuint(ipc_web_contents_get_id(contents), ==, 1);
}

/* ---- what callbacks may do ---- */

static void on_created_welcome(ipc_web_contents *contents, void *userdata)
{
    (void)userdata;
    must(ipc_web_contents_sendf(contents, "welcome", "i", (int)ipc_web_contents_get_id(contents)));
    must(ipc_app_broadcastf(ipc_web_contents_get_app(contents), "come", "i", (int)ipc_web_contents_get_id(contents)));
}

static void test_created_may_send(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r, *c = foreign_new(f);

    must(ipc_app_on_web_contents_created(f->app, NULL, on_created_welcome, NULL));
    r = renderer_new(f);
    expect_message(r, "welcome", "[1]", 0);
    expect_message(r, "come", "[1]", 0);
    client_id(c);
    expect_message(c, "welcome", "[2]", 0);
    expect_message(c, "come", "[2]", 0);
    expect_message(r, "come", "[2]", 0);
}

static int on_mine(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)args, (void)userdata;
    return ipc_invocation_resolvef(invocation, "I", (json_int_t)ipc_invocation_get_sender_id(invocation));
}

static void on_created_handle(ipc_web_contents *contents, void *userdata)
{
    must(ipc_main_handle(ipc_web_contents_get_main(contents), NULL, "mine", on_mine, NULL));
    must(ipc_web_contents_on_message(contents, NULL, on_note, userdata));
}

/* The first message of a renderer finds what was hung up for it when it came. */
static void test_created_comes_before_messages(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    Outcome *o;

    must(ipc_app_on_web_contents_created(f->app, NULL, on_created_handle, note_new(d, "message")));
    call_start(c, "Register", "a{sv}", 0);
    o = invoke_start(c, "mine", "[]");
    send_message(c, "x", "[]");
    assert_resolved(o, "1");
    expect_diary(f, d, "message");
}

static void on_destroyed_check(ipc_web_contents *contents, void *userdata)
{
    Note *note = userdata;
    Fixture *f = note->client->fixture;

    g_assert_true(ipc_web_contents_is_destroyed(contents));
    g_assert_nonnull(ipc_sender_get_unique_name(ipc_web_contents_get_sender(contents)));
    g_assert_null(ipc_web_contents_from_id(f->app, ipc_web_contents_get_id(contents)));
    must_fail(ipc_web_contents_send(contents, "x", NULL), ENOTCONN);
    g_assert_null(ipc_web_contents_get_main(contents));
    diary_write(note->diary, "%s:%d", note->word, ipc_app_broadcast(f->app, "gone", NULL));
}

static void test_destroyed_may_send_to_others(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *a = renderer_new(f), *b = renderer_new(f);

    must(ipc_web_contents_on_destroyed(contents_of(a), NULL, on_destroyed_check, note_new_acting(d, "own", a, NULL)));
    must(ipc_app_on_web_contents_destroyed(f->app, NULL, on_destroyed_check, note_new_acting(d, "app", a, NULL)));
    vanish(a);
    expect_diary(f, d, "own:1 app:1");
    expect_message(b, "gone", "[]", 0);
    expect_message(b, "gone", "[]", 0);
}

static void act_unref_app(Note *note)
{
    main_vanish(note->client->fixture);
}

static void act_stop_app(Note *note)
{
    must(ipc_app_stop(note->client->fixture->app, 0));
}

typedef int (*Observe)(ipc_app *app, ipc_slot **ret_slot, ipc_web_contents_callback_t callback, void *userdata);

/* The app goes, or is told to, from the callback of a renderer that comes or goes. */
static void check_app_ends(Observe observe, void (*act)(Note *note))
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    must(observe(f->app, NULL, on_note_contents, note_new_acting(d, "seen", c, act)));
    await(call_start(c, "Register", "a{sv}", 0));
    vanish(c);
    wait_until(f, d->words->len > 0);
    while (sd_event_run(f->event, 0) > 0)
        ;
    assert_diary(d, "seen1");
}

static void test_app_ends_meanwhile(void)
{
    check_app_ends(ipc_app_on_web_contents_created, act_unref_app);
    check_app_ends(ipc_app_on_web_contents_created, act_stop_app);
    check_app_ends(ipc_app_on_web_contents_destroyed, act_unref_app);
    check_app_ends(ipc_app_on_web_contents_destroyed, act_stop_app);
}

static void act_drop_slot(Note *note)
{
    note->slot = ipc_slot_unref(note->slot);
}

static void test_observers_are_dropped(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    Note *created = note_new_acting(d, "+", c, act_drop_slot), *own = note_new_acting(d, "own", c, act_drop_slot);
    ipc_slot *slot;

    must(ipc_app_on_web_contents_created(f->app, &created->slot, on_note_contents, created));
    client_id(c);
    must(ipc_web_contents_on_destroyed(contents_of(c), &own->slot, on_note_contents, own));
    must(ipc_web_contents_on_destroyed(contents_of(c), &slot, on_note_contents, own));
    ipc_slot_unref(slot);
    vanish(c);
    renderer_new(f);
    expect_diary(f, d, "+1 own1");
}

/* ---- sending ---- */

static void test_send(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *c = foreign_new_registered(f);
    _cleanup_json_ json_t *args = json_pack("[n, I]", (json_int_t)INT64_MAX);

    must(ipc_web_contents_send(contents_of(r), "x", args));
    must(ipc_web_contents_sendf(contents_of(c), "y", "{s:[f]}", "a", 0.5));
    must(ipc_web_contents_send(contents_of(c), "z", NULL));
    expect_message(r, "x", "[null,9223372036854775807]", 0);
    expect_message(c, "y", "[{\"a\":[0.5]}]", 0);
    expect_message(c, "z", "[]", 0);
    expect_silence(r);
}

static json_t *too_deep(void)
{
    json_t *value = json_array();
    unsigned i;

    for (i = 0; i < IPC_DEPTH_MAX; i++)
        value = json_pack("[o]", value);
    return value;
}

static void test_bad_sends(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *longer = g_strnfill(IPC_CHANNEL_MAX + 1, 'a'), *large = g_strnfill(IPC_ARGS_MAX, 'a');
    _cleanup_json_ json_t *object = json_object(), *deep = too_deep();
    Client *r = renderer_new(f);
    ipc_web_contents *contents = contents_of(r);

    must_fail(ipc_web_contents_send(contents, NULL, NULL), EINVAL);
    must_fail(ipc_web_contents_send(contents, "", NULL), EINVAL);
    must_fail(ipc_web_contents_send(contents, longer, NULL), EINVAL);
    must_fail(ipc_web_contents_send(contents, "\xff", NULL), EINVAL);
    must_fail(ipc_web_contents_send(contents, "x", object), EINVAL);
    must_fail(ipc_web_contents_send(contents, "x", deep), EINVAL);
    must_fail(ipc_web_contents_sendf(contents, "x", "f", NAN), EINVAL);
    /* What a lane takes is too much for a test. */
    if (!is_over_lanes())
        must_fail(ipc_web_contents_sendf(contents, "x", "s", large), EMSGSIZE);
    must_fail(ipc_app_broadcast(f->app, "", NULL), EINVAL);
    must_fail(ipc_app_broadcast(f->app, NULL, NULL), EINVAL);
    must_fail(ipc_app_broadcast(f->app, "x", object), EINVAL);
    must_fail(ipc_app_broadcastf(f->app, "x", "{s", "a"), EINVAL);
    must_fail(ipc_app_broadcastf(f->app, "x", "s", large), EMSGSIZE);
    expect_silence(r);
}

static void test_broadcast(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *anonymous = foreign_new(f), *a, *b;

    send_message(anonymous, "x", "[]");
    settle(f);
    g_assert_cmpint(ipc_app_broadcast(f->app, "x", NULL), ==, 0);
    a = renderer_new(f);
    b = foreign_new_registered(f);
    g_assert_cmpint(ipc_app_broadcastf(f->app, "x", "s", "a"), ==, 2);
    expect_message(a, "x", "[\"a\"]", 0);
    expect_message(b, "x", "[\"a\"]", 0);
    expect_silence(anonymous);
    vanish(a);
    wait_until(f, !ipc_web_contents_from_id(f->app, 1));
    g_assert_cmpint(ipc_app_broadcast(f->app, "x", NULL), ==, 1);
    expect_message(b, "x", "[]", 0);
}

/* ---- guests ---- */

static void test_host(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *host = foreign_new_registered(f), *guest = foreign_new(f);
    const char *token;

    note_comings_and_goings(f, d);
    assert_replied(call(host, "CreateWebview", ""), "s", &token);
    call(guest, "Register", "a{sv}", 1, "guest-token", "s", token);
    g_assert_true(ipc_web_contents_get_host(contents_of(guest)) == contents_of(host));
    g_assert_null(ipc_web_contents_get_host(contents_of(host)));
    vanish(host);
    expect_diary(f, d, "+2 -1");
    g_assert_null(ipc_web_contents_get_host(contents_of(guest)));
    vanish(guest);
    expect_diary(f, d, "-2");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/web-contents/comings-and-goings", test_comings_and_goings);
    add_story("/web-contents/accessors", test_accessors);
    add_story("/web-contents/all", test_all);
    add_story("/web-contents/kept-beyond-its-end", test_kept_beyond_its_end);
    add_story("/web-contents/created-may-send", test_created_may_send);
    add_story("/web-contents/created-comes-before-messages", test_created_comes_before_messages);
    add_story("/web-contents/destroyed-may-send-to-others", test_destroyed_may_send_to_others);
    add_story("/web-contents/app-ends-meanwhile", test_app_ends_meanwhile);
    add_story("/web-contents/observers-are-dropped", test_observers_are_dropped);
    add_story("/web-contents/send", test_send);
    add_story("/web-contents/bad-sends", test_bad_sends);
    add_story("/web-contents/broadcast", test_broadcast);
    add_story("/web-contents/host", test_host);
    return g_test_run();
}
