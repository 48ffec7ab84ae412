/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The preview of a note: a guest, as a <webview> of Electron is. It shares nothing with the window that embeds it but
 * the token that it registers with: it shows what it is sent on "preview:show", and says what was ticked by sending
 * "preview:toggle" to its host.
 */

#include <gtk/gtk.h>

G_DECLARE_FINAL_TYPE(Preview, preview, NOTES, PREVIEW, GtkWidget)

/* Becomes the guest of who made the token. Return: 0, or a negative errno. */
int preview_connect(Preview *self, const char *token);
