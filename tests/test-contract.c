/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

/* The bus contract, as clients see it that speak plain D-Bus: methods, signals and errors. */

#define INVALID_ARGS "org.freedesktop.DBus.Error.InvalidArgs"
#define OTHER_UID 65534

/* ---- listeners and handlers ---- */

static void on_return(ipc_event *event, json_t *args, void *userdata)
{
    (void)userdata;
    must(ipc_event_return(event, args));
}

static void on_reply(ipc_event *event, json_t *args, void *userdata)
{
    (void)userdata;
    must(ipc_event_reply(event, "reply", args));
}

static int on_fail(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)invocation, (void)args, (void)userdata;
    return -EIO;
}

static int on_drop(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)invocation, (void)args, (void)userdata;
    return 0;
}

static int on_reject(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)userdata;
    return ipc_invocation_reject(invocation, json_string_value(json_array_get(args, 0)),
                                 json_string_value(json_array_get(args, 1)), json_array_get(args, 2));
}

/* ---- Register ---- */

static void test_register(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *a = foreign_new(f), *b = foreign_new(f);
    uint32_t id;

    assert_replied(call(a, "Register", "a{sv}", 0), "u", &id);
    g_assert_cmpuint(id, ==, 1);
    assert_replied(call(b, "Register", "a{sv}", 0), "u", &id);
    g_assert_cmpuint(id, ==, 2);
    g_assert_cmpstr(ipc_sender_get_unique_name(ipc_web_contents_get_sender(contents_of(b))), ==, client_name(b));
}

static void test_register_again(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    uint32_t id;

    call(c, "Register", "a{sv}", 1, "title", "s", "one");
    assert_replied(call(c, "Register", "a{sv}", 1, "title", "s", "two"), "u", &id);
    g_assert_cmpuint(id, ==, 1);
    assert_replied(call(c, "Register", "a{sv}", 1, "guest-token", "s", "none"), "u", &id);
    g_assert_cmpuint(id, ==, 1);
    g_assert_cmpstr(ipc_web_contents_get_title(contents_of(c)), ==, "one");
}

static void test_register_options(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *longest = g_strnfill(IPC_TITLE_MAX, 'a'), *longer = g_strnfill(IPC_TITLE_MAX + 1, 'a');
    Client *c = foreign_new(f);
    uint32_t id;

    assert_rejected(call(c, "Register", "a{sv}", 1, "title", "u", 1), IPC_ERROR_INVALID_ARGS,
                    "Option 'title' must be a string, not of type 'u'");
    assert_rejected(call(c, "Register", "a{sv}", 1, "guest-token", "as", 0), IPC_ERROR_INVALID_ARGS,
                    "Option 'guest-token' must be a string, not of type 'as'");
    assert_rejected(call(c, "Register", "a{sv}", 1, "title", "s", longer), IPC_ERROR_INVALID_ARGS,
                    "The title has 4097 bytes, at most 4096 are allowed");
    assert_rejected(call(c, "Register", "s", "title"), INVALID_ARGS, NULL);
    g_assert_null(ipc_web_contents_from_id(f->app, 1));

    assert_replied(call(c, "Register", "a{sv}", 4, "colour", "s", "red", "title", "s", longest, "size", "(uu)", 1, 2,
                        "more", "a{sv}", 1, "title", "u", 1), "u", &id);
    g_assert_cmpuint(id, ==, 1);
    g_assert_cmpstr(ipc_web_contents_get_title(contents_of(c)), ==, longest);
}

static void test_ids_are_never_used_again(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);

    leave(c);
    wait_until(f, !ipc_web_contents_from_id(f->app, 1));
    g_assert_cmpuint(client_id(foreign_new(f)), ==, 2);
    main_stop(f);
    main_return(f);
    g_assert_cmpuint(client_id(foreign_new(f)), ==, 1);
}

/* ---- Send, Invoke, SendSync ---- */

static void test_send(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    hear(f, "x");
    assert_replied(call(c, "Send", "ss", "x", "[1,{\"a\":null}]"), "");
    expect_heard(f, "x", "[1,{\"a\":null}]", 0);
    assert_replied(call(c, "Send", "ss", "nobody listens", "[]"), "");
    client_id(c);
    assert_replied(call(c, "Send", "ss", "x", " [ ] "), "");
    expect_heard(f, "x", "[]", 1);
    /* An answer to a renderer goes to that one alone. */
    must(ipc_main_on(f->main, NULL, "ask", on_reply, NULL));
    send_message(c, "ask", "[\"why\"]");
    expect_message(c, "reply", "[\"why\"]", 0);
}

static void test_anonymous_is_answered(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    must(ipc_main_on(f->main, NULL, "ask", on_reply, NULL));
    send_message(c, "ask", "[1]");
    expect_message(c, "reply", "[1]", 0);
    g_assert_cmpint(ipc_app_broadcast(f->app, "all", NULL), ==, 0);
    expect_silence(c);
}

static void test_invoke(void)
{
    static const char *const values[] = { "null", "true", "-9223372036854775808", "0.5", "\"a\\u0000b\"", "[]",
                                          "{\"a\":[\"\xc3\xa9\"]}", "\"\xef\xbf\xbf\"" };
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    const char *text;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *channel = g_strdup_printf("x%zu", i);

        answer(f, channel, values[i]);
        assert_resolved(invoke(c, channel, "[]"), values[i]);
    }
    assert_replied(call(c, "Invoke", "ss", "x0", "[]"), "s", &text);
    g_assert_cmpstr(text, ==, "null");
}

static void test_send_sync(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    hear(f, "x");
    must(ipc_main_on(f->main, NULL, "x", on_return, NULL));
    assert_resolved(send_sync_start(c, "x", "[1]"), "[1]");
    expect_heard(f, "x", "[1]", 0);
}

/* ---- what is refused ---- */

static void test_wrong_signatures(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    assert_rejected(call(c, "Send", "s", "x"), INVALID_ARGS, NULL);
    assert_rejected(call(c, "Send", "sas", "x", 0), INVALID_ARGS, NULL);
    assert_rejected(call(c, "Invoke", "sss", "x", "[]", "[]"), INVALID_ARGS, NULL);
    assert_rejected(call(c, "SendSync", ""), INVALID_ARGS, NULL);
    assert_rejected(call(c, "SendTo", "iss", 1, "x", "[]"), INVALID_ARGS, NULL);
    assert_rejected(call(c, "Cancel", "t", (uint64_t)1), INVALID_ARGS, NULL);
    assert_rejected(call(c, "CreateWebview", "s", "x"), INVALID_ARGS, NULL);
    assert_rejected(call(c, "Nothing", ""), "org.freedesktop.DBus.Error.UnknownMethod", NULL);
    assert_rejected(call_object(c, "/org/ipcbus", IPC_MAIN_INTERFACE, "Send", "ss", "x", "[]"),
                    "org.freedesktop.DBus.Error.UnknownObject", NULL);
}

/* Every method that takes a channel and args, with a way to call it. */
static const char *const channel_methods[] = { "Send", "Invoke", "SendSync", "SendTo", "SendToHost" };

static Outcome *call_with(Client *c, const char *member, const char *channel, const char *args)
{
    if (strcmp(member, "SendTo") == 0)
        return call(c, member, "uss", client_id(c), channel, args);
    return call(c, member, "ss", channel, args);
}

static void test_invalid_channel(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *longest = g_strnfill(IPC_CHANNEL_MAX, 'a'), *longer = g_strnfill(IPC_CHANNEL_MAX + 1, 'a');
    Client *c = foreign_new_registered(f);
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(channel_methods); i++) {
        assert_rejected(call_with(c, channel_methods[i], "", "[]"), IPC_ERROR_INVALID_CHANNEL,
                        "A channel is 1 to 255 bytes of UTF-8; this one has 0");
        assert_rejected(call_with(c, channel_methods[i], longer, "[]"), IPC_ERROR_INVALID_CHANNEL,
                        "A channel is 1 to 255 bytes of UTF-8; this one has 256");
    }
    answer(f, longest, "1");
    assert_resolved(invoke(c, longest, "[]"), "1");
    hear(f, "\xc3\xa9 \n");
    send_message(c, "\xc3\xa9 \n", "[]");
    expect_heard(f, "\xc3\xa9 \n", "[]", 1);
}

static void test_invalid_args(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(channel_methods); i++) {
        Outcome *o = call_with(c, channel_methods[i], "x", "[1,\n 2,\n  x]");

        assert_rejected(o, IPC_ERROR_INVALID_ARGS, NULL);
        g_assert_true(g_str_has_prefix(o->error.message, "The args of 'x'"));
        g_assert_nonnull(strstr(o->error.message, "line 3, column 3"));
        assert_rejected(call_with(c, channel_methods[i], "x", "{}"), IPC_ERROR_INVALID_ARGS,
                        "The args of 'x' must be a JSON array: line 1, column 1 begins an object");
        assert_rejected(call_with(c, channel_methods[i], "x", ""), IPC_ERROR_INVALID_ARGS, NULL);
    }
    /* It was no use for anything, and did no harm. */
    g_assert_cmpuint(client_id(c), ==, 1);
}

static char *nested(unsigned depth)
{
    g_autoptr(GString) text = g_string_new(NULL);
    unsigned i;

    for (i = 0; i < depth; i++)
        g_string_append_c(text, '[');
    for (i = 0; i < depth; i++)
        g_string_append_c(text, ']');
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_too_deep(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *deep = nested(IPC_DEPTH_MAX), *deeper = nested(IPC_DEPTH_MAX + 1);
    Client *c = foreign_new(f);
    Outcome *o;

    answer(f, "x", "1");
    assert_resolved(invoke(c, "x", deep), "1");
    o = invoke(c, "x", deeper);
    assert_rejected(o, IPC_ERROR_INVALID_ARGS, NULL);
    g_assert_nonnull(strstr(o->error.message, "line 1, column 2049"));
}

/* The text of an array of one string, in so many bytes. */
static char *args_of_size(size_t size)
{
    char *args = g_malloc(size + 1);

    memset(args, 'a', size);
    memcpy(args, "[\"", 2);
    memcpy(args + size - 2, "\"]", 3);
    return args;
}

static int on_measure(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)userdata;
    return ipc_invocation_resolvef(invocation, "I", (json_int_t)json_string_length(json_array_get(args, 0)));
}

static void test_too_large(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *largest = args_of_size(IPC_ARGS_MAX), *larger = args_of_size(IPC_ARGS_MAX + 1);
    Client *c = foreign_new_registered(f);
    const Heard *heard;
    size_t i;

    must(ipc_main_handle(f->main, NULL, "x", on_measure, NULL));
    for (i = 0; i < G_N_ELEMENTS(channel_methods); i++)
        assert_rejected(call_with(c, channel_methods[i], "x", larger), IPC_ERROR_TOO_LARGE,
                        "The args of 'x' have 16777217 bytes, at most 16777216 are allowed");
    assert_resolved(invoke(c, "x", largest), "16777212");
    assert_replied(call(c, "SendTo", "uss", client_id(c), "x", largest), "");
    wait_until(f, c->heard.length == 1);
    heard = g_queue_peek_head(&c->heard);
    g_assert_cmpuint(json_string_length(json_array_get(heard->args, 0)), ==, 16777212);
}

static int on_double(ipc_invocation *invocation, json_t *args, void *userdata)
{
    json_t *twice = json_pack("[O, O]", args, args);

    (void)userdata;
    must_fail(ipc_invocation_resolve(invocation, twice), EMSGSIZE);
    must_fail(ipc_invocation_resolve(invocation, args), EALREADY);
    json_decref(twice);
    return 0;
}

static void on_return_double(ipc_event *event, json_t *args, void *userdata)
{
    json_t *twice = json_pack("[O, O]", args, args);

    (void)userdata;
    must_fail(ipc_event_return(event, twice), EMSGSIZE);
    must_fail(ipc_event_return(event, args), EALREADY);
    json_decref(twice);
}

static void test_result_too_large(void)
{
    static const char message[] = "The result is over 16777216 bytes of JSON: send it in parts";
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *args = args_of_size(IPC_ARGS_MAX / 2);
    Client *c = foreign_new(f);

    must(ipc_main_handle(f->main, NULL, "x", on_double, NULL));
    must(ipc_main_on(f->main, NULL, "x", on_return_double, NULL));
    assert_rejected(invoke(c, "x", args), IPC_ERROR_TOO_LARGE, message);
    assert_rejected(send_sync_start(c, "x", args), IPC_ERROR_TOO_LARGE, message);
}

/* ---- errors of handlers and listeners ---- */

static void test_no_handler(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    hear(f, "x");
    assert_rejected(invoke(c, "x", "[]"), IPC_ERROR_NO_HANDLER, "No handler registered for 'x'");
    assert_rejected(send_sync_start(c, "y", "[]"), IPC_ERROR_NO_LISTENER, "No listener for 'y'");
}

static void test_handler_fails(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    Outcome *o;

    must(ipc_main_handle(f->main, NULL, "x", on_fail, NULL));
    o = invoke(c, "x", "[]");
    assert_rejected(o, IPC_ERROR_HANDLER_FAILED, "The handler of 'x' failed: Input/output error");
    assert_detail(o, NULL);
}

static void test_reply_never_sent(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    hear(f, "x");
    must(ipc_main_handle(f->main, NULL, "x", on_drop, NULL));
    assert_rejected(invoke(c, "x", "[]"), IPC_ERROR_REPLY_NEVER_SENT,
                    "The handler of 'x' dropped the call without an answer");
    assert_rejected(send_sync_start(c, "x", "[]"), IPC_ERROR_REPLY_NEVER_SENT, "No listener of 'x' returned anything");
}

static void test_errors_of_ones_own(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f), *r = renderer_new(f);
    Outcome *o;

    must(ipc_main_handle(f->main, NULL, "x", on_reject, NULL));
    o = invoke(c, "x", "[\"com.example.Error.NoSuchNote\",\"There is no note 7\",{\"id\":7}]");
    assert_rejected(o, "com.example.Error.NoSuchNote", "There is no note 7");
    assert_detail(o, "{\"id\":7}");
    o = invoke(r, "x", "[\"com.example.Error.NoSuchNote\",\"\xc3\xa9\",[]]");
    assert_rejected(o, "com.example.Error.NoSuchNote", "\xc3\xa9");
    assert_detail(o, "[]");

    o = invoke(c, "x", "[null,\"It is full\"]");
    assert_rejected(o, IPC_ERROR_HANDLER_FAILED, "It is full");
    assert_detail(o, NULL);
    o = invoke(c, "x", "[null,\"\",null]");
    assert_rejected(o, IPC_ERROR_HANDLER_FAILED, "");
    assert_detail(o, "null");

    /* No error name, no message: the handler is at fault. */
    assert_rejected(invoke(c, "x", "[\"oops\",\"a\"]"), IPC_ERROR_HANDLER_FAILED,
                    "The handler of 'x' failed: Invalid argument");
    assert_rejected(invoke(c, "x", "[null,null]"), IPC_ERROR_HANDLER_FAILED, NULL);
}

/* ---- another user ---- */

static void assert_denied(Outcome *o, const char *what)
{
    g_autofree char *message = g_strdup_printf("This service belongs to user %u: you may not %s", getuid(), what);

    assert_rejected(o, IPC_ERROR_ACCESS_DENIED, message);
}

static void test_access_denied(void)
{
    g_autoptr(Fixture) f = NULL;
    Client *c, *r;

    if (getuid() != 0) {
        g_test_skip("only root can connect as another user");
        return;
    }
    f = fixture_new();
    c = foreign_new_as(f, OTHER_UID);
    r = renderer_new(f);
    hear(f, "x");
    keep(f, "x");
    assert_denied(call(c, "Register", "a{sv}", 0), "register");
    assert_denied(call(c, "Send", "ss", "x", "[]"), "send on 'x'");
    assert_denied(call(c, "Invoke", "ss", "x", "[]"), "invoke on 'x'");
    assert_denied(call(c, "SendSync", "ss", "x", "[]"), "send-sync on 'x'");
    /* Nobody makes main read what it may not send. */
    assert_denied(call(c, "Send", "ss", "x", "no JSON"), "send on 'x'");
    assert_denied(call(c, "SendTo", "uss", client_id(r), "x", "[]"), "send-to on 'x'");
    assert_denied(call(c, "SendToHost", "ss", "x", "[]"), "send-to-host on 'x'");
    assert_denied(call(c, "CreateWebview", ""), "register");
    call_no_reply(c, "Send", "ss", "x", "[]");
    settle(f);
    g_assert_cmpuint(f->heard.length + f->kept.length, ==, 0);
    expect_silence(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/contract/register", test_register);
    g_test_add_func("/contract/register-again", test_register_again);
    g_test_add_func("/contract/register-options", test_register_options);
    g_test_add_func("/contract/ids-are-never-used-again", test_ids_are_never_used_again);
    g_test_add_func("/contract/send", test_send);
    g_test_add_func("/contract/anonymous-is-answered", test_anonymous_is_answered);
    g_test_add_func("/contract/invoke", test_invoke);
    g_test_add_func("/contract/send-sync", test_send_sync);
    g_test_add_func("/contract/wrong-signatures", test_wrong_signatures);
    g_test_add_func("/contract/invalid-channel", test_invalid_channel);
    g_test_add_func("/contract/invalid-args", test_invalid_args);
    g_test_add_func("/contract/too-deep", test_too_deep);
    g_test_add_func("/contract/too-large", test_too_large);
    g_test_add_func("/contract/result-too-large", test_result_too_large);
    g_test_add_func("/contract/no-handler", test_no_handler);
    g_test_add_func("/contract/handler-fails", test_handler_fails);
    g_test_add_func("/contract/reply-never-sent", test_reply_never_sent);
    g_test_add_func("/contract/errors-of-ones-own", test_errors_of_ones_own);
    g_test_add_func("/contract/access-denied", test_access_denied);
    return g_test_run();
}
