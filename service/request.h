/* SPDX-License-Identifier: MIT */
#pragma once

/* What a peer asks for, whichever way it came. */

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "ipc-names.h"
#include "transfer.h"

typedef struct Request {
    const char *channel;
    const char *text;      /* NUL-terminated */
    size_t length;
    Transfers *transfers;  /* owned until it is taken; NULL: none */
    bool is_by_lane;
    sd_bus_message *call;  /* by the bus: the message; borrowed */
    uint32_t serial;       /* as the caller knows it */
} Request;

static inline size_t request_get_max(const Request *request)
{
    return request->is_by_lane ? IPC_LANE_ARGS_MAX : IPC_ARGS_MAX;
}
