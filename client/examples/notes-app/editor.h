/* SPDX-License-Identifier: MIT */
#pragma once

/* Where a note is written. Emits "changed" when title or text do. */

#include <gtk/gtk.h>

#include "note.h"

G_DECLARE_FINAL_TYPE(Editor, editor, NOTES, EDITOR, GtkBox)

/* Shows a note, and forgets what was written. */
void editor_show(Editor *self, Note *note);

/* The note became another one, such as by saving; what has been written since stays. */
void editor_rebase(Editor *self, Note *note);

Note *editor_get_note(Editor *self); /* NULL: nothing is shown */
const char *editor_get_title(Editor *self);
char *editor_dup_text(Editor *self);

/* There is something that the note has not. */
gboolean editor_is_modified(Editor *self);

/* Ticks the box that begins a line, or clears it. */
void editor_toggle_line(Editor *self, int line);
