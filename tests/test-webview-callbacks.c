/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>

#include "fixture-renderer.h"

/* The callbacks of a webview may do anything to it and to its renderer; and what it refuses. */

typedef struct View {
    Client *host;
    ipc_webview *webview;
    ipc_slot *slot;
    Diary *diary;
    ipc_webview_state when; /* act when it is in this state */
    void (*act)(struct View *view);
} View;

static void on_state(ipc_webview *webview, ipc_webview_state state, const ipc_error *error, void *userdata)
{
    static const char *const words[] = { "preparing", "waiting", "attached", "detached" };
    View *view = userdata;

    (void)webview, (void)error;
    diary_write(view->diary, "%s", words[state]);
    if (view->act && view->when == state)
        view->act(view);
}

static void on_message(ipc_event *event, json_t *args, void *userdata)
{
    View *view = userdata;

    (void)args;
    diary_write(view->diary, "%s", ipc_event_get_channel(event));
    if (view->act && view->when == IPC_WEBVIEW_PREPARING)
        view->act(view);
}

static void view_open(View *view, Client *host, Diary *d)
{
    view->host = host;
    view->diary = d;
    must(ipc_webview_new(&view->webview, host->renderer));
    must(ipc_webview_on_state(view->webview, &view->slot, on_state, view));
    must(ipc_webview_on_message(view->webview, NULL, on_message, view));
}

static void view_close(View *view)
{
    view->webview = ipc_webview_unref(view->webview);
    view->slot = ipc_slot_unref(view->slot);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(View, view_close)

static void act_unref(View *view)
{
    view->webview = ipc_webview_unref(view->webview);
}

static void act_drop_slot(View *view)
{
    view->slot = ipc_slot_unref(view->slot);
}

static void act_close(View *view)
{
    ipc_renderer_close(view->host->renderer);
}

static void act_drop_all(View *view)
{
    act_unref(view);
    view->host->renderer = ipc_renderer_unref(view->host->renderer);
}

static Client *guest_start(Fixture *f, View *view)
{
    Client *guest;
    const char *token;

    wait_until(f, ipc_webview_get_token(view->webview, &token) == 0);
    guest = renderer_make(f);
    must(ipc_renderer_set_guest_token(guest->renderer, token));
    await_state(guest, IPC_RENDERER_READY);
    wait_until(f, ipc_webview_get_state(view->webview) != IPC_WEBVIEW_WAITING);
    return guest;
}

/* The host goes on. */
static void assert_alive(Fixture *f, Client *host)
{
    answer(f, "alive", "1");
    assert_resolved(invoke(host, "alive", "[]"), "1");
}

/* ---- in each state ---- */

static void test_unref_when_waiting(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { .when = IPC_WEBVIEW_WAITING, .act = act_unref };
    Client *host = renderer_new(f);

    view_open(&view, host, d);
    expect_diary(f, d, "waiting");
    g_assert_null(view.webview);
    assert_alive(f, host);
}

static void test_unref_when_attached(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { .when = IPC_WEBVIEW_ATTACHED, .act = act_unref };
    Client *host = renderer_new(f), *guest;

    view_open(&view, host, d);
    guest = guest_start(f, &view);
    must(ipc_renderer_send_to_hostf(guest->renderer, "x", NULL));
    leave(guest);
    expect_diary(f, d, "waiting attached");
    assert_alive(f, host);
}

static void test_unref_when_detached(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { .when = IPC_WEBVIEW_DETACHED, .act = act_unref };
    Client *host = renderer_new(f);

    view_open(&view, host, d);
    vanish(guest_start(f, &view));
    expect_diary(f, d, "waiting attached detached");
    assert_alive(f, host);
}

static void test_unref_when_heard(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { .act = act_unref };
    Client *host = renderer_new(f), *guest;

    view_open(&view, host, d);
    guest = guest_start(f, &view);
    freeze(host);
    must(ipc_renderer_send_to_hostf(guest->renderer, "x", NULL));
    must(ipc_renderer_send_to_hostf(guest->renderer, "y", NULL));
    settle(f);
    thaw(host);
    expect_diary(f, d, "waiting attached x");
    assert_alive(f, host);
}

/* Main goes, and so do all of several webviews, one of which takes another one with it. */
static void act_unref_neighbour(View *view)
{
    view[1].webview = ipc_webview_unref(view[1].webview);
    view[-1].webview = ipc_webview_unref(view[-1].webview);
}

static void test_unref_neighbours_when_main_goes(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    View views[3] = { [1] = { .when = IPC_WEBVIEW_DETACHED, .act = act_unref_neighbour } };
    Client *host = renderer_new(f);
    unsigned i;

    for (i = 0; i < 3; i++)
        view_open(&views[i], host, d);
    expect_diary(f, d, "waiting waiting waiting");
    main_vanish(f);
    await_state(host, IPC_RENDERER_GONE);
    settle(f);
    g_assert_true(g_str_has_suffix(d->words->str, "detached"));
    g_assert_cmpint(ipc_webview_get_state(views[1].webview), ==, IPC_WEBVIEW_DETACHED);
    for (i = 0; i < 3; i++)
        view_close(&views[i]);
}

static void act_open_another(View *view)
{
    view[1].act = NULL;
    view_open(&view[1], view->host, view->diary);
}

/* The next webview is one of the next main. */
static void test_open_another_when_main_goes(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    View views[2] = { { .when = IPC_WEBVIEW_DETACHED, .act = act_open_another } };
    Client *host = renderer_new(f);

    view_open(&views[0], host, d);
    expect_diary(f, d, "waiting");
    freeze(host);
    main_vanish(f);
    main_return(f);
    thaw(host);
    expect_diary(f, d, "detached waiting");
    guest_start(f, &views[1]);
    expect_diary(f, d, "attached");
    view_close(&views[0]);
    view_close(&views[1]);
}

static void test_drop_slot(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { .when = IPC_WEBVIEW_WAITING, .act = act_drop_slot };

    view_open(&view, renderer_new(f), d);
    guest_start(f, &view);
    expect_diary(f, d, "waiting");
    g_assert_cmpint(ipc_webview_get_state(view.webview), ==, IPC_WEBVIEW_ATTACHED);
}

static void test_close_when_attached(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { .when = IPC_WEBVIEW_ATTACHED, .act = act_close };

    view_open(&view, renderer_new(f), d);
    guest_start(f, &view);
    expect_diary(f, d, "waiting attached detached");
}

static void test_drop_all_when_attached(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { .when = IPC_WEBVIEW_ATTACHED, .act = act_drop_all };

    view_open(&view, renderer_new(f), d);
    guest_start(f, &view);
    expect_diary(f, d, "waiting attached");
    g_assert_null(ipc_web_contents_from_id(f->app, 1));
}

static void test_drop_all_when_main_goes(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { .when = IPC_WEBVIEW_DETACHED, .act = act_drop_all };

    view_open(&view, renderer_new(f), d);
    expect_diary(f, d, "waiting");
    main_vanish(f);
    expect_diary(f, d, "detached");
}

/* ---- who keeps whom ---- */

static void test_webview_keeps_its_renderer(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };
    Client *host = renderer_new(f), *guest;

    view_open(&view, host, d);
    host->renderer = ipc_renderer_unref(host->renderer);
    guest = guest_start(f, &view);
    must(ipc_webview_sendf(view.webview, "x", NULL));
    expect_message(guest, "x", "[]", 1);
    view_close(&view);
    settle(f);
    g_assert_null(ipc_web_contents_from_id(f->app, 1));
}

static void test_unref_while_preparing(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };
    Client *host = renderer_new(f);

    view_open(&view, host, d);
    view_close(&view);
    expect_diary(f, d, "");
    view_open(&view, host, d);
    freeze(host);
    settle(f); /* the token is there, and not read */
    view_close(&view);
    thaw(host);
    expect_diary(f, d, "");
    assert_alive(f, host);
}

static void test_slot_outlives_webview(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };

    view_open(&view, renderer_new(f), d);
    expect_diary(f, d, "waiting");
    act_unref(&view);
    leave(view.host);
    act_drop_slot(&view);
}

/* ---- misuse ---- */

static void test_null(void)
{
    ipc_webview *webview = NULL;
    ipc_slot *slot = NULL;
    const char *token = NULL;

    must_fail(ipc_webview_new(&webview, NULL), EINVAL);
    g_assert_null(ipc_webview_ref(NULL));
    g_assert_null(ipc_webview_unref(NULL));
    g_assert_cmpint(ipc_webview_get_state(NULL), ==, IPC_WEBVIEW_DETACHED);
    g_assert_cmpuint(ipc_webview_get_id(NULL), ==, 0);
    must_fail(ipc_webview_get_token(NULL, &token), EINVAL);
    must_fail(ipc_webview_on_state(NULL, &slot, on_state, NULL), EINVAL);
    must_fail(ipc_webview_on_message(NULL, &slot, on_message, NULL), EINVAL);
    must_fail(ipc_webview_send(NULL, "x", NULL), EINVAL);
    must_fail(ipc_webview_sendf(NULL, "x", "i", 1), EINVAL);
    g_assert_null(webview);
    g_assert_null(slot);
    g_assert_null(token);
}

static void test_misuse(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_auto(View) view = { 0 };
    _cleanup_json_ json_t *object = json_object();
    Client *host = renderer_new(f), *guest;

    must_fail(ipc_webview_new(NULL, host->renderer), EINVAL);
    view_open(&view, host, d);
    must_fail(ipc_webview_get_token(view.webview, NULL), EINVAL);
    must_fail(ipc_webview_on_state(view.webview, NULL, NULL, NULL), EINVAL);
    must_fail(ipc_webview_on_message(view.webview, NULL, NULL, NULL), EINVAL);
    guest = guest_start(f, &view);
    must_fail(ipc_webview_send(view.webview, NULL, NULL), EINVAL);
    must_fail(ipc_webview_send(view.webview, "", NULL), EINVAL);
    must_fail(ipc_webview_send(view.webview, "x", object), EINVAL);
    must_fail(ipc_webview_sendf(view.webview, "x", "f", NAN), EINVAL);
    expect_silence(guest);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/webview-callbacks/unref-when-waiting", test_unref_when_waiting);
    add_story("/webview-callbacks/unref-when-attached", test_unref_when_attached);
    add_story("/webview-callbacks/unref-when-detached", test_unref_when_detached);
    add_story("/webview-callbacks/unref-when-heard", test_unref_when_heard);
    add_story("/webview-callbacks/unref-neighbours-when-main-goes", test_unref_neighbours_when_main_goes);
    add_story("/webview-callbacks/open-another-when-main-goes", test_open_another_when_main_goes);
    add_story("/webview-callbacks/drop-slot", test_drop_slot);
    add_story("/webview-callbacks/close-when-attached", test_close_when_attached);
    add_story("/webview-callbacks/drop-all-when-attached", test_drop_all_when_attached);
    add_story("/webview-callbacks/drop-all-when-main-goes", test_drop_all_when_main_goes);
    add_story("/webview-callbacks/webview-keeps-its-renderer", test_webview_keeps_its_renderer);
    add_story("/webview-callbacks/unref-while-preparing", test_unref_while_preparing);
    add_story("/webview-callbacks/slot-outlives-webview", test_slot_outlives_webview);
    add_story("/webview-callbacks/null", test_null);
    add_story("/webview-callbacks/misuse", test_misuse);
    return g_test_run();
}
