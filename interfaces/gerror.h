/* SPDX-License-Identifier: MIT */
#pragma once

/* Errors of the domain IPC_GERROR. */

#include "ipc-error.h"
#include "ipc-gerror.h"

GError *gerror_new(const ipc_error *error);

/* With one of the names IPC_ERROR_... */
__attribute__((format(printf, 2, 3))) GError *gerror_newf(const char *name, const char *format, ...);
