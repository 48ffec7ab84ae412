/* SPDX-License-Identifier: MIT */
#pragma once

/* How this app's renderers come to be: each on a bus connection of its own, in GTK's main loop. */

#include <ipcbus/ipc-renderer-glib.h>

/* guest_token NULL: it is nobody's guest. Nothing blocks; the state callback tells when it is ready. */
int connection_open(ipc_renderer **ret_renderer, const char *title, const char *guest_token);

/* The window that waited has gone, or nobody wants the result any more: that is nothing to tell the user. */
gboolean connection_is_cancelled(const GError *error);
