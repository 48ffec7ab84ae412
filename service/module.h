/* SPDX-License-Identifier: MIT */
#pragma once

/* A module: a shared object with the code of an app, loaded into the daemon. */

#include "ipc-main.h"

/*
 * Finds a module by its name, or by a path (which has a '/' in it), loads it, and runs its ipc_module_init(). Its code
 * stays mapped until the process ends, since the app's callbacks lead into it.
 *
 * A failure is logged here, in one line: -ENOENT (no such module), -EEXIST (it is loaded already), -ELIBBAD (it is no
 * module), -ENOMEM, or what its init answered.
 */
int module_load(ipc_app *app, const char *name);
