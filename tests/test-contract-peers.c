/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "fixture.h"
#include "macro.h"

/* The bus contract among several clients: SendTo, who sees what, Cancel, and calls that want no reply. */

/* ---- SendTo ---- */

static void test_send_to(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *a = foreign_new_registered(f), *b = foreign_new_registered(f), *r = renderer_new(f);

    assert_replied(call(a, "SendTo", "uss", 2, "x", "[1]"), "");
    expect_message(b, "x", "[1]", 1);
    send_to(b, 3, "x", "[\"\\u0000\"]");
    expect_message(r, "x", "[\"\\u0000\"]", 2);
    send_to(r, 1, "x", "[]");
    expect_message(a, "x", "[]", 3);
    /* To itself. */
    send_to(a, 1, "x", "[2]");
    expect_message(a, "x", "[2]", 1);
    expect_silence(a);
    expect_silence(b);
    expect_silence(r);
}

static void test_send_to_nobody(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *a = foreign_new_registered(f), *b = foreign_new_registered(f);

    assert_rejected(call(a, "SendTo", "uss", 0, "x", "[]"), IPC_ERROR_NO_SUCH_WEB_CONTENTS, "There is no renderer 0");
    assert_rejected(call(a, "SendTo", "uss", 99, "x", "[]"), IPC_ERROR_NO_SUCH_WEB_CONTENTS,
                    "There is no renderer 99");
    assert_rejected(call(a, "SendTo", "uss", UINT32_MAX, "x", "[]"), IPC_ERROR_NO_SUCH_WEB_CONTENTS,
                    "There is no renderer 4294967295");
    leave(b);
    wait_until(f, !ipc_web_contents_from_id(f->app, 2));
    assert_rejected(call(a, "SendTo", "uss", 2, "x", "[]"), IPC_ERROR_NO_SUCH_WEB_CONTENTS, "There is no renderer 2");
}

static void test_anonymous_may_not(void)
{
    static const char message[] = "Only a renderer may do this: call Register first";
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f), *r = renderer_new(f);

    assert_rejected(call(c, "SendTo", "uss", client_id(r), "x", "[]"), IPC_ERROR_NOT_REGISTERED, message);
    assert_rejected(call(c, "SendToHost", "ss", "x", "[]"), IPC_ERROR_NOT_REGISTERED, message);
    assert_rejected(call(c, "CreateWebview", ""), IPC_ERROR_NOT_REGISTERED, message);
    expect_silence(r);
    g_assert_cmpuint(client_id(c), ==, 2);
    assert_replied(call(c, "SendTo", "uss", client_id(r), "x", "[]"), "");
    expect_message(r, "x", "[]", 2);
}

/* ---- who sees what ---- */

static void test_messages_are_unicast(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *c = foreign_new_registered(f), *snoop = foreign_new(f);

    must(sd_bus_add_match(snoop->bus, NULL, "type='signal'", NULL, NULL));
    must(ipc_web_contents_sendf(contents_of(r), "x", "s", "secret"));
    must(ipc_web_contents_sendf(contents_of(c), "x", "s", "secret"));
    send_to(r, client_id(c), "x", "[\"secret\"]");
    expect_message(r, "x", "[\"secret\"]", 0);
    expect_message(c, "x", "[\"secret\"]", 0);
    expect_message(c, "x", "[\"secret\"]", 1);
    g_assert_cmpint(ipc_app_broadcastf(f->app, "all", NULL), ==, 2);
    expect_message(r, "all", "[]", 0);
    expect_message(c, "all", "[]", 0);
    expect_silence(snoop);
}

/* Whoever is not main may send what looks like its signals, and is not heard. */
static void test_only_main_is_heard(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *liar = foreign_new(f);
    sd_bus_message *signal;

    must(sd_bus_message_new_signal(liar->bus, &signal, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "Message"));
    must(sd_bus_message_set_destination(signal, client_name(r)));
    must(sd_bus_message_append(signal, "ssu", "x", "[\"lie\"]", 0));
    must(sd_bus_send(liar->bus, signal, NULL));
    sd_bus_message_unref(signal);
    expect_silence(r);
}

/* ---- Cancel ---- */

static void on_cancelled(ipc_invocation *invocation, void *userdata)
{
    (void)invocation;
    ++*(unsigned *)userdata;
}

static void test_cancel(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    unsigned n_cancelled = 0;
    ipc_invocation *invocation;
    Outcome *o;

    keep(f, "slow");
    o = invoke_start(c, "slow", "[]");
    invocation = take_kept(f);
    must(ipc_invocation_on_cancelled(invocation, on_cancelled, &n_cancelled));
    assert_replied(call(c, "Cancel", "u", (uint32_t)o->serial), "");
    assert_rejected(o, IPC_ERROR_CANCELLED, "The caller cancelled");
    g_assert_cmpuint(n_cancelled, ==, 1);
    must_fail(ipc_invocation_resolve(invocation, NULL), ECANCELED);
    ipc_invocation_unref(invocation);
    g_assert_cmpuint(n_cancelled, ==, 1);
}

static void test_cancel_nothing(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    Outcome *o;

    assert_replied(call(c, "Cancel", "u", 0), "");
    assert_replied(call(c, "Cancel", "u", 12345), "");
    answer(f, "x", "1");
    o = invoke(c, "x", "[]");
    assert_replied(call(c, "Cancel", "u", (uint32_t)o->serial), "");
    assert_resolved(o, "1");
    /* What is no invoke is not cancelled. */
    keep_events(f, "y");
    o = send_sync_start(c, "y", "[]");
    assert_replied(call(c, "Cancel", "u", (uint32_t)o->serial), "");
    g_assert_false(is_settled(o));
}

/* Serials are each client's own, so they are often the same. */
static void test_cancel_of_another_client(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *a = foreign_new(f), *b = foreign_new(f);
    ipc_invocation *one, *other;
    Outcome *o, *p;

    keep(f, "slow");
    o = invoke_start(a, "slow", "[]");
    one = take_kept(f);
    p = invoke_start(b, "slow", "[]");
    other = take_kept(f);
    g_assert_cmpuint(o->serial, ==, p->serial);
    assert_replied(call(b, "Cancel", "u", (uint32_t)o->serial), "");
    assert_rejected(p, IPC_ERROR_CANCELLED, NULL);
    g_assert_false(is_settled(o));
    must_fail(ipc_invocation_resolve(other, NULL), ECANCELED);
    must(ipc_invocation_resolve(one, NULL));
    assert_resolved(o, "null");
    ipc_invocation_unref(one);
    ipc_invocation_unref(other);
}

static void test_cancel_before_it_is_dispatched(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    Outcome *o, *cancel;

    /* Main does not know this client yet, so both wait for its credentials. */
    keep(f, "slow");
    o = invoke_start(c, "slow", "[]");
    cancel = call_start(c, "Cancel", "u", (uint32_t)o->serial);
    assert_rejected(o, IPC_ERROR_CANCELLED, NULL);
    assert_replied(cancel, "");
    g_assert_cmpuint(f->kept.length, ==, 1);
}

/* ---- no reply wanted ---- */

typedef struct Answers {
    unsigned n;
} Answers;

static int on_any_answer(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Answers *answers = userdata;
    uint64_t cookie;

    (void)error;
    if (sd_bus_message_get_reply_cookie(message, &cookie) >= 0)
        answers->n++;
    return 0;
}

static void call_all_without_reply(Client *c)
{
    call_no_reply(c, "Send", "ss", "x", "[1]");
    call_no_reply(c, "Send", "ss", "", "[]");
    call_no_reply(c, "Send", "ss", "x", "no JSON");
    call_no_reply(c, "Register", "a{sv}", 0);
    call_no_reply(c, "Register", "a{sv}", 1, "title", "u", 1);
    call_no_reply(c, "Invoke", "ss", "add", "[]");
    call_no_reply(c, "Invoke", "ss", "nothing", "[]");
    call_no_reply(c, "Invoke", "ss", "slow", "[]");
    call_no_reply(c, "SendSync", "ss", "x", "[2]");
    call_no_reply(c, "SendSync", "ss", "nothing", "[]");
    call_no_reply(c, "SendTo", "uss", 99, "x", "[]");
    call_no_reply(c, "SendToHost", "ss", "x", "[]");
    call_no_reply(c, "Cancel", "u", 1);
    call_no_reply(c, "CreateWebview", "");
}

static void test_no_reply(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *filter = NULL;
    Answers answers = { 0 };
    ipc_invocation *invocation;

    answer(f, "add", "3");
    keep(f, "slow");
    hear(f, "x");
    must(sd_bus_add_filter(c->bus, &filter, on_any_answer, &answers));
    call_all_without_reply(c);
    expect_heard(f, "x", "[1]", 0);
    expect_heard(f, "x", "[2]", 1);
    invocation = take_kept(f);
    must(ipc_invocation_resolve(invocation, NULL));
    ipc_invocation_unref(invocation);

    /* The one answer is that of this call, before which all others would have arrived. */
    assert_replied(call(c, "Cancel", "u", 1), "");
    g_assert_cmpuint(answers.n, ==, 1);
    g_assert_cmpuint(client_id(c), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/peers/send-to", test_send_to);
    g_test_add_func("/peers/send-to-nobody", test_send_to_nobody);
    g_test_add_func("/peers/anonymous-may-not", test_anonymous_may_not);
    g_test_add_func("/peers/messages-are-unicast", test_messages_are_unicast);
    g_test_add_func("/peers/only-main-is-heard", test_only_main_is_heard);
    g_test_add_func("/peers/cancel", test_cancel);
    g_test_add_func("/peers/cancel-nothing", test_cancel_nothing);
    g_test_add_func("/peers/cancel-of-another-client", test_cancel_of_another_client);
    g_test_add_func("/peers/cancel-before-it-is-dispatched", test_cancel_before_it_is_dispatched);
    g_test_add_func("/peers/no-reply", test_no_reply);
    return g_test_run();
}
