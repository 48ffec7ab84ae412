/* SPDX-License-Identifier: MIT */

/*
 * Notes: a desktop app on the `notes` module of ipcbusd. Each window is a renderer of its own, as each BrowserWindow of
 * Electron is; so is the preview, a guest of the window that embeds it. Nothing here waits for an answer: what would be
 * `await ipcRenderer.invoke()` in Electron is ipc_renderer_invoke_async() and a callback.
 */

#include <gtk/gtk.h>

#include "color-scheme.h"
#include "notes-window.h"

static void on_new_window(GSimpleAction *action, GVariant *parameter, gpointer app)
{
    gtk_window_present(GTK_WINDOW(notes_window_new(app)));
}

/* Each window may have something to save; the app ends with the last one. */
static void on_quit(GSimpleAction *action, GVariant *parameter, gpointer app)
{
    g_autoptr(GPtrArray) windows = g_ptr_array_new_with_free_func(g_object_unref);

    for (GList *window = gtk_application_get_windows(app); window; window = window->next)
        g_ptr_array_add(windows, g_object_ref(window->data));
    for (unsigned i = 0; i < windows->len; i++)
        gtk_window_close(windows->pdata[i]);
}

static void on_startup(GtkApplication *app)
{
    static const GActionEntry actions[] = {
        { .name = "new-window", .activate = on_new_window },
        { .name = "quit", .activate = on_quit },
    };
    static const struct {
        const char *action;
        const char *keys[2];
    } shortcuts[] = {
        { "app.new-window", { "<Control><Shift>n" } }, { "app.quit", { "<Control>q" } },
        { "win.new-note", { "<Control>n" } },          { "win.save", { "<Control>s" } },
        { "win.search", { "<Control>f" } },            { "win.read", { "<Control>r" } },
    };
    g_autoptr(GtkCssProvider) style = gtk_css_provider_new();

    g_action_map_add_action_entries(G_ACTION_MAP(app), actions, G_N_ELEMENTS(actions), app);
    for (size_t i = 0; i < G_N_ELEMENTS(shortcuts); i++)
        gtk_application_set_accels_for_action(app, shortcuts[i].action, (const char *const *)shortcuts[i].keys);
    gtk_css_provider_load_from_resource(style, "/org/ipcbus/Notes/style.css");
    gtk_style_context_add_provider_for_display(gdk_display_get_default(), GTK_STYLE_PROVIDER(style),
                                               GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
    gtk_window_set_default_icon_name("org.ipcbus.Notes");
    color_scheme_follow(g_application_get_dbus_connection(G_APPLICATION(app)));
}

static void on_activate(GtkApplication *app)
{
    gtk_window_present(GTK_WINDOW(notes_window_new(app)));
}

int main(int argc, char **argv)
{
    g_autoptr(GtkApplication) app = gtk_application_new("org.ipcbus.Notes", G_APPLICATION_DEFAULT_FLAGS);

    g_set_application_name("Notes");
    g_signal_connect(app, "startup", G_CALLBACK(on_startup), NULL);
    g_signal_connect(app, "activate", G_CALLBACK(on_activate), NULL);
    return g_application_run(G_APPLICATION(app), argc, argv);
}
