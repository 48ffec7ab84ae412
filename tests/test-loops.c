/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "fixture-renderer.h"

/* How apps and renderers live in loops: sd-event, poll(2), or none at all. */

#define IDLE_USEC (200 * 1000)

/* ---- poll(2) and the triple ---- */

static void add_to_poll(struct pollfd *pollfd, uint64_t *until, int fd, int events, uint64_t timeout)
{
    *pollfd = (struct pollfd){ 0 };
    pollfd->fd = must(fd);
    pollfd->events = (short)must(events);
    *until = MIN(*until, timeout);
}

static uint64_t timeout_of_app(ipc_app *app)
{
    uint64_t usec;

    must(ipc_app_get_timeout(app, &usec));
    return usec;
}

static uint64_t timeout_of(Client *c)
{
    uint64_t usec;

    must(ipc_renderer_get_timeout(c->renderer, &usec));
    return usec;
}

/* How long poll() may sleep, in ms, rounded up: a loop that wakes too early spins. */
static int sleep_ms(uint64_t until)
{
    uint64_t now = (uint64_t)g_get_monotonic_time();

    if (until == UINT64_MAX)
        return (int)(patience() / 1000);
    return until > now ? (int)((until - now + 999) / 1000) : 0;
}

/* Asks, sleeps, and works until there is nothing to do. The answer is that of poll(). */
static int poll_once(Fixture *f, Client *c)
{
    struct pollfd pollfds[2];
    uint64_t until = UINT64_MAX;
    int n;

    add_to_poll(&pollfds[0], &until, ipc_app_get_fd(f->app), ipc_app_get_events(f->app), timeout_of_app(f->app));
    add_to_poll(&pollfds[1], &until, ipc_renderer_get_fd(c->renderer), ipc_renderer_get_events(c->renderer),
                timeout_of(c));
    n = poll(pollfds, 2, sleep_ms(until));
    while (must(ipc_app_process(f->app)) > 0)
        ;
    while (must(ipc_renderer_process(c->renderer)) > 0)
        ;
    return n;
}

static void test_poll(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_make(f);
    Outcome *o;

    main_freeze(f);
    freeze(r);
    answer(f, "x", "1");
    hear(f, "y");
    g_assert_cmpuint(timeout_of(r), ==, 0); /* it has not begun yet */
    while (ipc_renderer_get_state(r->renderer) != IPC_RENDERER_READY)
        poll_once(f, r);
    o = invoke_start(r, "x", "[]");
    while (!is_settled(o))
        poll_once(f, r);
    assert_resolved(o, "1");
    send_message(r, "y", "[1]");
    while (f->heard.length == 0)
        poll_once(f, r);
}

static void test_poll_until_a_call_times_out(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Outcome *o;

    settle(f);
    main_freeze(f);
    freeze(r);
    keep(f, "slow");
    must(ipc_renderer_set_timeout(r->renderer, 20 * 1000));
    o = invoke_start(r, "slow", "[]");
    g_assert_cmpuint(timeout_of(r), <=, (uint64_t)g_get_monotonic_time() + 20 * 1000);
    while (!is_settled(o))
        poll_once(f, r);
    assert_rejected(o, IPC_ERROR_TIMEOUT, NULL);
    while (timeout_of(r) != UINT64_MAX)
        poll_once(f, r);
}

/* Much at once: not all of it fits into the socket. */
static void test_poll_writes(void)
{
    g_autofree char *text = g_strnfill(1024 * 1024, 'x');
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    unsigned i;

    main_freeze(f);
    freeze(r);
    hear(f, "x");
    for (i = 0; i < 8; i++)
        must(ipc_renderer_sendf(r->renderer, "x", "s", text));
    while (f->heard.length < 8)
        g_assert_cmpint(poll_once(f, r), >, 0);
}

/* ---- idle ---- */

/* It sleeps through: nothing is dispatched, and nothing wakes it. */
static void assert_idle(Fixture *f)
{
    gint64 start;

    settle(f);
    start = g_get_monotonic_time();
    g_assert_cmpint(sd_event_run(f->event, IDLE_USEC), ==, 0);
    g_assert_cmpint(g_get_monotonic_time() - start, >=, IDLE_USEC);
}

static void test_idle(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *a = renderer_new(f), *b = renderer_new(f);

    keep(f, "slow");
    answer(f, "fast", "1");
    assert_idle(f);
    assert_resolved(invoke(a, "fast", "[]"), "1");
    send_to(a, client_id(b), "x", "[]");
    expect_message(b, "x", "[]", client_id(a));
    assert_idle(f);
    invoke_start(a, "slow", "[]"); /* its timeout is far away */
    assert_idle(f);
    leave(b);
    assert_idle(f);
}

static void test_idle_without_main(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Client *r = renderer_make(f);

    await_state(r, IPC_RENDERER_GONE);
    assert_idle(f);
}

static void test_idle_timers(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    answer(f, "fast", "1");
    settle(f);
    g_assert_cmpuint(timeout_of(r), ==, UINT64_MAX);
    g_assert_cmpuint(timeout_of_app(f->app), ==, UINT64_MAX);
    assert_resolved(invoke(r, "fast", "[]"), "1");
    settle(f);
    g_assert_cmpuint(timeout_of(r), ==, UINT64_MAX);
    g_assert_cmpuint(timeout_of_app(f->app), ==, UINT64_MAX);
}

/* ---- sd-event ---- */

static void test_priorities(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *late = renderer_new(f), *early = renderer_new(f);

    must(ipc_renderer_on(late->renderer, NULL, "x", on_note, note_new(d, "late")));
    must(ipc_renderer_on(early->renderer, NULL, "x", on_note, note_new(d, "early")));
    freeze(late);
    freeze(early);
    must(ipc_app_broadcastf(f->app, "x", NULL));
    settle(f);
    must(ipc_renderer_attach_event(late->renderer, f->event, SD_EVENT_PRIORITY_NORMAL + 1));
    must(ipc_renderer_attach_event(early->renderer, f->event, SD_EVENT_PRIORITY_NORMAL - 1));
    wait_until(f, d->words->len > strlen("early "));
    assert_diary(d, "early late");
}

static void test_attach_again(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    answer(f, "x", "1");
    must_fail(ipc_renderer_attach_event(r->renderer, f->event, 0), EBUSY);
    must_fail(ipc_app_attach_event(f->app, f->event, 0), EBUSY);
    must(ipc_renderer_detach_event(r->renderer));
    must(ipc_renderer_detach_event(r->renderer));
    must(ipc_app_detach_event(f->app));
    must(ipc_app_detach_event(f->app));
    must(ipc_renderer_attach_event(r->renderer, f->event, 5));
    must(ipc_app_attach_event(f->app, f->event, -5));
    g_assert_true(ipc_app_get_event(f->app) == f->event);
    assert_resolved(invoke(r, "x", "[]"), "1");
}

static void test_detached(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    freeze(r);
    must(ipc_app_broadcastf(f->app, "x", "i", 1));
    settle(f);
    g_assert_cmpuint(r->heard.length, ==, 0);
    thaw(r);
    expect_message(r, "x", "[1]", 0);
}

/* The thread's own loop. */
static void test_default_event(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    sd_event *event = NULL;
    Outcome *o;

    answer(f, "x", "1");
    freeze(r);
    main_freeze(f);
    must(ipc_renderer_attach_event(r->renderer, NULL, 0));
    must(ipc_app_attach_event(f->app, NULL, 0));
    must(sd_event_default(&event));
    g_assert_true(ipc_app_get_event(f->app) == event);
    o = invoke_start(r, "x", "[]");
    while (!is_settled(o))
        must(sd_event_run(event, (uint64_t)patience()));
    must(ipc_renderer_detach_event(r->renderer));
    must(ipc_app_detach_event(f->app));
    sd_event_unref(event);
}

/* What is attached keeps its loop, and leaves it when it goes. */
static void test_who_goes_first(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    sd_event *event;

    freeze(r);
    must(sd_event_new(&event));
    must(ipc_renderer_attach_event(r->renderer, event, 0));
    sd_event_unref(event);
    leave(r);
    settle(f);

    r = renderer_new(f);
    r->renderer = ipc_renderer_unref(r->renderer);
    assert_idle(f);
}

typedef struct Turn {
    Fixture *fixture;
    unsigned n_heard; /* before it was its turn */
} Turn;

static int on_turn(sd_event_source *source, void *userdata)
{
    Turn *turn = userdata;

    (void)source;
    turn->n_heard = turn->fixture->heard.length;
    return 0;
}

/* A flood lets others have their turn. */
static void test_shares_the_loop(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Turn turn = { .fixture = f, .n_heard = UINT_MAX };
    sd_event_source *source;
    unsigned i;

    hear(f, "x");
    main_freeze(f);
    for (i = 0; i < 1000; i++)
        send_message(r, "x", "[]");
    settle(f);
    main_thaw(f);
    must(sd_event_add_defer(f->event, &source, on_turn, &turn));
    wait_until(f, f->heard.length == 1000);
    g_assert_cmpuint(turn.n_heard, <, 500);
    sd_event_source_unref(source);
}

static int on_process(ipc_invocation *invocation, json_t *args, void *userdata)
{
    ipc_app *app = ipc_invocation_get_app(invocation);

    must_fail(ipc_app_process(app), EBUSY);
    return ipc_invocation_resolve(invocation, NULL);
}

static void test_process_from_a_callback(void)
{
    g_autoptr(Fixture) f = fixture_new();

    must(ipc_main_handle(f->main, NULL, "x", on_process, NULL));
    assert_resolved(invoke(renderer_new(f), "x", "[]"), "null");
}

/* ---- no loop ---- */

static void test_wait(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    settle(f);
    freeze(r);
    g_assert_cmpint(ipc_renderer_wait(r->renderer, 0), ==, 0);
    g_assert_cmpint(ipc_renderer_wait(r->renderer, 1000), ==, 0);
    g_assert_cmpint(ipc_app_wait(f->app, 0), ==, 0);
    keep(f, "slow");
    must(ipc_renderer_set_timeout(r->renderer, 20 * 1000));
    invoke_start(r, "slow", "[]");
    g_assert_cmpint(ipc_app_wait(f->app, UINT64_MAX), >, 0);
    g_assert_cmpint(ipc_renderer_wait(r->renderer, UINT64_MAX), >, 0); /* the end of its time */
    must(ipc_renderer_process(r->renderer));
    g_assert_cmpint(ipc_renderer_wait(r->renderer, UINT64_MAX), >, 0); /* there is something to tell */
    g_assert_cmpint(ipc_renderer_process(r->renderer), ==, 1);
    must(ipc_app_broadcastf(f->app, "x", NULL));
    g_assert_cmpint(ipc_renderer_wait(r->renderer, UINT64_MAX), >, 0);
}

/* A program that has nothing else to do. */
static void test_wait_and_process(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Client *r;
    Outcome *o;

    main_fork(f, serve_memory);
    r = renderer_make(f);
    freeze(r);
    o = invoke_start(r, "add", "[1,2]");
    while (!is_settled(o))
        if (must(ipc_renderer_process(r->renderer)) == 0)
            g_assert_cmpint(ipc_renderer_wait(r->renderer, (uint64_t)patience()), >, 0);
    assert_resolved(o, "3");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/loops/poll", test_poll);
    add_story("/loops/poll-until-a-call-times-out", test_poll_until_a_call_times_out);
    add_story("/loops/poll-writes", test_poll_writes);
    add_story("/loops/idle", test_idle);
    add_story("/loops/idle-without-main", test_idle_without_main);
    add_story("/loops/idle-timers", test_idle_timers);
    add_story("/loops/priorities", test_priorities);
    add_story("/loops/attach-again", test_attach_again);
    add_story("/loops/detached", test_detached);
    add_story("/loops/default-event", test_default_event);
    add_story("/loops/who-goes-first", test_who_goes_first);
    add_story("/loops/shares-the-loop", test_shares_the_loop);
    add_story("/loops/process-from-a-callback", test_process_from_a_callback);
    add_story("/loops/wait", test_wait);
    add_story("/loops/wait-and-process", test_wait_and_process);
    return g_test_run();
}
