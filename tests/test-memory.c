/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <glib/gstdio.h>

#include "memory-scenes.h"

/* Out of memory in what is done by the bus. */

static int on_foreign_end(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Ending *ending = userdata;

    (void)error;
    ending->n++;
    ending->is_timeout = sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY) > 0;
    return 0;
}

/* ---- scenes ---- */

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

/* ---- all of them ---- */

static const NamedScene scenes[] = {
    { "sync-of-main", scene_sync_of_main, true },
    { "listen", scene_listen, true },
    { "handle", scene_handle, false },
    { "policy", scene_policy, true },
    { "watch", scene_watch, false },
};

int main(int argc, char **argv)
{
    if (!memory_init(&argc, &argv))
        return 0;
    add_scenes("/memory", memory_scenes, N_MEMORY_SCENES, false);
    add_scenes("/memory", scenes, G_N_ELEMENTS(scenes), false);
    add_sync_scenes("/memory", false);
    return g_test_run();
}
