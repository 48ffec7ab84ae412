/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The notes, in memory and in their file. A change has happened when it is on the disk; one that cannot be written
 * has not happened at all.
 *
 * A note is an object: {"id": integer, "title": string, "text": string, "created": ms since 1970, "modified": ms}.
 * Nobody may change one that the store gave out: the store has the same one.
 */

#include <jansson.h>

#define NOTES_MAX 10000u                    /* notes */
#define NOTES_TITLE_MAX 1024u               /* bytes of a title; at least one */
#define NOTES_TEXT_MAX (1024u * 1024)       /* bytes of a text */
#define NOTES_BYTES_MAX (15u * 1024 * 1024) /* bytes of JSON: the list of all of them has to fit in one message */
#define NOTES_ID_MAX ((json_int_t)1 << 53)  /* beyond it JavaScript cannot tell one id from the next */

typedef struct NotesStore NotesStore;

/*
 * Reads the notes of a folder, which is made if it is not there. A file that is damaged is set aside, and the store
 * starts empty. That, and each failure, is logged here: -EBUSY (another process has them), -EPROTONOSUPPORT (the file
 * comes from a newer version), or the errno of what failed.
 */
int notes_store_open(NotesStore **ret_store, const char *folder);
NotesStore *notes_store_close(NotesStore *store);

json_t *notes_store_get_all(NotesStore *store); /* an array in the order of the ids; borrowed */

/*
 * The strings are borrowed, and checked by the caller; one that is NULL is left as it is by an edit. The note is a
 * new reference. All three answer -ESRCH (there is no such note), -E2BIG (there is no room for more notes, or for more
 * text), -ENOMEM, or the errno of writing.
 */
int notes_store_add(NotesStore *store, json_t *title, json_t *text, json_t **ret_note);
int notes_store_edit(NotesStore *store, json_int_t id, json_t *title, json_t *text, json_t **ret_note);
int notes_store_remove(NotesStore *store, json_int_t id, json_t **ret_note);

/* What an errno of writing means, for a person; the caller frees it. NULL: no memory. */
char *notes_store_explain(const NotesStore *store, int r);
