/* SPDX-License-Identifier: MIT */
#include "editor.h"

#define TICK_OFFSET 3 /* of the x in "- [x] " */

struct _Editor {
    GtkBox parent;
    GtkEditable *title;
    GtkTextView *text;
    GtkTextBuffer *buffer; /* of text */
    Note *note;
    gboolean is_showing; /* it is not the user who changes title and text */
};

G_DEFINE_TYPE(Editor, editor, GTK_TYPE_BOX)

static guint changed_signal;

static void on_changed(Editor *self)
{
    if (!self->is_showing)
        g_signal_emit(self, changed_signal, 0);
}

static void editor_init(Editor *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    self->buffer = gtk_text_view_get_buffer(self->text);
    gtk_text_buffer_set_enable_undo(self->buffer, TRUE);
    g_signal_connect_swapped(self->buffer, "changed", G_CALLBACK(on_changed), self);
    g_signal_connect_swapped(self->title, "changed", G_CALLBACK(on_changed), self);
}

static void editor_dispose(GObject *object)
{
    g_clear_object(&NOTES_EDITOR(object)->note);
    G_OBJECT_CLASS(editor_parent_class)->dispose(object);
}

static void editor_class_init(EditorClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = editor_dispose;
    changed_signal = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 0);
    gtk_widget_class_set_template_from_resource(widget_class, "/org/ipcbus/Notes/editor.ui");
    gtk_widget_class_bind_template_child(widget_class, Editor, title);
    gtk_widget_class_bind_template_child(widget_class, Editor, text);
}

/* What is the same already keeps its cursor and its selection. */
void editor_show(Editor *self, Note *note)
{
    const char *title = note ? note_get_title(note) : "", *text = note ? note_get_text(note) : "";
    g_autofree char *old_text = editor_dup_text(self);

    g_set_object(&self->note, note);
    self->is_showing = TRUE;
    if (!g_str_equal(title, editor_get_title(self)))
        gtk_editable_set_text(self->title, title);
    if (!g_str_equal(text, old_text)) {
        gtk_text_buffer_begin_irreversible_action(self->buffer);
        gtk_text_buffer_set_text(self->buffer, text, -1);
        gtk_text_buffer_end_irreversible_action(self->buffer);
    }
    self->is_showing = FALSE;
    on_changed(self);
    if (note && note_get_id(note) == 0)
        gtk_widget_grab_focus(GTK_WIDGET(self->title));
}

void editor_rebase(Editor *self, Note *note)
{
    g_set_object(&self->note, note);
    on_changed(self);
}

Note *editor_get_note(Editor *self)
{
    return self->note;
}

const char *editor_get_title(Editor *self)
{
    return gtk_editable_get_text(self->title);
}

char *editor_dup_text(Editor *self)
{
    GtkTextIter start, end;

    gtk_text_buffer_get_bounds(self->buffer, &start, &end);
    return gtk_text_buffer_get_text(self->buffer, &start, &end, TRUE);
}

gboolean editor_is_modified(Editor *self)
{
    g_autofree char *text = editor_dup_text(self);

    return self->note && (!g_str_equal(editor_get_title(self), note_get_title(self->note)) ||
                          !g_str_equal(text, note_get_text(self->note)));
}

void editor_toggle_line(Editor *self, int line)
{
    GtkTextIter start, end;
    gunichar tick;

    if (!gtk_text_buffer_get_iter_at_line_offset(self->buffer, &start, line, TICK_OFFSET))
        return;
    tick = gtk_text_iter_get_char(&start);
    if (tick != ' ' && tick != 'x')
        return;
    end = start;
    gtk_text_iter_forward_char(&end);
    gtk_text_buffer_begin_user_action(self->buffer);
    gtk_text_buffer_delete(self->buffer, &start, &end);
    gtk_text_buffer_insert(self->buffer, &start, tick == 'x' ? " " : "x", 1);
    gtk_text_buffer_end_user_action(self->buffer);
}
