/* SPDX-License-Identifier: MIT */
#pragma once

/* The methods of main: what is said in the words of lanes, as a call on the bus. */

#include <systemd/sd-bus.h>

#include "ipc-renderer.h"
#include "packet.h"

/* Without a destination. */
int method_new(ipc_renderer *renderer, const Packet *packet, sd_bus_message **ret_message);
