/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture-renderer.h"
#include "ipc-file.h"
#include "ipc-port.h"

/* Messages with ports and files, between renderers and main, over both transports. */

/* ---- verbs ---- */

/* What came along with the last message is kept here. */
typedef struct Catch {
    Fixture *fixture;
    ipc_event *event; /* NULL: nothing yet */
    json_t *args;
    GString *log;     /* what its ports heard */
} Catch;

static Catch *catch_new(Fixture *f)
{
    Catch *k = g_new0(Catch, 1);

    k->fixture = f;
    k->log = g_string_new(NULL);
    return k;
}

static void catch_clear(Catch *k)
{
    k->event = ipc_event_unref(k->event);
    json_decref(k->args);
    k->args = NULL;
}

static void catch_free(Catch *k)
{
    catch_clear(k);
    g_string_free(k->log, TRUE);
    g_free(k);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Catch, catch_free)

static void on_catch(ipc_event *event, json_t *args, void *userdata)
{
    Catch *k = userdata;

    catch_clear(k);
    k->event = ipc_event_ref(event);
    k->args = json_incref(args);
}

static void expect_caught(Catch *k, const char *args)
{
    json_t *expected = json_from(args);

    wait_until(k->fixture, k->event);
    g_assert_true(json_equal(k->args, expected));
    json_decref(expected);
}

static ipc_port *caught_port(Catch *k)
{
    size_t n;
    ipc_port *const *ports = ipc_event_get_ports(k->event, &n);

    g_assert_cmpuint(n, ==, 1);
    return ports[0];
}

static void on_port_word(ipc_port *port, ipc_event *event, json_t *message, void *userdata)
{
    Catch *k = userdata;

    (void)port, (void)event;
    g_string_append_printf(k->log, "%s%s", k->log->len > 0 ? " " : "", json_string_value(message));
}

static void on_port_close(ipc_port *port, void *userdata)
{
    Catch *k = userdata;

    (void)port;
    g_string_append_printf(k->log, "%sclose", k->log->len > 0 ? " " : "");
}

static void hear_port(Catch *k, ipc_port *port)
{
    must(ipc_port_on_message(port, NULL, on_port_word, k));
    must(ipc_port_on_close(port, NULL, on_port_close, k));
    must(ipc_port_attach_event(port, k->fixture->event, SD_EVENT_PRIORITY_NORMAL));
    must(ipc_port_start(port));
}

static void expect_words(Catch *k, const char *words)
{
    wait_until(k->fixture, k->log->len >= strlen(words));
    g_assert_cmpstr(k->log->str, ==, words);
    g_string_truncate(k->log, 0);
}

static ipc_transfer with_port(ipc_port *const *port)
{
    return (ipc_transfer){ .ports = port, .n_ports = 1 };
}

/* ---- renderer to main and back ---- */

static void test_to_main(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Catch) k = catch_new(f);
    Client *r = renderer_new(f);
    _cleanup_(ipc_port_unrefp) ipc_port *mine = NULL, *yours = NULL;
    ipc_transfer transfer;

    must(ipc_main_on(f->main, NULL, "port", on_catch, k));
    must(ipc_port_new_pair(&mine, &yours));
    must(ipc_port_post_messagef(mine, NULL, "s", "early"));
    transfer = with_port(&yours);
    must(ipc_renderer_post_messagef(r->renderer, "port", &transfer, "{s:i}", "n", 1));
    must_fail(ipc_port_post_messagef(yours, NULL, "s", "x"), ESTALE);
    expect_caught(k, "[{\"n\": 1}]");
    g_assert_cmpuint(ipc_event_get_sender_id(k->event), ==, client_id(r));
    hear_port(k, caught_port(k));
    must(ipc_port_post_messagef(mine, NULL, "s", "late"));
    expect_words(k, "early late");
    ipc_port_close(mine);
    expect_words(k, "close");
}

static void test_to_renderer(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Catch) k = catch_new(f);
    Client *r = renderer_new(f);
    _cleanup_(ipc_port_unrefp) ipc_port *mine = NULL, *yours = NULL;
    ipc_transfer transfer;

    must(ipc_renderer_on(r->renderer, NULL, "port", on_catch, k));
    must(ipc_port_new_pair(&mine, &yours));
    transfer = with_port(&yours);
    must(ipc_web_contents_post_messagef(contents_of(r), "port", &transfer, "s", "here"));
    must_fail(ipc_port_start(yours), ESTALE);
    expect_caught(k, "[\"here\"]");
    g_assert_cmpuint(ipc_event_get_sender_id(k->event), ==, 0);
    hear_port(k, caught_port(k));
    must(ipc_port_post_messagef(mine, NULL, "s", "a"));
    expect_words(k, "a");
}

static void test_values(void)
{
    static const char *const values[] = { "null", "1", "\"text\"", "[1,[2]]", "{\"a\":null}", "\"\\u0000\"" };
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    unsigned i;

    hear(f, "x");
    for (i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *args = g_strdup_printf("[%s]", values[i]);
        _cleanup_json_ json_t *value = json_from(values[i]);

        must(ipc_renderer_post_message(r->renderer, "x", value, NULL));
        expect_heard(f, "x", args, client_id(r));
        must(ipc_web_contents_post_message(contents_of(r), "x", value, NULL));
        expect_message(r, "x", args, 0);
    }
    must(ipc_renderer_post_message(r->renderer, "x", NULL, NULL));
    expect_heard(f, "x", "[null]", client_id(r));
}

static void test_file(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Catch) k = catch_new(f);
    Client *r = renderer_new(f);
    int fd = must(ipc_file_new_from_buffer("binary", 6)), received;
    const void *data;
    size_t size;

    must(ipc_main_on(f->main, NULL, "file", on_catch, k));
    must(ipc_renderer_post_messagef(r->renderer, "file", &(ipc_transfer){ .files = &fd, .n_files = 1 }, NULL));
    close(fd);
    expect_caught(k, "[null]");
    received = must(ipc_event_take_file(k->event, 0));
    must(ipc_file_map(received, &data, &size));
    g_assert_cmpmem(data, size, "binary", 6);
    ipc_file_unmap(data, size);
    close(received);
}

/* What is transferred goes before main is found, too, and keeps its place. */
static void test_before_ready(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Catch) k = catch_new(f);
    Client *r = renderer_make(f);
    _cleanup_(ipc_port_unrefp) ipc_port *mine = NULL, *yours = NULL;
    ipc_transfer transfer;

    hear(f, "one");
    hear(f, "two");
    hear(f, "port");
    must(ipc_main_on(f->main, NULL, "port", on_catch, k));
    must(ipc_port_new_pair(&mine, &yours));
    transfer = with_port(&yours);
    send_message(r, "one", "[]");
    must(ipc_renderer_post_message(r->renderer, "port", NULL, &transfer));
    send_message(r, "two", "[]");
    must_fail(ipc_port_start(yours), ESTALE);
    await_state(r, IPC_RENDERER_READY);
    expect_heard(f, "one", "[]", 1);
    expect_heard(f, "port", "[null]", 1);
    expect_heard(f, "two", "[]", 1);
    hear_port(k, caught_port(k));
    must(ipc_port_post_messagef(mine, NULL, "s", "a"));
    expect_words(k, "a");
}

/* It goes with the event that brought it. */
static void test_nobody_keeps_it(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Catch) k = catch_new(f);
    Client *r = renderer_new(f);
    _cleanup_(ipc_port_unrefp) ipc_port *mine = NULL, *yours = NULL, *others = NULL, *last = NULL;
    ipc_transfer transfer;

    hear(f, "heard");
    must(ipc_port_new_pair(&mine, &yours));
    hear_port(k, mine);
    transfer = with_port(&yours);
    must(ipc_renderer_post_message(r->renderer, "heard", NULL, &transfer));
    expect_words(k, "close");
    must(ipc_port_new_pair(&others, &last));
    hear_port(k, others);
    transfer = with_port(&last);
    must(ipc_renderer_post_message(r->renderer, "unheard", NULL, &transfer));
    expect_words(k, "close");
}

/* ---- renderer to renderer ---- */

static void on_pass_on(ipc_event *event, json_t *args, void *userdata)
{
    Client *to = userdata;
    ipc_transfer transfer = { 0 };

    transfer.ports = ipc_event_get_ports(event, &transfer.n_ports);
    must(ipc_web_contents_post_message(contents_of(to), "port", json_array_get(args, 0), &transfer));
}

/* Main brings two renderers together, and is out of the way: it may go, and they talk on. */
static void test_brokered(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Catch) k = catch_new(f);
    Client *one = renderer_new(f), *two = renderer_new(f);
    _cleanup_(ipc_port_unrefp) ipc_port *mine = NULL, *yours = NULL;
    ipc_transfer transfer;

    must(ipc_main_on(f->main, NULL, "connect", on_pass_on, two));
    must(ipc_renderer_on(two->renderer, NULL, "port", on_catch, k));
    must(ipc_port_new_pair(&mine, &yours));
    transfer = with_port(&yours);
    must(ipc_port_post_messagef(mine, NULL, "s", "before"));
    must(ipc_renderer_post_messagef(one->renderer, "connect", &transfer, "s", "hello"));
    expect_caught(k, "[\"hello\"]");
    hear_port(k, caught_port(k));
    expect_words(k, "before");
    main_vanish(f);
    must(ipc_port_post_messagef(mine, NULL, "s", "after"));
    expect_words(k, "after");
}

static void test_attach_port(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Catch) k = catch_new(f);
    Client *r = renderer_new(f);
    _cleanup_(ipc_port_unrefp) ipc_port *mine = NULL, *yours = NULL;

    must(ipc_port_new_pair(&mine, &yours));
    must(ipc_port_on_message(mine, NULL, on_port_word, k));
    must(ipc_port_on_message(yours, NULL, on_port_word, k));
    must(ipc_app_attach_port(f->app, mine));
    must(ipc_renderer_attach_port(r->renderer, yours));
    must_fail(ipc_app_attach_port(f->app, mine), EBUSY);
    must_fail(ipc_app_attach_port(NULL, mine), EINVAL);
    must_fail(ipc_renderer_attach_port(r->renderer, NULL), EINVAL);
    must(ipc_port_start(mine));
    must(ipc_port_start(yours));
    must(ipc_port_post_messagef(yours, NULL, "s", "to-app"));
    must(ipc_port_post_messagef(mine, NULL, "s", "to-renderer"));
    wait_until(f, k->log->len == strlen("to-app to-renderer"));
    leave(r);
    must_fail(ipc_port_attach_event(mine, f->event, 0), EBUSY);
    must(ipc_port_attach_event(yours, f->event, 0)); /* it has lost its loop with the renderer */
}

/* ---- misuse, and other ends that do not read ---- */

static void test_misuse(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    _cleanup_(ipc_port_unrefp) ipc_port *mine = NULL, *yours = NULL;
    ipc_port *twice[2], *none = NULL;
    ipc_transfer duplicate = { .ports = twice, .n_ports = 2 }, null = { .ports = &none, .n_ports = 1 }, closed;
    ipc_web_contents *contents = contents_of(r);

    must(ipc_port_new_pair(&mine, &yours));
    twice[0] = twice[1] = mine;
    closed = with_port(&yours);
    ipc_port_close(yours);
    hear(f, "x");
    must_fail(ipc_renderer_post_message(NULL, "x", NULL, NULL), EINVAL);
    must_fail(ipc_renderer_post_message(r->renderer, "", NULL, NULL), EINVAL);
    must_fail(ipc_renderer_post_message(r->renderer, "x", NULL, &duplicate), EEXIST);
    must_fail(ipc_renderer_post_message(r->renderer, "x", NULL, &null), EINVAL);
    must_fail(ipc_renderer_post_message(r->renderer, "x", NULL, &closed), ENOTCONN);
    must_fail(ipc_web_contents_post_message(NULL, "x", NULL, NULL), EINVAL);
    must_fail(ipc_web_contents_post_message(contents, NULL, NULL, NULL), EINVAL);
    must_fail(ipc_web_contents_post_message(contents, "x", NULL, &duplicate), EEXIST);
    must_fail(ipc_web_contents_post_message(contents, "x", NULL, &null), EINVAL);
    must_fail(ipc_web_contents_post_message(contents, "x", NULL, &closed), ENOTCONN);
    expect_silence(r);
    g_assert_cmpuint(f->heard.length, ==, 0);
    g_assert_false(ipc_port_is_closed(mine));
    ipc_web_contents_ref(contents);
    leave(r);
    settle(f);
    must_fail(ipc_web_contents_post_message(contents, "x", NULL, NULL), ENOTCONN);
    ipc_web_contents_unref(contents);
}

/* ---- by D-Bus alone ---- */

static void test_anonymous(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Catch) k = catch_new(f);
    Client *c = foreign_new(f);
    int fds[2];

    must(ipc_main_on(f->main, NULL, "port", on_catch, k));
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), ==, 0);
    assert_replied(call(c, "PostMessage", "ssa(sh)", "port", "7", 2, "port", fds[0], "file", STDERR_FILENO), "");
    expect_caught(k, "[7]");
    g_assert_cmpuint(ipc_event_get_sender_id(k->event), ==, 0);
    g_assert_nonnull(caught_port(k));
    close(must(ipc_event_take_file(k->event, 0)));
    close(fds[0]);
    close(fds[1]);
}

static void test_refused(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    int stream[2];

    hear(f, "x");
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream), ==, 0);
    assert_rejected(call(c, "PostMessage", "ssa(sh)", "x", "1", 1, "port", stream[0]), IPC_ERROR_INVALID_ARGS, NULL);
    assert_rejected(call(c, "PostMessage", "ssa(sh)", "x", "1", 1, "port", STDERR_FILENO), IPC_ERROR_INVALID_ARGS,
                    NULL);
    assert_rejected(call(c, "PostMessage", "ssa(sh)", "x", "1", 1, "window", STDERR_FILENO), IPC_ERROR_INVALID_ARGS,
                    NULL);
    assert_rejected(call(c, "PostMessage", "ssa(sh)", "x", "{", 0), IPC_ERROR_INVALID_ARGS, NULL);
    assert_rejected(call(c, "PostMessage", "ssa(sh)", "", "1", 0), IPC_ERROR_INVALID_CHANNEL, NULL);
    g_assert_cmpuint(f->heard.length, ==, 0);
    close(stream[0]);
    close(stream[1]);
}

/* Of this process, which main is a part of. */
static struct rlimit files_limit(rlim_t n_more)
{
    struct rlimit before, limit;
    int next = must(dup(STDERR_FILENO));

    close(next);
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
    limit = before;
    limit.rlim_cur = (rlim_t)next + n_more;
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    return before;
}

#define FOUR_FILES "file", 2, "file", 2, "file", 2, "file", 2

/* The bus drops a connection that has no room for what it is sent. */
static void test_files_run_out(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f), *r = renderer_new(f);
    struct rlimit before = files_limit(200);
    unsigned n = 0;
    Outcome *o;

    answer(f, "add", "3");
    keep_events(f, "port");
    do {
        g_assert_cmpuint(n++, <, 200);
        o = await(call(c, "PostMessage", "ssa(sh)", "port", "1", 1, "file", STDERR_FILENO));
    } while (!o->error.name);
    g_assert_cmpuint(n, >, 50);
    assert_rejected(o, IPC_ERROR_LIMITS_EXCEEDED, "Too many files are open here to take in more of them");
    assert_rejected(call(c, "PostMessage", "ssa(sh)", "port", "1", 16, FOUR_FILES, FOUR_FILES, FOUR_FILES, FOUR_FILES),
                    IPC_ERROR_LIMITS_EXCEEDED, NULL);
    assert_rejected(call_object(c, IPC_MAIN_PATH, IPC_MONITOR_INTERFACE, "Watch", "as", 0), IPC_ERROR_LIMITS_EXCEEDED,
                    NULL);
    assert_rejected(call(foreign_new(f), "PostMessage", "ssa(sh)", "port", "1", 1, "file", STDERR_FILENO),
                    IPC_ERROR_LIMITS_EXCEEDED, "Too many files are open here: call again later");
    assert_resolved(invoke(r, "add", "[1,2]"), "3");

    while (f->kept_events.length > 0)
        ipc_event_unref(g_queue_pop_head(&f->kept_events));
    assert_replied(call(c, "PostMessage", "ssa(sh)", "port", "1", 1, "file", STDERR_FILENO), "");
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
}

/* A large text that waits for a lane keeps its file open; what waits must not take the last ones. */
static void test_texts_take_files(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *other = renderer_new(f), *c = foreign_new(f);
    const size_t size = IPC_INLINE_MAX + 1000;
    g_autofree char *text = g_strnfill(size, ' ');
    struct rlimit before = files_limit(100);
    int result = 0, n;

    text[0] = '[';
    text[size - 1] = ']';
    answer(f, "add", "3");
    keep_events(f, "port");
    freeze(r);
    for (n = 0; n < 400 && result >= 0; n++)
        result = ipc_web_contents_send_text(contents_of(r), "m", text, size);
    g_assert_cmpint(result, ==, is_over_lanes() ? -ENOBUFS : 0);
    await(call(c, "PostMessage", "ssa(sh)", "port", "1", 4, FOUR_FILES));
    assert_resolved(invoke(other, "add", "[1,2]"), "3");
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
    thaw(r);
    for (n -= result < 0; n > 0; n--)
        expect_message(r, "m", "[]", 0);
}

static void test_denied(void)
{
    g_autoptr(Fixture) f = NULL;
    Client *c;

    if (geteuid() != 0) {
        g_test_skip("only root can be someone else");
        return;
    }
    f = fixture_new();
    c = foreign_new_as(f, 65534);
    assert_rejected(call(c, "PostMessage", "ssa(sh)", "x", "1", 0), IPC_ERROR_ACCESS_DENIED, NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/post-message/to-main", test_to_main);
    add_story("/post-message/to-renderer", test_to_renderer);
    add_story("/post-message/values", test_values);
    add_story("/post-message/file", test_file);
    add_story("/post-message/before-ready", test_before_ready);
    add_story("/post-message/nobody-keeps-it", test_nobody_keeps_it);
    add_story("/post-message/brokered", test_brokered);
    add_story("/post-message/attach-port", test_attach_port);
    add_story("/post-message/misuse", test_misuse);
    g_test_add_func("/post-message/anonymous", test_anonymous);
    g_test_add_func("/post-message/refused", test_refused);
    g_test_add_func("/post-message/files-run-out", test_files_run_out);
    add_story("/post-message/texts-take-files", test_texts_take_files);
    g_test_add_func("/post-message/denied", test_denied);
    return g_test_run();
}
