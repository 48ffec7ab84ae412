/* SPDX-License-Identifier: MIT */
#include "memory-scenes.h"

#include <errno.h>

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
        must(ipc_renderer_set_flags(renderer, s->has_lanes ? IPC_RENDERER_LANE : 0));
        is_done(ipc_renderer_attach_event(renderer, s->fixture->event, 0));
        if (is_done(ipc_renderer_invoke(renderer, NULL, "echo", s->args, on_end, &ending)))
            await_end(s, &ending);
        ipc_renderer_unref(renderer);
    }
    sd_bus_flush_close_unref(bus);
}

/* The end that went away closes in the end, wherever it was lost. */
static void await_loss(Stage *s, ipc_port *port)
{
    wait_until(s->fixture, ipc_port_is_closed(port));
}

static void scene_port(Stage *s)
{
    ipc_port *one, *other;
    bool is_heard;

    if (!is_done(ipc_port_new_pair(&one, &other)))
        return;
    is_heard = is_done(ipc_port_attach_event(one, s->fixture->event, 0)) && is_done(ipc_port_start(one));
    is_done(ipc_port_post_message(one, s->args, NULL));
    is_done(ipc_renderer_post_message(s->a->renderer, "port", s->args,
                                      &(ipc_transfer){ .ports = &other, .n_ports = 1 }));
    ipc_port_unref(other);
    if (is_heard)
        await_loss(s, one);
    ipc_port_unref(one);
}

const NamedScene memory_scenes[N_MEMORY_SCENES] = {
    { "send", scene_send, true },
    { "reply", scene_reply, true },
    { "invoke", scene_invoke, true },
    { "reject", scene_reject, true },
    { "drop", scene_drop, true },
    { "no-handler", scene_no_handler, true },
    { "cancel", scene_cancel, true },
    { "broadcast", scene_broadcast, true },
    { "webview-message", scene_webview_message, true },
    { "webview", scene_webview, false },
    { "renderer", scene_renderer, true },
    { "port", scene_port, true },
};

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

static void play_sync(bool by_library, bool has_lanes)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Stage s = { .fixture = f, .has_lanes = has_lanes };
    unsigned n = 0;
    bool was_short;

    main_fork(f, serve_memory);
    s.a = stage_new_renderer(&s);
    s.args = long_args();
    do {
        memory_fail_next(by_library, &n);
        scene_sync_of_renderer(&s);
        was_short = memory_recover();
        await_state(s.a, IPC_RENDERER_READY);
        assert_resolved(send_sync(s.a, "heard", "[]"), "[]");
    } while (was_short);
    g_assert_cmpuint(n, >, 1);
    json_decref(s.args);
}

static void play_sync_for_jansson(gconstpointer has_lanes)
{
    play_sync(false, has_lanes != NULL);
}

static void play_sync_for_library(gconstpointer has_lanes)
{
    play_sync(true, has_lanes != NULL);
}

void add_sync_scenes(const char *path, bool has_lanes)
{
    g_autofree char *jansson = g_strconcat(path, "/jansson/sync-of-renderer", NULL);
    g_autofree char *library = g_strconcat(path, "/library/sync-of-renderer", NULL);

    g_test_add_data_func(jansson, has_lanes ? path : NULL, play_sync_for_jansson);
    g_test_add_data_func(library, has_lanes ? path : NULL, play_sync_for_library);
}
