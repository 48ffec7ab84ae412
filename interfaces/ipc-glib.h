/* SPDX-License-Identifier: MIT */
#ifndef IPCBUS_IPC_GLIB_H
#define IPCBUS_IPC_GLIB_H

/*
 * All of libipcbus-glib (pkg-config: ipcbus-glib), for a program that is both, main and renderer, or likes short lists.
 */

#include "ipc-gerror.h"
#include "ipc-main-glib.h"
#include "ipc-renderer-glib.h"

#endif
