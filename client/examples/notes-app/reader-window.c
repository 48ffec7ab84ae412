/* SPDX-License-Identifier: MIT */
#include "reader-window.h"

#include "connection.h"
#include "note-view.h"
#include "state-line.h"

struct _ReaderWindow {
    GtkApplicationWindow parent;
    ipc_renderer *renderer;
    uint32_t editor_id;
    GtkLabel *title;
    NoteView *view;
    StateLine *state_line;
};

G_DEFINE_TYPE(ReaderWindow, reader_window, GTK_TYPE_APPLICATION_WINDOW)

/* Whichever of the two windows is ready last. */
static void say_hello(ReaderWindow *self)
{
    if (self->editor_id > 0 && ipc_renderer_get_id(self->renderer) > 0)
        (void)ipc_renderer_send_to(self->renderer, self->editor_id, "reader:hello", NULL);
}

void reader_window_set_editor(ReaderWindow *self, uint32_t id)
{
    self->editor_id = id;
    say_hello(self);
}

static void on_state(ipc_renderer *renderer, ipc_renderer_state state, const ipc_error *error, void *userdata)
{
    ReaderWindow *self = userdata;

    state_line_show(self->state_line, renderer, error);
    say_hello(self);
}

static void on_show(ipc_event *event, json_t *args, void *userdata)
{
    ReaderWindow *self = userdata;
    const char *title, *text;

    if (json_unpack(args, "[s, s]", &title, &text) < 0)
        return;
    gtk_label_set_text(self->title, title);
    note_view_show(self->view, text);
}

static void turn(GtkWidget *widget, int distance)
{
    ReaderWindow *self = NOTES_READER_WINDOW(widget);

    (void)ipc_renderer_send_tof(self->renderer, self->editor_id, "reader:turn", "i", distance);
}

static void on_previous(GtkWidget *widget, const char *action, GVariant *parameter)
{
    turn(widget, -1);
}

static void on_next(GtkWidget *widget, const char *action, GVariant *parameter)
{
    turn(widget, 1);
}

static void on_toggled(ReaderWindow *self, unsigned line)
{
    (void)ipc_renderer_send_tof(self->renderer, self->editor_id, "reader:toggle", "i", line);
}

static void reader_window_init(ReaderWindow *self)
{
    int r;

    gtk_widget_init_template(GTK_WIDGET(self));
    r = connection_open(&self->renderer, "Reader", NULL);
    if (r >= 0)
        r = ipc_renderer_on_state(self->renderer, NULL, on_state, self);
    if (r >= 0)
        r = ipc_renderer_on(self->renderer, NULL, "reader:show", on_show, self);
    if (r < 0)
        g_warning("The reader cannot connect: %s", g_strerror(-r));
    state_line_show(self->state_line, self->renderer, NULL);
}

static void reader_window_dispose(GObject *object)
{
    g_clear_pointer(&NOTES_READER_WINDOW(object)->renderer, ipc_renderer_unref);
    G_OBJECT_CLASS(reader_window_parent_class)->dispose(object);
}

static void reader_window_class_init(ReaderWindowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = reader_window_dispose;
    g_type_ensure(note_view_get_type());
    g_type_ensure(state_line_get_type());
    gtk_widget_class_set_template_from_resource(widget_class, "/org/ipcbus/Notes/reader-window.ui");
    gtk_widget_class_bind_template_child(widget_class, ReaderWindow, title);
    gtk_widget_class_bind_template_child(widget_class, ReaderWindow, view);
    gtk_widget_class_bind_template_child(widget_class, ReaderWindow, state_line);
    gtk_widget_class_bind_template_callback(widget_class, on_toggled);
    gtk_widget_class_install_action(widget_class, "win.previous", NULL, on_previous);
    gtk_widget_class_install_action(widget_class, "win.next", NULL, on_next);
}

GtkWidget *reader_window_new(GtkApplication *app)
{
    return g_object_new(reader_window_get_type(), "application", app, NULL);
}
