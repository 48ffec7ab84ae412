/* SPDX-License-Identifier: MIT */
#pragma once

/* What sd-bus answers by itself: properties, introspection, managed objects, pings, and all that it refuses. */

#include "ipc-main.h"

/* From here on the answers to those calls count in the window of the caller, and wait for it where it is shut. */
int builtin_add(ipc_app *app);
