/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The list of notes, and the search in it. Emits "activated" with the Note that the user chose, "listed" when it shows
 * what the service has answered, and "failed" with a message when that cannot be had.
 */

#include <gtk/gtk.h>
#include <ipcbus/ipc-renderer.h>

#include "note.h"

G_DECLARE_FINAL_TYPE(NoteList, note_list, NOTES, NOTE_LIST, GtkBox)

/* Asks the service for the notes that are searched for, or all. The renderer is borrowed; NULL: nobody can be asked. */
void note_list_refresh(NoteList *self, ipc_renderer *renderer);

/* Marks the note, and returns it as it is in the list. NULL: it is not there. */
Note *note_list_select(NoteList *self, json_int_t id);

/* As if the user had chosen the one so many places behind this one. */
void note_list_turn(NoteList *self, json_int_t id, int distance);

void note_list_search(NoteList *self); /* lets the user type */
gboolean note_list_is_searching(NoteList *self);
gboolean note_list_is_empty(NoteList *self);
