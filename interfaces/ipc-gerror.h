/* SPDX-License-Identifier: MIT */
#ifndef IPCBUS_IPC_GERROR_H
#define IPCBUS_IPC_GERROR_H

/* An ipc_error as a GError. Needs libipcbus-glib (pkg-config: ipcbus-glib). */

#include <glib.h>
#include <jansson.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The domain. A GError of it has the message of the error that crossed the bus, and carries its name and detail. */
#define IPC_GERROR (ipc_gerror_quark())

/**
 * enum ipc_gerror - the codes: one for each IPC_ERROR_... of the same name
 * @IPC_GERROR_FAILED: every other error, such as one that a handler named: ipc_gerror_get_name() tells
 */
typedef enum ipc_gerror {
    IPC_GERROR_FAILED,
    IPC_GERROR_NO_HANDLER,
    IPC_GERROR_NO_LISTENER,
    IPC_GERROR_HANDLER_FAILED,
    IPC_GERROR_REPLY_NEVER_SENT,
    IPC_GERROR_CANCELLED,
    IPC_GERROR_INVALID_ARGS,
    IPC_GERROR_INVALID_CHANNEL,
    IPC_GERROR_NO_SUCH_WEB_CONTENTS,
    IPC_GERROR_NOT_A_GUEST,
    IPC_GERROR_INVALID_TOKEN,
    IPC_GERROR_NOT_REGISTERED,
    IPC_GERROR_BUSY,
    IPC_GERROR_QUEUE_FULL,
    IPC_GERROR_TOO_LARGE,
    IPC_GERROR_MAIN_GONE,
    IPC_GERROR_ACCESS_DENIED,
    IPC_GERROR_LIMITS_EXCEEDED,
    IPC_GERROR_NO_MEMORY,
    IPC_GERROR_TIMEOUT
} ipc_gerror;

/** ipc_gerror_quark - what IPC_GERROR stands for; Return: the domain */
GQuark ipc_gerror_quark(void);

/**
 * ipc_gerror_get_name - the D-Bus name of an error
 * @error: the error, or NULL
 *
 * Return: the name, such as "com.example.Error.NoSuchNote"; owned by @error; NULL if @error is of another domain.
 */
const char *ipc_gerror_get_name(const GError *error);

/**
 * ipc_gerror_get_detail - what the handler added to its error
 * @error: the error, or NULL
 *
 * Return: any JSON value, owned by @error; NULL if there is none, or @error is of another domain.
 */
json_t *ipc_gerror_get_detail(const GError *error);

#ifdef __cplusplus
}
#endif

#endif
