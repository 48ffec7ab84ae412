/* SPDX-License-Identifier: MIT */
#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

/* Each limit at its edge: of all, of a user, of a peer; and that nobody else suffers. */

#define OTHER_UID 65534

/* ---- verbs ---- */

static bool may_be_another(void)
{
    if (getuid() == 0)
        return true;
    g_test_skip("only root can connect as another user");
    return false;
}

static Outcome *try_register(Client *c)
{
    return call(c, "Register", "a{sv}", 0);
}

static void assert_too_many_of(Outcome *o, unsigned n, uid_t uid)
{
    g_autofree char *message = g_strdup_printf("There are %u renderers of user %u: no more of them are let in", n, uid);

    assert_rejected(o, IPC_ERROR_LIMITS_EXCEEDED, message);
}

/* Bytes that the program has from malloc(). */
static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static void resolve_one(Fixture *f)
{
    ipc_invocation *invocation = take_kept(f);

    must(ipc_invocation_resolve(invocation, NULL));
    ipc_invocation_unref(invocation);
}

/* ---- renderers ---- */

static void test_renderers(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *one, *other, *third = foreign_new(f);

    load_policy(f, "{\"limits\": {\"renderers\": 2}}");
    one = foreign_new_registered(f);
    other = foreign_new_registered(f);
    assert_rejected(try_register(third), IPC_ERROR_LIMITS_EXCEEDED, "There are 2 renderers: no more are let in");
    /* Who is in is in, and may ask again. */
    g_assert_cmpuint(client_id(one), ==, 1);
    /* Others may still call. */
    answer(f, "add", "3");
    assert_resolved(invoke(third, "add", "[]"), "3");
    vanish(other);
    wait_until(f, !ipc_web_contents_from_id(f->app, 2));
    g_assert_cmpuint(client_id(third), ==, 3);
}

/* Who is not let in now may come later with the same token. */
static void test_token_is_kept(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *host = foreign_new_registered(f), *guest = foreign_new(f);
    g_autofree char *token = NULL;
    const char *text;
    uint32_t id;

    assert_replied(call(host, "CreateWebview", ""), "s", &text);
    token = g_strdup(text);
    load_policy(f, "{\"limits\": {\"renderers\": 1}}");
    assert_rejected(call(guest, "Register", "a{sv}", 1, "guest-token", "s", token), IPC_ERROR_LIMITS_EXCEEDED, NULL);
    load_policy(f, "{\"limits\": {\"renderers\": 2}}");
    assert_replied(call(guest, "Register", "a{sv}", 1, "guest-token", "s", token), "u", &id);
    g_assert_nonnull(ipc_web_contents_get_host(ipc_web_contents_from_id(f->app, id)));
}

static void test_no_renderers(void)
{
    g_autoptr(Fixture) f = fixture_new();

    load_policy(f, "{\"limits\": {\"renderers\": 0}}");
    assert_rejected(try_register(foreign_new(f)), IPC_ERROR_LIMITS_EXCEEDED, NULL);
}

static void test_renderers_of_a_user(void)
{
    g_autoptr(Fixture) f = NULL;
    Client *mine, *theirs;

    if (!may_be_another())
        return;
    f = fixture_new();
    load_policy(f, "{\"default\": \"allow\", \"limits\": {\"renderers-per-uid\": 2}}");
    mine = foreign_new_registered(f);
    foreign_new_registered(f);
    assert_too_many_of(try_register(foreign_new(f)), 2, 0);
    /* That is nothing to another user. */
    theirs = foreign_new_as(f, OTHER_UID);
    g_assert_cmpuint(client_id(theirs), ==, 3);
    g_assert_cmpuint(client_id(foreign_new_as(f, OTHER_UID)), ==, 4);
    assert_too_many_of(try_register(foreign_new_as(f, OTHER_UID)), 2, OTHER_UID);
    vanish(theirs);
    wait_until(f, !ipc_web_contents_from_id(f->app, 3));
    assert_too_many_of(try_register(foreign_new(f)), 2, 0);
    g_assert_cmpuint(client_id(foreign_new_as(f, OTHER_UID)), ==, 5);
    vanish(mine);
    wait_until(f, !ipc_web_contents_from_id(f->app, 1));
    g_assert_cmpuint(client_id(foreign_new(f)), ==, 6);
}

/* Without a policy nobody needs a share; with one, 256 is that of all, until it says otherwise. */
static void test_default_share(void)
{
    g_autoptr(Fixture) f = fixture_new();
    unsigned i;

    for (i = 0; i < IPC_RENDERERS_PER_UID_MAX + 1; i++)
        freeze(foreign_new_registered(f));
    load_policy(f, "{}");
    assert_too_many_of(try_register(foreign_new(f)), IPC_RENDERERS_PER_UID_MAX + 1, getuid());
    load_policy(f, "{\"limits\": {\"renderers-per-uid\": 258}}");
    try_register(foreign_new(f));
    g_assert_nonnull(ipc_web_contents_from_id(f->app, 258));
    assert_too_many_of(try_register(foreign_new(f)), 258, getuid());
}

/* ---- pending calls ---- */

static void test_pending(void)
{
    static const char message[] = "2 calls of this peer are pending: wait for some to end";
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f), *other = foreign_new(f);
    Outcome *first, *sync;

    load_policy(f, "{\"limits\": {\"pending-invokes\": 2}}");
    keep(f, "slow");
    keep_events(f, "slow");
    hear(f, "x");
    first = invoke_start(c, "slow", "[]");
    sync = send_sync_start(c, "slow", "[]");
    assert_rejected(invoke(c, "slow", "[]"), IPC_ERROR_BUSY, message);
    assert_rejected(send_sync_start(c, "slow", "[]"), IPC_ERROR_BUSY, message);
    send_message(c, "x", "[1]"); /* waits for no answer */
    expect_heard(f, "x", "[1]", 0);
    invoke_start(other, "slow", "[]");
    resolve_one(f);
    assert_resolved(first, "null");
    first = invoke_start(c, "slow", "[]");
    settle(f);
    g_assert_false(is_settled(first) || is_settled(sync));
    assert_rejected(invoke(c, "slow", "[]"), IPC_ERROR_BUSY, message);
}

static void test_pending_of_a_user(void)
{
    g_autoptr(Fixture) f = NULL;
    Client *one, *other, *theirs;
    Outcome *o;

    if (!may_be_another())
        return;
    f = fixture_new();
    load_policy(f, "{\"default\": \"allow\", \"limits\": {\"pending-invokes-per-uid\": 3}}");
    keep(f, "slow");
    one = foreign_new(f);
    other = foreign_new(f);
    theirs = foreign_new_as(f, OTHER_UID);
    invoke_start(one, "slow", "[]");
    invoke_start(one, "slow", "[]");
    invoke_start(other, "slow", "[]");
    assert_rejected(invoke(other, "slow", "[]"), IPC_ERROR_BUSY,
                    "3 calls of user 0 are pending: wait for some to end");
    o = invoke_start(theirs, "slow", "[]");
    settle(f);
    g_assert_false(is_settled(o));
    /* What one leaves is free for the other. */
    vanish(one);
    wait_until(f, f->kept.length == 4);
    settle(f);
    o = invoke_start(other, "slow", "[]");
    settle(f);
    g_assert_false(is_settled(o));
}

/* ---- args ---- */

static void test_args(void)
{
    static const char message[] = "The args of 'x' have 11 bytes, at most 10 are allowed";
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f), *r = foreign_new_registered(f);

    load_policy(f, "{\"limits\": {\"args-bytes\": 10}}");
    hear(f, "x");
    answer(f, "x", "[\"a result may be longer\"]");
    assert_replied(call(c, "Send", "ss", "x", "[\"123456\"]"), "");
    expect_heard(f, "x", "[\"123456\"]", 1);
    assert_rejected(call(c, "Send", "ss", "x", "[\"1234567\"]"), IPC_ERROR_TOO_LARGE, message);
    assert_rejected(call(c, "Invoke", "ss", "x", "[\"1234567\"]"), IPC_ERROR_TOO_LARGE, message);
    assert_rejected(call(c, "SendSync", "ss", "x", "[\"1234567\"]"), IPC_ERROR_TOO_LARGE, message);
    assert_rejected(call(c, "SendTo", "uss", client_id(r), "x", "[\"1234567\"]"), IPC_ERROR_TOO_LARGE, message);
    assert_rejected(call(c, "SendToHost", "ss", "x", "[\"1234567\"]"), IPC_ERROR_TOO_LARGE, message);
    assert_resolved(invoke(c, "x", "[]"), "[\"a result may be longer\"]");
    expect_silence(r);
}

/* More than the bus takes is not to be had. */
static void test_args_of_the_transport(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *filling = g_strnfill(IPC_ARGS_MAX - 3, 'x');
    g_autofree char *args = g_strdup_printf("[\"%s\"]", filling);

    load_policy(f, "{\"limits\": {\"args-bytes\": 1000000000}}");
    assert_rejected(call(foreign_new(f), "Send", "ss", "x", args), IPC_ERROR_TOO_LARGE,
                    "The args of 'x' have 16777217 bytes, at most 16777216 are allowed");
}

/* Calls that wait do not keep their args in memory. */
static void test_args_of_waiting_calls(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *filling = g_strnfill(200000, 'x');
    g_autofree char *args = g_strdup_printf("[\"%s\"]", filling);
    g_autoptr(GPtrArray) outcomes = g_ptr_array_new();
    Client *c = foreign_new(f);
    size_t before;
    unsigned i;

    keep(f, "slow");
    keep_events(f, "slow");
    g_ptr_array_add(outcomes, invoke_start(c, "slow", args));
    g_ptr_array_add(outcomes, send_sync_start(c, "slow", args));
    wait_until(f, f->kept.length == 1 && f->kept_events.length == 1);
    before = allocated();
    for (i = 1; i <= 50; i++) {
        g_ptr_array_add(outcomes, invoke_start(c, "slow", args));
        g_ptr_array_add(outcomes, send_sync_start(c, "slow", args));
        wait_until(f, f->kept.length == i + 1 && f->kept_events.length == i + 1);
    }
    g_assert_cmpuint(allocated(), <, before + 10 * strlen(args));

    /* They are answered nevertheless. */
    while (f->kept.length > 0)
        resolve_one(f);
    while (f->kept_events.length > 0) {
        ipc_event *event = take_kept_event(f);

        must(ipc_event_returnf(event, NULL));
        ipc_event_unref(event);
    }
    for (i = 0; i < outcomes->len; i++)
        assert_resolved(outcomes->pdata[i], "null");
}

/* ---- tokens ---- */

static void test_tokens_of_a_user(void)
{
    g_autoptr(Fixture) f = NULL;
    Client *host = NULL, *last, *theirs, *other;
    const char *token;
    unsigned i;

    if (!may_be_another())
        return;
    f = fixture_new();
    load_policy(f, "{\"default\": \"allow\"}");
    for (i = 0; i < IPC_GUEST_TOKENS_PER_UID_MAX; i++) {
        if (i % IPC_GUEST_TOKENS_MAX == 0)
            host = foreign_new_registered(f);
        assert_replied(call(host, "CreateWebview", ""), "s", &token);
    }
    last = host;
    other = foreign_new(f);
    host = foreign_new_registered(f);
    assert_rejected(call(host, "CreateWebview", ""), IPC_ERROR_LIMITS_EXCEEDED,
                    "4096 tokens of user 0 wait for a guest: use those first");
    theirs = foreign_new_as(f, OTHER_UID);
    client_id(theirs);
    assert_replied(call(theirs, "CreateWebview", ""), "s", &token);
    /* A token that is used, and those of a host that goes, are free again. */
    vanish(last);
    wait_until(f, !ipc_web_contents_from_id(f->app, IPC_GUEST_TOKENS_PER_UID_MAX / IPC_GUEST_TOKENS_MAX));
    for (i = 0; i < IPC_GUEST_TOKENS_MAX; i++)
        assert_replied(call(host, "CreateWebview", ""), "s", &token);
    client_id(other);
    assert_rejected(call(other, "CreateWebview", ""), IPC_ERROR_LIMITS_EXCEEDED, NULL);
    assert_replied(call(foreign_new(f), "Register", "a{sv}", 1, "guest-token", "s", token), "u", &i);
    assert_replied(call(other, "CreateWebview", ""), "s", &token);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/limits/renderers", test_renderers);
    g_test_add_func("/limits/token-is-kept", test_token_is_kept);
    g_test_add_func("/limits/no-renderers", test_no_renderers);
    g_test_add_func("/limits/renderers-of-a-user", test_renderers_of_a_user);
    g_test_add_func("/limits/default-share", test_default_share);
    g_test_add_func("/limits/pending", test_pending);
    g_test_add_func("/limits/pending-of-a-user", test_pending_of_a_user);
    g_test_add_func("/limits/args", test_args);
    g_test_add_func("/limits/args-of-the-transport", test_args_of_the_transport);
    g_test_add_func("/limits/args-of-waiting-calls", test_args_of_waiting_calls);
    g_test_add_func("/limits/tokens-of-a-user", test_tokens_of_a_user);
    return g_test_run();
}
