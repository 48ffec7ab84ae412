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

const char *ipc_invocation_get_channel(const ipc_invocation *invocation);    /* owned by @invocation */
ipc_sender *ipc_invocation_get_sender(const ipc_invocation *invocation);     /* owned by @invocation */
uint32_t ipc_invocation_get_sender_id(const ipc_invocation *invocation);     /* 0: an anonymous caller */

/* Borrowed; NULL once the caller or the app is gone. */
ipc_app *ipc_invocation_get_app(const ipc_invocation *invocation);

/**
 * ipc_invocation_resolve - answer with a result
 * @invocation: the invocation
 * @result: any JSON value, borrowed; NULL is null
 *
 * Return: 0, or -EINVAL (too deep: it stays unsettled), -EALREADY (settled before), -ECANCELED (the caller is gone
 * or has cancelled: nothing is sent), -EMSGSIZE (over IPC_ARGS_MAX: the caller is told IPC_ERROR_TOO_LARGE),
 * -ENOBUFS (the caller's queue is full), -ENOTCONN (the bus is gone), -ENOMEM (it stays unsettled).
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
 * Return: as ipc_invocation_resolve(); -EINVAL also where no NUL follows, or the bus does not take the text.
 */
int ipc_invocation_resolve_text(ipc_invocation *invocation, const char *text, size_t length);

/* The result made by json_pack() from one value's format, such as "{s:i}". A bad format, NaN, infinity: -EINVAL. */
int ipc_invocation_resolvef(ipc_invocation *invocation, const char *format, ...);

/**
 * ipc_invocation_reject - answer with an error
 * @invocation: the invocation
 * @name: a D-Bus error name, such as "com.example.Error.NoSuchNote"; NULL is IPC_ERROR_HANDLER_FAILED
 * @message: one line for a person
 * @detail: any JSON value, borrowed; NULL: none
 *
 * All three reach the caller.
 *
 * Return: as ipc_invocation_resolve(); -EINVAL also for a name that is no D-Bus error name or a message that is
 * not UTF-8.
 */
int ipc_invocation_reject(ipc_invocation *invocation, const char *name, const char *message, json_t *detail);

/* The detail made by json_pack() from one value's format. */
int ipc_invocation_rejectf(ipc_invocation *invocation, const char *name, const char *message, const char *format, ...);

/**
 * ipc_cancelled_t - what runs when nobody waits for an invocation any more
 */
typedef void (*ipc_cancelled_t)(ipc_invocation *invocation, void *userdata);

/**
 * ipc_invocation_on_cancelled - be told that the caller is gone or has cancelled, or that the app stops
 * @invocation: an invocation that has not settled
 * @callback: runs once; NULL: nothing any more
 * @userdata: for @callback
 *
 * Return: 0, or -EINVAL, -EALREADY (settled), -ECANCELED (it happened already).
 */
int ipc_invocation_on_cancelled(ipc_invocation *invocation, ipc_cancelled_t callback, void *userdata);

static inline void ipc_invocation_unrefp(ipc_invocation **invocation)
{
    if (*invocation)
        ipc_invocation_unref(*invocation);
}

#ifdef __cplusplus
}
#endif

#endif
