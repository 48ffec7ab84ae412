/* SPDX-License-Identifier: MIT */
#include "connection.h"

int connection_open(ipc_renderer **ret_renderer, const char *title, const char *guest_token)
{
    g_autoptr(ipc_renderer) renderer = NULL;
    int r;

    r = ipc_renderer_new(&renderer, NULL, NULL);
    if (r >= 0)
        r = ipc_renderer_set_title(renderer, title);
    if (r >= 0 && guest_token)
        r = ipc_renderer_set_guest_token(renderer, guest_token);
    if (r >= 0)
        r = ipc_renderer_attach_glib(renderer, NULL);
    if (r < 0)
        return r;
    *ret_renderer = g_steal_pointer(&renderer);
    return 0;
}

gboolean connection_is_cancelled(const GError *error)
{
    return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
           g_error_matches(error, IPC_GERROR, IPC_GERROR_CANCELLED);
}
