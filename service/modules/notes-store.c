/* SPDX-License-Identifier: MIT */
#include "notes-store.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "macro.h"
#include "notes-file.h"
#include "text.h"

/*
 * A change is made to a copy of the list; the copy is written; and when it is safe, it becomes the list. So there is
 * nothing to undo when writing fails. Only the list is copied: the notes themselves never change.
 */

#define FILE_VERSION 1

struct NotesStore {
    NotesFile *file;
    json_t *notes; /* in the order of their ids */
    json_int_t next_id;
    size_t size; /* bytes of the file */
};

/* ---- writing ---- */

static int commit(NotesStore *store, json_t *notes, json_int_t next_id)
{
    _cleanup_(json_cleanup) json_t *root = NULL;
    _cleanup_free_ char *data = NULL;
    size_t size;
    int r;

    root = json_pack("{s:i, s:I, s:O}", "version", FILE_VERSION, "next_id", next_id, "notes", notes);
    data = root ? json_dumps(root, JSON_COMPACT) : NULL;
    if (!data)
        return -ENOMEM;
    size = strlen(data);
    /* A file that came to be over the limit some other way can still be made smaller. */
    if (size > NOTES_BYTES_MAX && size >= store->size)
        return -E2BIG;
    r = notes_file_write(store->file, data, size);
    if (r < 0)
        return r;

    json_decref(store->notes);
    store->notes = json_incref(notes);
    store->next_id = next_id;
    store->size = size;
    return 0;
}

/* ---- opening ---- */

static bool note_is_sound(json_t *note, json_int_t after, json_int_t before)
{
    json_int_t id, created, modified;
    const char *title, *text;

    if (json_unpack(note, "{s:I, s:s, s:s, s:I, s:I !}", "id", &id, "title", &title, "text", &text, "created",
                    &created, "modified", &modified) < 0)
        return false;
    return id > after && id < before;
}

static bool notes_are_sound(json_t *notes, json_int_t next_id)
{
    json_int_t last = 0;
    json_t *note;
    size_t i;

    if (!json_is_array(notes) || next_id < 1 || next_id > NOTES_ID_MAX)
        return false;
    json_array_foreach(notes, i, note) {
        if (!note_is_sound(note, last, next_id))
            return false;
        last = json_integer_value(json_object_get(note, "id"));
    }
    return true;
}

/* Makes what a file holds the store's. -EBADMSG: that is no list of notes. */
static int take_over(NotesStore *store, json_t *root)
{
    json_int_t version, next_id;
    json_t *notes;

    if (json_unpack(root, "{s:I}", "version", &version) == 0 && version > FILE_VERSION)
        return -EPROTONOSUPPORT;
    if (json_unpack(root, "{s:I, s:I, s:o !}", "version", &version, "next_id", &next_id, "notes", &notes) < 0)
        return -EBADMSG;
    if (version != FILE_VERSION || !notes_are_sound(notes, next_id))
        return -EBADMSG;

    store->notes = json_incref(notes);
    store->next_id = next_id;
    return 0;
}

static int start_empty(NotesStore *store)
{
    store->notes = json_array();
    store->next_id = 1;
    store->size = 0;
    return store->notes ? 0 : -ENOMEM;
}

/* In the place of a damaged file: a link to it would lead nowhere, and end the next start. */
static int write_empty(NotesStore *store)
{
    _cleanup_(json_cleanup) json_t *notes = json_array();
    _cleanup_free_ char *problem = NULL;
    int r;

    r = notes ? commit(store, notes, 1) : -ENOMEM;
    if (r < 0 && r != -ENOMEM) {
        problem = notes_file_explain(store->file, r);
        log_error("notes: %s", problem ? problem : "out of memory");
    }
    return r;
}

static int set_aside(NotesStore *store, const char *problem)
{
    const char *path = notes_file_get_path(store->file);
    _cleanup_free_ char *aside = NULL;
    int r;

    r = notes_file_set_aside(store->file, &aside);
    if (r < 0) {
        log_errno(LOG_ERR, r, "notes: %s is damaged (%s) and cannot be set aside", path, problem);
        return r;
    }
    log_warning("notes: %s is damaged (%s): it is now %s, and the notes start empty", path, problem, aside);
    return write_empty(store);
}

static int parse(NotesStore *store, const char *data, size_t size)
{
    _cleanup_(json_cleanup) json_t *root = NULL;
    char problem[JSON_ERROR_TEXT_LENGTH + 64];
    json_error_t error;
    int r;

    root = json_loadb(data, size, JSON_ALLOW_NUL, &error);
    if (!root && json_error_code(&error) == json_error_out_of_memory)
        return -ENOMEM;
    if (!root) {
        snprintf(problem, sizeof(problem), "line %d, column %d: %s", error.line, error.column, error.text);
        return set_aside(store, problem);
    }
    r = take_over(store, root);
    return r == -EBADMSG ? set_aside(store, "it is JSON, but no list of notes") : r;
}

static int load(NotesStore *store)
{
    const char *path = notes_file_get_path(store->file);
    _cleanup_free_ char *data = NULL;
    size_t size = 0;
    int r;

    r = notes_file_read(store->file, &data, &size);
    if (r == -ENOENT)
        return start_empty(store);
    if (r < 0) {
        log_errno(LOG_ERR, r, "notes: cannot read %s", path);
        return r;
    }
    store->size = size;
    r = parse(store, data, size);
    if (r == -ENOMEM)
        return log_oom();
    if (r == -EPROTONOSUPPORT)
        log_error("notes: %s comes from a newer version of this program", path);
    return r;
}

static void notes_store_closep(NotesStore **store)
{
    notes_store_close(*store);
}

int notes_store_open(NotesStore **ret_store, const char *folder)
{
    _cleanup_(notes_store_closep) NotesStore *store = NULL;
    int r;

    store = calloc(1, sizeof(*store));
    if (!store)
        return log_oom();
    r = notes_file_open(&store->file, folder);
    if (r < 0)
        return r;
    r = load(store);
    if (r < 0)
        return r;
    *ret_store = TAKE_PTR(store);
    return 0;
}

NotesStore *notes_store_close(NotesStore *store)
{
    if (!store)
        return NULL;
    notes_file_close(store->file);
    json_decref(store->notes);
    free(store);
    return NULL;
}

json_t *notes_store_get_all(NotesStore *store)
{
    return store->notes;
}

/* ---- changing ---- */

/* Binary search, as the list is in the order of the ids. */
static int find(const NotesStore *store, json_int_t id, size_t *ret_index)
{
    size_t low = 0, high = json_array_size(store->notes);

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        json_int_t there = json_integer_value(json_object_get(json_array_get(store->notes, middle), "id"));

        if (there == id) {
            *ret_index = middle;
            return 0;
        }
        if (there < id)
            low = middle + 1;
        else
            high = middle;
    }
    return -ESRCH;
}

int notes_store_add(NotesStore *store, json_t *title, json_t *text, json_t **ret_note)
{
    _cleanup_(json_cleanup) json_t *note = NULL, *notes = NULL;
    json_int_t now = (json_int_t)(clock_now(CLOCK_REALTIME) / 1000);
    int r;

    if (json_array_size(store->notes) >= NOTES_MAX || store->next_id >= NOTES_ID_MAX)
        return -E2BIG;
    note = json_pack("{s:I, s:O, s:O, s:I, s:I}", "id", store->next_id, "title", title, "text", text, "created", now,
                     "modified", now);
    notes = json_copy(store->notes);
    if (!note || json_array_append(notes, note) < 0)
        return -ENOMEM;

    r = commit(store, notes, store->next_id + 1);
    if (r < 0)
        return r;
    *ret_note = TAKE_PTR(note);
    return 0;
}

int notes_store_edit(NotesStore *store, json_int_t id, json_t *title, json_t *text, json_t **ret_note)
{
    _cleanup_(json_cleanup) json_t *note = NULL, *notes = NULL;
    size_t i;
    int r;

    r = find(store, id, &i);
    if (r < 0)
        return r;
    note = json_copy(json_array_get(store->notes, i));
    notes = json_copy(store->notes);
    if ((title && json_object_set(note, "title", title) < 0) || (text && json_object_set(note, "text", text) < 0) ||
        json_object_set_new(note, "modified", json_integer((json_int_t)(clock_now(CLOCK_REALTIME) / 1000))) < 0 || json_array_set(notes, i, note) < 0)
        return -ENOMEM;

    r = commit(store, notes, store->next_id);
    if (r < 0)
        return r;
    *ret_note = TAKE_PTR(note);
    return 0;
}

int notes_store_remove(NotesStore *store, json_int_t id, json_t **ret_note)
{
    _cleanup_(json_cleanup) json_t *note = NULL, *notes = NULL;
    size_t i;
    int r;

    r = find(store, id, &i);
    if (r < 0)
        return r;
    note = json_incref(json_array_get(store->notes, i));
    notes = json_copy(store->notes);
    if (json_array_remove(notes, i) < 0)
        return -ENOMEM;

    r = commit(store, notes, store->next_id);
    if (r < 0)
        return r;
    *ret_note = TAKE_PTR(note);
    return 0;
}

char *notes_store_explain(const NotesStore *store, int r)
{
    return notes_file_explain(store->file, r);
}
