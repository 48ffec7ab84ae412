/* SPDX-License-Identifier: MIT */
#include "fixture.h"

/* The bus contract, through the eyes of clients that speak plain D-Bus. */

static void test_smoke(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *c = foreign_new(f);

    answer(f, "add", "3");
    hear(f, "hello");
    keep(f, "slow");
    assert_resolved(invoke(r, "add", "[1,2]"), "3");
    assert_resolved(invoke(c, "add", "[1,2]"), "3");
    assert_rejected(invoke(c, "x", "[]"), IPC_ERROR_NO_HANDLER, "No handler registered for 'x'");
    send_message(r, "hello", "[\"a\"]");
    expect_heard(f, "hello", "[\"a\"]", client_id(r));
    send_message(c, "hello", "[\"b\"]");
    expect_heard(f, "hello", "[\"b\"]", 0);
    must(ipc_web_contents_sendf(contents_of(r), "news", "s", "now"));
    expect_message(r, "news", "[\"now\"]", 0);
    send_to(c, client_id(r), "x", "[]");
    expect_silence(r);
    client_id(c);
    send_to(c, client_id(r), "x", "[]");
    expect_message(r, "x", "[]", 2);
    Outcome *o = invoke_start(r, "slow", "[]");
    ipc_invocation *i = take_kept(f);
    main_vanish(f);
    ipc_invocation_unref(i);
    assert_rejected(o, IPC_ERROR_MAIN_GONE, NULL);
    vanish(r);
}

static void set_up(ipc_app *app)
{
}

static void test_fork(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Client *r, *c;

    main_fork(f, set_up);
    r = renderer_new(f), c = foreign_new_as(f, 65534);
    assert_rejected(invoke(c, "x", "[]"), IPC_ERROR_ACCESS_DENIED, NULL);
    assert_rejected(invoke(r, "x", "[]"), IPC_ERROR_NO_HANDLER, "No handler registered for 'x'");
    settle(f);
    main_end(f, SIGKILL);
    main_fork(f, set_up);
    main_end(f, SIGTERM);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/contract/smoke", test_smoke);
    g_test_add_func("/contract/fork", test_fork);
    return g_test_run();
}
