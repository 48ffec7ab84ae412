/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "fixture-renderer.h"

/* What a renderer sends, and how its calls end. */

/* ---- send ---- */

static void test_send(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *a = renderer_new(f), *b = renderer_new(f);

    hear(f, "todo");
    send_message(a, "todo", "[\"milk\", {\"count\": 2}]");
    expect_heard(f, "todo", "[\"milk\", {\"count\": 2}]", client_id(a));
    send_message(b, "todo", "[]");
    expect_heard(f, "todo", "[]", client_id(b));
    send_message(a, "nobody-listens", "[]");
    expect_silence(a);
}

static void test_send_without_args(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    hear(f, "x");
    must(ipc_renderer_send(r->renderer, "x", NULL));
    expect_heard(f, "x", "[]", client_id(r));
    must(ipc_renderer_sendf(r->renderer, "x", NULL));
    expect_heard(f, "x", "[]", client_id(r));
    must(ipc_renderer_sendf(r->renderer, "x", ""));
    expect_heard(f, "x", "[]", client_id(r));
}

static void test_send_format(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    hear(f, "todo:add");
    must(ipc_renderer_sendf(r->renderer, "todo:add", "{s:s, s:i}", "title", "milk", "count", 2));
    expect_heard(f, "todo:add", "[{\"title\": \"milk\", \"count\": 2}]", client_id(r));
    must(ipc_renderer_sendf(r->renderer, "todo:add", "s, [i, n], b", "milk", 2, 1));
    expect_heard(f, "todo:add", "[\"milk\", [2, null], true]", client_id(r));
}

static void test_send_before_ready(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_make(f);

    hear(f, "x");
    answer(f, "y", "1");
    send_message(r, "x", "[1]");
    assert_resolved(invoke(r, "y", "[]"), "1");
    send_message(r, "x", "[2]");
    expect_heard(f, "x", "[1]", client_id(r));
    expect_heard(f, "x", "[2]", client_id(r));
}

static void test_channel_names(void)
{
    g_autofree char *longest = g_strnfill(IPC_CHANNEL_MAX, 'x');
    const char *const names[] = { "x", " ", "/", "a b\tc\n", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", longest };
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(names); i++) {
        hear(f, names[i]);
        send_message(r, names[i], "[1]");
        expect_heard(f, names[i], "[1]", client_id(r));
    }
}

/* ---- invoke ---- */

static int on_echo(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)userdata;
    return ipc_invocation_resolve(invocation, json_array_get(args, 0));
}

static void test_invoke_values(void)
{
    static const char *const values[] = {
        "null", "true", "false", "0", "-1", "9223372036854775807", "-9223372036854775808", "0.5", "1e300",
        "\"\"", "\"a\\u0000b\"", "\"\\ud83d\\ude00 \\ue000 \\uffff\"", "[]", "{}", "[[[1], {\"a\": {}}], null]",
    };
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    size_t i;

    must(ipc_main_handle(f->main, NULL, "echo", on_echo, NULL));
    for (i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *args = g_strdup_printf("[%s]", values[i]);

        assert_resolved(invoke(r, "echo", args), values[i]);
    }
    assert_resolved(invoke(r, "echo", "[]"), "null");
}

static void test_invoke_later(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Outcome *first, *second;
    ipc_invocation *kept;

    keep(f, "slow");
    first = invoke_start(r, "slow", "[1]");
    second = invoke_start(r, "slow", "[2]");
    kept = take_kept(f);
    resolve_kept(f, "\"second\"");
    assert_resolved(second, "\"second\"");
    g_assert_false(is_settled(first));
    must(ipc_invocation_resolvef(kept, "s", "first"));
    ipc_invocation_unref(kept);
    assert_resolved(first, "\"first\"");
}

static void test_invoke_format(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    must(ipc_main_handle(f->main, NULL, "echo", on_echo, NULL));
    must(ipc_renderer_invokef(r->renderer, NULL, "echo", on_note_reply, note_new(d, "a"), "{s:i}, s", "n", 1, "x"));
    must(ipc_renderer_invokef(r->renderer, NULL, "nobody", on_note_reply, note_new(d, "b"), NULL));
    expect_diary(f, d, "a:ok b:NoHandler");
}

/* Nobody cares how it ends. */
static void test_invoke_without_callback(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    _cleanup_slot_ ipc_slot *slot = NULL;

    keep(f, "x");
    must(ipc_renderer_invoke(r->renderer, NULL, "x", NULL, NULL, NULL));
    must(ipc_renderer_invoke(r->renderer, &slot, "x", NULL, NULL, NULL));
    resolve_kept(f, "1");
    resolve_kept(f, "2");
    settle(f);
    must_fail(ipc_renderer_cancel(r->renderer, slot), EALREADY);
}

static int on_reject(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)userdata;
    return ipc_invocation_reject(invocation, json_string_value(json_array_get(args, 0)),
                                 json_string_value(json_array_get(args, 1)), json_array_get(args, 2));
}

/* What Electron loses. */
static void test_error_of_handler(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Outcome *o;

    must(ipc_main_handle(f->main, NULL, "fail", on_reject, NULL));
    o = invoke(r, "fail", "[\"com.example.Error.NoSuchNote\", \"There is no note 7\", {\"id\": 7}]");
    assert_rejected(o, "com.example.Error.NoSuchNote", "There is no note 7");
    assert_detail(o, "{\"id\": 7}");
    o = invoke(r, "fail", "[\"com.example.Error.Bare\", \"\"]");
    assert_rejected(o, "com.example.Error.Bare", "");
    assert_detail(o, NULL);
    o = invoke(r, "fail", "[null, \"by default\", null]");
    assert_rejected(o, IPC_ERROR_HANDLER_FAILED, "by default");
    assert_detail(o, "null");
}

static int on_fail(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)invocation, (void)args, (void)userdata;
    return -ENOSPC;
}

static int on_too_large(ipc_invocation *invocation, json_t *args, void *userdata)
{
    g_autofree char *text = g_strnfill(IPC_ARGS_MAX, 'x');
    _cleanup_json_ json_t *value = json_string(text);

    (void)args, (void)userdata;
    return ipc_invocation_resolve(invocation, value);
}

static void test_errors_of_main(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    must(ipc_main_handle(f->main, NULL, "fail", on_fail, NULL));
    must(ipc_main_handle(f->main, NULL, "large", on_too_large, NULL));
    assert_rejected(invoke(r, "x", "[]"), IPC_ERROR_NO_HANDLER, "No handler registered for 'x'");
    assert_rejected(invoke(r, "fail", "[]"), IPC_ERROR_HANDLER_FAILED,
                    "The handler of 'fail' failed: No space left on device");
    /* What a lane takes is too much for a test. */
    if (!is_over_lanes())
        assert_rejected(invoke(r, "large", "[]"), IPC_ERROR_TOO_LARGE, NULL);
}

/* ---- order ---- */

/* Whatever a renderer mixes is dispatched as it was sent. */
static void test_order(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *other = renderer_new(f);
    int i;

    must(ipc_main_on(f->main, NULL, "x", on_note, note_new(d, "send")));
    keep_and_note(f, d, "y");
    for (i = 0; i < 2; i++) {
        send_message(r, "x", "[]");
        invoke_start(r, "y", "[]");
        send_to(r, client_id(other), "z", "[]");
    }
    send_message(r, "x", "[]");
    expect_diary(f, d, "send y send y send");
    expect_message(other, "z", "[]", client_id(r));
    expect_message(other, "z", "[]", client_id(r));
}

static void send_and_resolve(Fixture *f, Client *r, const char *word)
{
    must(ipc_web_contents_sendf(contents_of(r), word, NULL));
    resolve_kept(f, "null");
}

/* Main's messages and its replies keep their order as well. */
static void test_order_of_replies(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    keep(f, "y");
    must(ipc_renderer_on(r->renderer, NULL, "a", on_note, note_new(d, "a")));
    must(ipc_renderer_on(r->renderer, NULL, "b", on_note, note_new(d, "b")));
    must(ipc_renderer_invoke(r->renderer, NULL, "y", NULL, on_note_reply, note_new(d, "first")));
    must(ipc_renderer_invoke(r->renderer, NULL, "y", NULL, on_note_reply, note_new(d, "second")));
    send_and_resolve(f, r, "a");
    send_and_resolve(f, r, "b");
    expect_diary(f, d, "a first:ok b second:ok");
}

/* ---- from renderer to renderer ---- */

static void test_send_to(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *a = renderer_new(f), *b = renderer_new(f);

    send_to(a, client_id(b), "x", "[1]");
    expect_message(b, "x", "[1]", client_id(a));
    must(ipc_renderer_send_tof(b->renderer, client_id(a), "y", "i, {s:n}", 2, "k"));
    expect_message(a, "y", "[2, {\"k\": null}]", client_id(b));
    must(ipc_renderer_send_tof(a->renderer, client_id(a), "self", NULL));
    expect_message(a, "self", "[]", client_id(a));
}

static void test_send_to_nobody(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *a = renderer_new(f), *b = renderer_new(f);
    uint32_t id = client_id(b);

    leave(b);
    settle(f);
    send_to(a, id, "x", "[]");
    send_to(a, 0, "x", "[]");
    send_to(a, 4711, "x", "[]");
    expect_silence(a);
    g_assert_cmpint(ipc_renderer_get_state(a->renderer), ==, IPC_RENDERER_READY);
}

/* ---- options ---- */

static void test_title(void)
{
    g_autofree char *longest = g_strnfill(IPC_TITLE_MAX, 't'), *too_long = g_strnfill(IPC_TITLE_MAX + 1, 't');
    g_autoptr(Fixture) f = fixture_new();
    Client *a = renderer_make(f), *b = renderer_make(f);

    must(ipc_renderer_set_title(a->renderer, "first"));
    must(ipc_renderer_set_title(a->renderer, "Notes \xe2\x80\x94 all"));
    must_fail(ipc_renderer_set_title(a->renderer, "\xff"), EINVAL);
    must_fail(ipc_renderer_set_title(a->renderer, too_long), EINVAL);
    must(ipc_renderer_set_title(b->renderer, longest));
    await_state(a, IPC_RENDERER_READY);
    await_state(b, IPC_RENDERER_READY);
    g_assert_cmpstr(ipc_web_contents_get_title(contents_of(a)), ==, "Notes \xe2\x80\x94 all");
    g_assert_cmpstr(ipc_web_contents_get_title(contents_of(b)), ==, longest);
    must_fail(ipc_renderer_set_title(a->renderer, "late"), EBUSY);
    must_fail(ipc_renderer_set_guest_token(a->renderer, "late"), EBUSY);
}

/* What was sent makes it too late, too. */
static void test_title_after_send(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_make(f);

    hear(f, "x");
    send_message(r, "x", "[]");
    must_fail(ipc_renderer_set_title(r->renderer, "late"), EBUSY);
    expect_heard(f, "x", "[]", 1);
    g_assert_cmpstr(ipc_web_contents_get_title(contents_of(r)), ==, "");
}

static void test_two_in_one_process(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *a = renderer_new(f), *b = renderer_new(f);
    Outcome *of_a, *of_b;

    g_assert_cmpuint(client_id(a), ==, 1);
    g_assert_cmpuint(client_id(b), ==, 2);
    keep(f, "x");
    of_a = invoke_start(a, "x", "[]");
    settle(f);
    of_b = invoke_start(b, "x", "[]");
    resolve_kept(f, "\"a\"");
    resolve_kept(f, "\"b\"");
    assert_resolved(of_b, "\"b\"");
    assert_resolved(of_a, "\"a\"");
    must(ipc_app_broadcastf(f->app, "news", "i", 1));
    expect_message(a, "news", "[1]", 0);
    expect_message(b, "news", "[1]", 0);
    leave(a);
    must(ipc_app_broadcastf(f->app, "news", "i", 2));
    expect_message(b, "news", "[2]", 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/renderer/send", test_send);
    add_story("/renderer/send-without-args", test_send_without_args);
    add_story("/renderer/send-format", test_send_format);
    add_story("/renderer/send-before-ready", test_send_before_ready);
    add_story("/renderer/channel-names", test_channel_names);
    add_story("/renderer/invoke-values", test_invoke_values);
    add_story("/renderer/invoke-later", test_invoke_later);
    add_story("/renderer/invoke-format", test_invoke_format);
    add_story("/renderer/invoke-without-callback", test_invoke_without_callback);
    add_story("/renderer/error-of-handler", test_error_of_handler);
    add_story("/renderer/errors-of-main", test_errors_of_main);
    add_story("/renderer/order", test_order);
    add_story("/renderer/order-of-replies", test_order_of_replies);
    add_story("/renderer/send-to", test_send_to);
    add_story("/renderer/send-to-nobody", test_send_to_nobody);
    add_story("/renderer/title", test_title);
    add_story("/renderer/title-after-send", test_title_after_send);
    add_story("/renderer/two-in-one-process", test_two_in_one_process);
    return g_test_run();
}
