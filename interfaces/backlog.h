/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The backlog of a connection: what it was given and has not written yet. sd-bus counts its messages, not their
 * bytes, and takes far more than a program should keep. So who sends asks here first, and keeps what must wait in a
 * queue of its own, where bytes count.
 */

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

typedef struct Backlog {
    size_t bytes; /* given since it was last known to be empty */
} Backlog;

/* Whether the connection should be given another message. */
bool backlog_has_room(Backlog *backlog, sd_bus *bus);

/* It was given one with so many bytes of text. */
static inline void backlog_add(Backlog *backlog, size_t size)
{
    backlog->bytes += size;
}
