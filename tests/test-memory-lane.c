/* SPDX-License-Identifier: MIT */
#include "memory-scenes.h"

/* Out of memory in what is done by lanes. */

/* It travels in a file. */
static void scene_large(Stage *s)
{
    Ending ending = { 0 };
    g_autofree char *text = g_strnfill(IPC_INLINE_MAX + 100, 'x');

    if (is_done(ipc_renderer_invokef(s->a->renderer, NULL, "echo", on_end, &ending, "s", text)))
        await_end(s, &ending);
}

/* A lane that has broken is replaced, or else its renderer knows that it has none. */
static void scene_reopen(Stage *s)
{
    sd_bus *bus = bus_connect(s->fixture->bus);
    ipc_renderer *renderer;

    if (is_done(ipc_renderer_new(&renderer, bus, FIXTURE_NAME))) {
        must(ipc_renderer_set_flags(renderer, IPC_RENDERER_LANE));
        if (is_done(ipc_renderer_attach_event(renderer, s->fixture->event, 0)))
            wait_until(s->fixture, ipc_renderer_get_state(renderer) != IPC_RENDERER_CONNECTING);
        ipc_renderer_unref(renderer);
    }
    sd_bus_flush_close_unref(bus);
}

static const NamedScene scenes[] = {
    { "large", scene_large, true },
    { "reopen", scene_reopen, false },
};

int main(int argc, char **argv)
{
    if (!memory_init(&argc, &argv))
        return 0;
    add_scenes("/memory-lane", memory_scenes, N_MEMORY_SCENES, true);
    add_scenes("/memory-lane", scenes, G_N_ELEMENTS(scenes), true);
    add_sync_scenes("/memory-lane", true);
    return g_test_run();
}
