/* SPDX-License-Identifier: MIT */
#include "memory-story.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <stdarg.h>
#include <unistd.h>

#include "text.h"

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

void memory_fail_next(bool by_library, unsigned *n)
{
    is_of_library = by_library;
    has_failed = false;
    countdown = ++*n;
}

bool memory_recover(void)
{
    countdown = 0;
    return has_failed;
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

void on_end(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata)
{
    Ending *ending = userdata;

    (void)renderer;
    g_assert_true(!result != !error);
    ending->n++;
    ending->is_timeout = ipc_error_is(error, IPC_ERROR_TIMEOUT);
}

void await_end(Stage *s, const Ending *ending)
{
    wait_until(s->fixture, ending->n > 0);
    settle(s->fixture);
    g_assert_cmpuint(ending->n, ==, 1);
    g_assert_false(ending->is_timeout);
}

bool is_done(int r)
{
    g_assert_true(r >= 0 || r == -ENOMEM || r == -EINVAL);
    return r >= 0;
}

int on_echo(ipc_invocation *invocation, json_t *args, void *userdata)
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

Client *stage_make_renderer(const Stage *s)
{
    Client *r = renderer_make(s->fixture);

    must(ipc_renderer_set_flags(r->renderer, s->has_lanes ? IPC_RENDERER_LANE : 0));
    return r;
}

Client *stage_new_renderer(const Stage *s)
{
    Client *r = stage_make_renderer(s);

    await_state(r, IPC_RENDERER_READY);
    return r;
}

/* A port goes on to the renderer that has come last. */
static void on_port(ipc_event *event, json_t *args, void *userdata)
{
    const Stage *s = userdata;
    ipc_transfer transfer = { 0 };

    transfer.ports = ipc_event_get_ports(event, &transfer.n_ports);
    if (client_id(s->b) != 0)
        is_done(ipc_web_contents_post_message(contents_of(s->b), "port", json_array_get(args, 0), &transfer));
}

static void stage_add_guest(Stage *s)
{
    const char *token;

    ipc_webview_unref(s->webview);
    must(ipc_webview_new(&s->webview, s->a->renderer));
    must(ipc_webview_on_message(s->webview, NULL, on_guest, NULL));
    wait_until(s->fixture, ipc_webview_get_token(s->webview, &token) == 0);
    s->b = stage_make_renderer(s);
    must(ipc_renderer_set_guest_token(s->b->renderer, token));
    await_state(s->b, IPC_RENDERER_READY);
    wait_until(s->fixture, ipc_webview_get_state(s->webview) == IPC_WEBVIEW_ATTACHED);
}

json_t *long_args(void)
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

static void stage_open(Stage *s, bool has_lanes)
{
    Fixture *f = fixture_new();

    *s = (Stage){ .fixture = f, .has_lanes = has_lanes, .foreign = foreign_new(f), .args = long_args() };
    s->a = stage_new_renderer(s);
    must(ipc_main_handle(f->main, NULL, "echo", on_echo, NULL));
    must(ipc_main_handle(f->main, NULL, "fail", on_fail, NULL));
    must(ipc_main_handle(f->main, NULL, "drop", on_drop, NULL));
    must(ipc_main_on(f->main, NULL, "reply-to-me", on_reply, NULL));
    must(ipc_main_on(f->main, NULL, "sync", on_sync, NULL));
    must(ipc_main_on(f->main, NULL, "port", on_port, s));
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

static void forget_heard(Client *c)
{
    g_queue_clear_full(&c->heard, (GDestroyNotify)heard_free);
    g_queue_init(&c->heard);
}

/* With enough memory, all is as before; a lane that broke has been replaced, and with it the guest. */
static void stage_recover(Stage *s)
{
    settle(s->fixture);
    await_state(s->a, IPC_RENDERER_READY);
    await_state(s->b, IPC_RENDERER_READY);
    if (ipc_webview_get_state(s->webview) != IPC_WEBVIEW_ATTACHED)
        stage_add_guest(s);
    assert_resolved(invoke(s->a, "echo", "[1]"), "[1]");
    send_to(s->a, client_id(s->b), "x", "[2]");
    forget_heard(s->b);
    expect_message(s->b, "x", "[2]", client_id(s->a));
    forget_heard(s->a);
    stage_check_lines(s);
}

static void play(Scene scene, bool by_library, bool has_lanes)
{
    unsigned n = 0;
    bool was_short;
    Stage s;

    stage_open(&s, has_lanes);
    settle(s.fixture);
    do {
        memory_fail_next(by_library, &n);
        scene(&s);
        settle(s.fixture);
        was_short = memory_recover();
        stage_recover(&s);
    } while (was_short);
    g_assert_cmpuint(n, >, 1);
    stage_close(&s);
}

/* ---- programs ---- */

static void play_for_jansson(gconstpointer scene)
{
    play(((const NamedScene *)scene)->scene, false, false);
}

static void play_for_library(gconstpointer scene)
{
    play(((const NamedScene *)scene)->scene, true, false);
}

static void play_for_jansson_by_lane(gconstpointer scene)
{
    play(((const NamedScene *)scene)->scene, false, true);
}

static void play_for_library_by_lane(gconstpointer scene)
{
    play(((const NamedScene *)scene)->scene, true, true);
}

void add_scenes(const char *path, const NamedScene *scenes, size_t n_scenes, bool has_lanes)
{
    size_t i;

    for (i = 0; i < n_scenes; i++) {
        g_autofree char *jansson = g_strconcat(path, "/jansson/", scenes[i].name, NULL);
        g_autofree char *library = g_strconcat(path, "/library/", scenes[i].name, NULL);

        if (scenes[i].has_json)
            g_test_add_data_func(jansson, &scenes[i], has_lanes ? play_for_jansson_by_lane : play_for_jansson);
        g_test_add_data_func(library, &scenes[i], has_lanes ? play_for_library_by_lane : play_for_library);
    }
}

bool memory_init(int *argc, char ***argv)
{
    json_set_alloc_funcs(json_malloc, free);
    g_test_init(argc, argv, NULL);
    if (!g_getenv("IPC_TEST_WRAPPER"))
        return true;
    puts("1..0 # SKIP each allocation of each scene would take hours here; the sanitizers see them all");
    return false;
}
