/* SPDX-License-Identifier: MIT */
#ifndef IPCBUS_IPC_RENDERER_GLIB_H
#define IPCBUS_IPC_RENDERER_GLIB_H

/* A renderer in GLib's main loop, with invokes in the manner of GIO. Needs libipcbus-glib (pkg-config: ipcbus-glib). */

#include <gio/gio.h>

#include "ipc-gerror.h"
#include "ipc-renderer.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ipc_renderer_attach_glib - live in a GLib main loop
 * @renderer: the renderer
 * @context: the loop's context; NULL is the thread's default one
 *
 * The renderer is used from the thread that runs @context. It leaves the context when it is detached, closed or goes;
 * the context may go first. Neither holds the other. A callback that runs a loop of its own hears nothing from this
 * renderer meanwhile.
 *
 * Return: 0, or -EINVAL, -EBUSY (attached already), -ENOTCONN (closed).
 */
int ipc_renderer_attach_glib(ipc_renderer *renderer, GMainContext *context);

/**
 * ipc_renderer_detach_glib - leave the loop, of whichever kind, as by ipc_renderer_detach_loop()
 * @renderer: the renderer
 *
 * Return: 0, or -EINVAL.
 */
int ipc_renderer_detach_glib(ipc_renderer *renderer);

/**
 * ipc_renderer_invoke_async - call the handler of a channel
 * @renderer: the renderer
 * @channel: 1 to 255 bytes of UTF-8
 * @args: a JSON array; NULL is []
 * @cancellable: gives the call up, in main, too; or NULL
 * @callback: runs exactly once, in the context that is the thread's default one now, and never from this call; its
 *            source object is NULL. NULL: nobody cares
 * @userdata: for @callback
 *
 * @renderer is not held: when it closes, the call fails with IPC_GERROR_CANCELLED. What ipc_renderer_invoke() answers
 * with an errno comes as an error, too. Electron: ipcRenderer.invoke(), of which @callback is what follows await.
 */
void ipc_renderer_invoke_async(ipc_renderer *renderer, const char *channel, json_t *args, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer userdata);

/**
 * ipc_renderer_invoke_asyncf - ipc_renderer_invoke_async() with arguments made by json_pack()
 * @renderer: the renderer
 * @channel: the channel
 * @cancellable: gives the call up, or NULL
 * @callback: as of ipc_renderer_invoke_async()
 * @userdata: for @callback
 * @format: the elements of the array in json_pack()'s format, such as "s, {s:i}"; NULL is none
 *
 * Electron: ipcRenderer.invoke().
 */
void ipc_renderer_invoke_asyncf(ipc_renderer *renderer, const char *channel, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer userdata, const char *format, ...);

/**
 * ipc_renderer_invoke_finish - the result of a call
 * @renderer: whose call it was: it is compared only, and may be gone; or NULL
 * @result: what the callback was given
 * @error: set if the call failed; or NULL
 *
 * The error is G_IO_ERROR_CANCELLED if the GCancellable was cancelled, else of the domain IPC_GERROR: see there for
 * what it carries. IPC_GERROR_INVALID_ARGS also if @result is no such call, or has been asked before.
 *
 * Return: the JSON value, to be dropped with json_decref(); NULL if the call failed.
 */
json_t *ipc_renderer_invoke_finish(ipc_renderer *renderer, GAsyncResult *result, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ipc_event, ipc_event_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ipc_renderer, ipc_renderer_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ipc_slot, ipc_slot_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ipc_webview, ipc_webview_unref)

#ifdef __cplusplus
}
#endif

#endif
