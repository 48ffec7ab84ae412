/* SPDX-License-Identifier: MIT */
#include "ctl-failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl-output.h"
#include "ctl-terminal.h"
#include "ipc-names.h"
#include "macro.h"

#define IPC_ERROR_PREFIX "org.ipcbus.Error."
#define DBUS_ERROR_PREFIX "org.freedesktop.DBus.Error."

void failure_clear(Failure *failure)
{
    free(failure->name);
    free(failure->message);
    free(failure->detail);
    *failure = (Failure){ 0 };
}

ExitStatus failure_set(Failure *failure, ExitStatus status, const char *name, const char *format, ...)
{
    Failure made = { .status = status };
    va_list ap;

    va_start(ap, format);
    if (vasprintf(&made.message, format, ap) < 0)
        made.message = NULL;
    va_end(ap);
    made.name = name ? strdup(name) : NULL;

    failure_clear(failure);
    *failure = made;
    return status;
}

ExitStatus failure_out_of_memory(Failure *failure)
{
    failure_clear(failure);
    failure->status = STATUS_FAILED;
    return STATUS_FAILED;
}

void failure_set_detail(Failure *failure, const char *detail)
{
    free(failure->detail);
    failure->detail = output_is_json(detail) ? strdup(detail) : NULL;
    /* Whatever the name: only handlers have one. */
    if (failure->status == STATUS_FAILED)
        failure->status = STATUS_REJECTED;
}

static bool is_one_of(const char *name, const char *const *names, size_t n_names)
{
    for (size_t i = 0; i < n_names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool has_prefix(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* The bus says so of a name that nobody owns, and of a service that it could not start. */
static bool is_missing(const char *name)
{
    static const char *const missing[] = {
        DBUS_ERROR_PREFIX "ServiceUnknown",
        DBUS_ERROR_PREFIX "NameHasNoOwner",
        DBUS_ERROR_PREFIX "TimedOut", /* the service did not come up in time */
    };

    return is_one_of(name, missing, ELEMENTSOF(missing)) || has_prefix(name, DBUS_ERROR_PREFIX "Spawn.") ||
           has_prefix(name, "org.freedesktop.systemd1.");
}

/* What a service makes of a call where no handler has its say; any other name was the handler's choice. */
static bool is_generic(const char *name)
{
    static const char *const generic[] = {
        DBUS_ERROR_PREFIX "AccessDenied",     DBUS_ERROR_PREFIX "Disconnected",
        DBUS_ERROR_PREFIX "InvalidArgs",      DBUS_ERROR_PREFIX "InvalidSignature",
        DBUS_ERROR_PREFIX "LimitsExceeded",   DBUS_ERROR_PREFIX "NoMemory",
        DBUS_ERROR_PREFIX "NoReply",          DBUS_ERROR_PREFIX "NotSupported",
        DBUS_ERROR_PREFIX "Timeout",          DBUS_ERROR_PREFIX "UnknownInterface",
        DBUS_ERROR_PREFIX "UnknownMethod",    DBUS_ERROR_PREFIX "UnknownObject",
        DBUS_ERROR_PREFIX "UnknownProperty",
    };

    /* The latter: an errno that sd-bus has no other name for. */
    return is_one_of(name, generic, ELEMENTSOF(generic)) || has_prefix(name, "System.Error.");
}

ExitStatus failure_status_of(const char *error_name, bool from_bus)
{
    if (from_bus)
        return is_missing(error_name) ? STATUS_NO_SERVICE : STATUS_FAILED;
    if (strcmp(error_name, IPC_ERROR_HANDLER_FAILED) == 0)
        return STATUS_REJECTED;
    if (has_prefix(error_name, IPC_ERROR_PREFIX) || is_generic(error_name))
        return STATUS_FAILED;
    return STATUS_REJECTED;
}

void failure_report(const Failure *failure)
{
    terminal_start(stderr, COLOUR_ERROR);
    fputs("ipcbusctl: ", stderr);
    terminal_end(stderr);
    output_escaped(stderr, failure->message ? failure->message : "Out of memory");
    if (failure->name) {
        fputs(" (", stderr);
        output_escaped(stderr, failure->name);
        fputc(')', stderr);
    }
    fputc('\n', stderr);

    if (failure->detail) {
        output_json(stderr, failure->detail, STYLE_SHORT);
        fputc('\n', stderr);
    }
}
