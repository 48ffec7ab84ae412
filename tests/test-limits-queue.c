/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "fixture.h"
#include "share.h"

/* The limits of queues, and of what all share: what waits for one peer or one user, and that nobody else suffers. */

#define OTHER_UID 65534
#define LONG_ARGS 100000u /* bytes of JSON, of which few fill a queue */

/* ---- verbs ---- */

static bool may_be_another(void)
{
    if (getuid() == 0)
        return true;
    g_test_skip("only root can connect as another user");
    return false;
}

/* The bus reads nothing, so all that is sent waits in main. Answers how many messages were taken. */
static unsigned send_until_full(ipc_web_contents *contents, json_t *args)
{
    unsigned n = 0;
    int r;

    while ((r = ipc_web_contents_send(contents, "x", args)) == 0)
        n++;
    must_fail(r, ENOBUFS);
    return n;
}

static size_t queued_for(Fixture *f, uint32_t id)
{
    return ipc_web_contents_from_id(f->app, id)->peer->queue.bytes;
}

static uint64_t received_from(Fixture *f, uint32_t id)
{
    return ipc_web_contents_from_id(f->app, id)->peer->n_received;
}

/* So many bytes are within the limit, and one message more would not be. */
static void assert_at_edge(size_t bytes, size_t limit)
{
    g_assert_cmpuint(bytes, <=, limit);
    g_assert_cmpuint(bytes + LONG_ARGS + IPC_MESSAGE_OVERHEAD, >, limit);
}

static void expect_some(Client *c, unsigned n)
{
    for (; n > 0; n--)
        expect_message(c, "x", NULL, 0);
}

static void expect_messages(Client *c, unsigned n)
{
    expect_some(c, n);
    expect_silence(c);
}

static json_t *long_args(void)
{
    g_autofree char *filling = g_strnfill(LONG_ARGS - 4, 'x');

    return json_pack("[s]", filling);
}

/* ---- queues ---- */

static void test_queue(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *one = foreign_new_registered(f), *other = foreign_new_registered(f);
    json_t *args = long_args();
    unsigned n, m;

    load_policy(f, "{\"limits\": {\"queue-bytes\": 1000000}}");
    settle(f);
    kill(f->bus->pid, SIGSTOP);
    n = send_until_full(ipc_web_contents_from_id(f->app, 1), args);
    /* One that is full is nothing to the other. */
    m = send_until_full(ipc_web_contents_from_id(f->app, 2), args);
    assert_at_edge(queued_for(f, 1), 1000000);
    assert_at_edge(queued_for(f, 2), 1000000);
    kill(f->bus->pid, SIGCONT);
    expect_messages(one, n);
    expect_messages(other, m);
    must(ipc_web_contents_send(ipc_web_contents_from_id(f->app, 1), "x", args));
    expect_messages(one, 1);
    json_decref(args);
}

static void test_queue_of_a_user(void)
{
    g_autoptr(Fixture) f = NULL;
    Client *one, *other, *theirs;
    json_t *args = NULL;
    unsigned n, m, k;

    if (!may_be_another())
        return;
    f = fixture_new();
    load_policy(f, "{\"default\": \"allow\", \"limits\": {\"queue-bytes\": 1000000, \"queue-bytes-per-uid\": 1500000}}");
    args = long_args();
    one = foreign_new_registered(f);
    other = foreign_new_registered(f);
    theirs = foreign_new_as(f, OTHER_UID);
    client_id(theirs);
    settle(f);
    kill(f->bus->pid, SIGSTOP);
    n = send_until_full(ipc_web_contents_from_id(f->app, 1), args);
    m = send_until_full(ipc_web_contents_from_id(f->app, 2), args);
    k = send_until_full(ipc_web_contents_from_id(f->app, 3), args);
    assert_at_edge(queued_for(f, 1), 1000000);
    assert_at_edge(queued_for(f, 1) + queued_for(f, 2), 1500000);
    assert_at_edge(queued_for(f, 3), 1000000);
    kill(f->bus->pid, SIGCONT);
    expect_messages(one, n);
    expect_messages(other, m);
    expect_messages(theirs, k);
    json_decref(args);
}

/* A call is no answer: how large it may be is not for the queue to say, even while it waits for the bus to tell whose it is. */
static void test_call_larger_than_a_queue(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *word = g_strnfill(LONG_ARGS, 'x'), *args = g_strdup_printf("[\"%s\"]", word);

    load_policy(f, "{\"limits\": {\"queue-bytes\": 1000}}");
    answer(f, "x", "1");
    assert_resolved(invoke(foreign_new(f), "x", args), "1");
}

/* Between users, one leaves half of the other's queue to the service. */
static void test_queue_half_for_others(void)
{
    g_autoptr(Fixture) f = NULL;
    Client *victim, *mine, *theirs;
    json_t *args = NULL;
    Outcome *o, *denied;
    unsigned n = 0;

    if (!may_be_another())
        return;
    f = fixture_new();
    load_policy(f, "{\"default\": \"allow\", \"limits\": {\"queue-bytes\": 1000000}}");
    args = long_args();
    victim = foreign_new_registered(f);
    mine = foreign_new_registered(f);
    theirs = foreign_new_as(f, OTHER_UID);
    client_id(theirs);
    settle(f);
    main_freeze(f);
    denied = call_start(theirs, "SendTo", "uss", 1, "x", "[1]");
    o = call_start(mine, "SendTo", "uss", 1, "x", "[2]");
    settle(f);
    kill(f->bus->pid, SIGSTOP);
    for (; queued_for(f, 1) < 500000; n++)
        must(ipc_web_contents_send(ipc_web_contents_from_id(f->app, 1), "x", args));
    main_thaw(f);
    wait_until(f, received_from(f, 2) == 2 && received_from(f, 3) == 2); /* Register, SendTo */
    kill(f->bus->pid, SIGCONT);
    assert_rejected(denied, IPC_ERROR_QUEUE_FULL, NULL);
    g_assert_nonnull(strstr(denied->error.message, "other users than its own may fill half"));
    assert_replied(o, "");
    expect_some(victim, n);
    expect_message(victim, "x", "[2]", 2);
    json_decref(args);
}

/* Of 64 there are 48 for one alone; and whoever comes gets three quarters of what is left. */
static void test_shares(void)
{
    unsigned used, all = 0, user;

    for (user = 0; user < 4; user++) {
        static const unsigned expected[] = { 48, 12, 3, 1 };

        for (used = 0; share_allows(used, all, 1, 64); used++)
            all++;
        g_assert_cmpuint(used, ==, expected[user]);
    }
    g_assert_cmpuint(all, ==, 64);
    g_assert_true(share_allows(0, 0, 48, 64));
    g_assert_false(share_allows(0, 0, 51, 64));
    g_assert_false(share_allows(0, 0, SIZE_MAX, 64));
    g_assert_false(share_allows(0, 64, 1, 64));
}

/* As many as the bus lets one user have stop reading, and all of them together are nothing to another. */
static void test_many_of_a_user_are_stuck(void)
{
    g_autoptr(Fixture) f = NULL;
    Client *mine;
    json_t *args = NULL;
    unsigned i, j;

    if (!may_be_another())
        return;
    f = fixture_new();
    load_policy(f, "{\"default\": \"allow\"}");
    args = long_args();
    for (i = 1; i <= IPC_RENDERERS_PER_UID_MAX; i++) {
        Client *theirs = foreign_new_as(f, OTHER_UID);

        g_assert_cmpuint(client_id(theirs), ==, i);
        freeze(theirs);
    }
    mine = foreign_new_registered(f);
    for (i = 1; i <= IPC_RENDERERS_PER_UID_MAX; i++)
        for (j = 0; j < 3; j++)
            must(ipc_web_contents_send(ipc_web_contents_from_id(f->app, i), "x", args));
    settle(f);
    for (i = 0; i < 30; i++)
        must(ipc_web_contents_send(contents_of(mine), "x", args));
    expect_messages(mine, 30);
    json_decref(args);
}

/* A lower limit loses nothing of what was taken. */
static void test_queue_gets_lower(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);
    json_t *args = long_args();
    unsigned n;

    load_policy(f, "{\"limits\": {\"queue-bytes\": 1000000}}");
    settle(f);
    kill(f->bus->pid, SIGSTOP);
    n = send_until_full(ipc_web_contents_from_id(f->app, 1), args);
    load_policy(f, "{\"limits\": {\"queue-bytes\": 10}}");
    must_fail(ipc_web_contents_send(ipc_web_contents_from_id(f->app, 1), "x", NULL), ENOBUFS);
    load_policy(f, "{}");
    kill(f->bus->pid, SIGCONT);
    expect_messages(c, n);
    json_decref(args);
}

/* ---- a peer that goes ---- */

static void on_fill_queue(ipc_invocation *invocation, void *args)
{
    send_until_full(ipc_sender_get_web_contents(ipc_invocation_get_sender(invocation)), args);
}

/* Who is told that it goes may send it as much as ever: nothing of it stays. */
static void test_sent_while_it_goes(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f), *other = foreign_new(f);
    json_t *args = long_args();
    ipc_invocation *invocation;

    keep(f, "slow");
    answer(f, "add", "3");
    load_policy(f, "{\"limits\": {\"queue-bytes\": 1000000}}");
    invoke_start(c, "slow", "[]");
    invocation = take_kept(f);
    must(ipc_invocation_on_cancelled(invocation, on_fill_queue, args));
    main_freeze(f);
    vanish(c);
    settle(f);
    kill(f->bus->pid, SIGSTOP);
    main_thaw(f);
    wait_until(f, !ipc_web_contents_from_id(f->app, 1));
    ipc_invocation_unref(invocation);
    kill(f->bus->pid, SIGCONT);
    assert_resolved(invoke(other, "add", "[]"), "3");
    json_decref(args);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/limits-queue/queue", test_queue);
    g_test_add_func("/limits-queue/queue-of-a-user", test_queue_of_a_user);
    g_test_add_func("/limits-queue/queue-half-for-others", test_queue_half_for_others);
    g_test_add_func("/limits-queue/shares", test_shares);
    g_test_add_func("/limits-queue/call-larger-than-a-queue", test_call_larger_than_a_queue);
    g_test_add_func("/limits-queue/many-of-a-user-are-stuck", test_many_of_a_user_are_stuck);
    g_test_add_func("/limits-queue/queue-gets-lower", test_queue_gets_lower);
    g_test_add_func("/limits-queue/sent-while-it-goes", test_sent_while_it_goes);
    return g_test_run();
}
