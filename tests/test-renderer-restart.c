/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "fixture-renderer.h"

/* Main goes and comes back, and its renderers get over it. */

static void on_die(ipc_event *event, json_t *args, void *userdata)
{
    (void)event, (void)args, (void)userdata;
    raise(SIGKILL);
}

static GQueue unsettled;

static int on_never(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)args, (void)userdata;
    g_queue_push_tail(&unsettled, ipc_invocation_ref(invocation));
    return 0;
}

static void serve_mortal(ipc_app *app)
{
    ipc_main *m = ipc_app_get_main(app);

    must(ipc_main_on(m, NULL, "die", on_die, NULL));
    must(ipc_main_handle(m, NULL, "never", on_never, NULL));
}

static Fixture *fixture_new_mortal(void)
{
    Fixture *f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });

    main_fork(f, serve_mortal);
    return f;
}

/* ---- deaths ---- */

static void test_killed(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new_mortal();
    Client *r = renderer_new(f);
    g_autoptr(GPtrArray) outcomes = NULL;

    note_states(d, r);
    outcomes = invoke_many(r, "never", 2 * IPC_IN_FLIGHT_MAX);
    settle(f);
    main_end(f, SIGKILL);
    assert_all_rejected(outcomes, IPC_ERROR_MAIN_GONE);
    await_state(r, IPC_RENDERER_GONE);
    g_assert_cmpuint(client_id(r), ==, 0);
    expect_diary(f, d, "gone:MainGone");
    main_return(f);
    await_state(r, IPC_RENDERER_READY);
    g_assert_cmpuint(client_id(r), ==, 1);
    expect_diary(f, d, "connecting ready");
}

static void test_killed_while_send_sync_waits(void)
{
    g_autoptr(Fixture) f = fixture_new_mortal();
    Client *r = renderer_new(f);

    assert_rejected(send_sync(r, "die", "[]"), IPC_ERROR_MAIN_GONE, NULL);
    main_end(f, SIGKILL);
    main_return(f);
    await_state(r, IPC_RENDERER_READY);
}

static void test_listeners_stay(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    must(ipc_renderer_on(r->renderer, NULL, "x", on_note, note_new(d, "on")));
    must(ipc_renderer_once(r->renderer, NULL, "x", on_note, note_new(d, "once")));
    main_vanish(f);
    await_state(r, IPC_RENDERER_GONE);
    main_return(f);
    await_state(r, IPC_RENDERER_READY);
    must(ipc_app_broadcastf(f->app, "x", NULL));
    must(ipc_app_broadcastf(f->app, "x", NULL));
    expect_diary(f, d, "on once on");
}

/* It is a renderer like before: its title is kept, its id is new. */
static void test_title_stays(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *a = renderer_make(f), *b;

    must(ipc_renderer_set_title(a->renderer, "title"));
    await_state(a, IPC_RENDERER_READY);
    main_vanish(f);
    await_state(a, IPC_RENDERER_GONE);
    b = renderer_make(f);
    await_state(b, IPC_RENDERER_GONE);
    main_return(f);
    await_state(b, IPC_RENDERER_READY);
    await_state(a, IPC_RENDERER_READY);
    g_assert_cmpuint(client_id(a), !=, client_id(b));
    g_assert_cmpstr(ipc_web_contents_get_title(contents_of(a)), ==, "title");
}

/* ---- no main ---- */

static void expect_gone(Outcome *o)
{
    assert_rejected(o, IPC_ERROR_MAIN_GONE, NULL);
    g_assert_nonnull(strstr(o->error.message, "'" FIXTURE_NAME "'"));
}

static void test_no_service(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Client *r = renderer_make(f);

    note_states(d, r);
    expect_gone(invoke_start(r, "x", "[]"));
    expect_diary(f, d, "gone:MainGone");
    expect_gone(invoke_start(r, "x", "[]"));
    expect_gone(send_sync(r, "x", "[]"));
    expect_diary(f, d, "connecting gone:MainGone connecting gone:MainGone");
    must(ipc_renderer_sendf(r->renderer, "lost", NULL));
    expect_diary(f, d, "connecting gone:MainGone");
}

static void test_service_appears(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Client *r = renderer_make(f);

    note_states(d, r);
    await_state(r, IPC_RENDERER_GONE);
    main_return(f);
    await_state(r, IPC_RENDERER_READY);
    expect_diary(f, d, "gone:MainGone connecting ready");
    answer(f, "x", "1");
    assert_resolved(invoke(r, "x", "[]"), "1");
}

/* What is sent while it registers again waits for it. */
static void test_sent_in_between(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Outcome *o;

    freeze(r);
    main_vanish(f);
    main_return(f);
    hear(f, "x");
    answer(f, "y", "1");
    while (ipc_renderer_get_state(r->renderer) != IPC_RENDERER_CONNECTING)
        must(ipc_renderer_process(r->renderer));
    send_message(r, "x", "[1]");
    o = invoke_start(r, "y", "[]");
    send_message(r, "x", "[2]");
    thaw(r);
    expect_heard(f, "x", "[1]", 1);
    expect_heard(f, "x", "[2]", 1);
    assert_resolved(o, "1");
}

/* ---- leaving in good order ---- */

/* The name is free, and main still answers what it was asked before. */
static void test_name_released(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Outcome *first, *second;

    note_states(d, r);
    keep(f, "slow");
    first = invoke_start(r, "slow", "[]");
    second = invoke_start(r, "slow", "[]");
    settle(f);
    must(sd_bus_release_name(ipc_app_get_bus(f->app), FIXTURE_NAME));
    await_state(r, IPC_RENDERER_GONE);
    resolve_kept(f, "1");
    resolve_kept(f, "2");
    assert_resolved(first, "1");
    assert_resolved(second, "2");
    expect_diary(f, d, "gone:MainGone");
}

static void test_stopped(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Outcome *kept, *arrived;

    keep(f, "slow");
    answer(f, "fast", "1");
    kept = invoke_start(r, "slow", "[]");
    settle(f);
    main_freeze(f);
    arrived = invoke_start(r, "fast", "[]");
    settle(f);
    main_stop(f);
    assert_resolved(arrived, "1");
    assert_rejected(kept, IPC_ERROR_MAIN_GONE, NULL);
    await_state(r, IPC_RENDERER_GONE);
    main_return(f);
    await_state(r, IPC_RENDERER_READY);
}

/* It registers with a main that is about to leave: the next one must not be missed. */
static void test_stopped_while_registering(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r;

    main_freeze(f);
    r = renderer_make(f);
    settle(f); /* its Register is there */
    main_stop(f);
    await_state(r, IPC_RENDERER_GONE);
    main_return(f);
    await_state(r, IPC_RENDERER_READY);
    g_assert_nonnull(contents_of(r));
}

/* ---- one main after the other ---- */

static void test_quick_succession(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    int i;

    for (i = 0; i < 3; i++) {
        freeze(r);
        main_vanish(f);
        main_return(f);
        main_vanish(f);
        main_return(f);
        thaw(r);
        await_state(r, IPC_RENDERER_READY);
        wait_until(f, ipc_web_contents_from_id(f->app, 1));
        answer(f, "x", "1");
        assert_resolved(invoke(r, "x", "[]"), "1");
    }
}

/* It asks to be next, and so the name never is without an owner. */
static void main_return_as_heir(Fixture *f)
{
    sd_bus *bus = bus_connect(f->bus);
    ipc_app *heir;

    must(sd_bus_request_name(bus, FIXTURE_NAME, SD_BUS_NAME_QUEUE));
    must(ipc_app_new(&heir, bus, FIXTURE_NAME));
    sd_bus_unref(bus);
    must(ipc_app_attach_event(heir, f->event, 0));
    main_vanish(f);
    f->app = heir;
    f->main = ipc_app_get_main(heir);
}

static void test_name_handed_over(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    Outcome *o;

    note_states(d, r);
    keep(f, "slow");
    o = invoke_start(r, "slow", "[]");
    settle(f);
    main_return_as_heir(f);
    assert_rejected(o, IPC_ERROR_MAIN_GONE, NULL);
    expect_diary(f, d, "gone:MainGone connecting ready");
    g_assert_nonnull(contents_of(r));
}

static void test_name_handed_over_while_registering(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r;

    main_freeze(f);
    r = renderer_make(f);
    settle(f);
    freeze(r);
    main_return_as_heir(f);
    thaw(r);
    f->is_main_frozen = false;
    await_state(r, IPC_RENDERER_READY);
    settle(f);
    g_assert_nonnull(contents_of(r));
}

/* ---- guests ---- */

static void on_webview(ipc_webview *webview, ipc_webview_state state, const ipc_error *error, void *userdata)
{
    (void)webview, (void)error;
    *(ipc_webview_state *)userdata = state;
}

static ipc_webview *embed(Fixture *f, Client *host, Client *guest, ipc_webview_state *state)
{
    ipc_webview *webview;
    const char *token;

    must(ipc_webview_new(&webview, host->renderer));
    must(ipc_webview_on_state(webview, NULL, on_webview, state));
    freeze(guest);
    wait_until(f, *state == IPC_WEBVIEW_WAITING);
    must(ipc_webview_get_token(webview, &token));
    must(ipc_renderer_set_guest_token(guest->renderer, token));
    thaw(guest);
    wait_until(f, *state == IPC_WEBVIEW_ATTACHED);
    return webview;
}

/* A token is good once, so a guest comes back as a renderer of its own. */
static void test_guest_comes_back(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *host = renderer_new(f), *guest = renderer_make(f);
    ipc_webview_state state = IPC_WEBVIEW_PREPARING;
    ipc_webview *webview = embed(f, host, guest, &state);

    main_vanish(f);
    wait_until(f, state == IPC_WEBVIEW_DETACHED);
    main_return(f);
    await_state(guest, IPC_RENDERER_READY);
    await_state(host, IPC_RENDERER_READY);
    g_assert_null(ipc_web_contents_get_host(contents_of(guest)));
    ipc_webview_unref(webview);
}

/* ---- ids of another main ---- */

static void on_keep(ipc_event *event, json_t *args, void *userdata)
{
    (void)args;
    *(ipc_event **)userdata = ipc_event_ref(event);
}

/* The id of the sender is that of another renderer by now, who is not to get the reply. */
static void test_reply_to_a_kept_event(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *sender = renderer_new(f), *third;
    ipc_event *event = NULL;

    must(ipc_renderer_on(r->renderer, NULL, "x", on_keep, &event));
    send_to(sender, client_id(r), "x", "[]");
    wait_until(f, event);
    must(ipc_event_replyf(event, "reply", "i", 1));
    expect_message(sender, "reply", "[1]", client_id(r));
    main_vanish(f);
    leave(sender);
    await_state(r, IPC_RENDERER_GONE);
    main_return(f);
    await_state(r, IPC_RENDERER_READY);
    third = renderer_new(f);
    g_assert_cmpuint(client_id(third), ==, ipc_event_get_sender_id(event));
    must_fail(ipc_event_replyf(event, "reply", "i", 2), ENOTCONN);
    expect_silence(third);
    ipc_event_unref(event);
}

/* The same for a guest, when main has gone and nobody has been told yet. */
static void test_send_to_a_lost_guest(void)
{
    g_autoptr(Fixture) f = fixture_new_mortal();
    Client *host = renderer_new(f), *guest = renderer_make(f);
    ipc_webview_state state = IPC_WEBVIEW_PREPARING;
    ipc_webview *webview = embed(f, host, guest, &state);

    assert_rejected(send_sync(host, "die", "[]"), IPC_ERROR_MAIN_GONE, NULL);
    g_assert_cmpint(state, ==, IPC_WEBVIEW_ATTACHED);
    must_fail(ipc_webview_sendf(webview, "x", "i", 1), ENOTCONN);
    wait_until(f, state == IPC_WEBVIEW_DETACHED);
    ipc_webview_unref(webview);
    main_end(f, SIGKILL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/renderer-restart/killed", test_killed);
    add_story("/renderer-restart/killed-while-send-sync-waits", test_killed_while_send_sync_waits);
    add_story("/renderer-restart/listeners-stay", test_listeners_stay);
    add_story("/renderer-restart/title-stays", test_title_stays);
    add_story("/renderer-restart/no-service", test_no_service);
    add_story("/renderer-restart/service-appears", test_service_appears);
    add_story("/renderer-restart/sent-in-between", test_sent_in_between);
    add_story("/renderer-restart/name-released", test_name_released);
    add_story("/renderer-restart/stopped", test_stopped);
    add_story("/renderer-restart/stopped-while-registering", test_stopped_while_registering);
    add_story("/renderer-restart/quick-succession", test_quick_succession);
    add_story("/renderer-restart/name-handed-over", test_name_handed_over);
    add_story("/renderer-restart/name-handed-over-while-registering", test_name_handed_over_while_registering);
    add_story("/renderer-restart/guest-comes-back", test_guest_comes_back);
    add_story("/renderer-restart/reply-to-a-kept-event", test_reply_to_a_kept_event);
    g_test_add_func("/renderer-restart/send-to-a-lost-guest", test_send_to_a_lost_guest);
    return g_test_run();
}
