/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "fixture-renderer.h"
#include "lane-story.h"

/* What is true of lanes alone: how they open and end, and what they take. */

/* A property of the web contents of a client, as a foreign one sees it. */
static char *get_text(Fixture *f, Client *c, const char *name)
{
    g_autofree char *path = g_strdup_printf("%s/%u", IPC_WEB_CONTENTS_PATH, client_id(c));
    Outcome *o = await(get_property(foreign_new(f), path, IPC_WEB_CONTENTS_INTERFACE, name));
    const char *text;

    must(sd_bus_message_read(o->reply, "v", "s", &text));
    return g_strdup(text);
}

static uint64_t get_number(Fixture *f, Client *c, const char *name)
{
    g_autofree char *path = g_strdup_printf("%s/%u", IPC_WEB_CONTENTS_PATH, client_id(c));
    Outcome *o = await(get_property(foreign_new(f), path, IPC_WEB_CONTENTS_INTERFACE, name));
    uint64_t number;

    must(sd_bus_message_read(o->reply, "v", "t", &number));
    return number;
}

/* ---- opening ---- */

static void test_transport(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *lane = lane_renderer_new(f), *bus = renderer_new(f);
    g_autofree char *of_lane = get_text(f, lane, "Transport"), *of_bus = get_text(f, bus, "Transport");

    g_assert_cmpstr(of_lane, ==, "lane");
    g_assert_cmpstr(of_bus, ==, "bus");
}

static void test_counts(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f);
    uint64_t received = get_number(f, r, "MessagesReceived"), sent = get_number(f, r, "MessagesSent");

    hear(f, "x");
    answer(f, "y", "1");
    send_message(r, "x", "[]");
    assert_resolved(invoke(r, "y", "[]"), "1");
    g_assert_cmpuint(get_number(f, r, "MessagesReceived"), ==, received + 2);
    g_assert_cmpuint(get_number(f, r, "MessagesSent"), ==, sent + 1);
}

static void test_flags(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_make(f);

    must_fail(ipc_renderer_set_flags(NULL, 0), EINVAL);
    must_fail(ipc_renderer_set_flags(r->renderer, (ipc_renderer_flags)2), EINVAL);
    must(ipc_renderer_set_flags(r->renderer, IPC_RENDERER_LANE));
    await_state(r, IPC_RENDERER_READY);
    must_fail(ipc_renderer_set_flags(r->renderer, 0), EBUSY);
}

static void test_open_needs_registration(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    assert_rejected(call(c, "OpenLane", ""), IPC_ERROR_NOT_REGISTERED, NULL);
    client_id(c);
    assert_replied(call(c, "OpenLane", ""), "h", &(int){ 0 });
    assert_rejected(call(c, "OpenLane", ""), IPC_ERROR_LIMITS_EXCEEDED, "Renderer 1 has a lane: it may have one");
}

static void on_created(ipc_web_contents *contents, void *userdata)
{
    Fixture *f = userdata;
    unsigned i;

    (void)f;
    for (i = 0; i < 10; i++)
        must(ipc_web_contents_sendf(contents, "early", "i", i));
}

static void on_send_more(ipc_event *event, json_t *args, void *userdata)
{
    (void)args, (void)userdata;
    must(ipc_event_replyf(event, "late", NULL));
}

/* What main says by the bus, before the lane is there, comes before what it says by the lane; and the other way. */
static void test_order_at_the_switch(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_make(f);
    unsigned i;

    must(ipc_app_on_web_contents_created(f->app, NULL, on_created, f));
    must(ipc_main_on(f->main, NULL, "x", on_send_more, NULL));
    hear(f, "x");
    for (i = 0; i < 10; i++) {
        g_autofree char *args = g_strdup_printf("[%u]", i);

        send_message(r, "x", args);
    }
    await_state(r, IPC_RENDERER_READY);
    for (i = 0; i < 10; i++) {
        g_autofree char *args = g_strdup_printf("[%u]", i);

        expect_heard(f, "x", args, 1);
        expect_message(r, "early", args, 0);
    }
    for (i = 0; i < 10; i++)
        expect_message(r, "late", "[]", 0);
}

static void test_mixed_with_the_bus(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *lane = lane_renderer_new(f), *bus = renderer_new(f);

    send_to(lane, client_id(bus), "x", "[1]");
    expect_message(bus, "x", "[1]", client_id(lane));
    send_to(bus, client_id(lane), "x", "[2]");
    expect_message(lane, "x", "[2]", client_id(bus));
    must(ipc_app_broadcastf(f->app, "all", NULL));
    expect_message(lane, "all", "[]", 0);
    expect_message(bus, "all", "[]", 0);
}

/* ---- large values ---- */

static void test_large(void)
{
    static const size_t sizes[] = { 100, 1000, 10000, IPC_INLINE_MAX - 4, IPC_INLINE_MAX - 3, 100000,
                                    IPC_ARGS_MAX + 1 };
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f);
    unsigned i;

    hear(f, "x");
    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *word = g_strnfill(sizes[i], 'x'), *args = g_strdup_printf("[\"%s\"]", word);

        send_message(r, "x", args);
        expect_heard(f, "x", args, 1);
        must(ipc_web_contents_sendf(contents_of(r), "x", "s", word));
        expect_message(r, "x", args, 0);
    }
}

/* One that the bus cannot take does not go there. */
static void test_large_to_the_bus(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *lane = lane_renderer_new(f), *bus = renderer_new(f);
    g_autofree char *word = g_strnfill(IPC_ARGS_MAX, 'x'), *args = g_strdup_printf("[\"%s\"]", word);

    send_to(lane, client_id(bus), "x", args);
    expect_silence(bus);
    send_to(bus, client_id(lane), "x", "[1]");
    expect_message(lane, "x", "[1]", client_id(bus));
}

/* ---- one that does not read ---- */

static void test_frozen(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f), *other = lane_renderer_new(f);
    g_autofree char *word = g_strnfill(10000, 'x');
    ipc_web_contents *contents = contents_of(r);
    unsigned n = 0, i;
    int result;

    answer(f, "x", "1");
    freeze(r);
    while ((result = ipc_web_contents_sendf(contents, "m", "s,i", word, n)) >= 0)
        n++;
    g_assert_cmpint(result, ==, -ENOBUFS);
    g_assert_cmpuint(get_number(f, r, "BytesQueued"), >, IPC_QUEUE_BYTES_MAX - 20000);
    g_assert_cmpuint(get_number(f, r, "BytesQueued"), <=, IPC_QUEUE_BYTES_MAX);
    assert_resolved(invoke(other, "x", "[]"), "1");
    thaw(r);
    for (i = 0; i < n; i++) {
        g_autofree char *args = g_strdup_printf("[\"%s\",%u]", word, i);

        expect_message(r, "m", args, 0);
    }
    g_assert_cmpuint(get_number(f, r, "BytesQueued"), ==, 0);
    expect_silence(r);
}

static void test_stop_beside_frozen(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f);
    g_autofree char *word = g_strnfill(10000, 'x');
    int i;

    freeze(r);
    for (i = 0; i < 1000; i++)
        must(ipc_web_contents_sendf(contents_of(r), "m", "s", word));
    g_assert_cmpint(ipc_app_stop(f->app, 100000), ==, 0);
    g_assert_cmpuint(f->warnings->len, ==, 1);
    g_assert_nonnull(strstr(g_ptr_array_index(f->warnings, 0), "has not read"));
    thaw(r);
}

/* What the file of a text holds is unread as long as the packet is. */
static void test_large_unread(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f), *others[9];
    const size_t size = is_slow() ? 6u << 20 : 60u << 20;
    g_autofree char *text = g_strnfill(size, ' ');
    unsigned i, n = 0;

    if (is_slow())
        load_policy(f, "{\"limits\": {\"queue-bytes\": 6710886, \"queue-bytes-per-uid\": 53687091}}");
    text[0] = '[';
    text[size - 1] = ']';
    freeze(r);
    must(ipc_web_contents_send_text(contents_of(r), "m", text, size));
    g_assert_cmpuint(get_number(f, r, "BytesQueued"), >=, size);
    must_fail(ipc_web_contents_send_text(contents_of(r), "m", text, size), ENOBUFS);
    thaw(r);
    wait_until(f, get_number(f, r, "BytesQueued") == 0);

    for (i = 0; i < G_N_ELEMENTS(others); i++) {
        others[i] = lane_renderer_new(f);
        freeze(others[i]);
        n += ipc_web_contents_send_text(contents_of(others[i]), "m", text, size) >= 0;
    }
    g_assert_cmpuint(n, ==, 8); /* as many as a user may have waiting */
    thaw(others[0]);
    wait_until(f, get_number(f, others[0], "BytesQueued") == 0);
    must(ipc_web_contents_send_text(contents_of(r), "m", text, size));
}

static void test_main_frozen(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f);
    g_autofree char *word = g_strnfill(10000, 'x');
    unsigned n = 0, i;
    int result;

    hear(f, "x");
    main_freeze(f);
    while ((result = ipc_renderer_sendf(r->renderer, "x", "s,i", word, n)) >= 0)
        n++;
    g_assert_cmpint(result, ==, -ENOBUFS);
    g_assert_cmpuint(n * 10000, >, IPC_QUEUE_BYTES_MAX - 8 * 1024 * 1024);
    main_thaw(f);
    for (i = 0; i < n; i++) {
        g_autofree char *args = g_strdup_printf("[\"%s\",%u]", word, i);

        expect_heard(f, "x", args, 1);
    }
}

/* Nothing comes back for what is sent one way, so nothing tells the renderer that there is room again. */
static void test_main_frozen_large(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f);
    const size_t size = 30u << 20;
    g_autofree char *text = g_strnfill(size, ' ');
    Outcome *o;
    int i;

    text[0] = '[';
    text[size - 1] = ']';
    answer(f, "add", "3");
    main_freeze(f);
    for (i = 0; i < 400; i++)
        must(ipc_renderer_sendf(r->renderer, "nobody", "i", i));
    for (i = 0; i < 3; i++)
        must(ipc_renderer_send_text(r->renderer, "nobody", text, size));
    o = invoke_start(r, "add", "[1,2]");
    main_thaw(f);
    assert_resolved(o, "3");
}

/* What was accepted arrives, though its sender is gone by then. */
static void test_close_sends_all(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f);
    unsigned i;

    hear(f, "x");
    for (i = 0; i < 100; i++)
        must(ipc_renderer_sendf(r->renderer, "x", "i", i));
    leave(r);
    for (i = 0; i < 100; i++) {
        g_autofree char *args = g_strdup_printf("[%u]", i);

        expect_heard(f, "x", args, 1);
    }
    settle(f);
    g_assert_null(ipc_web_contents_from_id(f->app, 1));
}

/* Far more than a socket takes, to a main that reads meanwhile. */
static void test_close_sends_much(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Client *r, *other;
    size_t n_heard = 0;
    unsigned i;

    main_fork(f, serve_memory);
    r = lane_renderer_new(f);
    other = lane_renderer_new(f);
    for (i = 0; i < 3000; i++)
        must(ipc_renderer_sendf(r->renderer, "one", "i", i));
    leave(r);
    while (n_heard < 3000)
        n_heard = json_array_size(await(invoke(other, "heard", "[]"))->result);
    g_assert_cmpuint(n_heard, ==, 3000);
}

/* ---- the end of a lane, and of it alone ---- */

static void test_breaks(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f);
    Outcome *pending;

    note_states(d, r);
    keep(f, "slow");
    answer(f, "fast", "1");
    pending = invoke_start(r, "slow", "[]");
    settle(f);
    g_assert_cmpint(shutdown(lane_fd_of_main(), SHUT_RDWR), ==, 0);
    assert_rejected(pending, IPC_ERROR_MAIN_GONE, NULL);
    wait_until(f, client_id(r) == 2);
    expect_diary(f, d, "gone:MainGone connecting ready");
    assert_resolved(invoke(r, "fast", "[]"), "1");
    g_assert_null(ipc_web_contents_from_id(f->app, 1));
}

static void test_main_is_killed(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Client *r;

    main_fork(f, serve_memory);
    r = lane_renderer_new(f);
    note_states(d, r);
    assert_resolved(invoke(r, "add", "[1,2]"), "3");
    main_end(f, SIGKILL);
    await_state(r, IPC_RENDERER_GONE);
    expect_diary(f, d, "gone:MainGone");
    main_fork(f, serve_memory);
    assert_resolved(invoke(r, "add", "[1,2]"), "3");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lane-only/transport", test_transport);
    g_test_add_func("/lane-only/counts", test_counts);
    g_test_add_func("/lane-only/flags", test_flags);
    g_test_add_func("/lane-only/open-needs-registration", test_open_needs_registration);
    g_test_add_func("/lane-only/order-at-the-switch", test_order_at_the_switch);
    g_test_add_func("/lane-only/mixed-with-the-bus", test_mixed_with_the_bus);
    g_test_add_func("/lane-only/large", test_large);
    g_test_add_func("/lane-only/large-to-the-bus", test_large_to_the_bus);
    g_test_add_func("/lane-only/frozen", test_frozen);
    g_test_add_func("/lane-only/stop-beside-frozen", test_stop_beside_frozen);
    g_test_add_func("/lane-only/large-unread", test_large_unread);
    g_test_add_func("/lane-only/main-frozen", test_main_frozen);
    if (!is_slow()) /* main reads 90 MiB while a call waits */
        g_test_add_func("/lane-only/main-frozen-large", test_main_frozen_large);
    g_test_add_func("/lane-only/close-sends-all", test_close_sends_all);
    g_test_add_func("/lane-only/close-sends-much", test_close_sends_much);
    g_test_add_func("/lane-only/breaks", test_breaks);
    g_test_add_func("/lane-only/main-is-killed", test_main_is_killed);
    return g_test_run();
}
