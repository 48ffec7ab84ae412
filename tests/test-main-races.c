/* SPDX-License-Identifier: MIT */
#include "fixture-renderer.h"

/* Whoever ends, at whatever moment: every call settles, nobody is told twice, and nothing is left behind. */

#define MOMENTS 25u
#define STEP_USEC 500u /* at most, to see something happen */

static int on_slow(ipc_invocation *invocation, json_t *args, void *userdata)
{
    Fixture *f = userdata;

    (void)args;
    g_queue_push_tail(&f->kept, ipc_invocation_ref(invocation));
    return 0;
}

static void on_hear(ipc_event *event, json_t *args, void *userdata)
{
    Fixture *f = userdata;

    g_queue_push_tail(&f->kept_events, ipc_event_ref(event));
    (void)ipc_event_reply(event, "reply", args);
    (void)ipc_app_broadcast(f->app, "all", NULL);
}

/* A bit of everything, from one that main does not know yet. */
static void foreign_acts(Client *c)
{
    call_start(c, "Register", "a{sv}", 0);
    invoke_start(c, "slow", "[]");
    send_sync_start(c, "heard", "[]");
    send_message(c, "heard", "[]");
    call_start(c, "CreateWebview", "");
    call_start(c, "SendTo", "uss", 1, "x", "[]");
    invoke_start(c, "add", "[]");
    invoke_start(c, "nothing", "[]");
}

static void renderer_acts(Client *r)
{
    invoke_start(r, "slow", "[]");
    send_message(r, "heard", "[]");
    send_to(r, 1, "x", "[]");
    invoke_start(r, "add", "[]");
}

static Fixture *play_until(unsigned moment, Client **ret_foreign, Client **ret_renderer)
{
    Fixture *f = fixture_new();
    unsigned i;

    answer(f, "add", "3");
    must(ipc_main_handle(f->main, NULL, "slow", on_slow, f));
    must(ipc_main_on(f->main, NULL, "heard", on_hear, f));
    *ret_foreign = foreign_new(f);
    *ret_renderer = renderer_make(f);
    foreign_acts(*ret_foreign);
    renderer_acts(*ret_renderer);
    for (i = 0; i < moment; i++)
        must(sd_event_run(f->event, STEP_USEC));
    return f;
}

static void assert_all_settle(Fixture *f)
{
    unsigned i;

    for (i = 0; i < f->outcomes->len; i++)
        await(f->outcomes->pdata[i]);
}

static void test_main_vanishes(void)
{
    unsigned moment;

    for (moment = 0; moment < MOMENTS; moment++) {
        Client *c, *r;
        g_autoptr(Fixture) f = play_until(moment, &c, &r);

        main_vanish(f);
        assert_all_settle(f);
    }
}

static void test_main_stops(void)
{
    unsigned moment;

    for (moment = 0; moment < MOMENTS; moment++) {
        Client *c, *r;
        g_autoptr(Fixture) f = play_until(moment, &c, &r);

        main_stop(f);
        assert_all_settle(f);
    }
}

static void test_clients_vanish(void)
{
    unsigned moment;

    for (moment = 0; moment < MOMENTS; moment++) {
        Client *c, *r;
        g_autoptr(Fixture) f = play_until(moment, &c, &r);

        vanish(c);
        vanish(r);
        settle(f);
        wait_until(f, !ipc_web_contents_from_id(f->app, 1) && !ipc_web_contents_from_id(f->app, 2));
        assert_resolved(invoke(foreign_new(f), "add", "[]"), "3");
    }
}

static void test_clients_leave(void)
{
    unsigned moment;

    for (moment = 0; moment < MOMENTS; moment++) {
        Client *c, *r;
        g_autoptr(Fixture) f = play_until(moment, &c, &r);
        Client *witness = foreign_new(f);

        /* A program that sends and ends has sent, if main knew who it was. Leaving waits for that, so main must. */
        client_id(c);
        await_state(r, IPC_RENDERER_READY);
        send_message(c, "heard", "[\"last\"]");
        leave(r);
        leave(c);
        wait_until(f, f->kept_events.length >= 3);
        assert_resolved(invoke(witness, "add", "[]"), "3");
    }
}

static void test_bus_goes(void)
{
    unsigned moment;

    for (moment = 0; moment < MOMENTS; moment++) {
        Client *c, *r;
        g_autoptr(Fixture) f = play_until(moment, &c, &r);

        bus_kill(f->bus);
        assert_all_settle(f);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/races/main-vanishes", test_main_vanishes);
    add_story("/races/main-stops", test_main_stops);
    add_story("/races/clients-vanish", test_clients_vanish);
    add_story("/races/clients-leave", test_clients_leave);
    add_story("/races/bus-goes", test_bus_goes);
    return g_test_run();
}
