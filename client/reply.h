/* SPDX-License-Identifier: MIT */
#pragma once

/* The reply to a call, or the error that came instead, whichever way it came. */

#include "outbox.h"

/* The call keeps it. -EBADMSG: it is none; -ENOMEM. */
void reply_take_message(Call *call, sd_bus_message *reply, bool is_from_bus);
int reply_take_packet(Call *call, Packet *packet);
