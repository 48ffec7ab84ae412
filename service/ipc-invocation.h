/* SPDX-License-Identifier: MIT */
#ifndef IPCBUS_IPC_INVOCATION_H
#define IPCBUS_IPC_INVOCATION_H

/* An invocation: an invoke that waits for its answer, which its handler gives at once or later. */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc-app.h"
#include "ipc-event.h" /* ipc_sender has its name there */

#ifdef __cplusplus
extern "C" {
#endif

/** ipc_invocation_ref - take a reference, to settle it later; Return: @invocation, which may be NULL */
ipc_invocation *ipc_invocation_ref(ipc_invocation *invocation);

/**
 * ipc_invocation_unref - drop a reference
 * @invocation: the invocation, or NULL
 *
 * If the last one goes and nothing has settled it, the caller gets IPC_ERROR_REPLY_NEVER_SENT.
 *
 * Return: NULL.
 */
ipc_invocation *ipc_invocation_unref(ipc_invocation *invocation);

/**
 * ipc_invocation_get_channel - the channel that was invoked
 * @invocation: the invocation
 *
 * Return: the name, owned by @invocation; NULL if @invocation is NULL.
 */
const char *ipc_invocation_get_channel(const ipc_invocation *invocation);

/**
 * ipc_invocation_get_sender - what the bus vouches for about the caller
 * @invocation: the invocation
 *
 * Electron: event.sender.
 *
 * Return: the sender, owned by @invocation, for ipc_sender_get_unique_name() and the like; NULL if @invocation is NULL.
 */
ipc_sender *ipc_invocation_get_sender(const ipc_invocation *invocation);

/**
 * ipc_invocation_get_sender_id - who called
 * @invocation: the invocation
 *
 * Electron: event.senderId.
 *
 * Return: the id of the calling renderer, also when it is gone; 0: a bus client that did not register, or @invocation
 * is NULL.
 */
uint32_t ipc_invocation_get_sender_id(const ipc_invocation *invocation);

/**
 * ipc_invocation_get_app - the app that was called
 * @invocation: the invocation
 *
 * Return: the app, borrowed; NULL once the caller or the app is gone, or if @invocation is NULL.
 */
ipc_app *ipc_invocation_get_app(const ipc_invocation *invocation);

/**
 * ipc_invocation_resolve - answer with a result
 * @invocation: the invocation
 * @result: any JSON value, borrowed; NULL is null
 *
 * Electron: what the listener of ipcMain.handle() returns, or its promise resolves to.
 *
 * Return: 0, or -EINVAL (too deep: it stays unsettled), -EALREADY (settled before), -ECANCELED (the caller is gone
 * or has cancelled: nothing is sent), -EMSGSIZE (over IPC_ARGS_MAX, of an invoke by a lane over IPC_LANE_ARGS_MAX: the
 * caller is told IPC_ERROR_TOO_LARGE), -ENOBUFS (the caller's queue is full), -ENOTCONN (the bus is gone), -ENOMEM (it
 * stays unsettled).
 */
int ipc_invocation_resolve(ipc_invocation *invocation, json_t *result);

/**
 * ipc_invocation_resolve_text - answer with the JSON text of a result, which nobody parses on this side
 * @invocation: the invocation
 * @text: JSON; the caller is told IPC_ERROR_INVALID_ARGS if it is none
 * @length: of @text in bytes; a NUL follows them
 *
 * A large text that came by a lane or a port, and is passed on whole by a lane, is not copied.
 *
 * Electron: as of ipc_invocation_resolve().
 *
 * Return: as ipc_invocation_resolve(); -EINVAL also where no NUL follows, or the bus does not take the text.
 */
int ipc_invocation_resolve_text(ipc_invocation *invocation, const char *text, size_t length);

/**
 * ipc_invocation_resolvef - ipc_invocation_resolve() with a result made by json_pack()
 * @invocation: the invocation
 * @format: one value in json_pack()'s format, such as "{s:i}"; NULL is null
 *
 * Electron: as of ipc_invocation_resolve().
 *
 * Return: as ipc_invocation_resolve(); -EINVAL also for a bad format, NaN and infinity: it stays unsettled.
 */
int ipc_invocation_resolvef(ipc_invocation *invocation, const char *format, ...);

/**
 * ipc_invocation_reject - answer with an error
 * @invocation: the invocation
 * @name: a D-Bus error name, such as "com.example.Error.NoSuchNote"; NULL is IPC_ERROR_HANDLER_FAILED
 * @message: one line for a person
 * @detail: any JSON value, borrowed; NULL: none
 *
 * All three reach the caller. Electron: what the listener of ipcMain.handle() throws.
 *
 * Return: as ipc_invocation_resolve(); -EINVAL also for a name that is no D-Bus error name, or a message that is NULL
 * or not UTF-8.
 */
int ipc_invocation_reject(ipc_invocation *invocation, const char *name, const char *message, json_t *detail);

/**
 * ipc_invocation_rejectf - ipc_invocation_reject() with a detail made by json_pack()
 * @invocation: the invocation
 * @name: as of ipc_invocation_reject()
 * @message: one line for a person
 * @format: one value in json_pack()'s format, such as "{s:i}"; NULL: no detail
 *
 * Electron: as of ipc_invocation_reject().
 *
 * Return: as ipc_invocation_reject(); -EINVAL also for a bad format, NaN and infinity: it stays unsettled.
 */
int ipc_invocation_rejectf(ipc_invocation *invocation, const char *name, const char *message, const char *format, ...);

/**
 * ipc_cancelled_t - what runs when nobody waits for an invocation any more
 * @invocation: the invocation; to settle it now is an error, and sends nothing
 * @userdata: as it was given
 */
typedef void (*ipc_cancelled_t)(ipc_invocation *invocation, void *userdata);

/**
 * ipc_invocation_on_cancelled - be told that the caller is gone or has cancelled, or that the app stops
 * @invocation: an invocation that has not settled
 * @callback: runs once, in place of the one that was given before; NULL: nothing any more
 * @userdata: for @callback
 *
 * The web: AbortSignal.
 *
 * Return: 0, or -EINVAL, -EALREADY (settled), -ECANCELED (it happened already).
 */
int ipc_invocation_on_cancelled(ipc_invocation *invocation, ipc_cancelled_t callback, void *userdata);

/* For __attribute__((cleanup)). */
static inline void ipc_invocation_unrefp(ipc_invocation **invocation)
{
    if (*invocation)
        ipc_invocation_unref(*invocation);
}

#ifdef __cplusplus
}
#endif

#endif
