/* SPDX-License-Identifier: MIT */
#pragma once

/* Why a command failed: what the user reads on standard error, and the exit status that scripts go by. */

#include <stdbool.h>

typedef enum ExitStatus {
    STATUS_OK = 0,
    STATUS_FAILED = 1,
    STATUS_USAGE = 2,
    STATUS_NO_SERVICE = 3,
    STATUS_REJECTED = 4, /* by the handler */
    STATUS_TIMED_OUT = 5,
} ExitStatus;

typedef struct Failure {
    ExitStatus status;
    char *name;    /* the D-Bus error name, or NULL */
    char *message; /* NULL: there was no memory for it */
    char *detail;  /* the JSON text that the handler added, or NULL */
} Failure;

/* Each answers the status, so that who fails returns what the call returns. What was set before is forgotten. */
ExitStatus failure_set(Failure *failure, ExitStatus status, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
ExitStatus failure_out_of_memory(Failure *failure);

/* What the handler added, hence it was the handler that rejected. It is a stranger's text: kept only if it is JSON. */
void failure_set_detail(Failure *failure, const char *detail);

/* What an error answer of D-Bus means; from_bus: the bus itself made it, as the service could not. */
ExitStatus failure_status_of(const char *error_name, bool from_bus);

void failure_report(const Failure *failure);
void failure_clear(Failure *failure);
