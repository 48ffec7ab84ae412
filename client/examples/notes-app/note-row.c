/* SPDX-License-Identifier: MIT */
#include "note-row.h"

struct _NoteRow {
    GtkListBoxRow parent;
    Note *note;
    GtkLabel *title;
    GtkLabel *excerpt;
    GtkLabel *modified;
};

G_DEFINE_TYPE(NoteRow, note_row, GTK_TYPE_LIST_BOX_ROW)

static void note_row_init(NoteRow *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
}

static void note_row_dispose(GObject *object)
{
    g_clear_object(&NOTES_NOTE_ROW(object)->note);
    G_OBJECT_CLASS(note_row_parent_class)->dispose(object);
}

static void note_row_class_init(NoteRowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = note_row_dispose;
    gtk_widget_class_set_template_from_resource(widget_class, "/org/ipcbus/Notes/note-row.ui");
    gtk_widget_class_bind_template_child(widget_class, NoteRow, title);
    gtk_widget_class_bind_template_child(widget_class, NoteRow, excerpt);
    gtk_widget_class_bind_template_child(widget_class, NoteRow, modified);
}

/* The time of a note of today, the day of any other. */
static char *format_time(json_int_t msec)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local(), then = g_date_time_new_from_unix_local(msec / 1000);
    gboolean is_today;

    if (!then)
        return g_strdup("");
    is_today = g_date_time_get_year(now) == g_date_time_get_year(then) &&
               g_date_time_get_day_of_year(now) == g_date_time_get_day_of_year(then);
    return g_date_time_format(then, is_today ? "%R" : "%e %b");
}

/* The first line that says something. */
static char *make_excerpt(const char *text)
{
    text += strspn(text, " \t\r\n#");
    return g_strndup(text, strcspn(text, "\r\n"));
}

GtkWidget *note_row_new(Note *note)
{
    g_autofree char *excerpt = make_excerpt(note_get_text(note)), *modified = format_time(note_get_modified(note));
    NoteRow *self = g_object_new(note_row_get_type(), NULL);

    self->note = g_object_ref(note);
    gtk_label_set_text(self->title, note_get_title(note));
    gtk_label_set_text(self->excerpt, *excerpt ? excerpt : "No text");
    gtk_label_set_text(self->modified, modified);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL, note_get_title(note), -1);
    return GTK_WIDGET(self);
}

Note *note_row_get_note(NoteRow *self)
{
    return self->note;
}
