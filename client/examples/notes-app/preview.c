/* SPDX-License-Identifier: MIT */
#include "preview.h"

#include "connection.h"
#include "note-view.h"

struct _Preview {
    GtkWidget parent;
    GtkWidget *scroller;
    NoteView *view;
    ipc_renderer *renderer; /* NULL: not connected */
};

G_DEFINE_TYPE(Preview, preview, GTK_TYPE_WIDGET)

static void on_toggled(NoteView *view, unsigned line, Preview *self)
{
    (void)ipc_renderer_send_to_hostf(self->renderer, "preview:toggle", "i", line);
}

static void on_show(ipc_event *event, json_t *args, void *userdata)
{
    Preview *self = userdata;
    const char *text;

    if (json_unpack(args, "[s]", &text) == 0)
        note_view_show(self->view, text);
}

int preview_connect(Preview *self, const char *token)
{
    int r;

    g_clear_pointer(&self->renderer, ipc_renderer_unref);
    r = connection_open(&self->renderer, "Preview", token);
    return r < 0 ? r : ipc_renderer_on(self->renderer, NULL, "preview:show", on_show, self);
}

static void preview_init(Preview *self)
{
    self->view = NOTES_NOTE_VIEW(note_view_new());
    self->scroller = gtk_scrolled_window_new();
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(self->scroller), GTK_WIDGET(self->view));
    gtk_widget_set_parent(self->scroller, GTK_WIDGET(self));
    g_signal_connect(self->view, "toggled", G_CALLBACK(on_toggled), self);
}

static void preview_dispose(GObject *object)
{
    Preview *self = NOTES_PREVIEW(object);

    g_clear_pointer(&self->renderer, ipc_renderer_unref);
    g_clear_pointer(&self->scroller, gtk_widget_unparent);
    G_OBJECT_CLASS(preview_parent_class)->dispose(object);
}

static void preview_class_init(PreviewClass *class)
{
    G_OBJECT_CLASS(class)->dispose = preview_dispose;
    gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
}
