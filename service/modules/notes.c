/* SPDX-License-Identifier: MIT */

/*
 * The module `notes`: a small service that is worth having. Any renderer may add, edit, remove, list and search notes,
 * and each registered one is told of each change with notes:changed. Here is what the channels take and answer; the
 * notes themselves are the store's.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ipc-main.h"
#include "log.h"
#include "macro.h"
#include "notes-search.h"
#include "notes-store.h"
#include "text.h"

#define ERROR_NO_SUCH_NOTE "org.ipcbus.Notes.Error.NoSuchNote"
#define ERROR_NOT_SAVED "org.ipcbus.Notes.Error.NotSaved"
#define ERROR_FULL "org.ipcbus.Notes.Error.Full"

#define ADD_WANTS "{\"title\": string, \"text\": string}, or a title and a text, either way with or without the text"
#define EDIT_WANTS "the id of a note, and {\"title\": string, \"text\": string} with one of them or both"
#define REMOVE_WANTS "the id of a note"
#define LIST_WANTS "no arguments"
#define SEARCH_WANTS "one string, the text to look for"

#define KEY_SHOWN_MAX 64u /* bytes of an unknown key that a message still quotes */
#define PROBLEM_MAX 160u  /* bytes of what is wrong with some arguments */

typedef struct Notes {
    ipc_app *app;
    NotesStore *store;
} Notes;

/* What a caller wants written; borrowed from its arguments. NULL: it does not say. */
typedef struct Draft {
    json_t *title;
    json_t *text;
    char problem[PROBLEM_MAX]; /* why it cannot be */
} Draft;

/* ---- arguments ---- */

static int refuse(ipc_invocation *invocation, const char *problem, const char *wants)
{
    _cleanup_free_ char *message = NULL;

    if (asprintf(&message, "%s: %s; it wants %s", ipc_invocation_get_channel(invocation), problem, wants) < 0) {
        message = NULL;
        return -ENOMEM;
    }
    return ipc_invocation_reject(invocation, IPC_ERROR_INVALID_ARGS, message, NULL);
}

__attribute__((format(printf, 2, 3))) static int draft_fail(Draft *draft, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(draft->problem, sizeof(draft->problem), format, ap);
    va_end(ap);
    return -EINVAL;
}

static int draft_check(Draft *draft)
{
    if (draft->title && !json_is_string(draft->title))
        return draft_fail(draft, "the title is no string");
    if (draft->title && json_string_length(draft->title) == 0)
        return draft_fail(draft, "the title is empty");
    if (draft->title && json_string_length(draft->title) > NOTES_TITLE_MAX)
        return draft_fail(draft, "the title is over %u bytes", NOTES_TITLE_MAX);
    if (draft->text && !json_is_string(draft->text))
        return draft_fail(draft, "the text is no string");
    if (draft->text && json_string_length(draft->text) > NOTES_TEXT_MAX)
        return draft_fail(draft, "the text is over %u bytes", NOTES_TEXT_MAX);
    return 0;
}

static int draft_read_object(Draft *draft, json_t *object)
{
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return draft_fail(draft, "what to write is no object");
    json_object_foreach(object, key, value) {
        if (strcmp(key, "title") == 0)
            draft->title = value;
        else if (strcmp(key, "text") == 0)
            draft->text = value;
        else if (strlen(key) <= KEY_SHOWN_MAX)
            return draft_fail(draft, "there is no key '%s'", key);
        else
            return draft_fail(draft, "there is no such key as one of %zu bytes", strlen(key));
    }
    return draft_check(draft);
}

/* The arguments of notes:add: an object, or a title and perhaps a text. */
static int draft_read_new(Draft *draft, json_t *args)
{
    json_t *first = json_array_get(args, 0);
    int r;

    if (json_is_object(first) && json_array_size(args) > 1)
        return draft_fail(draft, "there is something behind the object");
    if (json_array_size(args) > 2)
        return draft_fail(draft, "these are too many arguments");

    if (json_is_object(first)) {
        r = draft_read_object(draft, first);
    } else {
        draft->title = first;
        draft->text = json_array_get(args, 1);
        r = draft_check(draft);
    }
    if (r >= 0 && !draft->title)
        return draft_fail(draft, "there is no title");
    return r;
}

/* The arguments of notes:edit behind the id. */
static int draft_read_change(Draft *draft, json_t *args)
{
    int r;

    if (json_array_size(args) != 2)
        return draft_fail(draft, "these are %zu arguments", json_array_size(args));
    r = draft_read_object(draft, json_array_get(args, 1));
    if (r >= 0 && !draft->title && !draft->text)
        return draft_fail(draft, "there is nothing to change");
    return r;
}

/* ---- answers ---- */

static int reject(Notes *notes, ipc_invocation *invocation, int r, json_int_t id)
{
    _cleanup_free_ char *message = NULL, *problem = NULL;
    int n;

    if (r == -ESRCH) {
        n = asprintf(&message, "There is no note %" JSON_INTEGER_FORMAT, id);
        return n < 0 ? -ENOMEM : ipc_invocation_rejectf(invocation, ERROR_NO_SUCH_NOTE, message, "{s:I}", "id", id);
    }
    if (r == -E2BIG) {
        n = asprintf(&message, "There is room for %u notes and %u bytes of JSON in all: remove some first", NOTES_MAX,
                     NOTES_BYTES_MAX);
        return n < 0 ? -ENOMEM : ipc_invocation_reject(invocation, ERROR_FULL, message, NULL);
    }
    problem = notes_store_explain(notes->store, r);
    n = problem ? asprintf(&message, "Nothing was changed, as %s", problem) : -1;
    return n < 0 ? -ENOMEM : ipc_invocation_reject(invocation, ERROR_NOT_SAVED, message, NULL);
}

/* The caller has its answer before the others hear of it; a renderer that does not read them misses some. */
static int resolve_change(Notes *notes, ipc_invocation *invocation, const char *action, json_t *note)
{
    int r;

    r = ipc_invocation_resolve(invocation, note);
    (void)ipc_app_broadcastf(notes->app, "notes:changed", "{s:s, s:O}", "action", action, "note", note);
    return r;
}

static int handle_add(ipc_invocation *invocation, json_t *args, void *userdata)
{
    _cleanup_(json_cleanup) json_t *empty = json_string(""), *note = NULL;
    Notes *notes = userdata;
    Draft draft = { 0 };
    int r;

    r = draft_read_new(&draft, args);
    if (r < 0)
        return refuse(invocation, draft.problem, ADD_WANTS);
    r = notes_store_add(notes->store, draft.title, draft.text ? draft.text : empty, &note);
    if (r < 0)
        return reject(notes, invocation, r, 0);
    return resolve_change(notes, invocation, "add", note);
}

static int handle_edit(ipc_invocation *invocation, json_t *args, void *userdata)
{
    _cleanup_(json_cleanup) json_t *note = NULL;
    json_t *id = json_array_get(args, 0);
    Notes *notes = userdata;
    Draft draft = { 0 };
    int r;

    if (!json_is_integer(id))
        return refuse(invocation, "the id is no integer", EDIT_WANTS);
    r = draft_read_change(&draft, args);
    if (r < 0)
        return refuse(invocation, draft.problem, EDIT_WANTS);
    r = notes_store_edit(notes->store, json_integer_value(id), draft.title, draft.text, &note);
    if (r < 0)
        return reject(notes, invocation, r, json_integer_value(id));
    return resolve_change(notes, invocation, "edit", note);
}

static int handle_remove(ipc_invocation *invocation, json_t *args, void *userdata)
{
    _cleanup_(json_cleanup) json_t *note = NULL;
    json_t *id = json_array_get(args, 0);
    Notes *notes = userdata;
    int r;

    if (!json_is_integer(id))
        return refuse(invocation, "the id is no integer", REMOVE_WANTS);
    if (json_array_size(args) != 1)
        return refuse(invocation, "there is something behind the id", REMOVE_WANTS);
    r = notes_store_remove(notes->store, json_integer_value(id), &note);
    if (r < 0)
        return reject(notes, invocation, r, json_integer_value(id));
    return resolve_change(notes, invocation, "remove", note);
}

static int handle_list(ipc_invocation *invocation, json_t *args, void *userdata)
{
    Notes *notes = userdata;

    if (json_array_size(args) != 0)
        return refuse(invocation, "there are arguments", LIST_WANTS);
    return ipc_invocation_resolve(invocation, notes_store_get_all(notes->store));
}

static int handle_search(ipc_invocation *invocation, json_t *args, void *userdata)
{
    _cleanup_(json_cleanup) json_t *found = NULL;
    Notes *notes = userdata;
    int r;

    if (json_array_size(args) != 1 || !json_is_string(json_array_get(args, 0)))
        return refuse(invocation, "this is something else", SEARCH_WANTS);
    r = notes_search(notes_store_get_all(notes->store), json_array_get(args, 0), &found);
    return r < 0 ? r : ipc_invocation_resolve(invocation, found);
}

/* ---- the module ---- */

/* Where the notes are; the caller frees it. NULL: logged. */
static char *data_folder(void)
{
    const char *state = getenv("STATE_DIRECTORY"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    char *folder = NULL;
    int n;

    /* systemd may name several folders; the first one is the unit's main one. A relative path counts as none. */
    if (state && state[0] == '/')
        n = asprintf(&folder, "%.*s", (int)strcspn(state, ":"), state);
    else if (data && data[0] == '/')
        n = asprintf(&folder, "%s/ipcbus", data);
    else if (home && home[0] == '/')
        n = asprintf(&folder, "%s/.local/share/ipcbus", home);
    else {
        log_error("notes: there is no place for them: neither XDG_DATA_HOME nor HOME is an absolute path");
        return NULL;
    }
    if (n < 0) {
        log_oom();
        return NULL;
    }
    return folder;
}

static void notes_freep(Notes **notes)
{
    if (!*notes)
        return;
    notes_store_close((*notes)->store);
    free(*notes);
}

static void on_closed(ipc_app *app, void *userdata)
{
    Notes *notes = userdata;

    notes_freep(&notes);
}

static int add_channels(ipc_main *main, Notes *notes)
{
    static const struct {
        const char *channel;
        ipc_handler_t handler;
    } handlers[] = {
        { "notes:add", handle_add },       { "notes:list", handle_list },     { "notes:edit", handle_edit },
        { "notes:remove", handle_remove }, { "notes:search", handle_search },
    };
    int r = 0;

    for (size_t i = 0; i < ELEMENTSOF(handlers) && r >= 0; i++)
        r = ipc_main_handle(main, NULL, handlers[i].channel, handlers[i].handler, notes);
    return r;
}

int ipc_module_init(ipc_app *app)
{
    _cleanup_(notes_freep) Notes *notes = NULL;
    _cleanup_free_ char *folder = data_folder();
    int r;

    if (!folder)
        return -ECANCELED; /* it has been told why */
    notes = calloc(1, sizeof(*notes));
    if (!notes)
        return -ENOMEM;
    notes->app = app;
    r = notes_store_open(&notes->store, folder);
    if (r < 0)
        return -ECANCELED;

    /* From here on the app owns them, whatever fails below. */
    r = ipc_app_on_closed(app, NULL, on_closed, notes);
    if (r < 0)
        return r;
    return add_channels(ipc_app_get_main(app), TAKE_PTR(notes));
}
