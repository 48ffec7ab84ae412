/* SPDX-License-Identifier: MIT */
#pragma once

/* Registration: how a renderer finds its main process, has it started, becomes its web contents, and loses it. */

#include <systemd/sd-bus.h>

#include "ipc-renderer.h"

/* Looks for main, and has it started, unless that is under way or done. */
int registration_want_main(ipc_renderer *renderer);

/* The bus tells that a name has changed hands. */
void registration_name_changed(ipc_renderer *renderer, sd_bus_message *message);
