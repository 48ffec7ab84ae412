/* SPDX-License-Identifier: MIT */
#include "backlog.h"

#include <stdint.h>

#include "ipc-names.h"

bool backlog_has_room(Backlog *backlog, sd_bus *bus)
{
    uint64_t n_messages = 0;

    if (sd_bus_get_n_queued_write(bus, &n_messages) < 0)
        return true; /* sending tells what is wrong */
    if (n_messages == 0)
        backlog->bytes = 0;
    return n_messages < IPC_BACKLOG_MESSAGES_MAX && backlog->bytes < IPC_BACKLOG_BYTES_MAX;
}
