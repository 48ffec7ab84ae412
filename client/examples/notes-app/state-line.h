/* SPDX-License-Identifier: MIT */
#pragma once

/* The line that tells how a window stands with the service. */

#include <gtk/gtk.h>
#include <ipcbus/ipc-renderer.h>

G_DECLARE_FINAL_TYPE(StateLine, state_line, NOTES, STATE_LINE, GtkBox)

/* error NULL: nothing went wrong. */
void state_line_show(StateLine *self, ipc_renderer *renderer, const ipc_error *error);
