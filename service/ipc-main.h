/* SPDX-License-Identifier: MIT */
#ifndef IPCBUS_IPC_MAIN_H
#define IPCBUS_IPC_MAIN_H

/*
 * The main process: its registry of listeners and handlers (Electron's ipcMain), and all else that belongs to it: the
 * app on the bus, the invocations of its handlers, and its view of each renderer.
 */

#include <jansson.h>
#include <stddef.h>

#include "ipc-app.h"
#include "ipc-error.h"
#include "ipc-event.h"
#include "ipc-invocation.h"
#include "ipc-names.h"
#include "ipc-port.h"
#include "ipc-slot.h"
#include "ipc-web-contents.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ipc_handler_t - what answers an invoke
 * @invocation: settle it now, or take a reference and settle it later
 * @args: the arguments, a JSON array; borrowed
 * @userdata: as it was registered
 *
 * Electron: the listener of ipcMain.handle().
 *
 * Return: 0 or more; or a negative errno, which rejects the invocation with IPC_ERROR_HANDLER_FAILED unless it has
 * settled.
 */
typedef int (*ipc_handler_t)(ipc_invocation *invocation, json_t *args, void *userdata);

/**
 * ipc_main_on - listen on a channel
 * @main: the app's registry, or that of one web contents
 * @ret_slot: the registration; NULL: as long as @main
 * @channel: 1 to 255 bytes of UTF-8
 * @callback: runs for each message of ipc_renderer_send() and ipc_renderer_send_sync()
 * @userdata: for @callback
 *
 * Electron: ipcMain.on().
 *
 * Return: 0, or -EINVAL (bad channel), -ENOTCONN (the web contents of @main is gone), -ENOMEM.
 */
int ipc_main_on(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback, void *userdata);

/** ipc_main_once - as ipc_main_on(), but it is removed before it runs; Electron: ipcMain.once() */
int ipc_main_once(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback, void *userdata);

/** ipc_main_prepend_listener - as ipc_main_on(), but before those that are there; Node: emitter.prependListener() */
int ipc_main_prepend_listener(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback,
                              void *userdata);

/**
 * ipc_main_prepend_once_listener - as ipc_main_on(), but before those that are there, and it is removed before it runs
 *
 * Node: emitter.prependOnceListener().
 */
int ipc_main_prepend_once_listener(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback,
                                   void *userdata);

/**
 * ipc_main_on_text - ipc_main_on() for who forwards or stores JSON, and does not parse it
 * @main: the app's registry, or that of one web contents
 * @ret_slot: the registration; NULL: as long as @main
 * @channel: 1 to 255 bytes of UTF-8
 * @callback: runs for each message, in its place among the other listeners
 * @userdata: for @callback
 *
 * What all listeners of a message want as text is not parsed at all. Else it is parsed before any of them runs, once,
 * and what is no JSON array is refused.
 *
 * Electron: ipcMain.on().
 *
 * Return: as ipc_main_on().
 */
int ipc_main_on_text(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_text_listener_t callback,
                     void *userdata);

/** ipc_main_once_text - as ipc_main_on_text(), but it is removed before it runs; Electron: ipcMain.once() */
int ipc_main_once_text(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_text_listener_t callback,
                       void *userdata);

/**
 * ipc_main_off - remove a listener
 * @main: the registry
 * @channel: the channel
 * @callback: as it was registered
 * @userdata: as it was registered
 *
 * Of several that are the same, the one added last goes. Electron: ipcMain.off(), ipcMain.removeListener().
 *
 * Return: 0, or -EINVAL, -ENOENT (there is none).
 */
int ipc_main_off(ipc_main *main, const char *channel, ipc_listener_t callback, void *userdata);

/** ipc_main_off_text - as ipc_main_off(), for a listener of ipc_main_on_text(); Electron: ipcMain.off() */
int ipc_main_off_text(ipc_main *main, const char *channel, ipc_text_listener_t callback, void *userdata);

/**
 * ipc_main_remove_all_listeners - remove the listeners of a channel
 * @main: the registry
 * @channel: the channel; NULL: of every channel
 *
 * Handlers stay. Electron: ipcMain.removeAllListeners().
 *
 * Return: 0, or -EINVAL.
 */
int ipc_main_remove_all_listeners(ipc_main *main, const char *channel);

/**
 * ipc_main_listener_count - how many listeners a channel has
 * @main: the registry
 * @channel: the channel
 *
 * Node: emitter.listenerCount().
 *
 * Return: the number, or -EINVAL.
 */
int ipc_main_listener_count(ipc_main *main, const char *channel);

/**
 * ipc_main_channel_names - the channels that have listeners
 * @main: the registry
 * @ret_names: a sorted list that ends with NULL; free each name and the list
 *
 * Node: emitter.eventNames().
 *
 * Return: how many there are, or -EINVAL, -ENOMEM.
 */
int ipc_main_channel_names(ipc_main *main, char ***ret_names);

/**
 * ipc_main_handle - answer the invokes of a channel
 * @main: the app's registry, or that of one web contents, whose handlers win
 * @ret_slot: the registration; NULL: as long as @main
 * @channel: 1 to 255 bytes of UTF-8
 * @handler: runs for each ipc_renderer_invoke()
 * @userdata: for @handler
 *
 * Electron: ipcMain.handle().
 *
 * Return: 0, or -EINVAL (bad channel), -EEXIST (the channel has a handler), -ENOTCONN (the web contents of @main is
 * gone), -ENOMEM.
 */
int ipc_main_handle(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_handler_t handler, void *userdata);

/** ipc_main_handle_once - as ipc_main_handle(), but it is removed before it runs; Electron: ipcMain.handleOnce() */
int ipc_main_handle_once(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_handler_t handler,
                         void *userdata);

/**
 * ipc_text_handler_t - what answers an invoke by its text
 * @invocation: as of ipc_handler_t; ipc_invocation_resolve_text() answers with text
 * @text: the arguments as they came, checked by nobody: JSON if the caller is honest. NUL-terminated, and good until
 *        the handler returns
 * @length: of @text in bytes
 * @userdata: as it was registered
 *
 * Return: as of ipc_handler_t.
 */
typedef int (*ipc_text_handler_t)(ipc_invocation *invocation, const char *text, size_t length, void *userdata);

/**
 * ipc_main_handle_text - ipc_main_handle() for who forwards or stores JSON, and does not parse it
 * @main: the app's registry, or that of one web contents
 * @ret_slot: the registration; NULL: as long as @main
 * @channel: 1 to 255 bytes of UTF-8
 * @handler: runs for each invoke
 * @userdata: for @handler
 *
 * Electron: ipcMain.handle().
 *
 * Return: as ipc_main_handle().
 */
int ipc_main_handle_text(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_text_handler_t handler,
                         void *userdata);

/**
 * ipc_main_remove_handler - remove the handler of a channel
 * @main: the registry
 * @channel: the channel
 *
 * What it was invoked for before may still be settled. Electron: ipcMain.removeHandler().
 *
 * Return: 0, or -EINVAL, -ENOENT (there is none).
 */
int ipc_main_remove_handler(ipc_main *main, const char *channel);

#ifdef __cplusplus
}
#endif

#endif
