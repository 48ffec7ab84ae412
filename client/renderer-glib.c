/* SPDX-License-Identifier: MIT */
#include "glib-source.h"
#include "ipc-renderer-glib.h"

GLIB_SOURCE_OPS(ipc_renderer);

int ipc_renderer_attach_glib(ipc_renderer *renderer, GMainContext *context)
{
    return glib_source_attach(&source_ops, renderer, context);
}

int ipc_renderer_detach_glib(ipc_renderer *renderer)
{
    return ipc_renderer_detach_loop(renderer);
}
