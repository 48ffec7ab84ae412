/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "lane.h"
#include "monitor-story.h"
#include "packet.h"

/* What who watches is told of: everything, whichever way it goes and however it ends. */

static json_int_t integer_of(const json_t *line, const char *key)
{
    g_assert_true(json_is_integer(json_object_get(line, key)));
    return json_integer_value(json_object_get(line, key));
}

static void assert_string(const json_t *line, const char *key, const char *expected)
{
    g_assert_cmpstr(json_string_value(json_object_get(line, key)), ==, expected);
}

/* The renderers of the fixture come before anyone watches, but for their lanes. */
static Watching *watch_after(Fixture *f, Client **ret_renderer)
{
    *ret_renderer = renderer_new(f);
    settle(f);
    return watch(f);
}

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

#define ERROR_NAME(name) "'error': {'name': '" name "'"

static void assert_error(const json_t *line, const char *name)
{
    assert_string(json_object_get(line, "error"), "name", name);
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

/* ---- what is refused ---- */

static void test_denied(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r;
    g_autoptr(Watching) w = watch_after(f, &r);
    json_t *line;

    load_policy(f, "{\"default\": \"allow\", \"rules\": [{\"allow\": false, \"channels\": [\"secret\"]}]}");
    assert_rejected(invoke(r, "secret", "[1]"), IPC_ERROR_ACCESS_DENIED, NULL);
    line = expect_line(w, "{'verb': 'invoke', 'sender_id': 1, 'channel': 'secret', 'args': [1], 'latency_us': null}");
    assert_error(line, IPC_ERROR_ACCESS_DENIED);
    assert_string(line, "transport", transport());
    send_message(r, "secret", "[2]");
    assert_error(expect_line(w, "{'verb': 'send', 'channel': 'secret', 'args': [2]}"), IPC_ERROR_ACCESS_DENIED);
    expect_no_line(w);
}

static void test_busy(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r;
    g_autoptr(Watching) w = watch_after(f, &r);

    load_policy(f, "{\"default\": \"allow\", \"limits\": {\"pending-invokes\": 1}}");
    keep(f, "slow");
    invoke_start(r, "slow", "[1]");
    assert_rejected(invoke(r, "slow", "[2]"), IPC_ERROR_BUSY, NULL);
    expect_line(w, "{'channel': 'slow', 'args': [1], 'pending': true}");
    assert_error(expect_line(w, "{'channel': 'slow', 'args': [2]}"), IPC_ERROR_BUSY);
}

static void test_refused_text(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Watching) w = watch(f);
    Client *c = foreign_new(f);
    g_autofree char *long_channel = g_strnfill(100000, 'c');
    json_t *line;

    assert_rejected(call(c, "Send", "ss", "x", "[1, oops\n]"), IPC_ERROR_INVALID_ARGS, NULL);
    line = expect_line(w, "{'verb': 'send', 'channel': 'x', 'args_bytes': 10, 'args_begin': '[1, oops\\n]'}");
    g_assert_true(json_is_null(json_object_get(line, "args")));
    assert_error(line, IPC_ERROR_INVALID_ARGS);
    assert_rejected(call(c, "Invoke", "ss", "", "[1]"), IPC_ERROR_INVALID_CHANNEL, NULL);
    assert_error(expect_line(w, "{'verb': 'invoke', 'channel': '', 'args': [1]}"), IPC_ERROR_INVALID_CHANNEL);
    assert_rejected(call(c, "Invoke", "ss", long_channel, "{}"), IPC_ERROR_INVALID_CHANNEL, NULL);
    line = expect_line(w, "{'verb': 'invoke', 'args': {}}");
    g_assert_cmpuint(json_string_length(json_object_get(line, "channel")), ==, IPC_CHANNEL_MAX);
    assert_rejected(call(c, "SendToHost", "ss", "x", "[]"), IPC_ERROR_NOT_REGISTERED, NULL);
    assert_error(expect_line(w, "{'verb': 'send-to-host'}"), IPC_ERROR_NOT_REGISTERED);
    assert_rejected(call(c, "CreateWebview", ""), IPC_ERROR_NOT_REGISTERED, NULL);
    assert_error(expect_line(w, "{'verb': 'create-webview', 'channel': null}"), IPC_ERROR_NOT_REGISTERED);
    expect_no_line(w);
}

/* A bus takes no text that is not UTF-8; a lane takes anything. */
static void test_not_utf8(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Watching) w = watch(f);
    Client *c = foreign_new_registered(f);
    Packet packet = { .verb = LANE_SEND, .channel = "x\xff", .text = "[\"\xc3(\x80\"]", .length = 7, .text_fd = -1 };
    int fd;

    expect_line(w, "{'verb': 'register'}");
    assert_replied(call(c, "OpenLane", ""), "h", &fd);
    expect_line(w, "{'verb': 'open-lane', 'sender_id': 1}");
    must(packet_send(fd, &packet));
    assert_error(expect_line(w, "{'verb': 'send', 'channel': 'x?', 'args_bytes': 7, 'args_begin': '[\\u0022?(?\\u0022]', "
                                "'transport': 'lane'}"),
                 IPC_ERROR_INVALID_CHANNEL);
    packet.channel = "x";
    packet.text = "[]\0[]";
    packet.length = 5;
    must(packet_send(fd, &packet));
    assert_error(expect_line(w, "{'verb': 'send', 'channel': 'x', 'args_bytes': 5, 'args_begin': '[]'}"),
                 IPC_ERROR_INVALID_ARGS);
    expect_no_line(w);
}

/* ---- long and deep ones ---- */

static void test_long_args(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r;
    g_autoptr(Watching) w = watch_after(f, &r);
    g_autofree char *mega = g_strnfill(1024 * 1024, 'm'), *args = g_strdup_printf("[\"%s\"]", mega);
    g_autofree char *longer = g_strnfill(IPC_WATCHER_TEXT_MAX, 'l'), *too_long = g_strdup_printf("[\"%s\"]", longer);
    json_t *line;

    send_message(r, "x", args);
    line = expect_line(w, "{'verb': 'send', 'args_bytes': null}");
    assert_string(json_array_get(json_object_get(line, "args"), 0) ? line : NULL, "channel", "x");
    g_assert_cmpstr(json_string_value(json_array_get(json_object_get(line, "args"), 0)), ==, mega);
    send_message(r, "x", too_long);
    line = expect_line(w, "{'verb': 'send', 'channel': 'x'}");
    g_assert_true(json_is_null(json_object_get(line, "args")));
    g_assert_cmpint(integer_of(line, "args_bytes"), ==, IPC_WATCHER_TEXT_MAX + 4);
    g_assert_true(g_str_has_prefix(json_string_value(json_object_get(line, "args_begin")), "[\"lll"));
    expect_no_line(w);
}

/* As deep as JSON may be, in a line it would be deeper. */
static void test_deep_args(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Watching) w = watch(f);
    g_autofree char *open = g_strnfill(IPC_DEPTH_MAX, '['), *shut = g_strnfill(IPC_DEPTH_MAX, ']');
    g_autofree char *args = g_strconcat(open, shut, NULL);
    json_t *line;

    assert_replied(call(foreign_new(f), "Send", "ss", "deep", args), "");
    line = expect_line(w, "{'verb': 'send', 'channel': 'deep', 'args_bytes': 4096, 'error': null}");
    g_assert_true(json_is_null(json_object_get(line, "args")));
}

/* ---- which channels ---- */

static void test_globs(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Watching) notes = watch_as(foreign_new(f), "notes:*", NULL);
    g_autoptr(Watching) some = watch_as(foreign_new(f), "a?", "b[12]"), all = watch_as(foreign_new(f), "*", NULL);
    Client *r = foreign_new_registered(f);
    static const char *const channels[] = { "notes:add", "a1", "b3", "b2", "a12", "notes:" };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(channels); i++)
        send_message(r, channels[i], "[]");
    expect_line(all, "{'verb': 'register'}");
    for (i = 0; i < G_N_ELEMENTS(channels); i++)
        assert_string(expect_line(all, "{'verb': 'send'}"), "channel", channels[i]);
    expect_line(notes, "{'channel': 'notes:add'}");
    expect_line(notes, "{'channel': 'notes:'}");
    expect_line(some, "{'channel': 'a1'}");
    expect_line(some, "{'channel': 'b2'}");
    expect_no_line(notes);
    expect_no_line(some);
    expect_no_line(all);
}

static int on_too_many(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    (void)error;
    g_assert_true(sd_bus_message_is_method_error(reply, IPC_ERROR_INVALID_ARGS));
    *(bool *)userdata = true;
    return 0;
}

static void assert_too_many(Client *c, unsigned n)
{
    g_auto(GStrv) globs = g_new0(char *, n + 1);
    bool is_answered = false;
    sd_bus_message *m;
    unsigned i;

    for (i = 0; i < n; i++)
        globs[i] = g_strdup("x");
    must(sd_bus_message_new_method_call(c->bus, &m, FIXTURE_NAME, IPC_MAIN_PATH, IPC_MONITOR_INTERFACE, "Watch"));
    must(sd_bus_message_append_strv(m, globs));
    must(sd_bus_call_async(c->bus, NULL, m, on_too_many, &is_answered, UINT64_MAX));
    sd_bus_message_unref(m);
    wait_until(c->fixture, is_answered);
}

static void test_bad_globs(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *too_long = g_strnfill(IPC_CHANNEL_MAX + 1, '*');
    Client *c = foreign_new(f);

    assert_rejected(watch_start(c, "a[b", NULL), IPC_ERROR_INVALID_ARGS, "'a[b' is no glob: a '[' or a '\\' has no end");
    assert_rejected(watch_start(c, "x", "\\"), IPC_ERROR_INVALID_ARGS, NULL);
    assert_rejected(watch_start(c, too_long, NULL), IPC_ERROR_INVALID_ARGS, NULL);
    assert_too_many(c, IPC_WATCHER_CHANNELS_MAX + 1);
    g_assert_cmpuint(count_watchers(c), ==, 0);
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
    add_story("/monitor/denied", test_denied);
    add_story("/monitor/busy", test_busy);
    g_test_add_func("/monitor/refused-text", test_refused_text);
    g_test_add_func("/monitor/not-utf8", test_not_utf8);
    add_story("/monitor/long-args", test_long_args);
    g_test_add_func("/monitor/deep-args", test_deep_args);
    g_test_add_func("/monitor/globs", test_globs);
    g_test_add_func("/monitor/bad-globs", test_bad_globs);
    return g_test_run();
}
