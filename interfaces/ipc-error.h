/* SPDX-License-Identifier: MIT */
#ifndef IPCBUS_IPC_ERROR_H
#define IPCBUS_IPC_ERROR_H

/* An error that crossed the bus: its D-Bus name, its message, and the JSON detail that a handler may add. */

#include <jansson.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct ipc_error - why a call failed
 * @name: a D-Bus error name, such as IPC_ERROR_NO_HANDLER or one that the handler chose; NULL: no error
 * @message: one line for a person; never NULL beside a name
 * @detail: what the handler added, or NULL
 */
typedef struct ipc_error {
    char *name;
    char *message;
    json_t *detail;
} ipc_error;

/* What an ipc_error is before something fails. */
#define IPC_ERROR_INIT { NULL, NULL, NULL }

/**
 * ipc_error_clear - free what an error holds and make it IPC_ERROR_INIT again
 * @error: the error, or NULL
 */
void ipc_error_clear(ipc_error *error);

/**
 * ipc_error_is - tell whether an error has a name
 * @error: the error, or NULL
 * @name: the D-Bus error name
 *
 * Return: true if @error is set and called @name.
 */
bool ipc_error_is(const ipc_error *error, const char *name);

/**
 * ipc_error_get_errno - the errno that fits an error best
 * @error: the error, or NULL
 *
 * Return: 0 without an error, else a positive errno; EIO for a name that is not known here.
 */
int ipc_error_get_errno(const ipc_error *error);

#ifdef __cplusplus
}
#endif

#endif
