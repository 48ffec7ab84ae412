/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "fixture-renderer.h"

/* Nothing hangs: every accepted call settles once. On the bus a renderer keeps a bounded number, and holds the rest. */

#define SHORT_USEC (20 * 1000)

/* ---- time ---- */

static void test_timeout(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    keep_and_note(f, d, "slow");
    must(ipc_renderer_set_timeout(r->renderer, SHORT_USEC));
    assert_rejected(invoke(r, "slow", "[]"), "org.freedesktop.DBus.Error.Timeout", "No answer in time");
    expect_diary(f, d, "slow slow-cancelled");
    g_assert_cmpint(ipc_renderer_get_state(r->renderer), ==, IPC_RENDERER_READY);
}

/* A late answer is nobody's. */
static void test_late_answer(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Outcome *o;

    answer(f, "x", "1");
    main_freeze(f);
    must(ipc_renderer_set_timeout(r->renderer, SHORT_USEC));
    o = invoke(r, "x", "[]");
    assert_rejected(o, IPC_ERROR_TIMEOUT, NULL);
    main_thaw(f);
    settle(f);
    must(ipc_renderer_set_timeout(r->renderer, 0));
    assert_resolved(invoke(r, "x", "[]"), "1");
    g_assert_cmpuint(o->n_settled, ==, 1);
}

/* A timeout holds for the calls that follow, and the soonest end comes first. */
static void test_timeouts_of_their_own(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Outcome *infinite, *later, *soon;

    keep(f, "slow");
    must(ipc_renderer_set_timeout(r->renderer, UINT64_MAX));
    infinite = invoke_start(r, "slow", "[]");
    must(ipc_renderer_set_timeout(r->renderer, 3 * SHORT_USEC));
    later = invoke_start(r, "slow", "[]");
    must(ipc_renderer_set_timeout(r->renderer, SHORT_USEC));
    soon = invoke_start(r, "slow", "[]");
    assert_rejected(later, IPC_ERROR_TIMEOUT, NULL);
    g_assert_cmpuint(soon->order, <, later->order);
    g_assert_false(is_settled(infinite));
    resolve_kept(f, "1");
    assert_resolved(infinite, "1");
}

static uint64_t usec_left(Client *c)
{
    uint64_t until;

    must(ipc_renderer_get_timeout(c->renderer, &until));
    return until == UINT64_MAX ? UINT64_MAX : until - (uint64_t)g_get_monotonic_time();
}

static void test_default_timeout(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    keep(f, "slow");
    g_assert_cmpuint(usec_left(r), ==, UINT64_MAX);
    must(ipc_renderer_set_timeout(r->renderer, UINT64_MAX));
    invoke_start(r, "slow", "[]");
    g_assert_cmpuint(usec_left(r), ==, UINT64_MAX);
    must(ipc_renderer_set_timeout(r->renderer, 1000 * (uint64_t)IPC_TIMEOUT_USEC));
    invoke_start(r, "slow", "[]");
    g_assert_cmpuint(usec_left(r), >, IPC_TIMEOUT_USEC);
    must(ipc_renderer_set_timeout(r->renderer, 0));
    invoke_start(r, "slow", "[]");
    g_assert_cmpuint(usec_left(r), <=, IPC_TIMEOUT_USEC);
    g_assert_cmpuint(usec_left(r), >, IPC_TIMEOUT_USEC / 2);
}

static void serve_nothing(ipc_app *app)
{
    (void)app;
}

/* Not even a stopped process holds its callers. */
static void test_frozen_main(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Client *r;
    Outcome *o;

    main_fork(f, serve_nothing);
    r = renderer_new(f);
    g_assert_cmpint(kill(f->main_pid, SIGSTOP), ==, 0);
    must(ipc_renderer_set_timeout(r->renderer, SHORT_USEC));
    o = invoke_start(r, "x", "[]");
    assert_rejected(send_sync(r, "x", "[]"), IPC_ERROR_TIMEOUT, NULL);
    assert_rejected(o, IPC_ERROR_TIMEOUT, NULL);
    g_assert_cmpint(kill(f->main_pid, SIGCONT), ==, 0);
    must(ipc_renderer_set_timeout(r->renderer, 0));
    assert_rejected(invoke(r, "x", "[]"), IPC_ERROR_NO_HANDLER, NULL);
}

/* Main does not even answer Register. */
static void test_frozen_from_the_start(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_make(f);
    g_autoptr(GPtrArray) outcomes = NULL;

    main_freeze(f);
    must(ipc_renderer_set_timeout(r->renderer, SHORT_USEC));
    outcomes = invoke_many(r, "x", 3);
    assert_all_rejected(outcomes, IPC_ERROR_TIMEOUT);
    g_assert_cmpint(ipc_renderer_get_state(r->renderer), ==, IPC_RENDERER_CONNECTING);
    main_thaw(f);
    await_state(r, IPC_RENDERER_READY);
}

/* ---- an end without an answer ---- */

static int on_drop(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)invocation, (void)args, (void)userdata;
    return 0;
}

static void test_reply_dropped(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Outcome *later;

    must(ipc_main_handle(f->main, NULL, "drop", on_drop, NULL));
    keep(f, "slow");
    assert_rejected(invoke(r, "drop", "[]"), IPC_ERROR_REPLY_NEVER_SENT,
                    "The handler of 'drop' dropped the call without an answer");
    later = invoke_start(r, "slow", "[]");
    ipc_invocation_unref(take_kept(f));
    assert_rejected(later, IPC_ERROR_REPLY_NEVER_SENT, NULL);
}

/* In flight, held, and answered but not told yet: each once, and all from within the call. */
static void test_close_settles_all(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    g_autoptr(GPtrArray) outcomes = NULL;

    keep(f, "slow");
    outcomes = invoke_many(r, "slow", 2 * in_flight_max());
    settle(f);
    g_assert_cmpuint(count_settled(outcomes), ==, 0);
    ipc_renderer_close(r->renderer);
    g_assert_cmpuint(count_settled(outcomes), ==, outcomes->len);
    assert_all_rejected(outcomes, IPC_ERROR_CANCELLED);
    settle(f);
    g_assert_null(ipc_web_contents_from_id(f->app, 1));
    g_assert_cmpuint(f->kept.length, ==, in_flight_max());
}

static void test_close_tells_main(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Outcome *o;

    keep_and_note(f, d, "slow");
    o = invoke_start(r, "slow", "[]");
    expect_diary(f, d, "slow");
    leave(r);
    assert_rejected(o, IPC_ERROR_CANCELLED, "The renderer was closed");
    expect_diary(f, d, "slow-cancelled");
}

/* What was sent is written even then; what was called is not. */
static void test_close_before_ready(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Client *r;
    Outcome *o;

    main_fork(f, serve_memory);
    r = renderer_make(f);
    send_message(r, "one", "[1]");
    o = invoke_start(r, "add", "[2]");
    send_message(r, "two", "[3]");
    ipc_renderer_close(r->renderer);
    assert_rejected(o, IPC_ERROR_CANCELLED, NULL);
    assert_resolved(invoke(renderer_new(f), "heard", "[]"), "[\"one:[1]\", \"two:[3]\"]");
}

/* ---- in flight and held ---- */

static void test_in_flight(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    g_autoptr(GPtrArray) outcomes = NULL;
    unsigned i;

    keep(f, "slow");
    hear(f, "after");
    outcomes = invoke_many(r, "slow", in_flight_max() + 50);
    send_message(r, "after", "[]");
    settle(f);
    for (i = 0; i < 50; i++) {
        g_assert_cmpuint(f->kept.length, ==, in_flight_max());
        g_assert_cmpuint(f->heard.length, ==, 0); /* it stays behind what is held */
        resolve_kept(f, "null");
        settle(f);
    }
    expect_heard(f, "after", "[]", client_id(r));
    while (count_settled(outcomes) < outcomes->len)
        resolve_kept(f, "null"), settle(f);
    assert_all_resolved(outcomes, "null");
}

static int on_number(ipc_invocation *invocation, json_t *args, void *userdata)
{
    GArray *numbers = userdata;
    unsigned number = (unsigned)json_integer_value(json_array_get(args, 0));

    g_array_append_val(numbers, number);
    return ipc_invocation_resolve(invocation, json_array_get(args, 0));
}

/* The system bus refuses the 129th pending reply. */
static void test_a_thousand_on_the_system_bus(void)
{
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(unsigned));
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .bus_config = BUS_LIMITS_SYSTEM });
    Client *r = renderer_new(f);
    g_autoptr(GPtrArray) outcomes = NULL;
    unsigned i;

    must(ipc_main_handle(f->main, NULL, "number", on_number, numbers));
    outcomes = invoke_many(r, "number", 1000);
    for (i = 0; i < outcomes->len; i++) {
        g_autofree char *expected = g_strdup_printf("%u", i);

        assert_resolved((Outcome *)outcomes->pdata[i], expected);
        g_assert_cmpuint(g_array_index(numbers, unsigned, i), ==, i);
    }
    g_assert_cmpuint(numbers->len, ==, 1000);
}

static void test_held_times_out(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    g_autoptr(GPtrArray) in_flight = NULL;
    Outcome *held;

    keep(f, "slow");
    keep_and_note(f, d, "held");
    hear(f, "after");
    in_flight = invoke_many(r, "slow", in_flight_max());
    must(ipc_renderer_set_timeout(r->renderer, SHORT_USEC));
    held = invoke_start(r, "held", "[]");
    send_message(r, "after", "[]");
    assert_rejected(held, IPC_ERROR_TIMEOUT, NULL);
    expect_heard(f, "after", "[]", client_id(r)); /* nothing is before it any more */
    resolve_kept(f, "1");
    expect_diary(f, d, "");
    g_assert_cmpuint(count_settled(in_flight), ==, 1);
}

static json_t *args_of_size(size_t size)
{
    g_autofree char *text = g_strnfill(size - strlen("[\"\"]"), 'x');

    return json_pack("[s]", text);
}

/* Each waiting message counts for a little more than its text. */
static unsigned fill_queue(Client *c, json_t *args)
{
    unsigned n = 0;
    int r;

    while ((r = ipc_renderer_send(c->renderer, "big", args)) >= 0)
        n++;
    must_fail(r, ENOBUFS);
    return n;
}

static void test_queue_is_bounded(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    g_autoptr(GPtrArray) outcomes = NULL;
    _cleanup_json_ json_t *args = args_of_size(IPC_ARGS_MAX / 2);
    const unsigned n = IPC_QUEUE_BYTES_MAX / (IPC_ARGS_MAX / 2) - 1;

    keep(f, "slow");
    must(ipc_renderer_set_timeout(r->renderer, UINT64_MAX)); /* so much text takes its time under valgrind */
    outcomes = invoke_many(r, "slow", in_flight_max() + 1);
    g_assert_cmpuint(fill_queue(r, args), ==, n);
    must_fail(ipc_renderer_invoke(r->renderer, NULL, "slow", args, NULL, NULL), ENOBUFS);
    must_fail(ipc_renderer_send_sync(r->renderer, "slow", args, NULL, NULL), ENOBUFS);
    send_message(r, "after", "[\"small\"]"); /* it has room left */

    main_vanish(f);
    assert_all_rejected(outcomes, IPC_ERROR_MAIN_GONE);
    main_return(f);
    hear(f, "after");
    send_message(r, "after", "[\"again\"]");
    expect_heard(f, "after", "[\"again\"]", 1);
    main_freeze(f);
    g_ptr_array_unref(g_steal_pointer(&outcomes));
    outcomes = invoke_many(r, "slow", in_flight_max() + 1);
    g_assert_cmpuint(fill_queue(r, args), ==, n);
    main_vanish(f);
}

/* More than the connection takes at once. */
static void test_held_flows(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    g_autoptr(GPtrArray) outcomes = NULL;
    _cleanup_json_ json_t *args = args_of_size(1024 * 1024);
    unsigned i;

    keep(f, "slow");
    hear(f, "big");
    hear(f, "after");
    outcomes = invoke_many(r, "slow", in_flight_max() + 1);
    for (i = 0; i < 4; i++)
        must(ipc_renderer_send(r->renderer, "big", args));
    send_message(r, "after", "[]");
    settle(f);
    g_assert_cmpuint(f->heard.length, ==, 0);
    for (i = 0; i < outcomes->len; i++)
        resolve_kept(f, "1");
    for (i = 0; i < 4; i++)
        expect_heard(f, "big", NULL, client_id(r));
    expect_heard(f, "after", "[]", client_id(r));
    assert_all_resolved(outcomes, "1");
}

/* ---- send_sync behind what is held ---- */

static GQueue slow;
static unsigned n_slow;

/* The first ones wait for the last of them. */
static int on_slow(ipc_invocation *invocation, json_t *args, void *memory)
{
    json_array_append(memory, json_array_get(args, 0));
    g_queue_push_tail(&slow, ipc_invocation_ref(invocation));
    if (++n_slow < in_flight_max())
        return 0;
    while (slow.length > 0) {
        invocation = g_queue_pop_head(&slow);
        must(ipc_invocation_resolve(invocation, NULL));
        ipc_invocation_unref(invocation);
    }
    return 0;
}

static void on_mark(ipc_event *event, json_t *args, void *memory)
{
    json_array_append(memory, json_array_get(args, 0));
    if (ipc_event_is_sync(event))
        must(ipc_event_return(event, memory));
}

static void free_memory(ipc_app *app, void *memory)
{
    (void)app;
    json_decref(memory);
}

static void serve_slow(ipc_app *app)
{
    json_t *memory = json_array();

    must(ipc_main_handle(ipc_app_get_main(app), NULL, "slow", on_slow, memory));
    must(ipc_main_on(ipc_app_get_main(app), NULL, "mark", on_mark, memory));
    must(ipc_app_on_closed(app, NULL, free_memory, memory));
}

static void test_send_sync_behind_held(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    g_autoptr(GPtrArray) outcomes = NULL;
    const unsigned n = in_flight_max() + 50;
    Outcome *sync;
    unsigned i;
    Client *r;

    main_fork(f, serve_slow);
    r = renderer_new(f);
    outcomes = invoke_many(r, "slow", n);
    send_message(r, "mark", "[\"sent\"]");
    sync = send_sync(r, "mark", "[\"sync\"]");
    g_assert_cmpuint(count_settled(outcomes), ==, 0);
    g_assert_cmpuint(json_array_size(sync->result), ==, n + 2);
    for (i = 0; i < n; i++)
        g_assert_cmpint(json_integer_value(json_array_get(sync->result, i)), ==, i);
    g_assert_cmpstr(json_string_value(json_array_get(sync->result, n)), ==, "sent");
    g_assert_cmpstr(json_string_value(json_array_get(sync->result, n + 1)), ==, "sync");
    assert_all_resolved(outcomes, "null");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/renderer-settle/timeout", test_timeout);
    add_story("/renderer-settle/late-answer", test_late_answer);
    add_story("/renderer-settle/timeouts-of-their-own", test_timeouts_of_their_own);
    add_story("/renderer-settle/default-timeout", test_default_timeout);
    add_story("/renderer-settle/frozen-main", test_frozen_main);
    add_story("/renderer-settle/frozen-from-the-start", test_frozen_from_the_start);
    add_story("/renderer-settle/reply-dropped", test_reply_dropped);
    add_story("/renderer-settle/close-settles-all", test_close_settles_all);
    add_story("/renderer-settle/close-tells-main", test_close_tells_main);
    add_story("/renderer-settle/close-before-ready", test_close_before_ready);
    add_story("/renderer-settle/in-flight", test_in_flight);
    add_story("/renderer-settle/a-thousand-on-the-system-bus", test_a_thousand_on_the_system_bus);
    add_story("/renderer-settle/held-times-out", test_held_times_out);
    add_story("/renderer-settle/queue-is-bounded", test_queue_is_bounded);
    add_story("/renderer-settle/held-flows", test_held_flows);
    add_story("/renderer-settle/send-sync-behind-held", test_send_sync_behind_held);
    return g_test_run();
}
