/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fixture-renderer.h"
#include "ipc-file.h"
#include "ipc-names.h"

/* JSON that is passed on as text. */

static int on_text(ipc_invocation *invocation, const char *text, size_t length, void *userdata)
{
    (void)userdata;
    return ipc_invocation_resolve_text(invocation, text, length);
}

static int on_bad_text(ipc_invocation *invocation, const char *text, size_t length, void *userdata)
{
    (void)text, (void)length, (void)userdata;
    must_fail(ipc_invocation_resolve_text(invocation, NULL, 0), EINVAL);
    must_fail(ipc_invocation_resolve_text(invocation, "1x", 1), EINVAL);
    must(ipc_invocation_resolve_text(invocation, "}{", 2));
    must_fail(ipc_invocation_resolve_text(invocation, "1", 1), EALREADY);
    return 0;
}

static void on_reply_text(ipc_renderer *renderer, const char *text, size_t length, const ipc_error *error,
                          void *userdata)
{
    GString *string = userdata;

    (void)renderer;
    g_string_append(string, error ? error_word(error) : text);
    g_assert_cmpuint(length, ==, text ? strlen(text) : 0);
}

static void expect_reply_text(Client *c, const char *channel, const char *text, const char *expected)
{
    g_autoptr(GString) string = g_string_new(NULL);

    must(ipc_renderer_invoke_text(c->renderer, NULL, channel, text, strlen(text), on_reply_text, string));
    wait_until(c->fixture, string->len > 0);
    g_assert_cmpstr(string->str, ==, expected);
}

static void test_texts(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    g_autofree char *large = g_strnfill(1024 * 1024, ' ');

    memcpy(large, "[1]", 3);
    must(ipc_main_handle_text(f->main, NULL, "text", on_text, NULL));
    must_fail(ipc_main_handle_text(f->main, NULL, "text", on_text, NULL), EEXIST);
    must_fail(ipc_main_handle_text(f->main, NULL, "text", NULL, NULL), EINVAL);
    must(ipc_main_handle_text(f->main, NULL, "bad", on_bad_text, NULL));
    answer(f, "json", "[ 1, 2 ]");
    hear(f, "x");
    expect_reply_text(r, "text", "[ 1 ]", "[ 1 ]");
    expect_reply_text(r, "text", "{ no JSON", "{ no JSON");
    expect_reply_text(r, "text", large, large);
    expect_reply_text(r, "bad", "[]", "}{");
    expect_reply_text(r, "json", "[]", "[1,2]");
    expect_reply_text(r, "json", "{ no JSON", "InvalidArgs");
    expect_reply_text(r, "none", "[]", "NoHandler");
    assert_resolved(invoke(r, "text", "[1,{\"a\":2}]"), "[1,{\"a\":2}]");
    assert_rejected(invoke(r, "bad", "[]"), IPC_ERROR_INVALID_ARGS, NULL);
    must(ipc_renderer_send_text(r->renderer, "x", "[ 7 ]", 5));
    expect_heard(f, "x", "[7]", client_id(r));
    must(ipc_web_contents_send_text(contents_of(r), "x", "[ 8 ]", 5));
    expect_message(r, "x", "[8]", 0);
    must_fail(ipc_renderer_send_text(r->renderer, "x", "[]x", 2), EINVAL);
    must_fail(ipc_renderer_invoke_text(r->renderer, NULL, "", "[]", 2, NULL, NULL), EINVAL);
    must_fail(ipc_web_contents_send_text(contents_of(r), "x", NULL, 0), EINVAL);
}

/* ---- each way a text can go ---- */

typedef struct Received {
    GString *text;
    unsigned n;
    bool is_posted;
    ipc_event *event; /* NULL: none was to be kept */
} Received;

static Received *received_new(void)
{
    Received *received = g_new0(Received, 1);

    received->text = g_string_new(NULL);
    return received;
}

static void received_free(Received *received)
{
    g_string_free(received->text, TRUE);
    ipc_event_unref(received->event);
    g_free(received);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Received, received_free)

static void on_received(ipc_event *event, const char *text, size_t length, void *userdata)
{
    Received *received = userdata;

    g_string_truncate(received->text, 0);
    g_string_append_len(received->text, text, (gssize)length);
    received->n++;
    received->is_posted = ipc_event_is_posted(event);
    ipc_event_unref(received->event);
    received->event = ipc_event_ref(event);
}

static void expect_received(Fixture *f, Received *received, const char *text)
{
    wait_until(f, received->n > 0);
    g_assert_cmpuint(received->n, ==, 1);
    g_assert_cmpuint(received->text->len, ==, strlen(text));
    g_assert_cmpint(memcmp(received->text->str, text, received->text->len), ==, 0);
    received->n = 0;
}

/* An array with much room in it. */
static char *padded(size_t length)
{
    char *text = g_strnfill(length, ' ');

    memcpy(text, "[7,", 3);
    memcpy(text + length - 2, "8]", 2);
    return text;
}

static const size_t lengths[] = { 5, IPC_INLINE_MAX, IPC_INLINE_MAX + 1, 1024 * 1024 };

static void on_forward(ipc_event *event, const char *text, size_t length, void *userdata)
{
    ipc_app *app = userdata;

    (void)event;
    g_assert_cmpint(ipc_app_broadcast_text(app, "forwarded", text, length), >, 0);
}

/* Main hands on what it hears, to those by lanes and those by the bus, and nobody has changed a byte. */
static void test_forwarded(void)
{
    g_autoptr(Received) received = received_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new_deaf(f), *foreign = foreign_new_registered(f);
    size_t i;

    must(ipc_main_on_text(f->main, NULL, "x", on_forward, f->app));
    must(ipc_renderer_on_text(r->renderer, NULL, "forwarded", on_received, received));
    for (i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autofree char *text = padded(lengths[i]);

        must(ipc_renderer_send_text(r->renderer, "x", text, lengths[i]));
        expect_received(f, received, text);
        expect_message(foreign, "forwarded", "[7,8]", 0);
    }
    must(ipc_renderer_send_text(r->renderer, "x", "no JSON", 7));
    expect_received(f, received, "no JSON");
}

static void test_send_to(void)
{
    g_autoptr(Received) received = received_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *other = renderer_new_deaf(f);
    size_t i;

    must(ipc_renderer_on_text(other->renderer, NULL, "x", on_received, received));
    for (i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autofree char *text = padded(lengths[i]);

        must(ipc_renderer_send_to_text(r->renderer, client_id(other), "x", text, lengths[i]));
        expect_received(f, received, text);
    }
    g_assert_cmpuint(ipc_event_get_sender_id(received->event), ==, client_id(r));
    /* Main looks at what goes from one renderer to another. */
    must(ipc_renderer_send_to_text(r->renderer, client_id(other), "x", "no JSON", 7));
    settle(f);
    g_assert_cmpuint(received->n, ==, 0);
    must(ipc_event_reply_text(received->event, "back", "[ 1 ]", 5));
    expect_message(r, "back", "[1]", client_id(other));
}

static void test_reply(void)
{
    g_autoptr(Received) received = received_new(), answer = received_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new_deaf(f);

    must(ipc_main_on_text(f->main, NULL, "x", on_received, received));
    must(ipc_renderer_on_text(r->renderer, NULL, "y", on_received, answer));
    must(ipc_renderer_send_text(r->renderer, "x", "[]", 2));
    expect_received(f, received, "[]");
    must(ipc_event_reply_text(received->event, "y", "[ 1 ]", 5));
    expect_received(f, answer, "[ 1 ]");
    must(ipc_event_reply_text(received->event, "y", "no JSON", 7));
    expect_received(f, answer, "no JSON");
    must(ipc_event_reply_text(answer->event, "x", "[ 2 ]", 5));
    expect_received(f, received, "[ 2 ]");
    must_fail(ipc_event_reply_text(received->event, "", "[]", 2), EINVAL);
    must_fail(ipc_event_reply_text(received->event, "y", NULL, 0), EINVAL);
    must_fail(ipc_event_reply_text(received->event, "y", "[]x", 2), EINVAL);
    must_fail(ipc_event_reply_text(NULL, "y", "[]", 2), EINVAL);
    must_fail(ipc_event_return_text(received->event, "1", 1), EINVAL);
    leave(r);
    settle(f);
    must_fail(ipc_event_reply_text(received->event, "y", "[]", 2), ENOTCONN);
}

/* A posted message goes on with all that came along with it. */
static void on_posted(ipc_event *event, const char *text, size_t length, void *userdata)
{
    Client *to = userdata;
    size_t n_ports, n_files;
    ipc_port *const *ports = ipc_event_get_ports(event, &n_ports);
    const int *files = ipc_event_get_files(event, &n_files);

    g_assert_true(ipc_event_is_posted(event));
    must(ipc_web_contents_post_text(contents_of(to), "y", text, length,
                                    &(ipc_transfer){ .ports = ports, .n_ports = n_ports, .files = files,
                                                     .n_files = n_files }));
}

static void test_posted(void)
{
    g_autoptr(Received) received = received_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *other = renderer_new_deaf(f);
    int fd = ipc_file_new_from_buffer("x", 1);
    ipc_port *one, *two;
    size_t n;

    must(ipc_main_on_text(f->main, NULL, "x", on_posted, other));
    must(ipc_renderer_on_text(other->renderer, NULL, "y", on_received, received));
    must(ipc_port_new_pair(&one, &two));
    must(ipc_renderer_post_text(r->renderer, "x", "{ \"a\": 1 }", 10,
                                &(ipc_transfer){ .ports = &two, .n_ports = 1, .files = &fd, .n_files = 1 }));
    expect_received(f, received, "{ \"a\": 1 }");
    g_assert_true(received->is_posted);
    ipc_event_get_ports(received->event, &n);
    g_assert_cmpuint(n, ==, 1);
    ipc_event_get_files(received->event, &n);
    g_assert_cmpuint(n, ==, 1);
    g_assert_true(ipc_port_is_closed(two));
    must_fail(ipc_renderer_post_text(r->renderer, "x", "{}", 2, &(ipc_transfer){ .ports = &two, .n_ports = 1 }),
              ESTALE);
    must_fail(ipc_web_contents_post_text(contents_of(r), "x", "{}", 2,
                                         &(ipc_transfer){ .ports = &two, .n_ports = 1 }), ESTALE);
    close(fd);
    ipc_port_unref(one);
    ipc_port_unref(two);
}

/* ---- guests ---- */

static ipc_webview *webview_new(Client *host, Client **ret_guest)
{
    ipc_webview *webview;
    const char *token;

    must(ipc_webview_new(&webview, host->renderer));
    must_fail(ipc_webview_send_text(webview, "x", "[]", 2), ENOTCONN);
    wait_until(host->fixture, ipc_webview_get_state(webview) == IPC_WEBVIEW_WAITING);
    must(ipc_webview_get_token(webview, &token));
    *ret_guest = renderer_make(host->fixture);
    must(ipc_renderer_set_guest_token((*ret_guest)->renderer, token));
    wait_until(host->fixture, ipc_webview_get_state(webview) == IPC_WEBVIEW_ATTACHED);
    return webview;
}

static void test_webview(void)
{
    g_autoptr(Received) received = received_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *host = renderer_new(f), *guest;
    ipc_webview *webview = webview_new(host, &guest);
    size_t i;

    must(ipc_webview_on_message_text(webview, NULL, on_received, received));
    for (i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autofree char *text = padded(lengths[i]);

        must(ipc_renderer_send_to_host_text(guest->renderer, "x", text, lengths[i]));
        expect_received(f, received, text);
        must(ipc_webview_send_text(webview, "y", text, lengths[i]));
        expect_message(guest, "y", "[7,8]", client_id(host));
    }
    must(ipc_event_reply_text(received->event, "z", "[ 1 ]", 5));
    expect_message(guest, "z", "[1]", client_id(host));
    must_fail(ipc_webview_send_text(NULL, "x", "[]", 2), EINVAL);
    must_fail(ipc_webview_send_text(webview, "x", "[]x", 2), EINVAL);
    ipc_webview_unref(webview);
}

/* ---- send_sync ---- */

static void on_return(ipc_event *event, const char *text, size_t length, void *userdata)
{
    (void)userdata;
    must_fail(ipc_event_return_text(event, NULL, 0), EINVAL);
    must_fail(ipc_event_return_text(event, "1x", 1), EINVAL);
    must(ipc_event_return_text(event, text, length));
    must_fail(ipc_event_return_text(event, "1", 1), EALREADY);
}

static void serve_sync(ipc_app *app)
{
    must(ipc_main_on_text(ipc_app_get_main(app), NULL, "echo", on_return, NULL));
}

static void expect_sync(Client *c, const char *text)
{
    size_t length = strlen(text), answered;
    char *answer;

    must(ipc_renderer_send_sync_text(c->renderer, "echo", text, length, &answer, &answered, NULL));
    g_assert_cmpuint(answered, ==, length);
    g_assert_cmpint(memcmp(answer, text, length + 1), ==, 0);
    free(answer);
}

static void test_sync(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    ipc_error error = IPC_ERROR_INIT;
    Client *r;
    size_t i, length = 7;
    char *answer = NULL;

    main_fork(f, serve_sync);
    r = renderer_new(f);
    for (i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autofree char *text = padded(lengths[i]);

        expect_sync(r, text);
    }
    expect_sync(r, "no JSON");
    must(ipc_renderer_send_sync_text(r->renderer, "echo", "[]", 2, NULL, NULL, NULL));
    must_fail(ipc_renderer_send_sync_text(r->renderer, "none", "[]", 2, &answer, &length, &error), ENOENT);
    g_assert_true(ipc_error_is(&error, IPC_ERROR_NO_LISTENER));
    ipc_error_clear(&error);
    must_fail(ipc_renderer_send_sync_text(r->renderer, "none", "no JSON", 7, &answer, &length, &error), EINVAL);
    g_assert_true(ipc_error_is(&error, IPC_ERROR_INVALID_ARGS));
    ipc_error_clear(&error);
    must_fail(ipc_renderer_send_sync_text(r->renderer, "echo", "[]x", 2, &answer, &length, &error), EINVAL);
    must_fail(ipc_renderer_send_sync_text(r->renderer, "", "[]", 2, &answer, &length, &error), EINVAL);
    must_fail(ipc_renderer_send_sync_text(NULL, "echo", "[]", 2, &answer, &length, &error), EINVAL);
    g_assert_null(answer);
    g_assert_cmpuint(length, ==, 7);
    g_assert_null(error.name);
    assert_rejected(send_sync(r, "none", "[]"), IPC_ERROR_NO_LISTENER, NULL);
    assert_resolved(send_sync(r, "echo", "[1]"), "[1]");
    ipc_renderer_close(r->renderer);
    must_fail(ipc_renderer_send_sync_text(r->renderer, "echo", "[]", 2, &answer, &length, &error), ENOTCONN);
}

/* ---- what is no text ---- */

/* sd-bus takes strings: it must not make shorter ones of what it is given. By a lane, a NUL is no JSON. */
static void test_nul(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *foreign = foreign_new_registered(f);
    static const char text[] = "[1]\0[2]";
    size_t length = sizeof(text) - 1;

    hear(f, "x");
    if (is_over_lanes())
        must(ipc_renderer_send_text(r->renderer, "x", text, length));
    else
        must_fail(ipc_renderer_send_text(r->renderer, "x", text, length), EINVAL);
    must_fail(ipc_web_contents_send_text(contents_of(foreign), "x", text, length), EINVAL);
    must_fail(ipc_web_contents_post_text(contents_of(foreign), "x", text, length, NULL), EINVAL);
    must_fail(ipc_web_contents_send_text(contents_of(foreign), "x", "[\"\xff\"]", 5), EINVAL);
    send_message(r, "x", "[3]");
    expect_heard(f, "x", "[3]", client_id(r));
}

static void test_misuse(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    ipc_web_contents *contents = contents_of(r);

    must_fail(ipc_renderer_send_to_text(NULL, 1, "x", "[]", 2), EINVAL);
    must_fail(ipc_renderer_send_to_text(r->renderer, 1, "x", NULL, 0), EINVAL);
    must_fail(ipc_renderer_send_to_text(r->renderer, 1, "", "[]", 2), EINVAL);
    must_fail(ipc_renderer_send_to_host_text(NULL, "x", "[]", 2), EINVAL);
    must_fail(ipc_renderer_send_to_host_text(r->renderer, "x", "[]x", 2), EINVAL);
    must_fail(ipc_renderer_post_text(NULL, "x", "1", 1, NULL), EINVAL);
    must_fail(ipc_renderer_post_text(r->renderer, "x", NULL, 0, NULL), EINVAL);
    must_fail(ipc_web_contents_post_text(NULL, "x", "1", 1, NULL), EINVAL);
    must_fail(ipc_web_contents_post_text(contents, "x", "12", 1, NULL), EINVAL);
    must_fail(ipc_app_broadcast_text(NULL, "x", "[]", 2), EINVAL);
    must_fail(ipc_app_broadcast_text(f->app, "x", NULL, 0), EINVAL);
    must_fail(ipc_app_broadcast_text(f->app, NULL, "[]", 2), EINVAL);
    must_fail(ipc_event_return_text(NULL, "1", 1), EINVAL);
}

static void test_too_large(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *foreign = foreign_new_registered(f), *r = renderer_new(f);
    g_autofree char *text = padded(IPC_ARGS_MAX + 1);
    ipc_event *event;

    keep_events(f, "x");
    assert_replied(call(foreign, "Send", "ss", "x", "[]"), "");
    event = take_kept_event(f);
    must_fail(ipc_event_reply_text(event, "x", text, IPC_ARGS_MAX + 1), EMSGSIZE);
    must_fail(ipc_web_contents_post_text(contents_of(foreign), "x", text, IPC_ARGS_MAX + 1, NULL), EMSGSIZE);
    must_fail(ipc_app_broadcast_text(f->app, "x", text, IPC_ARGS_MAX + 1), EMSGSIZE);
    if (!is_over_lanes())
        must_fail(ipc_renderer_post_text(r->renderer, "x", text, IPC_ARGS_MAX + 1, NULL), EMSGSIZE);
    ipc_event_unref(event);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/texts/calls", test_texts);
    add_story("/texts/forwarded", test_forwarded);
    add_story("/texts/send-to", test_send_to);
    add_story("/texts/reply", test_reply);
    add_story("/texts/posted", test_posted);
    add_story("/texts/webview", test_webview);
    add_story("/texts/sync", test_sync);
    add_story("/texts/nul", test_nul);
    add_story("/texts/misuse", test_misuse);
    add_story("/texts/too-large", test_too_large);
    return g_test_run();
}
