/* SPDX-License-Identifier: MIT */
#include "gerror.h"

#include <stdarg.h>
#include <string.h>

#include "ipc-names.h"
#include "macro.h"

/* What GLib's macro makes answers NULL for errors of other domains, and is asked for those of this one only. */
#pragma GCC diagnostic ignored "-Wnull-dereference"

typedef struct IpcGerrorPrivate {
    char *name;
    json_t *detail; /* NULL: none */
} IpcGerrorPrivate;

static void ipc_gerror_private_init(IpcGerrorPrivate *self)
{
    (void)self;
}

static void ipc_gerror_private_copy(const IpcGerrorPrivate *from, IpcGerrorPrivate *to)
{
    to->name = g_strdup(from->name);
    to->detail = json_incref(from->detail);
}

static void ipc_gerror_private_clear(IpcGerrorPrivate *self)
{
    g_free(self->name);
    json_decref(self->detail);
}

/* cppcheck-suppress unknownMacro */
G_DEFINE_EXTENDED_ERROR(IpcGerror, ipc_gerror)

static ipc_gerror code_of(const char *name)
{
    static const struct {
        const char *name;
        ipc_gerror code;
    } codes[] = {
        { IPC_ERROR_NO_HANDLER, IPC_GERROR_NO_HANDLER },
        { IPC_ERROR_NO_LISTENER, IPC_GERROR_NO_LISTENER },
        { IPC_ERROR_HANDLER_FAILED, IPC_GERROR_HANDLER_FAILED },
        { IPC_ERROR_REPLY_NEVER_SENT, IPC_GERROR_REPLY_NEVER_SENT },
        { IPC_ERROR_CANCELLED, IPC_GERROR_CANCELLED },
        { IPC_ERROR_INVALID_ARGS, IPC_GERROR_INVALID_ARGS },
        { IPC_ERROR_INVALID_CHANNEL, IPC_GERROR_INVALID_CHANNEL },
        { IPC_ERROR_NO_SUCH_WEB_CONTENTS, IPC_GERROR_NO_SUCH_WEB_CONTENTS },
        { IPC_ERROR_NOT_A_GUEST, IPC_GERROR_NOT_A_GUEST },
        { IPC_ERROR_INVALID_TOKEN, IPC_GERROR_INVALID_TOKEN },
        { IPC_ERROR_NOT_REGISTERED, IPC_GERROR_NOT_REGISTERED },
        { IPC_ERROR_BUSY, IPC_GERROR_BUSY },
        { IPC_ERROR_QUEUE_FULL, IPC_GERROR_QUEUE_FULL },
        { IPC_ERROR_TOO_LARGE, IPC_GERROR_TOO_LARGE },
        { IPC_ERROR_MAIN_GONE, IPC_GERROR_MAIN_GONE },
        { IPC_ERROR_ACCESS_DENIED, IPC_GERROR_ACCESS_DENIED },
        { IPC_ERROR_LIMITS_EXCEEDED, IPC_GERROR_LIMITS_EXCEEDED },
        { IPC_ERROR_NO_MEMORY, IPC_GERROR_NO_MEMORY },
        { IPC_ERROR_TIMEOUT, IPC_GERROR_TIMEOUT },
    };

    for (size_t i = 0; i < ELEMENTSOF(codes); i++)
        if (strcmp(codes[i].name, name) == 0)
            return codes[i].code;
    return IPC_GERROR_FAILED;
}

GError *gerror_new(const ipc_error *error)
{
    GError *gerror = g_error_new_literal(IPC_GERROR, (int)code_of(error->name), error->message);
    IpcGerrorPrivate *private = ipc_gerror_get_private(gerror);

    private->name = g_strdup(error->name);
    private->detail = json_incref(error->detail);
    return gerror;
}

GError *gerror_newf(const char *name, const char *format, ...)
{
    g_autofree char *message = NULL;
    ipc_error error = { .name = (char *)name };
    va_list ap;

    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    error.message = message;
    return gerror_new(&error);
}

const char *ipc_gerror_get_name(const GError *error)
{
    return error && error->domain == IPC_GERROR ? ipc_gerror_get_private(error)->name : NULL;
}

json_t *ipc_gerror_get_detail(const GError *error)
{
    return error && error->domain == IPC_GERROR ? ipc_gerror_get_private(error)->detail : NULL;
}
