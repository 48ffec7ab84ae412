/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture-renderer.h"
#include "text.h"

/*
 * Out of memory, at each place where it can happen: a scene is played over and over, and the first, the second, the
 * third ... allocation fails, until there are no more. Whatever happens then, nothing crashes, leaks or hangs: a call
 * tells, or settles with an error, and what follows works.
 *
 * This program is linked with the library's objects, so that the linker can wrap what they allocate with.
 */

static bool is_of_library; /* whose allocations fail: the library's own, or jansson's */
static unsigned countdown; /* allocations until one fails; 0: none does */
static bool has_failed;

static bool is_next_to_fail(bool by_library)
{
    if (by_library != is_of_library || countdown == 0 || --countdown > 0)
        return false;
    has_failed = true;
    return true;
}

/* ---- allocating ---- */

void *__real_calloc(size_t n, size_t size);
void *__real_malloc(size_t size);
void *__real_realloc(void *pointer, size_t size);
char *__real_strdup(const char *string);
int __real_vasprintf(char **ret, const char *format, va_list arguments);

void *__wrap_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *pointer, size_t size);
char *__wrap_strdup(const char *string);
int __wrap_vasprintf(char **ret, const char *format, va_list arguments);
int __wrap___vasprintf_chk(char **ret, int flag, const char *format, va_list arguments);
int __wrap_asprintf(char **ret, const char *format, ...) G_GNUC_PRINTF(2, 3);
int __wrap___asprintf_chk(char **ret, int flag, const char *format, ...) G_GNUC_PRINTF(3, 4);

void *__wrap_calloc(size_t n, size_t size)
{
    return is_next_to_fail(true) ? NULL : __real_calloc(n, size);
}

void *__wrap_malloc(size_t size)
{
    return is_next_to_fail(true) ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *pointer, size_t size)
{
    return is_next_to_fail(true) ? NULL : __real_realloc(pointer, size);
}

char *__wrap_strdup(const char *string)
{
    return is_next_to_fail(true) ? NULL : __real_strdup(string);
}

int __wrap_vasprintf(char **ret, const char *format, va_list arguments)
{
    return is_next_to_fail(true) ? -1 : __real_vasprintf(ret, format, arguments);
}

int __wrap___vasprintf_chk(char **ret, int flag, const char *format, va_list arguments)
{
    (void)flag;
    return __wrap_vasprintf(ret, format, arguments);
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
    va_list arguments;
    int r;

    va_start(arguments, format);
    r = __wrap_vasprintf(ret, format, arguments);
    va_end(arguments);
    return r;
}

int __wrap___asprintf_chk(char **ret, int flag, const char *format, ...)
{
    va_list arguments;
    int r;

    (void)flag;
    va_start(arguments, format);
    r = __wrap_vasprintf(ret, format, arguments);
    va_end(arguments);
    return r;
}

static void *json_malloc(size_t size)
{
    return is_next_to_fail(false) ? NULL : __real_malloc(size);
}

/* ---- the stage: nothing on it allocates while a scene is played, but what is under test ---- */

typedef struct Stage {
    Fixture *fixture;
    Client *a;
    Client *b; /* the guest of a */
    Client *foreign;
    ipc_webview *webview;
    json_t *args;
    int lines; /* of one who watches: what is told is told whole, or missing */
} Stage;

typedef void (*Scene)(Stage *s);

/* How a call ended. */
typedef struct Ending {
    unsigned n;
    bool is_timeout;
} Ending;

static void on_end(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata)
{
    Ending *ending = userdata;

    (void)renderer;
    g_assert_true(!result != !error);
    ending->n++;
    ending->is_timeout = ipc_error_is(error, IPC_ERROR_TIMEOUT);
}

static int on_foreign_end(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Ending *ending = userdata;

    (void)error;
    ending->n++;
    ending->is_timeout = sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY) > 0;
    return 0;
}

static void await_end(Stage *s, const Ending *ending)
{
    wait_until(s->fixture, ending->n > 0);
    settle(s->fixture);
    g_assert_cmpuint(ending->n, ==, 1);
    g_assert_false(ending->is_timeout);
}

/* Done, or refused for want of memory. */
static bool is_done(int r)
{
    g_assert_true(r >= 0 || r == -ENOMEM || r == -EINVAL);
    return r >= 0;
}

static int on_echo(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)userdata;
    return ipc_invocation_resolve(invocation, args);
}

static int on_fail(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)userdata;
    return ipc_invocation_reject(invocation, "com.example.Error.Failed", "It failed", args);
}

static int on_drop(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)invocation, (void)args, (void)userdata;
    return 0;
}

static void on_reply(ipc_event *event, json_t *args, void *userdata)
{
    (void)userdata;
    is_done(ipc_event_reply(event, "reply", args));
}

static void on_sync(ipc_event *event, json_t *args, void *userdata)
{
    (void)userdata;
    is_done(ipc_event_return(event, args));
}

static void on_guest(ipc_event *event, json_t *args, void *userdata)
{
    (void)userdata;
    is_done(ipc_event_reply(event, "reply", args));
}

static void stage_add_guest(Stage *s)
{
    const char *token;

    must(ipc_webview_new(&s->webview, s->a->renderer));
    must(ipc_webview_on_message(s->webview, NULL, on_guest, NULL));
    wait_until(s->fixture, ipc_webview_get_token(s->webview, &token) == 0);
    s->b = renderer_make(s->fixture);
    must(ipc_renderer_set_guest_token(s->b->renderer, token));
    await_state(s->b, IPC_RENDERER_READY);
    wait_until(s->fixture, ipc_webview_get_state(s->webview) == IPC_WEBVIEW_ATTACHED);
}

/* More than the text layer has room for without allocating. */
static json_t *long_args(void)
{
    g_autofree char *filling = g_strnfill(2 * TEXT_FIXED_SIZE, 'x');
    g_autofree char *text = g_strdup_printf("[{\"\u00e4\": \"%s\", \"list\": [1, 0.5, null]}, \"x\"]", filling);

    return json_from(text);
}

static void stage_add_watcher(Stage *s)
{
    int fd;

    assert_replied(call_object(s->foreign, IPC_MAIN_PATH, IPC_MONITOR_INTERFACE, "Watch", "as", 0), "h", &fd);
    s->lines = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    g_assert_true(g_unix_set_fd_nonblocking(s->lines, TRUE, NULL));
}

static void stage_check_lines(Stage *s)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;
    char chunk[4096];
    ssize_t n;
    unsigned i;

    while ((n = read(s->lines, chunk, sizeof(chunk))) > 0)
        g_string_append_len(text, chunk, n);
    lines = g_strsplit(text->str, "\n", -1);
    for (i = 0; lines[i] && lines[i + 1]; i++)
        json_decref(json_from(lines[i]));
    g_assert_cmpstr(lines[0] ? lines[i] : "", ==, "");
}

static void stage_open(Stage *s)
{
    Fixture *f = fixture_new();

    *s = (Stage){ .fixture = f, .a = renderer_new(f), .foreign = foreign_new(f) };
    s->args = long_args();
    must(ipc_main_handle(f->main, NULL, "echo", on_echo, NULL));
    must(ipc_main_handle(f->main, NULL, "fail", on_fail, NULL));
    must(ipc_main_handle(f->main, NULL, "drop", on_drop, NULL));
    must(ipc_main_on(f->main, NULL, "reply-to-me", on_reply, NULL));
    must(ipc_main_on(f->main, NULL, "sync", on_sync, NULL));
    must(ipc_renderer_on(s->a->renderer, NULL, "reply-to-me", on_reply, NULL));
    stage_add_guest(s);
    stage_add_watcher(s);
}

static void stage_close(Stage *s)
{
    close(s->lines);
    ipc_webview_unref(s->webview);
    json_decref(s->args);
    fixture_free(s->fixture);
}

/* With enough memory, all is as before. */
static void stage_recover(Stage *s)
{
    settle(s->fixture);
    assert_resolved(invoke(s->a, "echo", "[1]"), "[1]");
    send_to(s->a, client_id(s->b), "x", "[2]");
    g_queue_clear_full(&s->b->heard, (GDestroyNotify)heard_free);
    g_queue_init(&s->b->heard);
    expect_message(s->b, "x", "[2]", client_id(s->a));
    g_queue_clear_full(&s->a->heard, (GDestroyNotify)heard_free);
    g_queue_init(&s->a->heard);
    stage_check_lines(s);
}

static void play(Scene scene, bool by_library)
{
    unsigned n = 0;
    Stage s;

    stage_open(&s);
    settle(s.fixture);
    is_of_library = by_library;
    do {
        has_failed = false;
        countdown = ++n;
        scene(&s);
        settle(s.fixture);
        countdown = 0;
        stage_recover(&s);
    } while (has_failed);
    g_assert_cmpuint(n, >, 1);
    stage_close(&s);
}

/* ---- scenes ---- */

static void scene_send(Stage *s)
{
    is_done(ipc_renderer_send(s->a->renderer, "nobody", s->args));
    is_done(ipc_renderer_sendf(s->a->renderer, "nobody", "{s:[i, f]}, s", "key", 1, 0.5, "value"));
    is_done(ipc_renderer_send(s->a->renderer, "nobody", NULL));
}

static void scene_reply(Stage *s)
{
    is_done(ipc_renderer_send(s->a->renderer, "reply-to-me", s->args));
    is_done(ipc_renderer_send_to(s->b->renderer, client_id(s->a), "reply-to-me", s->args));
}

static void scene_invoke_channel(Stage *s, const char *channel)
{
    Ending ending = { 0 };

    if (is_done(ipc_renderer_invoke(s->a->renderer, NULL, channel, s->args, on_end, &ending)))
        await_end(s, &ending);
}

static void scene_invoke(Stage *s)
{
    scene_invoke_channel(s, "echo");
}

static void scene_reject(Stage *s)
{
    scene_invoke_channel(s, "fail");
}

static void scene_drop(Stage *s)
{
    scene_invoke_channel(s, "drop");
}

static void scene_no_handler(Stage *s)
{
    scene_invoke_channel(s, "nobody");
}

static void scene_cancel(Stage *s)
{
    _cleanup_slot_ ipc_slot *slot = NULL;
    Ending ending = { 0 };

    if (!is_done(ipc_renderer_invoke(s->a->renderer, &slot, "echo", s->args, on_end, &ending)))
        return;
    is_done(ipc_renderer_cancel(s->a->renderer, slot));
    await_end(s, &ending);
}

/* The caller is foreign, so that main can be in this process. */
static void scene_sync_of_main(Stage *s)
{
    sd_bus_message *message;
    sd_bus_slot *slot;
    Ending ending = { 0 };

    must(sd_bus_message_new_method_call(s->foreign->bus, &message, FIXTURE_NAME, IPC_MAIN_PATH, IPC_MAIN_INTERFACE,
                                        "SendSync"));
    must(sd_bus_message_append(message, "ss", "sync", "[\"x\", {\"key\": [1, 2]}]"));
    must(sd_bus_call_async(s->foreign->bus, &slot, message, on_foreign_end, &ending, (uint64_t)patience()));
    sd_bus_message_unref(message);
    await_end(s, &ending);
    sd_bus_slot_unref(slot);
}

static void scene_broadcast(Stage *s)
{
    is_done(ipc_app_broadcast(s->fixture->app, "news", s->args));
    is_done(ipc_app_broadcastf(s->fixture->app, "news", "{s:i}", "key", 1));
}

static void scene_webview_message(Stage *s)
{
    is_done(ipc_renderer_send_to_host(s->b->renderer, "up", s->args));
    is_done(ipc_webview_send(s->webview, "down", s->args));
}

static void scene_webview(Stage *s)
{
    ipc_webview *webview;

    if (!is_done(ipc_webview_new(&webview, s->a->renderer)))
        return;
    wait_until(s->fixture, ipc_webview_get_state(webview) != IPC_WEBVIEW_PREPARING);
    ipc_webview_unref(webview);
}

/* A renderer comes, calls and goes: it may be refused, but not forgotten. */
static void scene_renderer(Stage *s)
{
    sd_bus *bus = bus_connect(s->fixture->bus);
    ipc_renderer *renderer;
    Ending ending = { 0 };

    if (is_done(ipc_renderer_new(&renderer, bus, FIXTURE_NAME))) {
        is_done(ipc_renderer_set_title(renderer, "t\xc3\xaftle"));
        is_done(ipc_renderer_attach_event(renderer, s->fixture->event, 0));
        if (is_done(ipc_renderer_invoke(renderer, NULL, "echo", s->args, on_end, &ending)))
            await_end(s, &ending);
        ipc_renderer_unref(renderer);
    }
    sd_bus_flush_close_unref(bus);
}

static void on_listen(ipc_event *event, json_t *args, void *userdata)
{
    (void)event, (void)args, (void)userdata;
}

static void scene_listen(Stage *s)
{
    char **names, **name;

    if (is_done(ipc_renderer_on(s->a->renderer, NULL, "\xc3\xa4", on_listen, s)))
        must(ipc_renderer_off(s->a->renderer, "\xc3\xa4", on_listen, s));
    g_assert_cmpint(ipc_renderer_listener_count(s->a->renderer, "\xc3\xa4"), ==, 0);
    if (!is_done(ipc_renderer_channel_names(s->a->renderer, &names)))
        return;
    for (name = names; *name; name++)
        free(*name);
    free(names);
}

static void scene_handle(Stage *s)
{
    ipc_main *m = ipc_web_contents_get_main(contents_of(s->a));

    if (!m)
        return;
    if (is_done(ipc_main_handle(m, NULL, "scoped", on_echo, NULL)))
        must(ipc_main_remove_handler(m, "scoped"));
    if (is_done(ipc_main_on(m, NULL, "scoped", on_listen, NULL)))
        must(ipc_main_off(m, "scoped", on_listen, NULL));
}

/* The policy is the new one or the old one, and nothing between. */
static void scene_policy(Stage *s)
{
    static const char json[] = "{\"default\": \"allow\", \"rules\": [{\"allow\": false, \"uid\": [\"nobody\", 1], "
                               "\"gid\": [\"root\"], \"channels\": [\"x*\"]}], \"limits\": {\"renderers\": 100}}";
    g_autofree char *path = g_build_filename(s->fixture->bus->folder, "policy.json", NULL);
    g_autoptr(GError) error = NULL;
    int r;

    if (!g_file_set_contents(path, json, -1, &error))
        g_error("%s", error->message);
    r = ipc_app_load_policy(s->fixture->app, path, NULL);
    /* jansson may take a word that it has no memory for to be a wrong one. */
    g_assert_true(r == 0 || r == -ENOMEM || r == -EBADMSG);
    g_unlink(path);
}

/* ---- a main in another process, so that the renderer can block ---- */

static void scene_sync_of_renderer(Stage *s)
{
    json_t *result = NULL;
    ipc_error error = IPC_ERROR_INIT;
    int r;

    r = ipc_renderer_send_sync(s->a->renderer, "heard", s->args, &result, &error);
    g_assert_true(r == 0 || r == -ENOMEM || r == -EINVAL);
    g_assert_true((r == 0) == (result != NULL));
    json_decref(result);
    ipc_error_clear(&error);
}

static void play_sync(gconstpointer by_library)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Stage s = { .fixture = f };
    unsigned n = 0;

    main_fork(f, serve_memory);
    s.a = renderer_new(f);
    s.args = long_args();
    is_of_library = by_library != NULL;
    do {
        has_failed = false;
        countdown = ++n;
        scene_sync_of_renderer(&s);
        countdown = 0;
        assert_resolved(send_sync(s.a, "heard", "[]"), "[]");
    } while (has_failed);
    g_assert_cmpuint(n, >, 1);
    json_decref(s.args);
}

static void scene_watch(Stage *s)
{
    Ending ending = { 0 };
    sd_bus_message *message;

    if (!is_done(sd_bus_message_new_method_call(s->foreign->bus, &message, FIXTURE_NAME, IPC_MAIN_PATH,
                                                IPC_MONITOR_INTERFACE, "Watch")))
        return;
    must(sd_bus_message_append(message, "as", 1, "no such channel"));
    must(sd_bus_call_async(s->foreign->bus, NULL, message, on_foreign_end, &ending, (uint64_t)patience()));
    sd_bus_message_unref(message);
    await_end(s, &ending);
}

/* ---- all of them ---- */

static const struct {
    const char *name;
    Scene scene;
    bool has_json; /* jansson allocates in it */
} scenes[] = {
    { "send", scene_send, true },
    { "reply", scene_reply, true },
    { "invoke", scene_invoke, true },
    { "reject", scene_reject, true },
    { "drop", scene_drop, true },
    { "no-handler", scene_no_handler, true },
    { "cancel", scene_cancel, true },
    { "sync-of-main", scene_sync_of_main, true },
    { "broadcast", scene_broadcast, true },
    { "webview-message", scene_webview_message, true },
    { "webview", scene_webview, false },
    { "renderer", scene_renderer, true },
    { "listen", scene_listen, true },
    { "handle", scene_handle, false },
    { "policy", scene_policy, true },
    { "watch", scene_watch, false },
};

static void play_for_jansson(gconstpointer scene)
{
    play(*(const Scene *)scene, false);
}

static void play_for_library(gconstpointer scene)
{
    play(*(const Scene *)scene, true);
}

int main(int argc, char **argv)
{
    size_t i;

    json_set_alloc_funcs(json_malloc, free);
    g_test_init(&argc, &argv, NULL);
    if (g_getenv("IPC_TEST_WRAPPER")) {
        puts("1..0 # SKIP each allocation of each scene would take hours here; the sanitizers see them all");
        return 0;
    }
    for (i = 0; i < G_N_ELEMENTS(scenes); i++) {
        g_autofree char *jansson = g_strconcat("/memory/jansson/", scenes[i].name, NULL);
        g_autofree char *library = g_strconcat("/memory/library/", scenes[i].name, NULL);

        if (scenes[i].has_json)
            g_test_add_data_func(jansson, &scenes[i].scene, play_for_jansson);
        g_test_add_data_func(library, &scenes[i].scene, play_for_library);
    }
    g_test_add_data_func("/memory/jansson/sync-of-renderer", NULL, play_sync);
    g_test_add_data_func("/memory/library/sync-of-renderer", main, play_sync);
    return g_test_run();
}
