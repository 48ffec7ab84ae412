/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "gerror.h"
#include "ipc-renderer-glib.h"

/*
 * One invoke is one GTask. It is held by the pending call, whose callback runs exactly once, also when the renderer
 * closes; and by the source that watches the GCancellable, which ends with the call. So the renderer is there whenever
 * the task needs it, and nobody needs to hold it.
 */

typedef struct Invoke {
    ipc_renderer *renderer; /* of use until the call has settled */
    ipc_slot *slot;
    GSource *cancelled; /* NULL: nobody can cancel */
    bool is_finished;
} Invoke;

static void invoke_end(Invoke *invoke)
{
    if (invoke->cancelled) {
        g_source_destroy(invoke->cancelled);
        g_source_unref(invoke->cancelled);
    }
    invoke->cancelled = NULL;
    invoke->slot = ipc_slot_unref(invoke->slot);
}

static void json_free(gpointer json)
{
    json_decref(json);
}

static void on_reply(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata)
{
    g_autoptr(GTask) task = userdata;

    (void)renderer;
    invoke_end(g_task_get_task_data(task));
    if (error)
        g_task_return_error(task, gerror_new(error));
    else
        g_task_return_pointer(task, json_incref(result), json_free);
}

/* Runs in the task's context, whichever thread has cancelled. Main is told now, the callback in its turn. */
static gboolean on_cancelled(GCancellable *cancellable, gpointer userdata)
{
    const Invoke *invoke = g_task_get_task_data(userdata);

    (void)cancellable;
    (void)ipc_renderer_cancel(invoke->renderer, invoke->slot);
    return G_SOURCE_REMOVE;
}

static void watch_cancellable(GTask *task, Invoke *invoke)
{
    GCancellable *cancellable = g_task_get_cancellable(task);

    if (!cancellable)
        return;
    invoke->cancelled = g_cancellable_source_new(cancellable);
    g_task_attach_source(task, invoke->cancelled, G_SOURCE_FUNC(on_cancelled));
}

static bool is_channel(const char *channel)
{
    size_t length = channel ? strlen(channel) : 0;

    return length > 0 && length <= IPC_CHANNEL_MAX && g_utf8_validate(channel, (gssize)length, NULL);
}

/* Why a call could not be made. */
static GError *refusal(int r, const ipc_renderer *renderer, const char *channel)
{
    switch (r) {
    case -EINVAL:
        if (!renderer)
            return gerror_newf(IPC_ERROR_INVALID_ARGS, "There is no renderer to invoke with");
        if (!is_channel(channel))
            return gerror_newf(IPC_ERROR_INVALID_CHANNEL, "The name of a channel is 1 to %u bytes of UTF-8",
                               IPC_CHANNEL_MAX);
        return gerror_newf(IPC_ERROR_INVALID_ARGS, "The arguments for '%s' are no JSON array, too deep, or not UTF-8",
                           channel);
    case -EMSGSIZE:
        return gerror_newf(IPC_ERROR_TOO_LARGE, "The arguments for '%s' are over %u bytes of JSON", channel,
                           IPC_ARGS_MAX);
    case -ENOBUFS:
        return gerror_newf(IPC_ERROR_QUEUE_FULL, "Too much waits to be sent already");
    case -ENOTCONN:
        return gerror_newf(IPC_ERROR_MAIN_GONE, "The renderer is closed");
    case -ENOMEM:
        return gerror_newf(IPC_ERROR_NO_MEMORY, "Out of memory");
    default:
        return gerror_newf(IPC_ERROR_MAIN_GONE, "The call of '%s' could not be sent: %s", channel, g_strerror(-r));
    }
}

static GTask *invoke_new_task(ipc_renderer *renderer, GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer userdata)
{
    GTask *task = g_task_new(NULL, cancellable, callback, userdata);
    Invoke *invoke = g_new0(Invoke, 1);

    invoke->renderer = renderer;
    g_task_set_source_tag(task, ipc_renderer_invoke_async);
    g_task_set_task_data(task, invoke, g_free);
    return task;
}

void ipc_renderer_invoke_async(ipc_renderer *renderer, const char *channel, json_t *args, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer userdata)
{
    g_autoptr(GTask) task = invoke_new_task(renderer, cancellable, callback, userdata);
    Invoke *invoke = g_task_get_task_data(task);
    int r;

    if (g_task_return_error_if_cancelled(task))
        return;
    r = ipc_renderer_invoke(renderer, &invoke->slot, channel, args, on_reply, task);
    if (r < 0) {
        g_task_return_error(task, refusal(r, renderer, channel));
        return;
    }
    watch_cancellable(task, invoke);
    g_steal_pointer(&task); /* on_reply() has it */
}

void ipc_renderer_invoke_asyncf(ipc_renderer *renderer, const char *channel, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer userdata, const char *format, ...)
{
    g_autofree char *array = g_strdup_printf("[%s]", format ? format : "");
    g_autoptr(GTask) task = NULL;
    json_error_t error = { .text = "" };
    json_t *args;
    va_list elements;

    va_start(elements, format);
    args = json_vpack_ex(&error, 0, array, elements);
    va_end(elements);
    if (args) {
        ipc_renderer_invoke_async(renderer, channel, args, cancellable, callback, userdata);
        json_decref(args);
        return;
    }
    task = invoke_new_task(renderer, cancellable, callback, userdata);
    g_task_return_error(task, gerror_newf(IPC_ERROR_INVALID_ARGS, "The format '%s' makes no arguments: %s",
                                          format ? format : "", error.text));
}

json_t *ipc_renderer_invoke_finish(ipc_renderer *renderer, GAsyncResult *result, GError **error)
{
    Invoke *invoke;

    if (!g_task_is_valid(result, NULL) || !g_async_result_is_tagged(result, ipc_renderer_invoke_async)) {
        g_propagate_error(error, gerror_newf(IPC_ERROR_INVALID_ARGS, "This is not the result of an invoke"));
        return NULL;
    }
    invoke = g_task_get_task_data(G_TASK(result));
    if (invoke->is_finished || (renderer && invoke->renderer != renderer)) {
        g_propagate_error(error, gerror_newf(IPC_ERROR_INVALID_ARGS, "The result of this invoke %s",
                                             invoke->is_finished ? "has been taken" : "is another renderer's"));
        return NULL;
    }
    invoke->is_finished = true;
    return g_task_propagate_pointer(G_TASK(result), error);
}
