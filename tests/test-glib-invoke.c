/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "fixture-glib.h"

/* Invokes in the manner of GIO: how they end, and how they are given up. */

/* ---- words ---- */

typedef struct Ending {
    unsigned n;     /* how often it was told */
    json_t *result; /* NULL: it failed */
    GError *error;
    ipc_renderer *drop; /* a reference to drop when it is told; NULL: none */
} Ending;

static void ending_clear(Ending *ending)
{
    json_decref(ending->result);
    g_clear_error(&ending->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Ending, ending_clear)

static void on_ready(GObject *source, GAsyncResult *result, gpointer userdata)
{
    Ending *ending = userdata;

    g_assert_null(source);
    ending->n++;
    ending->result = ipc_renderer_invoke_finish(NULL, result, &ending->error);
    ending->drop = ipc_renderer_unref(ending->drop);
}

static void start(Client *c, const char *channel, const char *args, GCancellable *cancellable, Ending *ending)
{
    json_t *json = json_from(args);

    ipc_renderer_invoke_async(c->renderer, channel, json, cancellable, on_ready, ending);
    json_decref(json);
    g_assert_cmpuint(ending->n, ==, 0);
}

#define assert_result(ending, json) ending_assert_result(G_STRLOC, ending, json)
static void ending_assert_result(const char *where, const Ending *ending, const char *json)
{
    json_t *expected = json_from(json);

    if (ending->n != 1 || ending->error || !json_equal(ending->result, expected))
        g_error("%s: expected %s once, got it %u times, and the error '%s'", where, json, ending->n,
                ending->error ? ending->error->message : "");
    json_decref(expected);
}

#define assert_error(ending, domain, code, message) ending_assert_error(G_STRLOC, ending, domain, code, message)
static void ending_assert_error(const char *where, const Ending *ending, GQuark domain, int code, const char *message)
{
    if (ending->n != 1 || ending->result || !g_error_matches(ending->error, domain, code))
        g_error("%s: expected an error once, got it %u times: '%s'", where, ending->n,
                ending->error ? ending->error->message : "");
    if (message && strcmp(ending->error->message, message) != 0)
        g_error("%s: expected the message\n  %s\ngot\n  %s", where, message, ending->error->message);
}

/* The context of the fixture is the thread's default one. */
typedef struct Scene {
    Fixture *f;
    Client *r;
} Scene;

static void scene_begin(Scene *s)
{
    s->f = glib_fixture_new();
    g_main_context_push_thread_default(s->f->context);
    s->r = glib_renderer_new(s->f);
}

static void scene_clear(Scene *s)
{
    g_autoptr(GMainContext) context = g_main_context_ref(s->f->context);

    fixture_free(s->f);
    g_main_context_pop_thread_default(context);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scene, scene_clear)

/* ---- how they end ---- */

static void test_result(void)
{
    g_auto(Scene) s = { 0 };
    g_auto(Ending) one = { 0 }, other = { 0 };

    scene_begin(&s);
    answer(s.f, "x", "{\"a\": [1, null]}");
    answer(s.f, "nothing", "null");
    start(s.r, "x", "[1]", NULL, &one);
    start(s.r, "nothing", "[]", NULL, &other);
    wait_until(s.f, one.n && other.n);
    assert_result(&one, "{\"a\": [1, null]}");
    assert_result(&other, "null");
}

static void test_nobody_cares(void)
{
    g_auto(Scene) s = { 0 };

    scene_begin(&s);
    keep(s.f, "x");
    ipc_renderer_invoke_async(s.r->renderer, "x", NULL, NULL, NULL, NULL);
    wait_until(s.f, s.f->kept.length == 1);
    must(ipc_invocation_resolve(s.f->kept.head->data, NULL));
    answer(s.f, "next", "1");
    assert_resolved(invoke(s.r, "next", "[]"), "1");
}

static int on_add(ipc_invocation *invocation, json_t *args, void *userdata)
{
    int a, b;

    (void)userdata;
    if (json_unpack(args, "[i, {s:i}]", &a, "b", &b) < 0)
        return -EINVAL;
    return ipc_invocation_resolvef(invocation, "i", a + b);
}

static void test_format(void)
{
    g_auto(Scene) s = { 0 };
    g_auto(Ending) good = { 0 }, bad = { 0 }, empty = { 0 };

    scene_begin(&s);
    must(ipc_main_handle(s.f->main, NULL, "add", on_add, NULL));
    answer(s.f, "x", "1");
    ipc_renderer_invoke_asyncf(s.r->renderer, "add", NULL, on_ready, &good, "i, {s:i}", 1, "b", 2);
    ipc_renderer_invoke_asyncf(s.r->renderer, "add", NULL, on_ready, &bad, "i, {", 1);
    ipc_renderer_invoke_asyncf(s.r->renderer, "x", NULL, on_ready, &empty, NULL);
    wait_until(s.f, good.n && bad.n && empty.n);
    assert_result(&good, "3");
    assert_error(&bad, IPC_GERROR, IPC_GERROR_INVALID_ARGS, NULL);
    g_assert_true(g_str_has_prefix(bad.error->message, "The format 'i, {' makes no arguments: "));
    assert_result(&empty, "1");
}

static int on_fail(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)args, (void)userdata;
    return ipc_invocation_rejectf(invocation, "com.example.Error.NoSuchNote", "There is no note 7", "{s:i}", "id", 7);
}

/* Name, message and detail arrive, and survive copying. */
static void test_error(void)
{
    g_auto(Scene) s = { 0 };
    g_auto(Ending) ending = { 0 };
    g_autoptr(GError) copy = NULL;

    scene_begin(&s);
    must(ipc_main_handle(s.f->main, NULL, "x", on_fail, NULL));
    start(s.r, "x", "[]", NULL, &ending);
    wait_until(s.f, ending.n);
    assert_error(&ending, IPC_GERROR, IPC_GERROR_FAILED, "There is no note 7");
    copy = g_error_copy(ending.error);
    g_clear_error(&ending.error);
    g_assert_cmpstr(ipc_gerror_get_name(copy), ==, "com.example.Error.NoSuchNote");
    g_assert_cmpint(json_integer_value(json_object_get(ipc_gerror_get_detail(copy), "id")), ==, 7);
}

static void test_foreign_errors(void)
{
    g_autoptr(GError) error = g_error_new_literal(G_IO_ERROR, G_IO_ERROR_FAILED, "It failed");

    g_assert_null(ipc_gerror_get_name(error));
    g_assert_null(ipc_gerror_get_detail(error));
    g_assert_null(ipc_gerror_get_name(NULL));
    g_assert_null(ipc_gerror_get_detail(NULL));
}

static int on_fail_with(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)userdata;
    return ipc_invocation_reject(invocation, json_string_value(json_array_get(args, 0)), "So it is", NULL);
}

/* Each name that the library knows has a code of its own. */
static void test_codes(void)
{
    static const char *const names[] = {
        NULL, /* IPC_GERROR_FAILED */
        IPC_ERROR_NO_HANDLER, IPC_ERROR_NO_LISTENER, IPC_ERROR_HANDLER_FAILED, IPC_ERROR_REPLY_NEVER_SENT,
        IPC_ERROR_CANCELLED, IPC_ERROR_INVALID_ARGS, IPC_ERROR_INVALID_CHANNEL, IPC_ERROR_NO_SUCH_WEB_CONTENTS,
        IPC_ERROR_NOT_A_GUEST, IPC_ERROR_INVALID_TOKEN, IPC_ERROR_NOT_REGISTERED, IPC_ERROR_BUSY,
        IPC_ERROR_QUEUE_FULL, IPC_ERROR_TOO_LARGE, IPC_ERROR_MAIN_GONE, IPC_ERROR_ACCESS_DENIED,
        IPC_ERROR_LIMITS_EXCEEDED, IPC_ERROR_NO_MEMORY, IPC_ERROR_TIMEOUT,
    };
    g_auto(Scene) s = { 0 };
    unsigned i;

    scene_begin(&s);
    must(ipc_main_handle(s.f->main, NULL, "x", on_fail_with, NULL));
    g_assert_cmpuint(G_N_ELEMENTS(names), ==, IPC_GERROR_TIMEOUT + 1);
    for (i = 1; i < G_N_ELEMENTS(names); i++) {
        g_auto(Ending) ending = { 0 };

        ipc_renderer_invoke_asyncf(s.r->renderer, "x", NULL, on_ready, &ending, "s", names[i]);
        wait_until(s.f, ending.n);
        assert_error(&ending, IPC_GERROR, (int)i, "So it is");
        g_assert_cmpstr(ipc_gerror_get_name(ending.error), ==, names[i]);
        g_assert_null(ipc_gerror_get_detail(ending.error));
    }
}

static void test_no_handler(void)
{
    g_auto(Scene) s = { 0 };
    g_auto(Ending) ending = { 0 };

    scene_begin(&s);
    start(s.r, "x", "[]", NULL, &ending);
    wait_until(s.f, ending.n);
    assert_error(&ending, IPC_GERROR, IPC_GERROR_NO_HANDLER, "No handler registered for 'x'");
}

static void test_timeout(void)
{
    g_auto(Scene) s = { 0 };
    g_auto(Ending) ending = { 0 };

    scene_begin(&s);
    keep(s.f, "slow");
    must(ipc_renderer_set_timeout(s.r->renderer, 20 * 1000));
    start(s.r, "slow", "[]", NULL, &ending);
    wait_until(s.f, ending.n);
    assert_error(&ending, IPC_GERROR, IPC_GERROR_TIMEOUT, NULL);
}

static void test_main_dies(void)
{
    g_auto(Scene) s = { 0 };
    g_auto(Ending) ending = { 0 };

    scene_begin(&s);
    keep(s.f, "slow");
    start(s.r, "slow", "[]", NULL, &ending);
    wait_until(s.f, s.f->kept.length == 1);
    main_vanish(s.f);
    wait_until(s.f, ending.n);
    assert_error(&ending, IPC_GERROR, IPC_GERROR_MAIN_GONE, NULL);
}

/* What cannot be sent fails as the rest does, later. */
static void test_refused(void)
{
    g_autofree char *long_channel = g_strnfill(IPC_CHANNEL_MAX + 1, 'x');
    g_autofree char *text = g_strnfill(IPC_ARGS_MAX, 'x');
    g_auto(Scene) s = { 0 };
    g_auto(Ending) none = { 0 }, empty = { 0 }, big = { 0 }, no_array = { 0 }, no_renderer = { 0 }, too_large = { 0 };

    scene_begin(&s);
    ipc_renderer_invoke_async(s.r->renderer, NULL, NULL, NULL, on_ready, &none);
    start(s.r, "", "[]", NULL, &empty);
    start(s.r, long_channel, "[]", NULL, &big);
    start(s.r, "x", "{}", NULL, &no_array);
    ipc_renderer_invoke_async(NULL, "x", NULL, NULL, on_ready, &no_renderer);
    ipc_renderer_invoke_asyncf(s.r->renderer, "x", NULL, on_ready, &too_large, "s", text);
    wait_until(s.f, none.n && empty.n && big.n && no_array.n && no_renderer.n && too_large.n);
    assert_error(&none, IPC_GERROR, IPC_GERROR_INVALID_CHANNEL, "The name of a channel is 1 to 255 bytes of UTF-8");
    assert_error(&empty, IPC_GERROR, IPC_GERROR_INVALID_CHANNEL, NULL);
    assert_error(&big, IPC_GERROR, IPC_GERROR_INVALID_CHANNEL, NULL);
    assert_error(&no_array, IPC_GERROR, IPC_GERROR_INVALID_ARGS, NULL);
    assert_error(&no_renderer, IPC_GERROR, IPC_GERROR_INVALID_ARGS, NULL);
    assert_error(&too_large, IPC_GERROR, IPC_GERROR_TOO_LARGE, NULL);
}

/* ---- how they are given up ---- */

static void test_cancelled_before(void)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_auto(Scene) s = { 0 };
    g_auto(Ending) ending = { 0 };

    scene_begin(&s);
    keep(s.f, "x");
    answer(s.f, "next", "1");
    g_cancellable_cancel(cancellable);
    start(s.r, "x", "[]", cancellable, &ending);
    wait_until(s.f, ending.n);
    assert_error(&ending, G_IO_ERROR, G_IO_ERROR_CANCELLED, NULL);
    assert_resolved(invoke(s.r, "next", "[]"), "1");
    g_assert_cmpuint(s.f->kept.length, ==, 0);
}

/* Main is told, twice is once, and one GCancellable ends all that it was given to. */
static void test_cancelled(void)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(Diary) d = diary_new();
    g_auto(Scene) s = { 0 };
    g_auto(Ending) one = { 0 }, other = { 0 };

    scene_begin(&s);
    keep_and_note(s.f, d, "x");
    start(s.r, "x", "[]", cancellable, &one);
    start(s.r, "x", "[]", cancellable, &other);
    wait_until(s.f, s.f->kept.length == 2);
    g_cancellable_cancel(cancellable);
    g_cancellable_cancel(cancellable);
    g_assert_cmpuint(one.n, ==, 0);
    wait_until(s.f, one.n && other.n);
    assert_error(&one, G_IO_ERROR, G_IO_ERROR_CANCELLED, NULL);
    assert_error(&other, G_IO_ERROR, G_IO_ERROR_CANCELLED, NULL);
    wait_until(s.f, strlen(d->words->str) == strlen("x x x-cancelled x-cancelled"));
    assert_diary(d, "x x x-cancelled x-cancelled");
}

static gpointer cancel_in_thread(gpointer cancellable)
{
    g_cancellable_cancel(cancellable);
    return NULL;
}

static void test_cancelled_by_a_thread(void)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(Diary) d = diary_new();
    g_auto(Scene) s = { 0 };
    g_auto(Ending) ending = { 0 };

    scene_begin(&s);
    keep_and_note(s.f, d, "x");
    start(s.r, "x", "[]", cancellable, &ending);
    wait_until(s.f, s.f->kept.length == 1);
    g_thread_join(g_thread_new("canceller", cancel_in_thread, cancellable));
    wait_until(s.f, ending.n);
    assert_error(&ending, G_IO_ERROR, G_IO_ERROR_CANCELLED, NULL);
    wait_until(s.f, strlen(d->words->str) == strlen("x x-cancelled"));
}

static void test_cancelled_after(void)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_auto(Scene) s = { 0 };
    g_auto(Ending) ending = { 0 };

    scene_begin(&s);
    answer(s.f, "x", "1");
    start(s.r, "x", "[]", cancellable, &ending);
    wait_until(s.f, ending.n);
    g_cancellable_cancel(cancellable);
    assert_resolved(invoke(s.r, "x", "[]"), "1");
    assert_result(&ending, "1");
}

static void test_renderer_goes(void)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(Diary) d = diary_new();
    g_auto(Scene) s = { 0 };
    g_auto(Ending) ending = { 0 };

    scene_begin(&s);
    keep_and_note(s.f, d, "x");
    start(s.r, "x", "[]", cancellable, &ending);
    wait_until(s.f, s.f->kept.length == 1);
    leave(s.r);
    wait_until(s.f, ending.n);
    assert_error(&ending, IPC_GERROR, IPC_GERROR_CANCELLED, "The renderer was closed");
    g_cancellable_cancel(cancellable); /* too late */
    wait_until(s.f, strlen(d->words->str) == strlen("x x-cancelled"));
}

static void test_closed(void)
{
    g_auto(Scene) s = { 0 };
    g_auto(Ending) ending = { 0 };

    scene_begin(&s);
    ipc_renderer_close(s.r->renderer);
    start(s.r, "x", "[]", NULL, &ending);
    wait_until(s.f, ending.n);
    assert_error(&ending, IPC_GERROR, IPC_GERROR_MAIN_GONE, "The renderer is closed");
}

/* The window closes when it has its answer, and something else was under way. */
static void test_renderer_goes_in_callback(void)
{
    g_auto(Scene) s = { 0 };
    g_auto(Ending) ending = { 0 }, pending = { 0 };

    scene_begin(&s);
    answer(s.f, "x", "1");
    keep(s.f, "slow");
    ending.drop = s.r->renderer;
    start(s.r, "slow", "[]", NULL, &pending);
    start(s.r, "x", "[]", NULL, &ending);
    s.r->renderer = NULL;
    wait_until(s.f, ending.n && pending.n);
    assert_result(&ending, "1");
    assert_error(&pending, IPC_GERROR, IPC_GERROR_CANCELLED, NULL);
}

/* ---- finishing ---- */

static void on_other(GObject *source, GAsyncResult *result, gpointer userdata)
{
    (void)source;
    *(GAsyncResult **)userdata = g_object_ref(result);
}

static void assert_no_result(ipc_renderer *renderer, GAsyncResult *result, const char *message)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(ipc_renderer_invoke_finish(renderer, result, &error));
    g_assert_error(error, IPC_GERROR, IPC_GERROR_INVALID_ARGS);
    g_assert_cmpstr(error->message, ==, message);
}

static void test_finish_misused(void)
{
    g_autoptr(GTask) other = g_task_new(NULL, NULL, NULL, NULL);
    g_autoptr(GAsyncResult) result = NULL;
    g_auto(Scene) s = { 0 };
    json_t *value;

    scene_begin(&s);
    answer(s.f, "x", "1");
    ipc_renderer_invoke_async(s.r->renderer, "x", NULL, NULL, on_other, &result);
    wait_until(s.f, result);
    assert_no_result(NULL, NULL, "This is not the result of an invoke");
    assert_no_result(NULL, G_ASYNC_RESULT(other), "This is not the result of an invoke");
    assert_no_result((ipc_renderer *)other, result, "The result of this invoke is another renderer's");
    value = ipc_renderer_invoke_finish(s.r->renderer, result, NULL);
    g_assert_cmpint(json_integer_value(value), ==, 1);
    json_decref(value);
    assert_no_result(s.r->renderer, result, "The result of this invoke has been taken");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/glib-invoke/result", test_result);
    g_test_add_func("/glib-invoke/nobody-cares", test_nobody_cares);
    g_test_add_func("/glib-invoke/format", test_format);
    add_story("/glib-invoke/error", test_error);
    g_test_add_func("/glib-invoke/foreign-errors", test_foreign_errors);
    g_test_add_func("/glib-invoke/codes", test_codes);
    add_story("/glib-invoke/no-handler", test_no_handler);
    add_story("/glib-invoke/timeout", test_timeout);
    add_story("/glib-invoke/main-dies", test_main_dies);
    g_test_add_func("/glib-invoke/refused", test_refused);
    add_story("/glib-invoke/cancelled-before", test_cancelled_before);
    add_story("/glib-invoke/cancelled", test_cancelled);
    add_story("/glib-invoke/cancelled-by-a-thread", test_cancelled_by_a_thread);
    add_story("/glib-invoke/cancelled-after", test_cancelled_after);
    add_story("/glib-invoke/renderer-goes", test_renderer_goes);
    add_story("/glib-invoke/closed", test_closed);
    add_story("/glib-invoke/renderer-goes-in-callback", test_renderer_goes_in_callback);
    g_test_add_func("/glib-invoke/finish-misused", test_finish_misused);
    return g_test_run();
}
