/* SPDX-License-Identifier: MIT */
#ifndef IPCBUS_IPC_MAIN_GLIB_H
#define IPCBUS_IPC_MAIN_GLIB_H

/* The main process in GLib's main loop. Needs libipcbus-glib (pkg-config: ipcbus-glib). */

#include <glib.h>

#include "ipc-main.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ipc_app_attach_glib - serve from a GLib main loop
 * @app: the app
 * @context: the loop's context; NULL is the thread's default one
 *
 * The app still has to be started, and is used from the thread that runs @context. It leaves the context when it is
 * detached, leaves the bus or goes; the context may go first. Neither holds the other. ipc_app_get_event() is NULL
 * meanwhile: a module that has timers should make them GLib's.
 *
 * Return: 0, or -EINVAL, -EBUSY (attached already), -ENOTCONN (stopped).
 */
int ipc_app_attach_glib(ipc_app *app, GMainContext *context);

/** ipc_app_detach_glib - leave the loop, of whichever kind, as by ipc_app_detach_loop(); Return: 0, or -EINVAL */
int ipc_app_detach_glib(ipc_app *app);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ipc_app, ipc_app_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ipc_invocation, ipc_invocation_unref)

#ifdef __cplusplus
}
#endif

#endif
