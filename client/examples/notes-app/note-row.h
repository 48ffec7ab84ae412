/* SPDX-License-Identifier: MIT */
#pragma once

/* A note in the list. */

#include <gtk/gtk.h>

#include "note.h"

G_DECLARE_FINAL_TYPE(NoteRow, note_row, NOTES, NOTE_ROW, GtkListBoxRow)

GtkWidget *note_row_new(Note *note);
Note *note_row_get_note(NoteRow *self);
