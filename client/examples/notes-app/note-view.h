/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The text of a note, for reading: "# " begins a heading, "- " an item of a list, and "- [ ] " and "- [x] " one to tick.
 * Ticking emits "toggled" with the number of the line, and changes nothing: that is for who owns the text.
 */

#include <gtk/gtk.h>

G_DECLARE_FINAL_TYPE(NoteView, note_view, NOTES, NOTE_VIEW, GtkBox)

GtkWidget *note_view_new(void);
void note_view_show(NoteView *self, const char *text);
