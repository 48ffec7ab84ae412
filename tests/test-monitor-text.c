/* SPDX-License-Identifier: MIT */
#include "fixture.h"
#include "lane.h"
#include "monitor-story.h"
#include "packet.h"

/* What who watches is told of what is refused, too long or no JSON; and on which channels. */

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

/* Who may not say anything costs no more than a short text, and its JSON is not read. */
static void test_denied_at_length(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r;
    g_autoptr(Watching) w = watch_after(f, &r);
    g_autofree char *filling = g_strnfill(IPC_WATCHER_REFUSED_MAX, 'f'), *args = g_strdup_printf("[\"%s\"]", filling);
    json_t *line;

    load_policy(f, "{\"default\": \"allow\", \"rules\": [{\"allow\": false, \"channels\": [\"secret\"]}]}");
    send_message(r, "open", args);
    line = expect_line(w, "{'verb': 'send', 'channel': 'open', 'args_bytes': null}");
    g_assert_true(json_is_array(json_object_get(line, "args")));
    send_message(r, "secret", args);
    line = expect_line(w, "{'verb': 'send', 'channel': 'secret'}");
    g_assert_true(json_is_null(json_object_get(line, "args")));
    assert_error(line, IPC_ERROR_ACCESS_DENIED);
    g_assert_cmpint(integer_of(line, "args_bytes"), ==, IPC_WATCHER_REFUSED_MAX + 4);
    g_assert_true(g_str_has_prefix(json_string_value(json_object_get(line, "args_begin")), "[\"fff"));
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
    json_t *line;
    Packet packet = { .verb = LANE_SEND, .channel = "x\xff", .text = "[\"\xc3(\x80\"]", .length = 7, .text_fd = -1 };
    int fd;

    expect_line(w, "{'verb': 'register'}");
    assert_replied(call(c, "OpenLane", ""), "h", &fd);
    expect_line(w, "{'verb': 'open-lane', 'sender_id': 1}");
    must(packet_send(fd, &packet));
    line = expect_line(w, "{'verb': 'send', 'channel': 'x?', 'args_bytes': 7, 'transport': 'lane', "
                          "'args_begin': '[\\u0022?(?\\u0022]'}");
    assert_error(line, IPC_ERROR_INVALID_CHANNEL);
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

static void test_bad_globs(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *too_long = g_strnfill(IPC_CHANNEL_MAX + 1, '*');
    Client *c = foreign_new(f);

    assert_rejected(watch_start(c, "a[b", NULL), IPC_ERROR_INVALID_ARGS,
                    "'a[b' is no glob: a bracket or a backslash has no end, or there is no such class");
    assert_rejected(watch_start(c, "[[:alpha:]", NULL), IPC_ERROR_INVALID_ARGS, NULL);
    assert_rejected(watch_start(c, "x", "\\"), IPC_ERROR_INVALID_ARGS, NULL);
    assert_rejected(watch_start(c, too_long, NULL), IPC_ERROR_INVALID_ARGS, NULL);
    assert_rejected(watch_globs(c, IPC_WATCHER_CHANNELS_MAX + 1), IPC_ERROR_INVALID_ARGS, NULL);
    g_assert_cmpuint(count_watchers(c), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/monitor-text/denied", test_denied);
    add_story("/monitor-text/denied-at-length", test_denied_at_length);
    add_story("/monitor-text/busy", test_busy);
    g_test_add_func("/monitor-text/refused-text", test_refused_text);
    g_test_add_func("/monitor-text/not-utf8", test_not_utf8);
    add_story("/monitor-text/long-args", test_long_args);
    g_test_add_func("/monitor-text/deep-args", test_deep_args);
    g_test_add_func("/monitor-text/globs", test_globs);
    g_test_add_func("/monitor-text/bad-globs", test_bad_globs);
    return g_test_run();
}
