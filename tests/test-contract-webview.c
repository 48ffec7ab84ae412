/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "fixture.h"

/* The bus contract of webviews: tokens, guests and hosts, as clients see it that speak plain D-Bus. */

static const char token_refused[] =
    "This guest token was never made, was used, or its host is gone: ask the host for a new one";

/* The token stays valid as long as the fixture. */
static const char *create_webview(Client *host)
{
    const char *token;

    assert_replied(call(host, "CreateWebview", ""), "s", &token);
    return token;
}

static Client *guest_new(Fixture *f, const char *token)
{
    Client *c = foreign_new(f);

    assert_replied(call(c, "Register", "a{sv}", 1, "guest-token", "s", token), "u", NULL);
    return c;
}

static void test_token(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *host = foreign_new_registered(f);
    const char *one = create_webview(host), *other = create_webview(host);

    g_assert_cmpuint(strlen(one), ==, 32);
    g_assert_cmpuint(strspn(one, "0123456789abcdef"), ==, 32);
    g_assert_cmpstr(one, !=, other);
}

static void test_guest_and_host(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *host = foreign_new_registered(f), *guest;
    const char *token = create_webview(host);

    guest = guest_new(f, token);
    expect_signal(host, "WebviewAttached", token, NULL, 2);
    g_assert_true(ipc_web_contents_get_host(contents_of(guest)) == contents_of(host));

    assert_replied(call(guest, "SendToHost", "ss", "x", "[1]"), "");
    expect_signal(host, "WebviewMessage", "x", "[1]", 2);
    send_to(host, 2, "y", "[2]");
    expect_message(guest, "y", "[2]", 1);
    send_to(guest, 1, "z", "[3]");
    expect_message(host, "z", "[3]", 2);

    leave(guest);
    expect_signal(host, "WebviewDetached", NULL, NULL, 2);
    expect_silence(host);
}

static void test_several_guests(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *host = foreign_new_registered(f), *other_host = foreign_new_registered(f), *b;
    const char *one = create_webview(host), *two = create_webview(host), *three = create_webview(other_host);

    /* In whatever order. */
    b = guest_new(f, two);
    expect_signal(host, "WebviewAttached", two, NULL, 3);
    guest_new(f, three);
    expect_signal(other_host, "WebviewAttached", three, NULL, 4);
    guest_new(f, one);
    expect_signal(host, "WebviewAttached", one, NULL, 5);
    assert_replied(call(b, "SendToHost", "ss", "x", "[]"), "");
    expect_signal(host, "WebviewMessage", "x", "[]", 3);
    expect_silence(host);
    expect_silence(other_host);
}

/* A guest may have guests. */
static void test_guest_of_a_guest(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *host = foreign_new_registered(f), *guest, *inner;
    const char *token;

    guest = guest_new(f, create_webview(host));
    token = create_webview(guest);
    inner = guest_new(f, token);
    expect_signal(guest, "WebviewAttached", token, NULL, 3);
    assert_replied(call(inner, "SendToHost", "ss", "x", "[]"), "");
    expect_signal(guest, "WebviewMessage", "x", "[]", 3);
    leave(guest);
    expect_signal(host, "WebviewAttached", NULL, NULL, 2);
    expect_signal(host, "WebviewDetached", NULL, NULL, 2);
    g_assert_null(ipc_web_contents_get_host(contents_of(inner)));
    expect_silence(host);
}

static void test_not_a_guest(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *host = foreign_new_registered(f), *guest;

    assert_rejected(call(host, "SendToHost", "ss", "x", "[]"), IPC_ERROR_NOT_A_GUEST,
                    "Renderer 1 has no host: it is no guest, or its host is gone");
    guest = guest_new(f, create_webview(host));
    leave(host);
    wait_until(f, !ipc_web_contents_from_id(f->app, 1));
    assert_rejected(call(guest, "SendToHost", "ss", "x", "[]"), IPC_ERROR_NOT_A_GUEST,
                    "Renderer 2 has no host: it is no guest, or its host is gone");
    g_assert_null(ipc_web_contents_get_host(contents_of(guest)));
}

static void test_invalid_token(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *host = foreign_new_registered(f), *c = foreign_new(f);
    const char *token = create_webview(host);
    uint32_t id;

    assert_rejected(call(c, "Register", "a{sv}", 1, "guest-token", "s", ""), IPC_ERROR_INVALID_TOKEN, token_refused);
    assert_rejected(call(c, "Register", "a{sv}", 1, "guest-token", "s", "x"), IPC_ERROR_INVALID_TOKEN, token_refused);
    guest_new(f, token);
    assert_rejected(call(c, "Register", "a{sv}", 1, "guest-token", "s", token), IPC_ERROR_INVALID_TOKEN,
                    token_refused);
    token = create_webview(host);
    leave(host);
    wait_until(f, !ipc_web_contents_from_id(f->app, 1));
    assert_rejected(call(c, "Register", "a{sv}", 1, "guest-token", "s", token), IPC_ERROR_INVALID_TOKEN,
                    token_refused);

    /* It is not registered, and can still be, under the next id. */
    assert_rejected(call(c, "CreateWebview", ""), IPC_ERROR_NOT_REGISTERED, NULL);
    assert_replied(call(c, "Register", "a{sv}", 0), "u", &id);
    g_assert_cmpuint(id, ==, 3);
}

/* Who is a renderer already does not use a token up, be it its own. */
static void test_token_of_a_registered_one(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *host = foreign_new_registered(f);
    const char *token = create_webview(host);
    uint32_t id;

    assert_replied(call(host, "Register", "a{sv}", 1, "guest-token", "s", token), "u", &id);
    g_assert_cmpuint(id, ==, 1);
    g_assert_null(ipc_web_contents_get_host(contents_of(host)));
    guest_new(f, token);
    expect_signal(host, "WebviewAttached", token, NULL, 2);
}

static void test_too_many_tokens(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *host = foreign_new_registered(f), *other = foreign_new_registered(f);
    const char *token = create_webview(host);
    unsigned i;

    for (i = 1; i < IPC_GUEST_TOKENS_MAX; i++)
        create_webview(host);
    assert_rejected(call(host, "CreateWebview", ""), IPC_ERROR_LIMITS_EXCEEDED,
                    "64 tokens of renderer 1 wait for a guest: use those first");
    create_webview(other);
    guest_new(f, token);
    create_webview(host);
    assert_rejected(call(host, "CreateWebview", ""), IPC_ERROR_LIMITS_EXCEEDED, NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/webview-contract/token", test_token);
    g_test_add_func("/webview-contract/guest-and-host", test_guest_and_host);
    g_test_add_func("/webview-contract/several-guests", test_several_guests);
    g_test_add_func("/webview-contract/guest-of-a-guest", test_guest_of_a_guest);
    g_test_add_func("/webview-contract/not-a-guest", test_not_a_guest);
    g_test_add_func("/webview-contract/invalid-token", test_invalid_token);
    g_test_add_func("/webview-contract/token-of-a-registered-one", test_token_of_a_registered_one);
    g_test_add_func("/webview-contract/too-many-tokens", test_too_many_tokens);
    return g_test_run();
}
