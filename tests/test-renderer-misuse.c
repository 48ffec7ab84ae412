/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "fixture-renderer.h"

/* What a renderer refuses, and that it sends nothing then. */

static void on_event(ipc_event *event, json_t *args, void *userdata)
{
    (void)event, (void)args, (void)userdata;
}

static void on_state(ipc_renderer *renderer, ipc_renderer_state state, const ipc_error *error, void *userdata)
{
    (void)renderer, (void)state, (void)error, (void)userdata;
}

static void on_warning(const char *message, void *userdata)
{
    (void)message, (void)userdata;
}

/* ---- misuse ---- */

static void test_new(void)
{
    g_autofree char *too_long = g_strdup_printf("com.%0300d", 0);
    const char *const bad[] = { "", "x", "com", ":1.2", "com..example", "com.example.", "com.ex ample", too_long };
    g_autoptr(Fixture) f = fixture_new();
    _cleanup_(sd_bus_close_unrefp) sd_bus *bus = bus_connect(f->bus);
    ipc_renderer *renderer = (ipc_renderer *)f;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(bad); i++)
        must_fail(ipc_renderer_new(&renderer, bus, bad[i]), EINVAL);
    must_fail(ipc_renderer_new(NULL, bus, FIXTURE_NAME), EINVAL);
    g_assert_true(renderer == (ipc_renderer *)f);
    must(ipc_renderer_new(&renderer, bus, NULL));
    g_assert_cmpstr(ipc_renderer_get_name(renderer), ==, IPC_MAIN_NAME);
    g_assert_true(ipc_renderer_get_bus(renderer) == bus);
    g_assert_null(ipc_renderer_unref(renderer));
}

static void test_no_bus(void)
{
    ipc_renderer *renderer = NULL;

    g_setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus", TRUE);
    must_fail(ipc_renderer_new(&renderer, NULL, FIXTURE_NAME), ENOENT);
    g_unsetenv("DBUS_SESSION_BUS_ADDRESS");
    g_assert_null(renderer);
}

static void test_default_bus(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = renderer_new(f);
    ipc_renderer *renderer;

    g_setenv("DBUS_SESSION_BUS_ADDRESS", f->bus->address, TRUE);
    must(ipc_renderer_new(&renderer, NULL, FIXTURE_NAME));
    g_unsetenv("DBUS_SESSION_BUS_ADDRESS");
    must(ipc_renderer_attach_event(renderer, f->event, 0));
    wait_until(f, ipc_renderer_get_state(renderer) == IPC_RENDERER_READY);
    must(ipc_renderer_send_tof(renderer, client_id(c), "x", "i", 1));
    expect_message(c, "x", "[1]", 2);
    ipc_renderer_unref(renderer);
}

static void test_null_object(void)
{
    ipc_slot *slot = NULL;
    uint64_t usec;
    char **names;

    g_assert_null(ipc_renderer_ref(NULL));
    g_assert_null(ipc_renderer_unref(NULL));
    ipc_renderer_close(NULL);
    g_assert_cmpint(ipc_renderer_get_state(NULL), ==, IPC_RENDERER_CLOSED);
    g_assert_cmpuint(ipc_renderer_get_id(NULL), ==, 0);
    g_assert_null(ipc_renderer_get_name(NULL));
    g_assert_null(ipc_renderer_get_bus(NULL));
    must_fail(ipc_renderer_set_title(NULL, "t"), EINVAL);
    must_fail(ipc_renderer_set_guest_token(NULL, "t"), EINVAL);
    must_fail(ipc_renderer_set_timeout(NULL, 1), EINVAL);
    must_fail(ipc_renderer_on_state(NULL, &slot, on_state, NULL), EINVAL);
    must_fail(ipc_renderer_on_warning(NULL, &slot, on_warning, NULL), EINVAL);
    must_fail(ipc_renderer_on_any(NULL, &slot, on_event, NULL), EINVAL);
    must_fail(ipc_renderer_on(NULL, &slot, "x", on_event, NULL), EINVAL);
    must_fail(ipc_renderer_off(NULL, "x", on_event, NULL), EINVAL);
    must_fail(ipc_renderer_remove_all_listeners(NULL, NULL), EINVAL);
    must_fail(ipc_renderer_listener_count(NULL, "x"), EINVAL);
    must_fail(ipc_renderer_channel_names(NULL, &names), EINVAL);
    must_fail(ipc_renderer_attach_event(NULL, NULL, 0), EINVAL);
    must_fail(ipc_renderer_detach_event(NULL), EINVAL);
    must_fail(ipc_renderer_get_fd(NULL), EINVAL);
    must_fail(ipc_renderer_get_events(NULL), EINVAL);
    must_fail(ipc_renderer_get_timeout(NULL, &usec), EINVAL);
    must_fail(ipc_renderer_process(NULL), EINVAL);
    must_fail(ipc_renderer_wait(NULL, 0), EINVAL);
    g_assert_null(slot);
}

static void test_null_object_sends(void)
{
    json_t *result = NULL;
    ipc_slot *slot = NULL;

    must_fail(ipc_renderer_send(NULL, "x", NULL), EINVAL);
    must_fail(ipc_renderer_sendf(NULL, "x", "i", 1), EINVAL);
    must_fail(ipc_renderer_send_to(NULL, 1, "x", NULL), EINVAL);
    must_fail(ipc_renderer_send_tof(NULL, 1, "x", "i", 1), EINVAL);
    must_fail(ipc_renderer_send_to_host(NULL, "x", NULL), EINVAL);
    must_fail(ipc_renderer_send_to_hostf(NULL, "x", "i", 1), EINVAL);
    must_fail(ipc_renderer_invoke(NULL, &slot, "x", NULL, NULL, NULL), EINVAL);
    must_fail(ipc_renderer_invokef(NULL, &slot, "x", NULL, NULL, "i", 1), EINVAL);
    must_fail(ipc_renderer_send_sync(NULL, "x", NULL, &result, NULL), EINVAL);
    must_fail(ipc_renderer_send_syncf(NULL, "x", &result, NULL, "i", 1), EINVAL);
    g_assert_null(result);
    g_assert_null(slot);
}

static void test_null_arguments(void)
{
    g_autoptr(Fixture) f = fixture_new();
    ipc_renderer *r = renderer_new(f)->renderer;

    must_fail(ipc_renderer_set_title(r, NULL), EINVAL);
    must_fail(ipc_renderer_set_guest_token(r, NULL), EINVAL);
    must_fail(ipc_renderer_on_state(r, NULL, NULL, NULL), EINVAL);
    must_fail(ipc_renderer_on_warning(r, NULL, NULL, NULL), EINVAL);
    must_fail(ipc_renderer_on_any(r, NULL, NULL, NULL), EINVAL);
    must_fail(ipc_renderer_on(r, NULL, "x", NULL, NULL), EINVAL);
    must_fail(ipc_renderer_on(r, NULL, NULL, on_event, NULL), EINVAL);
    must_fail(ipc_renderer_off(r, NULL, on_event, NULL), EINVAL);
    must_fail(ipc_renderer_off(r, "x", NULL, NULL), EINVAL);
    must_fail(ipc_renderer_listener_count(r, NULL), EINVAL);
    must_fail(ipc_renderer_channel_names(r, NULL), EINVAL);
    must_fail(ipc_renderer_get_timeout(r, NULL), EINVAL);
    must_fail(ipc_renderer_send(r, NULL, NULL), EINVAL);
    must_fail(ipc_renderer_send_to(r, 1, NULL, NULL), EINVAL);
    must_fail(ipc_renderer_invoke(r, NULL, NULL, NULL, NULL, NULL), EINVAL);
    must_fail(ipc_renderer_send_sync(r, NULL, NULL, NULL, NULL), EINVAL);
    must_fail(ipc_renderer_send_to_host(r, NULL, NULL), EINVAL);
}

/* ---- what is not sent ---- */

/* Every way to send refuses it with the same errno, and leaves its outputs alone. */
static void assert_refused(Client *c, const char *channel, json_t *args, int number)
{
    json_t *result = NULL;
    ipc_slot *slot = NULL;
    ipc_error error = IPC_ERROR_INIT;

    must_fail(ipc_renderer_send(c->renderer, channel, args), number);
    must_fail(ipc_renderer_send_to(c->renderer, client_id(c), channel, args), number);
    must_fail(ipc_renderer_send_to_host(c->renderer, channel, args), number);
    must_fail(ipc_renderer_invoke(c->renderer, &slot, channel, args, NULL, NULL), number);
    must_fail(ipc_renderer_send_sync(c->renderer, channel, args, &result, &error), number);
    g_assert_null(slot);
    g_assert_null(result);
    g_assert_null(error.name);
}

static void assert_nothing_arrived(Fixture *f, Client *c)
{
    expect_silence(c);
    g_assert_cmpuint(f->heard.length, ==, 0);
    g_assert_cmpuint(f->kept.length, ==, 0);
    g_assert_cmpint(ipc_renderer_get_state(c->renderer), ==, IPC_RENDERER_READY);
}

static void test_bad_channel(void)
{
    g_autofree char *too_long = g_strnfill(IPC_CHANNEL_MAX + 1, 'x');
    const char *const bad[] = { "", too_long, "\xff", "a\xc3", "\xed\xa0\x80", "\xc0\x80" };
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        assert_refused(r, bad[i], NULL, EINVAL);
        must_fail(ipc_renderer_on(r->renderer, NULL, bad[i], on_event, NULL), EINVAL);
        must_fail(ipc_renderer_once(r->renderer, NULL, bad[i], on_event, NULL), EINVAL);
        must_fail(ipc_renderer_prepend_listener(r->renderer, NULL, bad[i], on_event, NULL), EINVAL);
        must_fail(ipc_renderer_prepend_once_listener(r->renderer, NULL, bad[i], on_event, NULL), EINVAL);
    }
    assert_nothing_arrived(f, r);
}

static void test_args_no_array(void)
{
    static const char *const bad[] = { "{}", "\"x\"", "1", "null", "true" };
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    size_t i;

    hear(f, "x");
    keep(f, "x");
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        _cleanup_json_ json_t *args = json_from(bad[i]);

        assert_refused(r, "x", args, EINVAL);
    }
    assert_nothing_arrived(f, r);
}

static void test_bad_text(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    _cleanup_json_ json_t *args = json_pack("[o]", json_string_nocheck("\xff"));

    hear(f, "x");
    keep(f, "x");
    assert_refused(r, "x", args, EINVAL);
    assert_nothing_arrived(f, r);
}

static json_t *nested(unsigned depth)
{
    json_t *args = json_array(), *outer;

    while (--depth > 0) {
        outer = json_array();
        json_array_append_new(outer, args);
        args = outer;
    }
    return args;
}

static void test_depth(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    _cleanup_json_ json_t *deepest = nested(IPC_DEPTH_MAX), *too_deep = nested(IPC_DEPTH_MAX + 1);

    hear(f, "x");
    assert_refused(r, "x", too_deep, EINVAL);
    assert_nothing_arrived(f, r);
    must(ipc_renderer_send(r->renderer, "x", deepest));
    expect_heard(f, "x", NULL, client_id(r));
}

/* A value that contains itself has no end. */
static void test_cycle(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    json_t *args = json_array(), *object = json_object();

    json_array_append_new(args, object);
    json_object_set(object, "args", args);
    assert_refused(r, "x", args, EINVAL);
    assert_nothing_arrived(f, r);
    json_object_clear(object);
    json_decref(args);
}

static json_t *args_of_size(size_t size)
{
    g_autofree char *text = g_strnfill(size - strlen("[\"\"]"), 'x');

    return json_pack("[s]", text);
}

static void test_too_large(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    _cleanup_json_ json_t *largest = args_of_size(IPC_ARGS_MAX), *too_large = args_of_size(IPC_ARGS_MAX + 1);

    hear(f, "x");
    assert_refused(r, "x", too_large, EMSGSIZE);
    assert_nothing_arrived(f, r);
    must(ipc_renderer_send(r->renderer, "x", largest));
    expect_heard(f, "x", NULL, client_id(r));
}

static void assert_format_refused(Client *c, const char *format, double value)
{
    ipc_renderer *r = c->renderer;
    json_t *result = NULL;

    must_fail(ipc_renderer_sendf(r, "x", format, value), EINVAL);
    must_fail(ipc_renderer_send_tof(r, client_id(c), "x", format, value), EINVAL);
    must_fail(ipc_renderer_send_to_hostf(r, "x", format, value), EINVAL);
    must_fail(ipc_renderer_invokef(r, NULL, "x", NULL, NULL, format, value), EINVAL);
    must_fail(ipc_renderer_send_syncf(r, "x", &result, NULL, format, value), EINVAL);
    g_assert_null(result);
}

static void test_formats(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    hear(f, "x");
    keep(f, "x");
    assert_format_refused(r, "f", NAN);
    assert_format_refused(r, "f", INFINITY);
    assert_format_refused(r, "[f]", -INFINITY);
    assert_format_refused(r, "f]", 1.0);
    assert_format_refused(r, "f, [", 1.0);
    assert_format_refused(r, "q", 1.0);
    assert_nothing_arrived(f, r);
}

/* ---- after the end ---- */

static void test_closed(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = renderer_new(f);
    ipc_renderer *r = c->renderer;
    ipc_webview *webview = NULL;
    uint64_t usec;

    ipc_renderer_close(r);
    ipc_renderer_close(r);
    g_assert_cmpint(ipc_renderer_get_state(r), ==, IPC_RENDERER_CLOSED);
    g_assert_cmpuint(ipc_renderer_get_id(r), ==, 0);
    assert_refused(c, "x", NULL, ENOTCONN);
    must_fail(ipc_renderer_sendf(r, "x", "i", 1), ENOTCONN);
    must_fail(ipc_webview_new(&webview, r), ENOTCONN);
    must_fail(ipc_renderer_attach_event(r, f->event, 0), ENOTCONN);
    must(ipc_renderer_detach_event(r));
    must_fail(ipc_renderer_get_fd(r), ENOTCONN);
    must_fail(ipc_renderer_get_events(r), ENOTCONN);
    must_fail(ipc_renderer_get_timeout(r, &usec), ENOTCONN);
    must_fail(ipc_renderer_process(r), ENOTCONN);
    must_fail(ipc_renderer_wait(r, 0), ENOTCONN);
    must(ipc_renderer_on(r, NULL, "x", on_event, NULL));
    must(ipc_renderer_off(r, "x", on_event, NULL));
    g_assert_null(webview);
}

/* Misuse is told first. */
static void test_closed_and_misused(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    _cleanup_json_ json_t *object = json_object();

    ipc_renderer_close(r->renderer);
    assert_refused(r, "", NULL, EINVAL);
    assert_refused(r, "x", object, EINVAL);
}

/* A program that sends and ends has sent. */
static void test_close_writes(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    unsigned i, n = is_over_lanes() ? 100 : 1000; /* main is in this process, and cannot read meanwhile */

    hear(f, "x");
    for (i = 0; i < n; i++)
        must(ipc_renderer_sendf(r->renderer, "x", "i", i));
    ipc_renderer_close(r->renderer);
    for (i = 0; i < n; i++) {
        g_autofree char *args = g_strdup_printf("[%u]", i);

        expect_heard(f, "x", args, 1);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/renderer-misuse/new", test_new);
    add_story("/renderer-misuse/no-bus", test_no_bus);
    add_story("/renderer-misuse/default-bus", test_default_bus);
    add_story("/renderer-misuse/null-object", test_null_object);
    add_story("/renderer-misuse/null-object-sends", test_null_object_sends);
    add_story("/renderer-misuse/null-arguments", test_null_arguments);
    add_story("/renderer-misuse/bad-channel", test_bad_channel);
    add_story("/renderer-misuse/args-no-array", test_args_no_array);
    add_story("/renderer-misuse/bad-text", test_bad_text);
    add_story("/renderer-misuse/depth", test_depth);
    add_story("/renderer-misuse/cycle", test_cycle);
    g_test_add_func("/renderer-misuse/too-large", test_too_large);
    add_story("/renderer-misuse/formats", test_formats);
    add_story("/renderer-misuse/closed", test_closed);
    add_story("/renderer-misuse/closed-and-misused", test_closed_and_misused);
    add_story("/renderer-misuse/close-writes", test_close_writes);
    return g_test_run();
}
