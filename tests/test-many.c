/* SPDX-License-Identifier: MIT */
#include <sys/resource.h>

#include "fixture-renderer.h"

/* A thousand renderers at once, on a bus as generous as a session's, and as tight as the system's. */

#define MANY 1000u
#define COME_AT_ONCE 100u
#define FDS_EACH 2u /* in this process; the bus needs one more, in its own */

/* ---- verbs ---- */

/* Skips the test where the system does not let it have so many files. */
static bool may_open(unsigned n_clients)
{
    struct rlimit limit;

    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    limit.rlim_cur = limit.rlim_max;
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    if (limit.rlim_cur >= n_clients * FDS_EACH + 100)
        return true;
    g_test_skip("the limit of open files is too low");
    return false;
}

static void on_count(ipc_web_contents *contents, void *userdata)
{
    (void)contents;
    ++*(unsigned *)userdata;
}

static int on_whoami(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)args, (void)userdata;
    return ipc_invocation_resolvef(invocation, "I", (json_int_t)ipc_invocation_get_sender_id(invocation));
}

static unsigned count_managed(Client *c)
{
    Outcome *o = call_object(c, IPC_MAIN_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "");
    unsigned n = 0;

    g_assert_nonnull(o->reply);
    must(sd_bus_message_enter_container(o->reply, 'a', "{oa{sa{sv}}}"));
    while (must(sd_bus_message_skip(o->reply, "{oa{sa{sv}}}")) > 0)
        n++;
    return n;
}

/* All are there at once in the end; not all come at once, because a step of registering has a timeout of its own. */
static void come(Fixture *f, Client **clients)
{
    unsigned i, begin;

    for (begin = 0; begin < MANY; begin += COME_AT_ONCE) {
        for (i = begin; i < begin + COME_AT_ONCE; i++) {
            clients[i] = renderer_make(f);
            must(ipc_renderer_set_timeout(clients[i]->renderer, UINT64_MAX));
        }
        for (i = begin; i < begin + COME_AT_ONCE; i++)
            await_state(clients[i], IPC_RENDERER_READY);
    }
}

static void assert_ids_are_unique(Client **clients)
{
    g_autofree bool *is_seen = g_new0(bool, MANY + 1);
    unsigned i;

    for (i = 0; i < MANY; i++) {
        uint32_t id = client_id(clients[i]);

        g_assert_cmpuint(id, >=, 1);
        g_assert_cmpuint(id, <=, MANY);
        g_assert_false(is_seen[id]);
        is_seen[id] = true;
    }
}

static void all_invoke(Client **clients)
{
    g_autofree Outcome **outcomes = g_new(Outcome *, MANY);
    unsigned i;

    for (i = 0; i < MANY; i++)
        outcomes[i] = invoke_start(clients[i], "whoami", "[]");
    for (i = 0; i < MANY; i++) {
        await(outcomes[i]);
        g_assert_cmpuint(json_integer_value(outcomes[i]->result), ==, client_id(clients[i]));
    }
}

static void all_hear_news(Fixture *f, Client **clients)
{
    unsigned i;

    g_assert_cmpint(ipc_app_broadcastf(f->app, "news", "s", "now"), ==, MANY);
    for (i = 0; i < MANY; i++)
        expect_message(clients[i], "news", "[\"now\"]", 0);
}

/* Every other one dies, the others leave. */
static void go(Client **clients)
{
    unsigned i;

    for (i = 0; i < MANY; i++) {
        if (i % 2 == 0)
            vanish(clients[i]);
        else
            leave(clients[i]);
    }
}

/* ---- the tests ---- */

static void test_many(gconstpointer bus_config)
{
    g_autofree Client **clients = g_new(Client *, MANY);
    g_autoptr(Fixture) f = NULL;
    unsigned n_created = 0, n_destroyed = 0;
    Client *watcher;

    if (!may_open(MANY))
        return;
    f = fixture_new_with(&(FixtureOptions){ .bus_config = bus_config });
    must(ipc_app_on_web_contents_created(f->app, NULL, on_count, &n_created));
    must(ipc_app_on_web_contents_destroyed(f->app, NULL, on_count, &n_destroyed));
    must(ipc_main_handle(f->main, NULL, "whoami", on_whoami, NULL));
    watcher = foreign_new(f);

    come(f, clients);
    g_assert_cmpuint(n_created, ==, MANY);
    assert_ids_are_unique(clients);
    all_invoke(clients);
    all_hear_news(f, clients);
    g_assert_cmpuint(count_managed(watcher), ==, MANY);
    go(clients);
    wait_until(f, n_destroyed == MANY);
    g_assert_cmpuint(count_managed(watcher), ==, 0);
    g_assert_cmpint(ipc_app_broadcast(f->app, "news", NULL), ==, 0);
    g_assert_cmpuint(client_id(watcher), ==, MANY + 1);
}

/* Each with one call pending: main stops, and tells them all. */
static void test_many_lose_main(void)
{
    g_autofree Client **clients = g_new(Client *, MANY);
    g_autofree Outcome **outcomes = g_new(Outcome *, MANY);
    g_autoptr(Fixture) f = NULL;
    unsigned i;

    if (!may_open(MANY))
        return;
    f = fixture_new_with(&(FixtureOptions){ .bus_config = BUS_LIMITS_SYSTEM });
    keep(f, "slow");
    come(f, clients);
    for (i = 0; i < MANY; i++)
        outcomes[i] = invoke_start(clients[i], "slow", "[]");
    wait_until(f, f->kept.length == MANY);
    main_stop(f);
    for (i = 0; i < MANY; i++)
        assert_rejected(outcomes[i], IPC_ERROR_MAIN_GONE, NULL);
}

static void test_too_many(void)
{
    g_autoptr(Fixture) f = NULL;
    Client *c;
    unsigned i;

    if (patience() > 60 * G_USEC_PER_SEC) {
        g_test_skip("it takes too long where everything is slow");
        return;
    }
    if (!may_open(IPC_RENDERERS_MAX))
        return;
    f = fixture_new();
    for (i = 0; i < IPC_RENDERERS_MAX; i++) {
        c = foreign_new_registered(f);
        /* Nobody talks to it, and a loop with thousands of connections is slow. */
        freeze(c);
    }
    assert_rejected(call(foreign_new(f), "Register", "a{sv}", 0), IPC_ERROR_LIMITS_EXCEEDED,
                    "There are 4096 renderers: no more are let in");
    vanish(c);
    wait_until(f, !ipc_web_contents_from_id(f->app, IPC_RENDERERS_MAX));
    g_assert_cmpuint(client_id(foreign_new(f)), ==, IPC_RENDERERS_MAX + 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/many/session-bus", BUS_LIMITS_SESSION, test_many);
    g_test_add_data_func("/many/system-bus", BUS_LIMITS_SYSTEM, test_many);
    g_test_add_func("/many/lose-main", test_many_lose_main);
    g_test_add_func("/many/too-many", test_too_many);
    return g_test_run();
}
