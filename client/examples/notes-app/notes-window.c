/* SPDX-License-Identifier: MIT */
#include "notes-window.h"

#include "connection.h"
#include "editor.h"
#include "note-list.h"
#include "preview.h"
#include "reader-window.h"
#include "state-line.h"

struct _NotesWindow {
    GtkApplicationWindow parent;
    ipc_renderer *renderer;
    ipc_webview *webview;  /* of the preview; NULL until there is a main */
    ReaderWindow *reader;  /* weak; NULL: there is none */
    uint32_t reader_id;    /* 0: it has not introduced itself */
    Note *next;            /* to be shown when the one that is shown is saved; NULL: none */
    gboolean is_saving;
    gboolean is_closing;   /* when it is saved */
    gboolean may_lose;     /* that failed, and the user has been told */
    GtkInfoBar *banner;
    GtkLabel *problem; /* in the banner */
    NoteList *list;
    GtkStack *pages;
    GtkLabel *empty_title;
    Editor *editor;
    Preview *preview;
    StateLine *state_line;
};

G_DEFINE_TYPE(NotesWindow, notes_window, GTK_TYPE_APPLICATION_WINDOW)

/* ---- showing ---- */

static void show_problem(NotesWindow *self, const char *what, const char *why)
{
    g_autofree char *text = g_strdup_printf("%s: %s", what, why);

    gtk_label_set_text(self->problem, text);
    gtk_info_bar_set_revealed(self->banner, TRUE);
}

static void update_actions(NotesWindow *self)
{
    Note *note = editor_get_note(self->editor);
    GtkWidget *widget = GTK_WIDGET(self);

    gtk_widget_action_set_enabled(widget, "win.save", !self->is_saving && editor_is_modified(self->editor));
    gtk_widget_action_set_enabled(widget, "win.remove", note && note_get_id(note) > 0);
    gtk_widget_set_sensitive(GTK_WIDGET(self->editor), note != NULL);
    gtk_stack_set_visible_child_name(self->pages, note ? "note" : "empty");
}

/* The preview and the reader follow each keystroke. One that is not there misses it, and is told all when it comes. */
static void show_elsewhere(NotesWindow *self)
{
    g_autofree char *text = editor_dup_text(self->editor);

    (void)ipc_webview_sendf(self->webview, "preview:show", "s", text);
    if (self->reader_id > 0)
        (void)ipc_renderer_send_tof(self->renderer, self->reader_id, "reader:show", "s, s",
                                    editor_get_title(self->editor), text);
}

static void on_banner_response(GtkInfoBar *banner, int response, gpointer userdata)
{
    gtk_info_bar_set_revealed(banner, FALSE);
}

static void on_editor_changed(NotesWindow *self)
{
    self->may_lose = FALSE;
    update_actions(self);
    show_elsewhere(self);
}

/* ---- saving ---- */

static void show_note(NotesWindow *self, Note *note);

/* What the save was for. */
static void go_on(NotesWindow *self)
{
    g_autoptr(Note) next = g_steal_pointer(&self->next);

    if (self->is_closing)
        gtk_window_close(GTK_WINDOW(self));
    else if (next)
        show_note(self, next);
}

static void on_saved(GObject *source, GAsyncResult *result, gpointer userdata)
{
    g_autoptr(NotesWindow) self = userdata;
    g_autoptr(GError) error = NULL;
    g_autoptr(Note) note = NULL;
    json_auto_t *answer = ipc_renderer_invoke_finish(NULL, result, &error);

    if (connection_is_cancelled(error))
        return;
    self->is_saving = FALSE;
    note = answer ? note_new_from_json(answer) : NULL;
    if (note) {
        gtk_info_bar_set_revealed(self->banner, FALSE);
        editor_rebase(self->editor, note);
        go_on(self);
        return;
    }
    show_problem(self, "The note was not saved", error ? error->message : "the answer is no note");
    self->may_lose = self->is_closing;
    self->is_closing = FALSE;
    g_clear_object(&self->next);
    note_list_select(self->list, note_get_id(editor_get_note(self->editor)));
    update_actions(self);
}

static void save(NotesWindow *self)
{
    g_autofree char *text = editor_dup_text(self->editor);
    const char *title = editor_get_title(self->editor);
    json_int_t id;

    if (self->is_saving || !editor_is_modified(self->editor))
        return;
    self->is_saving = TRUE;
    update_actions(self);
    id = note_get_id(editor_get_note(self->editor));
    title = *title ? title : "Untitled";
    if (id == 0)
        ipc_renderer_invoke_asyncf(self->renderer, "notes:add", NULL, on_saved, g_object_ref(self), "{s:s, s:s}",
                                   "title", title, "text", text);
    else
        ipc_renderer_invoke_asyncf(self->renderer, "notes:edit", NULL, on_saved, g_object_ref(self),
                                   "I, {s:s, s:s}", id, "title", title, "text", text);
}

/* What has been written is saved first. */
static void show_note(NotesWindow *self, Note *note)
{
    if (editor_is_modified(self->editor)) {
        g_set_object(&self->next, note);
        save(self);
    } else {
        editor_show(self->editor, note);
        note_list_select(self->list, note_get_id(note));
    }
}

/* The same when the window is closed; but where that failed, the user may insist. */
static gboolean on_close_request(NotesWindow *self)
{
    if (self->may_lose || !editor_is_modified(self->editor))
        return FALSE;
    self->is_closing = TRUE;
    save(self);
    return TRUE;
}

static void on_removed(GObject *source, GAsyncResult *result, gpointer userdata)
{
    g_autoptr(NotesWindow) self = userdata;
    g_autoptr(GError) error = NULL;
    json_auto_t *answer = ipc_renderer_invoke_finish(NULL, result, &error);

    if (!answer && !connection_is_cancelled(error))
        show_problem(self, "The note was not removed", error->message);
}

/* ---- the list ---- */

static void on_activated(NotesWindow *self, Note *note)
{
    Note *shown = editor_get_note(self->editor);

    if (!shown || note_get_id(note) != note_get_id(shown))
        show_note(self, note);
}

/* The note that is shown may have been edited or removed elsewhere. What has been written here stays. */
static void on_listed(NotesWindow *self)
{
    Note *shown = editor_get_note(self->editor);
    Note *listed = shown ? note_list_select(self->list, note_get_id(shown)) : NULL;
    gboolean is_all = !note_list_is_searching(self->list);

    if (listed && !editor_is_modified(self->editor))
        editor_show(self->editor, listed);
    else if (!listed && is_all && shown && note_get_id(shown) > 0 && !editor_is_modified(self->editor))
        editor_show(self->editor, NULL);
    gtk_label_set_text(self->empty_title,
                       is_all && note_list_is_empty(self->list) ? "No notes yet" : "No note is selected");
}

static void on_list_failed(NotesWindow *self, const char *why)
{
    show_problem(self, "The notes cannot be listed", why);
}

/* ---- messages ---- */

/* Of main, whoever has changed something: this window, another one, a script. */
static void on_notes_changed(ipc_event *event, json_t *args, void *userdata)
{
    NotesWindow *self = userdata;

    note_list_refresh(self->list, self->renderer);
}

/* The reader introduces itself, and is told what to show. */
static void on_reader_hello(ipc_event *event, json_t *args, void *userdata)
{
    NotesWindow *self = userdata;

    self->reader_id = ipc_event_get_sender_id(event);
    show_elsewhere(self);
}

static void on_reader_turn(ipc_event *event, json_t *args, void *userdata)
{
    NotesWindow *self = userdata;
    Note *note = editor_get_note(self->editor);
    int distance;

    if (json_unpack(args, "[i]", &distance) == 0)
        note_list_turn(self->list, note ? note_get_id(note) : 0, distance);
}

/* A box was ticked: there, or in the preview. */
static void on_toggle(ipc_event *event, json_t *args, void *userdata)
{
    NotesWindow *self = userdata;
    int line;

    if (json_unpack(args, "[i]", &line) < 0)
        return;
    editor_toggle_line(self->editor, line);
    save(self);
}

static void on_preview_message(ipc_event *event, json_t *args, void *userdata)
{
    if (g_str_equal(ipc_event_get_channel(event), "preview:toggle"))
        on_toggle(event, args, userdata);
}

/* ---- the connection ---- */

static void on_webview_state(ipc_webview *webview, ipc_webview_state state, const ipc_error *error, void *userdata)
{
    NotesWindow *self = userdata;
    const char *token;

    if (state == IPC_WEBVIEW_WAITING && ipc_webview_get_token(webview, &token) >= 0)
        (void)preview_connect(self->preview, token);
    else if (state == IPC_WEBVIEW_ATTACHED)
        show_elsewhere(self);
}

/* A webview ends with the main that made its token, so each main is asked for one. */
static int embed_preview(NotesWindow *self)
{
    int r;

    g_clear_pointer(&self->webview, ipc_webview_unref);
    r = ipc_webview_new(&self->webview, self->renderer);
    if (r >= 0)
        r = ipc_webview_on_state(self->webview, NULL, on_webview_state, self);
    if (r >= 0)
        r = ipc_webview_on_message(self->webview, NULL, on_preview_message, self);
    return r;
}

static void on_state(ipc_renderer *renderer, ipc_renderer_state state, const ipc_error *error, void *userdata)
{
    NotesWindow *self = userdata;
    int r;

    state_line_show(self->state_line, renderer, error);
    self->reader_id = 0; /* ids are of one main */
    if (self->reader)
        reader_window_set_editor(self->reader, ipc_renderer_get_id(renderer));
    if (state != IPC_RENDERER_READY)
        return;
    gtk_info_bar_set_revealed(self->banner, FALSE);
    r = embed_preview(self);
    if (r < 0)
        show_problem(self, "There is no preview", g_strerror(-r));
    note_list_refresh(self->list, renderer);
}

static int connect_renderer(NotesWindow *self)
{
    int r;

    r = connection_open(&self->renderer, "Notes", NULL);
    if (r >= 0)
        r = ipc_renderer_on_state(self->renderer, NULL, on_state, self);
    if (r >= 0)
        r = ipc_renderer_on(self->renderer, NULL, "notes:changed", on_notes_changed, self);
    if (r >= 0)
        r = ipc_renderer_on(self->renderer, NULL, "reader:hello", on_reader_hello, self);
    if (r >= 0)
        r = ipc_renderer_on(self->renderer, NULL, "reader:turn", on_reader_turn, self);
    if (r >= 0)
        r = ipc_renderer_on(self->renderer, NULL, "reader:toggle", on_toggle, self);
    return r;
}

/* ---- actions ---- */

static void on_new_note(GtkWidget *widget, const char *action, GVariant *parameter)
{
    g_autoptr(Note) draft = note_new_draft();

    show_note(NOTES_WINDOW(widget), draft);
}

static void on_save(GtkWidget *widget, const char *action, GVariant *parameter)
{
    save(NOTES_WINDOW(widget));
}

static void on_remove(GtkWidget *widget, const char *action, GVariant *parameter)
{
    NotesWindow *self = NOTES_WINDOW(widget);

    ipc_renderer_invoke_asyncf(self->renderer, "notes:remove", NULL, on_removed, g_object_ref(self), "I",
                               note_get_id(editor_get_note(self->editor)));
}

static void on_search(GtkWidget *widget, const char *action, GVariant *parameter)
{
    note_list_search(NOTES_WINDOW(widget)->list);
}

static void on_read(GtkWidget *widget, const char *action, GVariant *parameter)
{
    NotesWindow *self = NOTES_WINDOW(widget);

    if (!self->reader) {
        GtkWidget *reader = reader_window_new(gtk_window_get_application(GTK_WINDOW(self)));

        g_set_weak_pointer(&self->reader, NOTES_READER_WINDOW(reader));
        reader_window_set_editor(self->reader, ipc_renderer_get_id(self->renderer));
    }
    gtk_window_present(GTK_WINDOW(self->reader));
}

/* ---- the widget ---- */

static void notes_window_init(NotesWindow *self)
{
    int r;

    gtk_widget_init_template(GTK_WIDGET(self));
    update_actions(self);
    r = connect_renderer(self);
    if (r < 0)
        show_problem(self, "There is no session bus", g_strerror(-r));
    state_line_show(self->state_line, self->renderer, NULL);
}

/* What is under way still has its callback, which finds that it was cancelled. */
static void notes_window_dispose(GObject *object)
{
    NotesWindow *self = NOTES_WINDOW(object);

    if (self->reader)
        gtk_window_destroy(GTK_WINDOW(self->reader));
    g_clear_pointer(&self->webview, ipc_webview_unref);
    g_clear_pointer(&self->renderer, ipc_renderer_unref);
    g_clear_weak_pointer(&self->reader);
    g_clear_object(&self->next);
    G_OBJECT_CLASS(notes_window_parent_class)->dispose(object);
}

static void install_actions(GtkWidgetClass *class)
{
    gtk_widget_class_install_action(class, "win.new-note", NULL, on_new_note);
    gtk_widget_class_install_action(class, "win.save", NULL, on_save);
    gtk_widget_class_install_action(class, "win.remove", NULL, on_remove);
    gtk_widget_class_install_action(class, "win.search", NULL, on_search);
    gtk_widget_class_install_action(class, "win.read", NULL, on_read);
}

static void bind_children(GtkWidgetClass *class)
{
    gtk_widget_class_bind_template_child(class, NotesWindow, banner);
    gtk_widget_class_bind_template_child(class, NotesWindow, problem);
    gtk_widget_class_bind_template_child(class, NotesWindow, list);
    gtk_widget_class_bind_template_child(class, NotesWindow, pages);
    gtk_widget_class_bind_template_child(class, NotesWindow, empty_title);
    gtk_widget_class_bind_template_child(class, NotesWindow, editor);
    gtk_widget_class_bind_template_child(class, NotesWindow, preview);
    gtk_widget_class_bind_template_child(class, NotesWindow, state_line);
    gtk_widget_class_bind_template_callback(class, on_activated);
    gtk_widget_class_bind_template_callback(class, on_banner_response);
    gtk_widget_class_bind_template_callback(class, on_close_request);
    gtk_widget_class_bind_template_callback(class, on_editor_changed);
    gtk_widget_class_bind_template_callback(class, on_list_failed);
    gtk_widget_class_bind_template_callback(class, on_listed);
}

static void notes_window_class_init(NotesWindowClass *class)
{
    G_OBJECT_CLASS(class)->dispose = notes_window_dispose;
    g_type_ensure(editor_get_type());
    g_type_ensure(note_list_get_type());
    g_type_ensure(preview_get_type());
    g_type_ensure(state_line_get_type());
    gtk_widget_class_set_template_from_resource(GTK_WIDGET_CLASS(class), "/org/ipcbus/Notes/notes-window.ui");
    install_actions(GTK_WIDGET_CLASS(class));
    bind_children(GTK_WIDGET_CLASS(class));
}

GtkWidget *notes_window_new(GtkApplication *app)
{
    return g_object_new(notes_window_get_type(), "application", app, NULL);
}
