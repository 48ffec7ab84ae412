/* SPDX-License-Identifier: MIT */
#include "glib-source.h"
#include "ipc-renderer-glib.h"

static int source_get_fd(void *object)
{
    return ipc_renderer_get_fd(object);
}

static int source_get_events(void *object)
{
    return ipc_renderer_get_events(object);
}

static int source_get_timeout(void *object, uint64_t *ret_usec)
{
    return ipc_renderer_get_timeout(object, ret_usec);
}

static int source_process(void *object)
{
    return ipc_renderer_process(object);
}

static int source_attach(void *object, void (*on_detached)(void *userdata), void *userdata)
{
    return ipc_renderer_attach_loop(object, on_detached, userdata);
}

static int source_detach(void *object)
{
    return ipc_renderer_detach_loop(object);
}

static const GlibSourceOps renderer_source_ops = {
    .name = "ipc_renderer",
    .loop = {
        .get_fd = source_get_fd,
        .get_events = source_get_events,
        .get_timeout = source_get_timeout,
        .process = source_process,
    },
    .attach = source_attach,
    .detach = source_detach,
};

int ipc_renderer_attach_glib(ipc_renderer *renderer, GMainContext *context)
{
    return glib_source_attach(&renderer_source_ops, renderer, context);
}

int ipc_renderer_detach_glib(ipc_renderer *renderer)
{
    return ipc_renderer_detach_loop(renderer);
}
