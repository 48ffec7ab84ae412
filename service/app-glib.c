/* SPDX-License-Identifier: MIT */
#include "glib-source.h"
#include "ipc-main-glib.h"

static int source_get_fd(void *object)
{
    return ipc_app_get_fd(object);
}

static int source_get_events(void *object)
{
    return ipc_app_get_events(object);
}

static int source_get_timeout(void *object, uint64_t *ret_usec)
{
    return ipc_app_get_timeout(object, ret_usec);
}

static int source_process(void *object)
{
    return ipc_app_process(object);
}

static int source_attach(void *object, void (*on_detached)(void *userdata), void *userdata)
{
    return ipc_app_attach_loop(object, on_detached, userdata);
}

static int source_detach(void *object)
{
    return ipc_app_detach_loop(object);
}

static const GlibSourceOps app_source_ops = {
    .name = "ipc_app",
    .loop = {
        .get_fd = source_get_fd,
        .get_events = source_get_events,
        .get_timeout = source_get_timeout,
        .process = source_process,
    },
    .attach = source_attach,
    .detach = source_detach,
};

int ipc_app_attach_glib(ipc_app *app, GMainContext *context)
{
    return glib_source_attach(&app_source_ops, app, context);
}

int ipc_app_detach_glib(ipc_app *app)
{
    return ipc_app_detach_loop(app);
}
