/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "monitor-story.h"

/* What who watches is told of: everything, whichever way it goes and however it ends. */

/* ---- calls ---- */

static void test_invoke(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r;
    g_autoptr(Watching) w = watch_after(f, &r);
    gint64 before = g_get_real_time();
    json_t *line;

    answer(f, "add", "{\"sum\": 3}");
    assert_resolved(invoke(r, "add", "[1, 2]"), "{\"sum\": 3}");
    line = expect_line(w, "{'verb': 'invoke', 'direction': 'in', 'sender_id': 1, 'channel': 'add', 'args': [1, 2], "
                          "'serial': 1, 'result': {'sum': 3}, 'pending': null, 'error': null, 'receiver_id': null}");
    assert_string(line, "sender", client_name(r));
    assert_string(line, "transport", transport());
    g_assert_cmpint(integer_of(line, "time"), >=, before);
    g_assert_cmpint(integer_of(line, "time"), <=, g_get_real_time());
    g_assert_cmpint(integer_of(line, "latency_us"), >=, 0);
    expect_no_line(w);
}

/* Who calls without having registered is told by name. */
static void test_anonymous(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Watching) w = watch(f);
    Client *c = foreign_new(f);

    answer(f, "add", "3");
    assert_resolved(invoke(c, "add", "[]"), "3");
    assert_string(expect_line(w, "{'verb': 'invoke', 'sender_id': 0, 'transport': 'bus'}"), "sender", client_name(c));
}

static void test_invoke_later(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r;
    g_autoptr(Watching) w = watch_after(f, &r);
    ipc_invocation *one, *other;
    Outcome *first, *second;

    keep(f, "slow");
    first = invoke_start(r, "slow", "[1]");
    one = take_kept(f);
    second = invoke_start(r, "slow", "[2]");
    other = take_kept(f);
    expect_line(w, "{'verb': 'invoke', 'args': [1], 'serial': 1, 'pending': true, 'latency_us': null, 'result': null}");
    expect_line(w, "{'verb': 'invoke', 'args': [2], 'serial': 2, 'pending': true}");
    must(ipc_invocation_resolvef(other, "s", "second"));
    must(ipc_invocation_reject(one, "com.example.Error.Lost", "It was lost", json_null()));
    assert_resolved(second, "\"second\"");
    assert_rejected(first, "com.example.Error.Lost", NULL);
    expect_line(w, "{'verb': 'invoke', 'channel': 'slow', 'sender_id': 1, 'serial': 2, 'result': 'second', "
                   "'args': null, 'pending': null}");
    integer_of(expect_line(w, "{'serial': 1, 'error': {'name': 'com.example.Error.Lost', 'message': 'It was lost', "
                              "'detail': null}, 'result': null}"), "latency_us");
    expect_no_line(w);
    ipc_invocation_unref(one);
    ipc_invocation_unref(other);
}

static int on_say(ipc_invocation *invocation, json_t *args, void *userdata)
{
    must(ipc_app_broadcast(userdata, "said", args));
    return ipc_invocation_resolve(invocation, NULL);
}

/* What a handler does comes after its call. */
static void test_causes_come_first(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r;
    g_autoptr(Watching) w = watch_after(f, &r);

    must(ipc_main_handle(f->main, NULL, "say", on_say, f->app));
    assert_resolved(invoke(r, "say", "[5]"), "null");
    expect_line(w, "{'verb': 'invoke', 'channel': 'say', 'args': [5], 'pending': true}");
    expect_line(w, "{'verb': 'message', 'direction': 'out', 'channel': 'said', 'args': [5]}");
    json_t *line = expect_line(w, "{'verb': 'invoke', 'channel': 'say', 'serial': 1}");
    g_assert_true(json_is_null(json_object_get(line, "result")));
}

static int on_drop(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)invocation, (void)args, (void)userdata;
    return 0;
}

static int on_fail(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)invocation, (void)args, (void)userdata;
    return -EIO;
}

static void test_calls_that_fail(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r;
    g_autoptr(Watching) w = watch_after(f, &r);
    json_t *line;

    must(ipc_main_handle(f->main, NULL, "drop", on_drop, NULL));
    must(ipc_main_handle(f->main, NULL, "fail", on_fail, NULL));
    assert_rejected(invoke(r, "none", "[]"), IPC_ERROR_NO_HANDLER, NULL);
    assert_rejected(invoke(r, "drop", "[]"), IPC_ERROR_REPLY_NEVER_SENT, NULL);
    assert_rejected(invoke(r, "fail", "[]"), IPC_ERROR_HANDLER_FAILED, NULL);
    line = expect_line(w, "{'verb': 'invoke', 'channel': 'none', 'args': [], 'result': null}");
    assert_error(line, IPC_ERROR_NO_HANDLER);
    assert_string(json_object_get(line, "error"), "message", "No handler registered for 'none'");
    assert_error(expect_line(w, "{'channel': 'drop', 'pending': null}"), IPC_ERROR_REPLY_NEVER_SENT);
    assert_error(expect_line(w, "{'channel': 'fail', 'pending': null}"), IPC_ERROR_HANDLER_FAILED);
    expect_no_line(w);
}

static void test_cancelled(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r, *c;
    g_autoptr(Watching) w = watch_after(f, &r);
    Outcome *o;

    keep(f, "slow");
    o = invoke_start(r, "slow", "[]");
    expect_line(w, "{'pending': true}");
    must(ipc_renderer_cancel(r->renderer, o->slot));
    assert_error(expect_line(w, "{'channel': 'slow', 'serial': 1, 'sender_id': 1}"), IPC_ERROR_CANCELLED);
    /* And one that goes in the middle of it. */
    c = renderer_new(f);
    expect_line(w, "{'verb': 'register', 'sender_id': 2}");
    if (is_over_lanes())
        expect_line(w, "{'verb': 'open-lane', 'sender_id': 2}");
    invoke_start(c, "slow", "[]");
    expect_line(w, "{'pending': true, 'sender_id': 2}");
    vanish(c);
    assert_error(expect_line(w, "{'channel': 'slow', 'serial': 2, 'sender_id': 2}"), IPC_ERROR_CANCELLED);
    expect_line(w, "{'verb': 'gone', 'sender_id': 2, 'channel': null}");
    expect_no_line(w);
}

/* The app stops, and says so of what is under way; and it is the end of the pipe. */
static void test_stop(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r;
    g_autoptr(Watching) w = watch_after(f, &r);

    keep(f, "slow");
    invoke_start(r, "slow", "[]");
    expect_line(w, "{'pending': true}");
    main_stop(f);
    assert_error(expect_line(w, "{'channel': 'slow', 'serial': 1}"), IPC_ERROR_MAIN_GONE);
    expect_line(w, "{'verb': 'gone'}");
    expect_end(w);
}

static void on_return(ipc_event *event, json_t *args, void *userdata)
{
    (void)userdata;
    must(ipc_event_reply(event, "reply", args));
    must(ipc_event_return(event, args));
}

static void test_send_sync(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Watching) w = watch(f);
    Client *c = foreign_new(f);

    must(ipc_main_on(f->main, NULL, "sync", on_return, NULL));
    assert_resolved(send_sync_start(c, "sync", "[7]"), "[7]");
    assert_rejected(send_sync_start(c, "nobody", "[]"), IPC_ERROR_NO_LISTENER, NULL);
    expect_line(w, "{'verb': 'send-sync', 'channel': 'sync', 'args': [7], 'pending': true, 'serial': 1}");
    assert_string(expect_line(w, "{'verb': 'message', 'channel': 'reply', 'args': [7], 'receiver_id': 0}"), "receiver",
                  client_name(c));
    expect_line(w, "{'verb': 'send-sync', 'channel': 'sync', 'result': [7], 'serial': 1}");
    assert_error(expect_line(w, "{'verb': 'send-sync', 'channel': 'nobody', 'args': []}"), IPC_ERROR_NO_LISTENER);
}

/* ---- messages ---- */

static void test_send(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r;
    g_autoptr(Watching) w = watch_after(f, &r);
    json_t *line;

    send_message(r, "todo:add", "[{\"title\": \"m\\u0000lk\\u0001\"}, 9223372036854775807, 0.5]");
    line = expect_line(w, "{'verb': 'send', 'direction': 'in', 'sender_id': 1, 'channel': 'todo:add', 'serial': null, "
                          "'latency_us': null}");
    json_t *expected = json_from("[{\"title\": \"m\\u0000lk\\u0001\"}, 9223372036854775807, 0.5]");
    g_assert_true(json_equal(json_object_get(line, "args"), expected));
    json_decref(expected);
    must(ipc_web_contents_sendf(contents_of(r), "todo:added", "i", 4));
    line = expect_line(w, "{'verb': 'message', 'direction': 'out', 'sender_id': 0, 'receiver_id': 1, "
                          "'channel': 'todo:added', 'args': [4]}");
    assert_string(line, "receiver", client_name(r));
    assert_string(line, "transport", transport());
    expect_no_line(w);
}

static void test_broadcast(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r;
    g_autoptr(Watching) w = NULL;

    renderer_new(f);
    w = watch_after(f, &r);
    must(ipc_app_broadcastf(f->app, "all", "i", 1));
    expect_line(w, "{'verb': 'message', 'receiver_id': 1, 'channel': 'all', 'args': [1]}");
    expect_line(w, "{'verb': 'message', 'receiver_id': 2, 'channel': 'all', 'args': [1]}");
    expect_no_line(w);
}

static void test_send_to(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *a = renderer_new(f), *b;
    g_autoptr(Watching) w = watch_after(f, &b);
    json_t *line;

    send_to(a, 2, "hello", "[\"b\"]");
    expect_message(b, "hello", "[\"b\"]", 1);
    line = expect_line(w, "{'verb': 'send-to', 'direction': 'in', 'sender_id': 1, 'receiver_id': 2, 'args': ['b']}");
    assert_string(line, "receiver", client_name(b));
    line = expect_line(w, "{'verb': 'message', 'direction': 'out', 'sender_id': 1, 'receiver_id': 2, 'args': ['b']}");
    assert_string(line, "sender", client_name(a));
    send_to(a, 99, "hello", "[]");
    line = expect_line(w, "{'verb': 'send-to', 'sender_id': 1, 'receiver_id': 99, 'receiver': '', 'args': []}");
    assert_error(line, IPC_ERROR_NO_SUCH_WEB_CONTENTS);
    expect_no_line(w);
}

static void test_webview(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Watching) w = watch(f);
    Client *host = foreign_new_registered(f), *guest = foreign_new(f);
    g_autofree char *secret = NULL, *text = NULL;
    const char *token;
    json_t *line;

    expect_line(w, "{'verb': 'register', 'sender_id': 1, 'host_id': 0}");
    assert_replied(call(host, "CreateWebview", ""), "s", &token);
    secret = g_strdup(token);
    assert_replied(call(guest, "Register", "a{sv}", 2, "guest-token", "s", secret, "title", "s", "a guest"), "u", NULL);
    line = expect_line(w, "{'verb': 'register', 'sender_id': 2, 'host_id': 1, 'title': 'a guest'}");
    g_assert_cmpint(integer_of(line, "process_id"), ==, getpid());
    g_assert_cmpint(integer_of(line, "user_id"), ==, getuid());
    text = json_text(expect_line(w, "{'verb': 'webview-attached', 'receiver_id': 1, 'channel': null, 'args': null}"));
    g_assert_null(strstr(text, secret));
    assert_replied(call(guest, "SendToHost", "ss", "up", "[1]"), "");
    expect_line(w, "{'verb': 'send-to-host', 'sender_id': 2, 'receiver_id': 1, 'channel': 'up', 'args': [1]}");
    expect_line(w, "{'verb': 'webview-message', 'direction': 'out', 'sender_id': 2, 'receiver_id': 1, 'args': [1]}");
    leave(guest);
    expect_line(w, "{'verb': 'gone', 'sender_id': 2}");
    expect_line(w, "{'verb': 'webview-detached', 'sender_id': 2, 'receiver_id': 1}");
}

static void test_post_message(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r;
    g_autoptr(Watching) w = watch_after(f, &r);
    ipc_port *one, *other, *third, *fourth;

    must(ipc_port_new_pair(&one, &other));
    must(ipc_port_new_pair(&third, &fourth));
    must(ipc_renderer_post_messagef(r->renderer, "port", &(ipc_transfer){ .ports = &other, .n_ports = 1 }, "{s:i}", "a",
                                    1));
    expect_line(w, "{'verb': 'post-message', 'direction': 'in', 'channel': 'port', 'message': {'a': 1}, 'ports': 1, "
                   "'files': 0, 'args': null}");
    must(ipc_web_contents_post_messagef(contents_of(r), "port", &(ipc_transfer){ .ports = &third, .n_ports = 1 }, "i",
                                        2));
    expect_line(w, "{'verb': 'port-message', 'direction': 'out', 'channel': 'port', 'message': 2, 'ports': 1}");
    ipc_port_unref(one);
    ipc_port_unref(other);
    ipc_port_unref(third);
    ipc_port_unref(fourth);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/monitor/invoke", test_invoke);
    g_test_add_func("/monitor/anonymous", test_anonymous);
    add_story("/monitor/invoke-later", test_invoke_later);
    add_story("/monitor/causes-come-first", test_causes_come_first);
    add_story("/monitor/calls-that-fail", test_calls_that_fail);
    add_story("/monitor/cancelled", test_cancelled);
    add_story("/monitor/stop", test_stop);
    g_test_add_func("/monitor/send-sync", test_send_sync);
    add_story("/monitor/send", test_send);
    add_story("/monitor/broadcast", test_broadcast);
    add_story("/monitor/send-to", test_send_to);
    g_test_add_func("/monitor/webview", test_webview);
    add_story("/monitor/post-message", test_post_message);
    return g_test_run();
}
