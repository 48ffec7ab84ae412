/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "fixture-renderer.h"

/* Webviews: a renderer that embeds another one. */

/* ---- a host's view of its guest ---- */

typedef struct View {
    Client *host;
    ipc_webview *webview;
    Diary *diary;
} View;

static void on_state(ipc_webview *webview, ipc_webview_state state, const ipc_error *error, void *userdata)
{
    static const char *const words[] = { "preparing", "waiting", "attached", "detached" };
    View *view = userdata;

    g_assert_true(state == IPC_WEBVIEW_DETACHED || !error);
    g_assert_cmpint(ipc_webview_get_state(webview), ==, state);
    if (error)
        diary_write(view->diary, "%s:%s", words[state], error_word(error));
    else
        diary_write(view->diary, "%s", words[state]);
}

static void on_message(ipc_event *event, json_t *args, void *userdata)
{
    g_autofree char *text = json_text(args);
    View *view = userdata;

    diary_write(view->diary, "%s:%s", ipc_event_get_channel(event), text);
}

static void view_open(View *view, Client *host, Diary *d)
{
    *view = (View){ .host = host, .diary = d };
    must(ipc_webview_new(&view->webview, host->renderer));
    must(ipc_webview_on_state(view->webview, NULL, on_state, view));
    must(ipc_webview_on_message(view->webview, NULL, on_message, view));
}

static void view_close(View *view)
{
    view->webview = ipc_webview_unref(view->webview);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(View, view_close)

static const char *token_of(const View *view)
{
    const char *token;

    must(ipc_webview_get_token(view->webview, &token));
    return token;
}

/* A renderer that has a token, and has not used it yet. */
static Client *guest_make(Fixture *f, const char *token)
{
    Client *guest = renderer_make(f);

    must(ipc_renderer_set_guest_token(guest->renderer, token));
    return guest;
}

static Client *guest_attach(Fixture *f, View *view)
{
    Client *guest;

    wait_until(f, ipc_webview_get_state(view->webview) == IPC_WEBVIEW_WAITING);
    guest = guest_make(f, token_of(view));
    await_state(guest, IPC_RENDERER_READY);
    wait_until(f, ipc_webview_get_state(view->webview) == IPC_WEBVIEW_ATTACHED);
    return guest;
}

/* ---- coming ---- */

static void test_states(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };
    const char *token = NULL;
    Client *guest;

    view_open(&view, renderer_new(f), d);
    g_assert_cmpint(ipc_webview_get_state(view.webview), ==, IPC_WEBVIEW_PREPARING);
    must_fail(ipc_webview_get_token(view.webview, &token), EAGAIN);
    expect_diary(f, d, "waiting");
    g_assert_cmpuint(strlen(token_of(&view)), ==, 32);
    g_assert_cmpuint(strspn(token_of(&view), "0123456789abcdef"), ==, 32);
    g_assert_cmpuint(ipc_webview_get_id(view.webview), ==, 0);
    must_fail(ipc_webview_send(view.webview, "x", NULL), ENOTCONN);
    guest = guest_attach(f, &view);
    expect_diary(f, d, "attached");
    g_assert_cmpuint(ipc_webview_get_id(view.webview), ==, client_id(guest));
    g_assert_true(ipc_web_contents_get_host(contents_of(guest)) == contents_of(view.host));
}

/* It needs a registered host, and waits for that. */
static void test_made_before_ready(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };

    view_open(&view, renderer_make(f), d);
    guest_attach(f, &view);
    expect_diary(f, d, "waiting attached");
}

static void test_two_webviews(void)
{
    g_autoptr(Diary) d1 = diary_new(), d2 = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) first = { 0 }, second = { 0 };
    Client *host = renderer_new(f), *a, *b;

    view_open(&first, host, d1);
    view_open(&second, host, d2);
    b = guest_attach(f, &second);
    a = guest_attach(f, &first);
    expect_diary(f, d1, "waiting attached");
    expect_diary(f, d2, "waiting attached");
    g_assert_cmpuint(ipc_webview_get_id(first.webview), ==, client_id(a));
    must(ipc_renderer_send_to_hostf(b->renderer, "x", "i", 2));
    must(ipc_renderer_send_to_hostf(a->renderer, "x", "i", 1));
    expect_diary(f, d1, "x:[1]");
    expect_diary(f, d2, "x:[2]");
}

/* A guest may be a host itself. */
static void test_guest_of_a_guest(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) outer = { 0 }, inner = { 0 };
    Client *guest, *innermost;

    view_open(&outer, renderer_new(f), d);
    guest = guest_attach(f, &outer);
    view_open(&inner, guest, d);
    innermost = guest_attach(f, &inner);
    expect_diary(f, d, "waiting attached waiting attached");
    must(ipc_renderer_send_to_hostf(innermost->renderer, "x", NULL));
    expect_diary(f, d, "x:[]");
    leave(guest);
    view_close(&inner);
    expect_diary(f, d, "detached");
}

/* ---- messages ---- */

static void test_messages(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };
    Client *host = renderer_new(f), *guest;
    _cleanup_json_ json_t *args = json_from("[{\"k\": 1}]");

    view_open(&view, host, d);
    guest = guest_attach(f, &view);
    expect_diary(f, d, "waiting attached");
    must(ipc_webview_sendf(view.webview, "down", "i", 1));
    expect_message(guest, "down", "[1]", client_id(host));
    must(ipc_webview_send(view.webview, "down", args));
    expect_message(guest, "down", "[{\"k\": 1}]", client_id(host));
    must(ipc_renderer_send_to_host(guest->renderer, "up", args));
    must(ipc_renderer_send_to_hostf(guest->renderer, "up", "s", "two"));
    expect_diary(f, d, "up:[{\"k\":1}] up:[\"two\"]");
    expect_silence(host); /* its own listeners do not hear its guest */
}

static void on_ask(ipc_event *event, json_t *args, void *userdata)
{
    (void)args, (void)userdata;
    g_assert_cmpuint(ipc_event_get_sender_id(event), ==, 2);
    must(ipc_event_replyf(event, "reply", "i", 1));
}

static void test_reply_to_guest(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };
    Client *host = renderer_new(f), *guest;

    view_open(&view, host, d);
    must(ipc_webview_on_message(view.webview, NULL, on_ask, NULL));
    guest = guest_attach(f, &view);
    must(ipc_renderer_send_to_hostf(guest->renderer, "ask", NULL));
    expect_message(guest, "reply", "[1]", client_id(host));
}

/* Who is no guest is not told, and nothing comes of it. */
static void test_send_to_host_without_host(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };
    Client *host = renderer_new(f), *other = renderer_new(f);

    view_open(&view, host, d);
    must(ipc_renderer_send_to_hostf(other->renderer, "x", NULL));
    expect_silence(other);
    expect_diary(f, d, "waiting");
}

/* ---- tokens ---- */

static void test_token_is_good_once(void)
{
    g_autoptr(Diary) d = diary_new(), states = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };
    Client *late;

    view_open(&view, renderer_new(f), d);
    guest_attach(f, &view);
    late = guest_make(f, token_of(&view));
    note_states(states, late);
    assert_rejected(invoke(late, "x", "[]"), IPC_ERROR_INVALID_TOKEN, NULL);
    expect_diary(f, states, "gone:InvalidToken");
    expect_diary(f, d, "waiting attached");
    assert_rejected(invoke(late, "x", "[]"), IPC_ERROR_INVALID_TOKEN, NULL); /* trying again does not help */
    expect_diary(f, states, "connecting gone:InvalidToken");
}

static void test_invented_token(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = guest_make(f, "00000000000000000000000000000000");

    note_states(d, r);
    await_state(r, IPC_RENDERER_GONE);
    expect_diary(f, d, "gone:InvalidToken");
}

/* The host went before its guest came. */
static void test_token_of_a_host_that_went(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };
    Client *guest;

    view_open(&view, renderer_new(f), d);
    expect_diary(f, d, "waiting");
    guest = guest_make(f, token_of(&view));
    freeze(guest);
    ipc_renderer_close(view.host->renderer);
    assert_diary(d, "detached");
    settle(f);
    thaw(guest);
    await_state(guest, IPC_RENDERER_GONE);
}

static void test_too_many_tokens(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    View views[IPC_GUEST_TOKENS_MAX + 1];
    Client *host = renderer_new(f);
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(views); i++)
        view_open(&views[i], host, d);
    wait_until(f, ipc_webview_get_state(views[IPC_GUEST_TOKENS_MAX].webview) == IPC_WEBVIEW_DETACHED);
    g_assert_true(g_str_has_suffix(d->words->str, "waiting detached:LimitsExceeded"));
    for (i = 0; i < G_N_ELEMENTS(views); i++)
        view_close(&views[i]);
}

/* ---- going ---- */

static void test_guest_leaves(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };
    const char *token;

    view_open(&view, renderer_new(f), d);
    leave(guest_attach(f, &view));
    expect_diary(f, d, "waiting attached detached");
    g_assert_cmpuint(ipc_webview_get_id(view.webview), ==, 0);
    must_fail(ipc_webview_send(view.webview, "x", NULL), ENOTCONN);
    must(ipc_webview_get_token(view.webview, &token));
}

static void test_guest_dies(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };

    view_open(&view, renderer_new(f), d);
    vanish(guest_attach(f, &view));
    expect_diary(f, d, "waiting attached detached");
}

static void test_host_dies(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };
    Client *guest;

    view_open(&view, renderer_new(f), d);
    guest = guest_attach(f, &view);
    view_close(&view);
    vanish(view.host);
    settle(f);
    g_assert_null(ipc_web_contents_get_host(contents_of(guest)));
    must(ipc_renderer_send_to_hostf(guest->renderer, "x", NULL));
    answer(f, "alive", "1");
    assert_resolved(invoke(guest, "alive", "[]"), "1");
}

static void test_host_closes(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) waiting = { 0 }, attached = { 0 };
    ipc_webview *webview = NULL;
    Client *host = renderer_new(f);

    view_open(&attached, host, d);
    guest_attach(f, &attached);
    view_open(&waiting, host, d);
    expect_diary(f, d, "waiting attached waiting");
    ipc_renderer_close(host->renderer);
    assert_diary(d, "detached detached");
    must_fail(ipc_webview_send(attached.webview, "x", NULL), ENOTCONN);
    must_fail(ipc_webview_new(&webview, host->renderer), ENOTCONN);
}

static void test_main_restarts(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) attached = { 0 }, waiting = { 0 }, next = { 0 };
    Client *host = renderer_new(f), *guest;

    view_open(&attached, host, d);
    guest = guest_attach(f, &attached);
    view_open(&waiting, host, d);
    expect_diary(f, d, "waiting attached waiting");
    main_vanish(f);
    await_state(host, IPC_RENDERER_GONE);
    expect_diary(f, d, "detached:MainGone detached:MainGone");
    must_fail(ipc_webview_send(attached.webview, "x", NULL), ENOTCONN);
    main_return(f);
    await_state(host, IPC_RENDERER_READY);
    await_state(guest, IPC_RENDERER_READY);
    view_open(&next, host, d);
    guest_attach(f, &next);
    expect_diary(f, d, "waiting attached");
}

/* The end of main is told once, also of a webview that has no token yet. */
static void test_main_vanishes_while_preparing(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };
    const char *token;

    main_freeze(f);
    view_open(&view, renderer_make(f), d);
    settle(f);
    main_vanish(f);
    expect_diary(f, d, "detached:MainGone");
    must_fail(ipc_webview_get_token(view.webview, &token), ENOTCONN);
}

static void test_main_vanishes_while_it_makes_the_token(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };
    Client *host = renderer_new(f);

    main_freeze(f);
    view_open(&view, host, d);
    settle(f);
    main_vanish(f);
    expect_diary(f, d, "detached:MainGone");
}

/* A main that leaves in good order answers once more: what it makes then is of no use. */
static void test_main_stops_while_it_makes_the_token(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };
    Client *host = renderer_new(f);

    main_freeze(f);
    view_open(&view, host, d);
    settle(f);
    main_stop(f);
    await_state(host, IPC_RENDERER_GONE);
    settle(f);
    g_assert_cmpint(ipc_webview_get_state(view.webview), ==, IPC_WEBVIEW_DETACHED);
    g_assert_true(g_str_has_suffix(d->words->str, "detached:MainGone"));
}

static void test_no_main(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    g_auto(View) view = { 0 };

    view_open(&view, renderer_make(f), d);
    expect_diary(f, d, "detached:MainGone");
}

static void test_bus_dies(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };

    view_open(&view, renderer_new(f), d);
    guest_attach(f, &view);
    expect_diary(f, d, "waiting attached");
    bus_kill(f->bus);
    wait_until(f, d->words->len > 0);
    assert_diary(d, "detached:MainGone");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/webview/states", test_states);
    add_story("/webview/made-before-ready", test_made_before_ready);
    add_story("/webview/two-webviews", test_two_webviews);
    add_story("/webview/guest-of-a-guest", test_guest_of_a_guest);
    add_story("/webview/messages", test_messages);
    add_story("/webview/reply-to-guest", test_reply_to_guest);
    add_story("/webview/send-to-host-without-host", test_send_to_host_without_host);
    add_story("/webview/token-is-good-once", test_token_is_good_once);
    add_story("/webview/invented-token", test_invented_token);
    add_story("/webview/token-of-a-host-that-went", test_token_of_a_host_that_went);
    add_story("/webview/too-many-tokens", test_too_many_tokens);
    add_story("/webview/guest-leaves", test_guest_leaves);
    add_story("/webview/guest-dies", test_guest_dies);
    add_story("/webview/host-dies", test_host_dies);
    add_story("/webview/host-closes", test_host_closes);
    add_story("/webview/main-restarts", test_main_restarts);
    add_story("/webview/main-vanishes-while-preparing", test_main_vanishes_while_preparing);
    add_story("/webview/main-vanishes-while-it-makes-the-token", test_main_vanishes_while_it_makes_the_token);
    add_story("/webview/main-stops-while-it-makes-the-token", test_main_stops_while_it_makes_the_token);
    add_story("/webview/no-main", test_no_main);
    add_story("/webview/bus-dies", test_bus_dies);
    return g_test_run();
}
