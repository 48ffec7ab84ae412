/* SPDX-License-Identifier: MIT */
#include "note-list.h"

#include "connection.h"
#include "note-row.h"

struct _NoteList {
    GtkBox parent;
    ipc_renderer *renderer; /* NULL: none yet */
    GListStore *notes;      /* of Note, the one changed last in front */
    GCancellable *listing;  /* what the service was asked for and has not answered; NULL: nothing */
    gboolean is_choosing;   /* it is not the user who does */
    GtkEditable *search;
    GtkListBox *list;
    GtkLabel *placeholder;
};

G_DEFINE_TYPE(NoteList, note_list, GTK_TYPE_BOX)

static guint activated_signal, listed_signal, failed_signal;

static int compare_notes(gconstpointer a, gconstpointer b, gpointer userdata)
{
    json_int_t first = note_get_modified((Note *)a), second = note_get_modified((Note *)b);

    return (first < second) - (first > second);
}

static void fill(NoteList *self, json_t *answer)
{
    json_t *item;
    size_t i;

    self->is_choosing = TRUE;
    g_list_store_remove_all(self->notes);
    json_array_foreach(answer, i, item) {
        g_autoptr(Note) note = note_new_from_json(item);

        if (note)
            g_list_store_insert_sorted(self->notes, note, compare_notes, NULL);
    }
    self->is_choosing = FALSE;
    gtk_label_set_text(self->placeholder, note_list_is_searching(self) ? "Nothing found" : "No notes yet");
}

static void on_listed(GObject *source, GAsyncResult *result, gpointer userdata)
{
    g_autoptr(NoteList) self = userdata;
    g_autoptr(GError) error = NULL;
    json_auto_t *answer = ipc_renderer_invoke_finish(NULL, result, &error);

    if (connection_is_cancelled(error))
        return;
    g_clear_object(&self->listing);
    if (error) {
        g_signal_emit(self, failed_signal, 0, error->message);
        return;
    }
    fill(self, answer);
    g_signal_emit(self, listed_signal, 0);
}

/* Only the last list that was asked for is of interest. */
void note_list_refresh(NoteList *self, ipc_renderer *renderer)
{
    const char *search = gtk_editable_get_text(self->search);

    g_cancellable_cancel(self->listing);
    g_clear_object(&self->listing);
    self->renderer = renderer;
    if (!renderer)
        return;
    self->listing = g_cancellable_new();
    if (*search)
        ipc_renderer_invoke_asyncf(renderer, "notes:search", self->listing, on_listed, g_object_ref(self), "s", search);
    else
        ipc_renderer_invoke_async(renderer, "notes:list", NULL, self->listing, on_listed, g_object_ref(self));
}

static GtkListBoxRow *find_row(NoteList *self, json_int_t id)
{
    GtkListBoxRow *row;

    for (int i = 0; (row = gtk_list_box_get_row_at_index(self->list, i)); i++)
        if (note_get_id(note_row_get_note(NOTES_NOTE_ROW(row))) == id)
            return row;
    return NULL;
}

Note *note_list_select(NoteList *self, json_int_t id)
{
    GtkListBoxRow *row = find_row(self, id);

    self->is_choosing = TRUE;
    gtk_list_box_select_row(self->list, row);
    self->is_choosing = FALSE;
    return row ? note_row_get_note(NOTES_NOTE_ROW(row)) : NULL;
}

static void on_selected(GtkListBox *list, GtkListBoxRow *row, NoteList *self)
{
    if (row && !self->is_choosing)
        g_signal_emit(self, activated_signal, 0, note_row_get_note(NOTES_NOTE_ROW(row)));
}

void note_list_turn(NoteList *self, json_int_t id, int distance)
{
    GtkListBoxRow *row = find_row(self, id);

    row = gtk_list_box_get_row_at_index(self->list, row ? gtk_list_box_row_get_index(row) + distance : 0);
    if (row)
        gtk_list_box_select_row(self->list, row);
}

void note_list_search(NoteList *self)
{
    gtk_widget_grab_focus(GTK_WIDGET(self->search));
}

gboolean note_list_is_searching(NoteList *self)
{
    return *gtk_editable_get_text(self->search) != '\0';
}

gboolean note_list_is_empty(NoteList *self)
{
    return g_list_model_get_n_items(G_LIST_MODEL(self->notes)) == 0;
}

static void on_search_changed(NoteList *self)
{
    note_list_refresh(self, self->renderer);
}

static GtkWidget *create_row(gpointer note, gpointer userdata)
{
    return note_row_new(note);
}

static void note_list_init(NoteList *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    self->notes = g_list_store_new(note_get_type());
    gtk_list_box_bind_model(self->list, G_LIST_MODEL(self->notes), create_row, NULL, NULL);
}

static void note_list_dispose(GObject *object)
{
    NoteList *self = NOTES_NOTE_LIST(object);

    note_list_refresh(self, NULL);
    g_clear_object(&self->notes);
    G_OBJECT_CLASS(note_list_parent_class)->dispose(object);
}

static guint new_signal(NoteListClass *class, const char *name, unsigned n_values, GType type)
{
    return g_signal_new(name, G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, n_values,
                        type);
}

static void note_list_class_init(NoteListClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = note_list_dispose;
    activated_signal = new_signal(class, "activated", 1, note_get_type());
    listed_signal = new_signal(class, "listed", 0, G_TYPE_NONE);
    failed_signal = new_signal(class, "failed", 1, G_TYPE_STRING);
    gtk_widget_class_set_template_from_resource(widget_class, "/org/ipcbus/Notes/note-list.ui");
    gtk_widget_class_bind_template_child(widget_class, NoteList, search);
    gtk_widget_class_bind_template_child(widget_class, NoteList, list);
    gtk_widget_class_bind_template_child(widget_class, NoteList, placeholder);
    gtk_widget_class_bind_template_callback(widget_class, on_search_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_selected);
}
