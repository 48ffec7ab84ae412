/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "fixture-renderer.h"

/* send_sync blocks, so main is in another process here. */

static void on_sync_value(ipc_event *event, json_t *args, void *userdata)
{
    (void)userdata;
    g_assert_true(ipc_event_is_sync(event));
    must(ipc_event_return(event, json_array_get(args, 0)));
    g_assert_false(ipc_event_is_sync(event));
    must_fail(ipc_event_return(event, NULL), EALREADY);
}

static void on_sync_ignored(ipc_event *event, json_t *args, void *userdata)
{
    (void)event, (void)args, (void)userdata;
}

static int on_later(sd_event_source *source, uint64_t usec, void *event)
{
    (void)usec;
    must(ipc_event_returnf(event, "s", "at last"));
    ipc_event_unref(event);
    sd_event_source_unref(source);
    return 0;
}

static void on_sync_later(ipc_event *event, json_t *args, void *app)
{
    sd_event_source *source;

    must(sd_event_add_time_relative(ipc_app_get_event(app), &source, CLOCK_MONOTONIC, 1000, 0, on_later,
                                    ipc_event_ref(event)));
}

static ipc_event *unanswered;

static void on_sync_never(ipc_event *event, json_t *args, void *userdata)
{
    (void)args, (void)userdata;
    unanswered = ipc_event_ref(event);
}

static void on_closed(ipc_app *app, void *userdata)
{
    (void)app, (void)userdata;
    unanswered = ipc_event_unref(unanswered);
}

static void on_sync_greets_first(ipc_event *event, json_t *args, void *userdata)
{
    must(ipc_event_replyf(event, "greeting", "s", "hello"));
    must(ipc_event_return(event, NULL));
}

static void serve_sync(ipc_app *app)
{
    ipc_main *m = ipc_app_get_main(app);

    serve_memory(app);
    must(ipc_app_on_closed(app, NULL, on_closed, NULL));
    must(ipc_main_on(m, NULL, "value", on_sync_value, NULL));
    must(ipc_main_on(m, NULL, "ignored", on_sync_ignored, NULL));
    must(ipc_main_on(m, NULL, "later", on_sync_later, app));
    must(ipc_main_on(m, NULL, "never", on_sync_never, NULL));
    must(ipc_main_on(m, NULL, "greet", on_sync_greets_first, NULL));
}

static Fixture *fixture_new_sync(void)
{
    Fixture *f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });

    main_fork(f, serve_sync);
    return f;
}

static void test_result(void)
{
    g_autoptr(Fixture) f = fixture_new_sync();
    Client *r = renderer_new(f);

    assert_resolved(send_sync(r, "value", "[{\"n\": 9223372036854775807}]"), "{\"n\": 9223372036854775807}");
    assert_resolved(send_sync(r, "value", "[]"), "null");
    assert_resolved(send_sync(r, "later", "[]"), "\"at last\"");
}

static void test_errors(void)
{
    g_autoptr(Fixture) f = fixture_new_sync();
    Client *r = renderer_new(f);

    assert_rejected(send_sync(r, "nobody", "[]"), IPC_ERROR_NO_LISTENER, "No listener for 'nobody'");
    assert_rejected(send_sync(r, "ignored", "[]"), IPC_ERROR_REPLY_NEVER_SENT,
                    "No listener of 'ignored' returned anything");
}

static void test_outputs_are_optional(void)
{
    g_autoptr(Fixture) f = fixture_new_sync();
    Client *r = renderer_new(f);
    _cleanup_json_ json_t *result = NULL;
    ipc_error error = IPC_ERROR_INIT;

    must(ipc_renderer_send_sync(r->renderer, "value", NULL, NULL, NULL));
    must_fail(ipc_renderer_send_sync(r->renderer, "nobody", NULL, NULL, NULL), ENOENT);
    must_fail(ipc_renderer_send_sync(r->renderer, "ignored", NULL, &result, NULL), ENODATA);
    g_assert_null(result);
    must_fail(ipc_renderer_send_sync(r->renderer, "nobody", NULL, NULL, &error), ENOENT);
    g_assert_true(ipc_error_is(&error, IPC_ERROR_NO_LISTENER));
    ipc_error_clear(&error);
}

static void test_format(void)
{
    g_autoptr(Fixture) f = fixture_new_sync();
    Client *r = renderer_new(f);
    _cleanup_json_ json_t *result = NULL;
    ipc_error error = IPC_ERROR_INIT;

    must(ipc_renderer_send_syncf(r->renderer, "value", &result, &error, "{s:i}, s", "n", 1, "more"));
    g_assert_cmpint(json_integer_value(json_object_get(result, "n")), ==, 1);
    g_assert_null(error.name);
}

/* It is the first thing that a renderer does. */
static void test_before_ready(void)
{
    g_autoptr(Fixture) f = fixture_new_sync();
    Client *r = renderer_make(f);

    send_message(r, "one", "[1]");
    assert_resolved(send_sync(r, "heard", "[]"), "[\"one:[1]\"]");
    g_assert_cmpint(ipc_renderer_get_state(r->renderer), ==, IPC_RENDERER_READY);
}

static void test_keeps_its_place(void)
{
    g_autoptr(Fixture) f = fixture_new_sync();
    Client *r = renderer_new(f);
    Outcome *sum;

    send_message(r, "one", "[1]");
    sum = invoke_start(r, "add", "[2,3]");
    send_message(r, "two", "[4]");
    assert_resolved(send_sync(r, "heard", "[]"), "[\"one:[1]\", \"add:[2,3]\", \"two:[4]\"]");
    g_assert_false(is_settled(sum));
    assert_resolved(sum, "5");
}

/* What arrives meanwhile waits: no callback runs while it blocks. */
static void test_runs_no_callback(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new_sync();
    Client *r = renderer_new(f);

    must(ipc_renderer_on(r->renderer, NULL, "greeting", on_note, note_new(d, "greeting")));
    must(ipc_renderer_invokef(r->renderer, NULL, "add", on_note_reply, note_new(d, "sum"), "i", 1));
    assert_resolved(send_sync(r, "greet", "[]"), "null");
    assert_diary(d, "");
    expect_diary(f, d, "sum:ok greeting");
}

static void test_timeout(void)
{
    g_autoptr(Fixture) f = fixture_new_sync();
    Client *r = renderer_new(f);

    must(ipc_renderer_set_timeout(r->renderer, 20 * 1000));
    assert_rejected(send_sync(r, "never", "[]"), IPC_ERROR_TIMEOUT, NULL);
    must(ipc_renderer_set_timeout(r->renderer, 0));
    assert_resolved(send_sync(r, "value", "[1]"), "1");
}

static void test_infinite_timeout(void)
{
    g_autoptr(Fixture) f = fixture_new_sync();
    Client *r = renderer_new(f);

    must(ipc_renderer_set_timeout(r->renderer, UINT64_MAX));
    assert_resolved(send_sync(r, "later", "[]"), "\"at last\"");
}

/* ---- from within callbacks ---- */

static void act_send_sync(Note *note)
{
    _cleanup_json_ json_t *result = NULL;

    must(ipc_renderer_send_syncf(note->client->renderer, "value", &result, NULL, "s", "got"));
    diary_write(note->diary, "%s", json_string_value(result));
}

static void test_from_listener(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new_sync();
    Client *r = renderer_new(f), *other = renderer_new(f);

    must(ipc_renderer_on(r->renderer, NULL, "x", on_note, note_new_acting(d, "in", r, act_send_sync)));
    must(ipc_renderer_on(r->renderer, NULL, "x", on_note, note_new(d, "next")));
    send_to(other, client_id(r), "x", "[]");
    send_to(other, client_id(r), "x", "[]");
    expect_diary(f, d, "in got next in got next");
}

static void test_from_reply(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new_sync();
    Client *r = renderer_new(f);
    Note *note = note_new_acting(d, "sum", r, act_send_sync);

    must(ipc_renderer_invokef(r->renderer, NULL, "add", on_note_reply, note, "i", 1));
    must(ipc_renderer_invokef(r->renderer, NULL, "add", on_note_reply, note, "i", 2));
    expect_diary(f, d, "sum:ok got sum:ok got");
}

static void on_ready_send_sync(ipc_renderer *renderer, ipc_renderer_state state, const ipc_error *error, void *note)
{
    if (state == IPC_RENDERER_READY)
        act_send_sync(note);
}

static void test_from_state(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new_sync();
    Client *r = renderer_make(f);

    must(ipc_renderer_on_state(r->renderer, NULL, on_ready_send_sync, note_new_acting(d, "", r, NULL)));
    expect_diary(f, d, "got");
}

static void act_send_sync_to_nobody(Note *note)
{
    Outcome *o = send_sync(note->client, "nobody", "[]");

    assert_rejected(o, IPC_ERROR_NO_LISTENER, NULL);
}

/* One callback blocks in a call, and what it finds on the way is told to others when it is over. */
static void test_nested_in_a_crowd(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new_sync();
    Client *r = renderer_new(f);

    must(ipc_renderer_on(r->renderer, NULL, "greeting", on_note, note_new(d, "greeting")));
    must(ipc_renderer_invokef(r->renderer, NULL, "add", on_note_reply,
                              note_new_acting(d, "first", r, act_send_sync_to_nobody), "i", 1));
    must(ipc_renderer_invokef(r->renderer, NULL, "add", on_note_reply, note_new(d, "second"), "i", 2));
    assert_resolved(send_sync(r, "greet", "[]"), "null");
    expect_diary(f, d, "first:ok second:ok greeting");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/renderer-sync/result", test_result);
    add_story("/renderer-sync/errors", test_errors);
    add_story("/renderer-sync/outputs-are-optional", test_outputs_are_optional);
    add_story("/renderer-sync/format", test_format);
    add_story("/renderer-sync/before-ready", test_before_ready);
    add_story("/renderer-sync/keeps-its-place", test_keeps_its_place);
    add_story("/renderer-sync/runs-no-callback", test_runs_no_callback);
    add_story("/renderer-sync/timeout", test_timeout);
    add_story("/renderer-sync/infinite-timeout", test_infinite_timeout);
    add_story("/renderer-sync/from-listener", test_from_listener);
    add_story("/renderer-sync/from-reply", test_from_reply);
    add_story("/renderer-sync/from-state", test_from_state);
    add_story("/renderer-sync/nested-in-a-crowd", test_nested_in_a_crowd);
    return g_test_run();
}
