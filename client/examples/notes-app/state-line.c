/* SPDX-License-Identifier: MIT */
#include "state-line.h"

struct _StateLine {
    GtkBox parent;
    GtkWidget *dot;
    GtkWidget *text;
    const char *css_class; /* of the dot */
};

G_DEFINE_TYPE(StateLine, state_line, GTK_TYPE_BOX)

static void state_line_init(StateLine *self)
{
    self->dot = gtk_label_new("●");
    self->text = gtk_label_new("Looking for the service…");
    gtk_label_set_ellipsize(GTK_LABEL(self->text), PANGO_ELLIPSIZE_END);
    gtk_label_set_xalign(GTK_LABEL(self->text), 0);
    gtk_widget_set_hexpand(self->text, TRUE);
    gtk_box_append(GTK_BOX(self), self->dot);
    gtk_box_append(GTK_BOX(self), self->text);
    gtk_widget_add_css_class(GTK_WIDGET(self), "state-line");
}

static void state_line_class_init(StateLineClass *class)
{
    gtk_widget_class_set_accessible_role(GTK_WIDGET_CLASS(class), GTK_ACCESSIBLE_ROLE_STATUS);
}

static void set_state(StateLine *self, const char *css_class, const char *text)
{
    if (self->css_class)
        gtk_widget_remove_css_class(self->dot, self->css_class);
    self->css_class = css_class;
    if (css_class)
        gtk_widget_add_css_class(self->dot, css_class);
    gtk_label_set_text(GTK_LABEL(self->text), text);
    gtk_widget_set_tooltip_text(GTK_WIDGET(self), NULL);
}

void state_line_show(StateLine *self, ipc_renderer *renderer, const ipc_error *error)
{
    g_autofree char *ready = NULL;

    switch (ipc_renderer_get_state(renderer)) {
    case IPC_RENDERER_CONNECTING:
        set_state(self, NULL, "Looking for the service…");
        break;
    case IPC_RENDERER_READY:
        ready = g_strdup_printf("Connected to %s as renderer %u", ipc_renderer_get_name(renderer),
                                ipc_renderer_get_id(renderer));
        set_state(self, "success", ready);
        break;
    case IPC_RENDERER_GONE:
        set_state(self, "warning", "The service went away. Its return will be noticed.");
        break;
    case IPC_RENDERER_CLOSED:
        set_state(self, "error", "There is no session bus any more.");
        break;
    }
    if (error)
        gtk_widget_set_tooltip_text(GTK_WIDGET(self), error->message);
}
