/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "fixture-renderer.h"

/* Invocations: each settles exactly once, now or later, or is told that nobody waits any more. */

#define _cleanup_invocation_ _cleanup_(ipc_invocation_unrefp)

/* ---- verbs ---- */

/* An invoke of a channel that keep() keeps, which is taken at once. */
static Outcome *invoke_kept(Client *c, ipc_invocation **ret_invocation)
{
    Outcome *o = invoke_start(c, "slow", "[]");

    *ret_invocation = take_kept(c->fixture);
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

static void on_cancelled(ipc_invocation *invocation, void *userdata)
{
    Note *note = userdata;

    must_fail(ipc_invocation_resolve(invocation, NULL), ECANCELED);
    diary_write(note->diary, "%s", note->word);
    if (note->act)
        note->act(note);
}

static void note_cancelled(ipc_invocation *invocation, Diary *d, const char *word)
{
    must(ipc_invocation_on_cancelled(invocation, on_cancelled, note_new(d, word)));
}

/* ---- settling ---- */

static void test_settle_later(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f), *r = renderer_new(f);
    ipc_invocation *one, *two;
    Outcome *o, *p;

    keep(f, "slow");
    o = invoke_kept(c, &one);
    p = invoke_kept(r, &two);
    must(ipc_invocation_resolvef(two, "{s:i}", "two", 2));
    must(ipc_invocation_resolvef(one, "[I]", (json_int_t)INT64_MIN));
    assert_resolved(o, "[-9223372036854775808]");
    assert_resolved(p, "{\"two\":2}");
    ipc_invocation_unref(one);
    ipc_invocation_unref(two);
}

static void test_settles_once(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    ipc_invocation *invocation;
    Outcome *o;

    keep(f, "slow");
    o = invoke_kept(c, &invocation);
    must(ipc_invocation_resolve(invocation, NULL));
    must_fail(ipc_invocation_resolve(invocation, NULL), EALREADY);
    must_fail(ipc_invocation_reject(invocation, NULL, "late", NULL), EALREADY);
    must_fail(ipc_invocation_on_cancelled(invocation, on_cancelled, NULL), EALREADY);
    ipc_invocation_unref(invocation);
    assert_resolved(o, "null");

    o = invoke_kept(c, &invocation);
    must(ipc_invocation_reject(invocation, NULL, "no", NULL));
    must_fail(ipc_invocation_reject(invocation, NULL, "no", NULL), EALREADY);
    must_fail(ipc_invocation_resolve(invocation, NULL), EALREADY);
    ipc_invocation_unref(invocation);
    assert_rejected(o, IPC_ERROR_HANDLER_FAILED, "no");
    settle(f);
}

static void test_dropped_later(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    ipc_invocation *invocation;
    Outcome *o;

    keep(f, "slow");
    o = invoke_kept(c, &invocation);
    g_assert_true(ipc_invocation_ref(invocation) == invocation);
    ipc_invocation_unref(invocation);
    settle(f);
    g_assert_false(is_settled(o));
    g_assert_null(ipc_invocation_unref(invocation));
    assert_rejected(o, IPC_ERROR_REPLY_NEVER_SENT, "The handler of 'slow' dropped the call without an answer");
}

static void test_what_cannot_be_sent_leaves_it_unsettled(void)
{
    g_autoptr(Fixture) f = fixture_new();
    _cleanup_json_ json_t *deep = too_deep();
    _cleanup_invocation_ ipc_invocation *invocation = NULL;
    Outcome *o;

    keep(f, "slow");
    o = invoke_kept(foreign_new(f), &invocation);
    must_fail(ipc_invocation_resolve(invocation, deep), EINVAL);
    must_fail(ipc_invocation_resolvef(invocation, "f", NAN), EINVAL);
    must_fail(ipc_invocation_resolvef(invocation, "{s", "a"), EINVAL);
    must_fail(ipc_invocation_resolvef(invocation, "ss", "a", "b"), EINVAL);
    must_fail(ipc_invocation_reject(invocation, "not a name", "a", NULL), EINVAL);
    must_fail(ipc_invocation_reject(invocation, "nodot", "a", NULL), EINVAL);
    must_fail(ipc_invocation_reject(invocation, "", "a", NULL), EINVAL);
    must_fail(ipc_invocation_reject(invocation, NULL, NULL, NULL), EINVAL);
    must_fail(ipc_invocation_reject(invocation, NULL, "\xff", NULL), EINVAL);
    must_fail(ipc_invocation_reject(invocation, NULL, "a", deep), EINVAL);
    must_fail(ipc_invocation_rejectf(invocation, NULL, "a", "{s:f}", "b", INFINITY), EINVAL);
    settle(f);
    g_assert_false(is_settled(o));
    must(ipc_invocation_rejectf(invocation, "com.example.Error.A", "a", "{s:i}", "b", 1));
    assert_rejected(o, "com.example.Error.A", "a");
    assert_detail(o, "{\"b\":1}");
}

static void test_detail_too_large(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *large = g_strnfill(IPC_ARGS_MAX, 'a');
    _cleanup_invocation_ ipc_invocation *invocation = NULL;
    Outcome *o;

    keep(f, "slow");
    o = invoke_kept(foreign_new(f), &invocation);
    must_fail(ipc_invocation_rejectf(invocation, NULL, "a", "s", large), EMSGSIZE);
    assert_rejected(o, IPC_ERROR_TOO_LARGE, "The result is over 16777216 bytes of JSON: send it in parts");
}

/* ---- what the handler answers ---- */

static int on_resolve_and_fail(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)userdata;
    must(ipc_invocation_resolve(invocation, args));
    return -EIO;
}

static int on_keep_and_fail(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)args;
    g_queue_push_tail(&((Fixture *)userdata)->kept, ipc_invocation_ref(invocation));
    return -ENOENT;
}

static int on_keep_and_answer_one(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)args;
    g_queue_push_tail(&((Fixture *)userdata)->kept, ipc_invocation_ref(invocation));
    return 1;
}

static void test_what_the_handler_answers(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    ipc_invocation *invocation;
    Outcome *o;

    must(ipc_main_handle(f->main, NULL, "settled", on_resolve_and_fail, NULL));
    assert_resolved(invoke(c, "settled", "[1]"), "[1]");

    must(ipc_main_handle(f->main, NULL, "fails", on_keep_and_fail, f));
    assert_rejected(invoke(c, "fails", "[]"), IPC_ERROR_HANDLER_FAILED,
                    "The handler of 'fails' failed: No such file or directory");
    invocation = take_kept(f);
    must_fail(ipc_invocation_resolve(invocation, NULL), EALREADY);
    ipc_invocation_unref(invocation);

    must(ipc_main_handle(f->main, NULL, "later", on_keep_and_answer_one, f));
    o = invoke_start(c, "later", "[]");
    invocation = take_kept(f);
    must(ipc_invocation_resolve(invocation, NULL));
    ipc_invocation_unref(invocation);
    assert_resolved(o, "null");
}

/* ---- who asks ---- */

static void test_accessors(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    _cleanup_invocation_ ipc_invocation *anonymous = NULL, *registered = NULL;

    keep(f, "slow");
    invoke_kept(c, &anonymous);
    client_id(c);
    invoke_kept(c, &registered);
    g_assert_cmpstr(ipc_invocation_get_channel(registered), ==, "slow");
    g_assert_cmpuint(ipc_invocation_get_sender_id(anonymous), ==, 0);
    g_assert_cmpuint(ipc_invocation_get_sender_id(registered), ==, 1);
    g_assert_true(ipc_invocation_get_app(registered) == f->app);
    g_assert_true(ipc_invocation_get_sender(registered) == ipc_web_contents_get_sender(contents_of(c)));
    g_assert_cmpstr(ipc_sender_get_unique_name(ipc_invocation_get_sender(registered)), ==, client_name(c));
}

static void test_outlives_its_app(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);
    _cleanup_invocation_ ipc_invocation *invocation = NULL;
    g_autofree char *name = g_strdup(client_name(c));

    keep(f, "slow");
    invoke_kept(c, &invocation);
    note_cancelled(invocation, d, "cancelled");
    main_vanish(f);
    assert_diary(d, "cancelled");
    g_assert_null(ipc_invocation_get_app(invocation));
    g_assert_cmpstr(ipc_invocation_get_channel(invocation), ==, "slow");
    g_assert_cmpstr(ipc_sender_get_unique_name(ipc_invocation_get_sender(invocation)), ==, name);
    g_assert_cmpuint(ipc_invocation_get_sender_id(invocation), ==, 1);
    g_assert_null(ipc_sender_get_web_contents(ipc_invocation_get_sender(invocation)));
    must_fail(ipc_invocation_resolve(invocation, NULL), ECANCELED);
}

/* ---- when nobody waits ---- */

static void test_caller_vanishes(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    ipc_invocation *one, *two, *three;

    keep(f, "slow");
    invoke_kept(c, &one);
    invoke_kept(c, &two);
    invoke_kept(c, &three);
    note_cancelled(one, d, "one");
    note_cancelled(three, d, "three");
    vanish(c);
    expect_diary(f, d, "one three");
    must_fail(ipc_invocation_resolve(two, NULL), ECANCELED);
    must_fail(ipc_invocation_reject(one, NULL, "late", NULL), ECANCELED);
    must_fail(ipc_invocation_on_cancelled(one, on_cancelled, NULL), ECANCELED);
    g_assert_null(ipc_invocation_get_app(one));
    ipc_invocation_unref(one);
    ipc_invocation_unref(two);
    ipc_invocation_unref(three);
    assert_diary(d, "");
}

static void test_not_told_any_more(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    ipc_invocation *one, *two;

    keep(f, "slow");
    invoke_kept(c, &one);
    invoke_kept(c, &two);
    note_cancelled(one, d, "one");
    note_cancelled(two, d, "first");
    note_cancelled(two, d, "second");
    must(ipc_invocation_on_cancelled(one, NULL, NULL));
    vanish(c);
    expect_diary(f, d, "second");
    ipc_invocation_unref(one);
    ipc_invocation_unref(two);
}

static void test_settled_ones_are_not_told(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);
    _cleanup_invocation_ ipc_invocation *invocation = NULL;
    Outcome *o;

    keep(f, "slow");
    o = invoke_kept(c, &invocation);
    note_cancelled(invocation, d, "cancelled");
    must(ipc_invocation_resolve(invocation, NULL));
    assert_resolved(o, "null");
    vanish(c);
    wait_until(f, !ipc_web_contents_from_id(f->app, 1));
    assert_diary(d, "");
}

/* What the callback has in its hands, to let go of it. */
static ipc_invocation *held[2];

static void act_drop_held(Note *note)
{
    size_t i;

    (void)note;
    for (i = 0; i < G_N_ELEMENTS(held); i++)
        held[i] = ipc_invocation_unref(held[i]);
}

static void test_dropped_from_the_callback(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);

    /* It lets go of itself, and of the next one, which has not been told yet. */
    keep(f, "slow");
    invoke_kept(c, &held[0]);
    invoke_kept(c, &held[1]);
    must(ipc_invocation_on_cancelled(held[0], on_cancelled, note_new_acting(d, "one", c, act_drop_held)));
    note_cancelled(held[1], d, "two");
    vanish(c);
    wait_until(f, !ipc_web_contents_from_id(f->app, 1));
    g_assert_null(held[0]);
    g_assert_true(g_str_has_prefix(d->words->str, "one"));
}

static void test_dropped_from_the_callback_of_cancel(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Outcome *o;

    keep(f, "slow");
    o = invoke_kept(r, &held[0]);
    must(ipc_invocation_on_cancelled(held[0], on_cancelled, note_new_acting(d, "one", r, act_drop_held)));
    must(ipc_renderer_cancel(r->renderer, o->slot));
    assert_rejected(o, IPC_ERROR_CANCELLED, NULL);
    expect_diary(f, d, "one");
    g_assert_null(held[0]);
}

/* ---- too many ---- */

static void test_busy(void)
{
    static const char message[] = "1024 calls of this peer are pending: wait for some to end";
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f), *other = foreign_new(f);
    Outcome *first = NULL;
    ipc_invocation *invocation;
    unsigned i;

    keep(f, "slow");
    keep_events(f, "slow");
    answer(f, "add", "3");
    first = invoke_start(c, "slow", "[]");
    for (i = 2; i < IPC_PENDING_INVOKES_MAX; i++)
        invoke_start(c, "slow", "[]");
    send_sync_start(c, "slow", "[]");
    assert_rejected(invoke(c, "add", "[]"), IPC_ERROR_BUSY, message);
    assert_rejected(send_sync_start(c, "slow", "[]"), IPC_ERROR_BUSY, message);
    /* Sending is no call, and others are not concerned. */
    assert_replied(call(c, "Send", "ss", "x", "[]"), "");
    assert_resolved(invoke(other, "add", "[]"), "3");

    invocation = take_kept(f);
    must(ipc_invocation_resolve(invocation, NULL));
    ipc_invocation_unref(invocation);
    assert_resolved(first, "null");
    assert_resolved(invoke(c, "add", "[]"), "3");
}

static void test_null(void)
{
    must_fail(ipc_invocation_resolve(NULL, NULL), EINVAL);
    must_fail(ipc_invocation_resolvef(NULL, NULL), EINVAL);
    must_fail(ipc_invocation_reject(NULL, NULL, "a", NULL), EINVAL);
    must_fail(ipc_invocation_rejectf(NULL, NULL, "a", NULL), EINVAL);
    must_fail(ipc_invocation_on_cancelled(NULL, on_cancelled, NULL), EINVAL);
    g_assert_null(ipc_invocation_ref(NULL));
    g_assert_null(ipc_invocation_unref(NULL));
    g_assert_null(ipc_invocation_get_channel(NULL));
    g_assert_null(ipc_invocation_get_sender(NULL));
    g_assert_null(ipc_invocation_get_app(NULL));
    g_assert_cmpuint(ipc_invocation_get_sender_id(NULL), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/invocation/settle-later", test_settle_later);
    add_story("/invocation/settles-once", test_settles_once);
    add_story("/invocation/dropped-later", test_dropped_later);
    add_story("/invocation/what-cannot-be-sent-leaves-it-unsettled",
                    test_what_cannot_be_sent_leaves_it_unsettled);
    add_story("/invocation/detail-too-large", test_detail_too_large);
    add_story("/invocation/what-the-handler-answers", test_what_the_handler_answers);
    add_story("/invocation/accessors", test_accessors);
    add_story("/invocation/outlives-its-app", test_outlives_its_app);
    add_story("/invocation/caller-vanishes", test_caller_vanishes);
    add_story("/invocation/not-told-any-more", test_not_told_any_more);
    add_story("/invocation/settled-ones-are-not-told", test_settled_ones_are_not_told);
    add_story("/invocation/dropped-from-the-callback", test_dropped_from_the_callback);
    add_story("/invocation/dropped-from-the-callback-of-cancel", test_dropped_from_the_callback_of_cancel);
    add_story("/invocation/busy", test_busy);
    add_story("/invocation/null", test_null);
    return g_test_run();
}
