/* SPDX-License-Identifier: MIT */
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ipc-names.h"
#include "macro.h"
#include "text.h"

static const struct {
    const char *name;
    int number;
} error_numbers[] = {
    { IPC_ERROR_NO_HANDLER, ENOENT },
    { IPC_ERROR_NO_LISTENER, ENOENT },
    { IPC_ERROR_HANDLER_FAILED, EIO },
    { IPC_ERROR_REPLY_NEVER_SENT, ENODATA },
    { IPC_ERROR_CANCELLED, ECANCELED },
    { IPC_ERROR_INVALID_ARGS, EINVAL },
    { IPC_ERROR_INVALID_CHANNEL, EINVAL },
    { IPC_ERROR_NO_SUCH_WEB_CONTENTS, ENXIO },
    { IPC_ERROR_NOT_A_GUEST, ENXIO },
    { IPC_ERROR_INVALID_TOKEN, EKEYREJECTED },
    { IPC_ERROR_NOT_REGISTERED, EPERM },
    { IPC_ERROR_BUSY, EBUSY },
    { IPC_ERROR_QUEUE_FULL, ENOBUFS },
    { IPC_ERROR_TOO_LARGE, EMSGSIZE },
    { IPC_ERROR_MAIN_GONE, EHOSTDOWN },
    { IPC_ERROR_ACCESS_DENIED, EACCES },
    { IPC_ERROR_LIMITS_EXCEEDED, ENOBUFS },
    { IPC_ERROR_NO_MEMORY, ENOMEM },
    { IPC_ERROR_INVALID_POLICY, EBADMSG },
    { IPC_ERROR_TIMEOUT, ETIMEDOUT },
};

void ipc_error_clear(ipc_error *error)
{
    if (!error)
        return;
    free(error->name);
    free(error->message);
    json_decref(error->detail);
    *error = (ipc_error)IPC_ERROR_INIT;
}

bool ipc_error_is(const ipc_error *error, const char *name)
{
    return error && error->name && name && strcmp(error->name, name) == 0;
}

int ipc_error_get_errno(const ipc_error *error)
{
    size_t i;

    if (!error || !error->name)
        return 0;
    for (i = 0; i < ELEMENTSOF(error_numbers); i++)
        if (strcmp(error->name, error_numbers[i].name) == 0)
            return error_numbers[i].number;
    return EIO;
}

int error_setf(ipc_error *error, const char *name, const char *format, ...)
{
    ipc_error made = IPC_ERROR_INIT;
    va_list arguments;
    int r;

    va_start(arguments, format);
    r = vasprintf(&made.message, format, arguments);
    va_end(arguments);
    if (r < 0)
        return -ENOMEM;

    made.name = strdup(name);
    if (!made.name) {
        free(made.message);
        return -ENOMEM;
    }
    *error = made;
    return 0;
}

int error_from_message(ipc_error *error, sd_bus_message *message)
{
    const sd_bus_error *from = sd_bus_message_get_error(message);
    const char *detail = NULL;
    int r;

    r = error_setf(error, from->name, "%s", from->message ? from->message : from->name);
    if (r < 0)
        return r;

    /* A detail that is not there, or is no JSON, leaves an error without one. */
    if (sd_bus_message_rewind(message, true) >= 0 && sd_bus_message_has_signature(message, "ss") > 0 &&
        sd_bus_message_read(message, "ss", NULL, &detail) >= 0)
        (void)text_decode(detail, "The detail", &error->detail, NULL);
    return 0;
}
