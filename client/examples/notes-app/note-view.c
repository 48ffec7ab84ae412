/* SPDX-License-Identifier: MIT */
#include "note-view.h"

struct _NoteView {
    GtkBox parent;
};

G_DEFINE_TYPE(NoteView, note_view, GTK_TYPE_BOX)

static guint toggled_signal;

static void note_view_init(NoteView *self)
{
    gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
    gtk_widget_add_css_class(GTK_WIDGET(self), "note-view");
}

static void note_view_class_init(NoteViewClass *class)
{
    toggled_signal = g_signal_new("toggled", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_UINT);
}

GtkWidget *note_view_new(void)
{
    return g_object_new(note_view_get_type(), NULL);
}

static GtkWidget *new_label(const char *text, const char *css_class)
{
    GtkWidget *label = gtk_label_new(text);

    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    if (css_class)
        gtk_widget_add_css_class(label, css_class);
    return label;
}

static void on_clicked(GtkButton *box, gpointer self)
{
    g_signal_emit(self, toggled_signal, 0, GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(box), "line")));
}

/* A button, because a GtkCheckButton would tick itself, and until GTK 4.10 no screen reader can tick that. */
static GtkWidget *new_box(NoteView *self, const char *text, gboolean is_ticked, unsigned line)
{
    GtkWidget *box = g_object_new(GTK_TYPE_BUTTON, "accessible-role", GTK_ACCESSIBLE_ROLE_CHECKBOX, NULL);
    GtkWidget *content = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 9);

    gtk_box_append(GTK_BOX(content), gtk_image_new_from_icon_name(is_ticked ? "box-ticked-symbolic" : "box-symbolic"));
    gtk_box_append(GTK_BOX(content), new_label(text, is_ticked ? "dim-label" : NULL));
    gtk_button_set_child(GTK_BUTTON(box), content);
    gtk_button_set_has_frame(GTK_BUTTON(box), FALSE);
    gtk_accessible_update_property(GTK_ACCESSIBLE(box), GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
    gtk_accessible_update_state(GTK_ACCESSIBLE(box), GTK_ACCESSIBLE_STATE_CHECKED,
                                is_ticked ? GTK_ACCESSIBLE_TRISTATE_TRUE : GTK_ACCESSIBLE_TRISTATE_FALSE, -1);
    g_object_set_data(G_OBJECT(box), "line", GUINT_TO_POINTER(line));
    g_signal_connect(box, "clicked", G_CALLBACK(on_clicked), self);
    return box;
}

static GtkWidget *new_line(NoteView *self, const char *text, unsigned number)
{
    g_autofree char *item = NULL;

    if (g_str_has_prefix(text, "# "))
        return new_label(text + 2, "title-3");
    if (g_str_has_prefix(text, "- [ ] ") || g_str_has_prefix(text, "- [x] "))
        return new_box(self, text + 6, text[3] == 'x', number);
    if (g_str_has_prefix(text, "- "))
        text = item = g_strconcat("  •  ", text + 2, NULL);
    return new_label(text, NULL);
}

void note_view_show(NoteView *self, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GtkWidget *child;

    while ((child = gtk_widget_get_first_child(GTK_WIDGET(self))))
        gtk_box_remove(GTK_BOX(self), child);
    for (unsigned i = 0; lines[i]; i++)
        gtk_box_append(GTK_BOX(self), new_line(self, lines[i], i));
}
