/* SPDX-License-Identifier: MIT */
/* A renderer in GLib's main loop. cc loop-glib.c $(pkg-config --cflags --libs ipcbus-glib) */
#include <ipcbus/ipc-renderer-glib.h>

typedef struct Call {
    GMainLoop *loop;
    gboolean has_failed;
} Call;

static void on_answer(GObject *source, GAsyncResult *result, gpointer userdata)
{
    g_autoptr(GError) error = NULL;
    json_auto_t *answer = ipc_renderer_invoke_finish(NULL, result, &error);
    Call *call = userdata;

    (void)source;
    if (answer)
        json_dumpf(answer, stdout, JSON_ENCODE_ANY);
    puts(error ? error->message : "");
    call->has_failed = error != NULL;
    g_main_loop_quit(call->loop);
}

int main(int argc, char **argv)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(ipc_renderer) renderer = NULL;
    Call call = { .loop = loop };
    int r;

    r = ipc_renderer_new(&renderer, NULL, NULL);
    if (r >= 0)
        r = ipc_renderer_attach_glib(renderer, NULL);
    if (r < 0) {
        g_printerr("Failed to connect: %s\n", g_strerror(-r));
        return 1;
    }
    ipc_renderer_invoke_asyncf(renderer, "echo", NULL, on_answer, &call, "s", argc > 1 ? argv[1] : "Hello");
    g_main_loop_run(loop);
    return call.has_failed ? 1 : 0;
}
