/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A second window, which reads along. It is another renderer, and the two talk without main: by "reader:hello",
 * "reader:turn" and "reader:toggle" to the editor, and "reader:show" back, each with ipc_renderer_send_to().
 */

#include <gtk/gtk.h>

G_DECLARE_FINAL_TYPE(ReaderWindow, reader_window, NOTES, READER_WINDOW, GtkApplicationWindow)

GtkWidget *reader_window_new(GtkApplication *app);

/* The id of the renderer that it reads along with; 0: it has none now. */
void reader_window_set_editor(ReaderWindow *self, uint32_t id);
