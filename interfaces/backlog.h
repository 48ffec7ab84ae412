/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The backlog of a connection: what it was given and has not written yet. sd-bus counts its messages, not their
 * bytes, and takes far more than a program should keep. So who sends asks here first, and keeps what must wait in a
 * queue of its own, where bytes count.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

typedef struct Backlog {
    size_t bytes;        /* given since it was last known to be empty */
    uint64_t n_messages; /* at most; 0: IPC_BACKLOG_MESSAGES_MAX */
} Backlog;

/*
 * For a connection whose messages go to many: it keeps little, in sd-bus and in the kernel, because what it was given
 * is past taking turns. A bus daemon that is busy reads some KiB of each connection at a time, however much is there,
 * and a message for one may wait there for all those before it.
 */
void backlog_keep_short(Backlog *backlog, sd_bus *bus);

/* Whether the connection should be given another message. */
bool backlog_has_room(Backlog *backlog, sd_bus *bus);

/*
 * Waits until the bus has read all that was written, for so many us. A socket that is closed with something unread in
 * it resets the connection, and the bus then forgets what it has not read: so who leaves asks it for an answer first.
 * -ETIMEDOUT, -ENOTCONN, or as sd_bus_call().
 */
int backlog_settle(sd_bus *bus, uint64_t timeout_usec);

/* It was given one with so many bytes of text. */
static inline void backlog_add(Backlog *backlog, size_t size)
{
    backlog->bytes += size;
}
