/* SPDX-License-Identifier: MIT */
#include "glib-source.h"
#include "ipc-main-glib.h"

GLIB_SOURCE_OPS(ipc_app);

int ipc_app_attach_glib(ipc_app *app, GMainContext *context)
{
    return glib_source_attach(&source_ops, app, context);
}

int ipc_app_detach_glib(ipc_app *app)
{
    return ipc_app_detach_loop(app);
}
