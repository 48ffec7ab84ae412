/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "fixture-renderer.h"

/* Events in main: who sent them, replies to them, and the answers of those that are sync. */

#define _cleanup_event_ _cleanup_(ipc_event_unrefp)

/* ---- verbs ---- */

/* A message, or a sync one, on a channel that keep_events() keeps; the event is taken at once. */
static ipc_event *send_kept(Client *c)
{
    send_message(c, "kept", "[]");
    return take_kept_event(c->fixture);
}

static Outcome *send_sync_kept(Client *c, ipc_event **ret_event)
{
    Outcome *o = send_sync_start(c, "kept", "[]");

    *ret_event = take_kept_event(c->fixture);
    return o;
}

static json_t *too_deep(void)
{
    json_t *value = json_array();
    unsigned i;

    for (i = 0; i < IPC_DEPTH_MAX; i++)
        value = json_pack("[o]", value);
    return value;
}

/* Returns its word; writes down whether it was the first. */
static void on_return_word(ipc_event *event, json_t *args, void *userdata)
{
    Note *note = userdata;

    (void)args;
    diary_write(note->diary, "%s:%s", note->word, g_strerror(-ipc_event_returnf(event, "s", note->word)));
}

/* ---- who sent it ---- */

static void test_sender(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    _cleanup_event_ ipc_event *event = NULL;
    ipc_sender *sender;
    uid_t uid;
    pid_t pid;

    keep_events(f, "kept");
    event = send_kept(r);
    g_assert_cmpstr(ipc_event_get_channel(event), ==, "kept");
    g_assert_cmpuint(ipc_event_get_sender_id(event), ==, 1);
    g_assert_false(ipc_event_is_sync(event));
    sender = ipc_event_get_sender(event);
    g_assert_cmpstr(ipc_sender_get_unique_name(sender), ==, client_name(r));
    g_assert_cmpuint(ipc_sender_get_id(sender), ==, 1);
    g_assert_true(ipc_sender_get_web_contents(sender) == contents_of(r));
    must(ipc_sender_get_uid(sender, &uid));
    g_assert_cmpuint(uid, ==, getuid());
    must(ipc_sender_get_pid(sender, &pid));
    g_assert_cmpint(pid, ==, getpid());
}

static void test_anonymous_sender(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    _cleanup_event_ ipc_event *event = NULL;
    ipc_sender *sender;
    pid_t pid;

    keep_events(f, "kept");
    event = send_kept(c);
    sender = ipc_event_get_sender(event);
    g_assert_cmpuint(ipc_event_get_sender_id(event), ==, 0);
    g_assert_cmpuint(ipc_sender_get_id(sender), ==, 0);
    g_assert_null(ipc_sender_get_web_contents(sender));
    must(ipc_sender_get_pid(sender, &pid));
    g_assert_cmpint(pid, ==, getpid());
    /* The event stays what it was; the sender is the peer as it is now. */
    client_id(c);
    g_assert_cmpuint(ipc_event_get_sender_id(event), ==, 0);
    g_assert_cmpuint(ipc_sender_get_id(sender), ==, 1);
    vanish(c);
    wait_until(f, ipc_sender_get_id(sender) == 0);
    g_assert_null(ipc_sender_get_web_contents(sender));
    g_assert_nonnull(ipc_sender_get_unique_name(sender));
}

/* ---- credentials ---- */

typedef struct Seen {
    unsigned n_asked;
    unsigned n_marks;
} Seen;

static int on_monitored(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Seen *seen = userdata;

    (void)error;
    seen->n_asked += sd_bus_message_is_method_call(message, "org.freedesktop.DBus", "GetConnectionCredentials") > 0;
    seen->n_marks += sd_bus_message_is_method_call(message, IPC_MAIN_INTERFACE, "Mark") > 0;
    return 1;
}

/* A connection that sees all that goes over the bus, and may say nothing. */
static sd_bus *monitor_new(Fixture *f, Seen *seen)
{
    sd_bus *bus = bus_connect(f->bus);

    must(sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.Monitoring",
                            "BecomeMonitor", NULL, NULL, "asu", 0, 0));
    must(sd_bus_add_filter(bus, NULL, on_monitored, seen));
    must(sd_bus_attach_event(bus, f->event, SD_EVENT_PRIORITY_NORMAL));
    return bus;
}

static void send_several(Client *c)
{
    unsigned i;

    for (i = 0; i < 20; i++) {
        send_message(c, "x", "[]");
        invoke_start(c, "add", "[]");
    }
    settle(c->fixture);
    client_id(c);
    send_message(c, "x", "[]");
    settle(c->fixture);
}

/* The monitor sees all in order: with the mark, it has seen what was before. */
static void assert_asked(Client *marker, const Seen *seen, unsigned n)
{
    unsigned n_marks = seen->n_marks;

    call_no_reply(marker, "Mark", "");
    wait_until(marker->fixture, seen->n_marks > n_marks);
    g_assert_cmpuint(seen->n_asked, ==, n);
}

static void test_credentials_are_asked_once_a_peer(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *a = foreign_new(f), *b = foreign_new(f);
    Seen seen = { 0 };
    sd_bus *monitor = monitor_new(f, &seen);

    answer(f, "add", "3");
    assert_asked(a, &seen, 0);
    send_several(a);
    assert_asked(b, &seen, 1);
    send_several(b);
    assert_asked(a, &seen, 2);
    send_several(a);
    send_several(renderer_new(f));
    assert_asked(b, &seen, 3);
    sd_bus_detach_event(monitor);
    sd_bus_close_unref(monitor);
}

/* ---- replies ---- */

static void test_reply(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *c = foreign_new(f), *other = renderer_new(f);
    ipc_event *event, *anonymous;

    keep_events(f, "kept");
    event = send_kept(r);
    anonymous = send_kept(c);
    must(ipc_event_replyf(anonymous, "back", "s, i", "a", 1));
    must(ipc_event_reply(event, "back", NULL));
    must(ipc_event_reply(event, "again", NULL));
    expect_message(c, "back", "[\"a\",1]", 0);
    expect_message(r, "back", "[]", 0);
    expect_message(r, "again", "[]", 0);
    expect_silence(other);
    ipc_event_unref(event);
    ipc_event_unref(anonymous);
}

static void test_bad_reply(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *longer = g_strnfill(IPC_CHANNEL_MAX + 1, 'a'), *large = g_strnfill(IPC_ARGS_MAX, 'a');
    _cleanup_json_ json_t *object = json_object(), *deep = too_deep();
    _cleanup_event_ ipc_event *event = NULL;
    Client *c = foreign_new(f);

    keep_events(f, "kept");
    event = send_kept(c);
    must_fail(ipc_event_reply(event, NULL, NULL), EINVAL);
    must_fail(ipc_event_reply(event, "", NULL), EINVAL);
    must_fail(ipc_event_reply(event, longer, NULL), EINVAL);
    must_fail(ipc_event_reply(event, "\xff", NULL), EINVAL);
    must_fail(ipc_event_reply(event, "x", object), EINVAL);
    must_fail(ipc_event_reply(event, "x", deep), EINVAL);
    must_fail(ipc_event_replyf(event, "x", "f", NAN), EINVAL);
    must_fail(ipc_event_replyf(event, "x", "s", large), EMSGSIZE);
    must_fail(ipc_event_return(event, NULL), EINVAL);
    expect_silence(c);
}

static void test_reply_to_one_that_is_gone(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *c = foreign_new(f);
    _cleanup_event_ ipc_event *one = NULL, *two = NULL;
    ipc_sender *sender;

    keep_events(f, "kept");
    one = send_kept(r);
    two = send_kept(c);
    sender = ipc_event_get_sender(one);
    vanish(r);
    wait_until(f, ipc_sender_get_id(sender) == 0);
    must_fail(ipc_event_reply(one, "x", NULL), ENOTCONN);
    must(ipc_event_reply(two, "x", NULL));
    main_stop(f);
    must_fail(ipc_event_reply(two, "x", NULL), ENOTCONN);
}

/* ---- sync ---- */

static void test_first_return_answers(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);

    must(ipc_main_on(f->main, NULL, "x", on_note, note_new(d, "silent")));
    must(ipc_main_on(f->main, NULL, "x", on_return_word, note_new(d, "one")));
    must(ipc_main_on(f->main, NULL, "x", on_return_word, note_new(d, "two")));
    assert_resolved(send_sync_start(c, "x", "[]"), "\"one\"");
    expect_diary(f, d, "silent one:Success two:Operation already in progress");
}

static void test_observer_answers(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);

    must(ipc_web_contents_on_message_sync(contents_of(c), NULL, on_return_word, note_new(d, "observer")));
    assert_resolved(send_sync_start(c, "x", "[]"), "\"observer\"");
    must(ipc_main_on(f->main, NULL, "x", on_return_word, note_new(d, "app")));
    assert_resolved(send_sync_start(c, "x", "[]"), "\"observer\"");
    expect_diary(f, d, "observer:Success observer:Success app:Operation already in progress");
}

static void on_keep_event(ipc_event *event, json_t *args, void *userdata)
{
    (void)args;
    g_queue_push_tail(&((Fixture *)userdata)->kept_events, ipc_event_ref(event));
}

static void test_observer_answers_later(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);
    _cleanup_event_ ipc_event *event = NULL;
    Outcome *o;

    must(ipc_web_contents_on_message_sync(contents_of(c), NULL, on_keep_event, f));
    o = send_sync_kept(c, &event);
    settle(f);
    g_assert_false(is_settled(o));
    must(ipc_event_return(event, NULL));
    assert_resolved(o, "null");
}

static void test_observer_alone_is_no_listener(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);

    must(ipc_web_contents_on_message_sync(contents_of(c), NULL, on_note, note_new(d, "observer")));
    assert_rejected(send_sync_start(c, "x", "[]"), IPC_ERROR_NO_LISTENER, "No listener for 'x'");
    expect_diary(f, d, "observer");
}

static void test_return_later(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    _cleanup_event_ ipc_event *event = NULL;
    Outcome *o;

    keep_events(f, "kept");
    o = send_sync_kept(c, &event);
    g_assert_true(ipc_event_is_sync(event));
    settle(f);
    g_assert_false(is_settled(o));
    must(ipc_event_returnf(event, "{s:i}", "a", 1));
    g_assert_false(ipc_event_is_sync(event));
    must_fail(ipc_event_return(event, NULL), EALREADY);
    assert_resolved(o, "{\"a\":1}");
    /* It is still good for a reply. */
    must(ipc_event_reply(event, "x", NULL));
    expect_message(c, "x", "[]", 0);
}

static void test_dropped_later(void)
{
    g_autoptr(Fixture) f = fixture_new();
    ipc_event *event;
    Outcome *o;

    keep_events(f, "kept");
    o = send_sync_kept(foreign_new(f), &event);
    g_assert_true(ipc_event_ref(event) == event);
    ipc_event_unref(event);
    settle(f);
    g_assert_false(is_settled(o));
    g_assert_null(ipc_event_unref(event));
    assert_rejected(o, IPC_ERROR_REPLY_NEVER_SENT, "No listener of 'kept' returned anything");
}

static void test_bad_return_leaves_it_unanswered(void)
{
    g_autoptr(Fixture) f = fixture_new();
    _cleanup_json_ json_t *deep = too_deep();
    _cleanup_event_ ipc_event *event = NULL;
    Outcome *o;

    keep_events(f, "kept");
    o = send_sync_kept(foreign_new(f), &event);
    must_fail(ipc_event_return(event, deep), EINVAL);
    must_fail(ipc_event_returnf(event, "f", INFINITY), EINVAL);
    must_fail(ipc_event_returnf(event, "ss", "a", "b"), EINVAL);
    g_assert_true(ipc_event_is_sync(event));
    must(ipc_event_return(event, NULL));
    assert_resolved(o, "null");
}

static void test_return_to_one_that_is_gone(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);
    _cleanup_event_ ipc_event *event = NULL;

    keep_events(f, "kept");
    send_sync_kept(c, &event);
    vanish(c);
    wait_until(f, !ipc_web_contents_from_id(f->app, 1));
    g_assert_false(ipc_event_is_sync(event));
    must_fail(ipc_event_return(event, NULL), ENOTCONN);
}

static void test_outlives_its_app(void)
{
    g_autoptr(Fixture) f = fixture_new();
    _cleanup_event_ ipc_event *event = NULL;

    keep_events(f, "kept");
    send_sync_kept(foreign_new_registered(f), &event);
    main_vanish(f);
    must_fail(ipc_event_return(event, NULL), ENOTCONN);
    must_fail(ipc_event_reply(event, "x", NULL), ENOTCONN);
    g_assert_cmpstr(ipc_event_get_channel(event), ==, "kept");
    g_assert_cmpuint(ipc_event_get_sender_id(event), ==, 1);
    g_assert_nonnull(ipc_sender_get_unique_name(ipc_event_get_sender(event)));
}

static void test_null(void)
{
    uid_t uid;
    pid_t pid;

    must_fail(ipc_event_reply(NULL, "x", NULL), EINVAL);
    must_fail(ipc_event_replyf(NULL, "x", NULL), EINVAL);
    must_fail(ipc_event_return(NULL, NULL), EINVAL);
    must_fail(ipc_event_returnf(NULL, NULL), EINVAL);
    g_assert_null(ipc_event_ref(NULL));
    g_assert_null(ipc_event_unref(NULL));
    g_assert_null(ipc_event_get_channel(NULL));
    g_assert_null(ipc_event_get_sender(NULL));
    g_assert_cmpuint(ipc_event_get_sender_id(NULL), ==, 0);
    g_assert_false(ipc_event_is_sync(NULL));
    must_fail(ipc_sender_get_uid(NULL, &uid), EINVAL);
    must_fail(ipc_sender_get_pid(NULL, &pid), EINVAL);
    g_assert_null(ipc_sender_get_unique_name(NULL));
    g_assert_null(ipc_sender_get_web_contents(NULL));
    g_assert_cmpuint(ipc_sender_get_id(NULL), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/event/sender", test_sender);
    add_story("/event/anonymous-sender", test_anonymous_sender);
    add_story("/event/credentials-are-asked-once-a-peer", test_credentials_are_asked_once_a_peer);
    add_story("/event/reply", test_reply);
    add_story("/event/bad-reply", test_bad_reply);
    add_story("/event/reply-to-one-that-is-gone", test_reply_to_one_that_is_gone);
    add_story("/event/first-return-answers", test_first_return_answers);
    add_story("/event/observer-answers", test_observer_answers);
    add_story("/event/observer-answers-later", test_observer_answers_later);
    add_story("/event/observer-alone-is-no-listener", test_observer_alone_is_no_listener);
    add_story("/event/return-later", test_return_later);
    add_story("/event/dropped-later", test_dropped_later);
    add_story("/event/bad-return-leaves-it-unanswered", test_bad_return_leaves_it_unanswered);
    add_story("/event/return-to-one-that-is-gone", test_return_to_one_that_is_gone);
    add_story("/event/outlives-its-app", test_outlives_its_app);
    add_story("/event/null", test_null);
    return g_test_run();
}
