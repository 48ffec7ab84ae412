/* SPDX-License-Identifier: MIT */
#pragma once

/* A parcel: a packet that is kept, with all that it needs. */

#include <sys/queue.h>

#include "packet.h"

typedef struct Parcel {
    TAILQ_ENTRY(Parcel) link;
    size_t size; /* bytes that it is counted for */
    Packet packet;
    char strings[];
} Parcel;

/* Takes what a packet that was received owns, and copies the rest. -ENOMEM leaves the packet as it is. */
int parcel_take(Packet *packet, Parcel **ret_parcel);

/* Copies what a packet that is sent borrows; its fds are duplicated. -ENOMEM, -EMFILE, -EBADF. */
int parcel_copy(const Packet *packet, Parcel **ret_parcel);

Parcel *parcel_free(Parcel *parcel);

static inline void parcel_freep(Parcel **parcel)
{
    parcel_free(*parcel);
}
