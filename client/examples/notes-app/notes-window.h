/* SPDX-License-Identifier: MIT */
#pragma once

/* A window that lists the notes, and where they are written. */

#include <gtk/gtk.h>

G_DECLARE_FINAL_TYPE(NotesWindow, notes_window, NOTES, WINDOW, GtkApplicationWindow)

GtkWidget *notes_window_new(GtkApplication *app);
