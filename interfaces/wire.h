/* SPDX-License-Identifier: MIT */
#pragma once

/* A wire: one end of a socket that carries packets, and what waits to be written to it. */

#include <stdbool.h>
#include <sys/queue.h>

#include "packet.h"
#include "parcel.h"

typedef struct Wire {
    int fd; /* -1: closed */
    bool is_broken; /* nobody reads what is written */
    void *buffer;   /* of the packet received last; NULL: none was yet */
    TAILQ_HEAD(, Parcel) queue;
    size_t max;         /* bytes that may be unread, of the following two together */
    size_t bytes;       /* of the queue */
    size_t large_bytes; /* of texts in files that may be unread in the socket */
    uint64_t n_sent;
    unsigned n_files;      /* of the queue */
    unsigned n_sent_files; /* that may be unread in the socket */
    struct Account *account; /* borrowed; NULL: nobody counts it together with others */
    size_t counted_bytes; /* that the account knows of */
    size_t counted_files;
    bool is_asked;
    TAILQ_ENTRY(Wire) link; /* of those that the account asks */
} Wire;

/* Takes the fd. */
void wire_init(Wire *wire, int fd);
void wire_close(Wire *wire);

static inline bool wire_is_open(const Wire *wire)
{
    return wire->fd >= 0;
}

/* Two ends that are connected. -EMFILE, -ENFILE, -ENOMEM. */
int wire_make_pair(int ret_fds[2]);

/* Bytes that may be unread. What large texts hold is forgotten once the socket is empty. */
size_t wire_get_unread(Wire *wire);

/*
 * Writes a packet, or keeps it behind what waits already. -ENOBUFS: too much is unread. -EPIPE: nobody reads it.
 * -EMSGSIZE, -EBADF (one that is transferred is no fd), -EMFILE, -ENOMEM.
 */
int wire_send(Wire *wire, const Packet *packet);

/* The same of a small one, however much is unread: something else bounds how many there are. */
int wire_send_anyway(Wire *wire, const Packet *packet);

/* Writes what the socket takes. -EPIPE: nobody reads it, and what waits is dropped. */
int wire_flush(Wire *wire);

/* The same until all is written, for so many us. -ETIMEDOUT. */
int wire_flush_all(Wire *wire, uint64_t timeout_usec);

/* As packet_receive(). The packet is good until the next call. */
int wire_receive(Wire *wire, int flags, Packet *ret_packet);

static inline bool wire_has_unwritten(const Wire *wire)
{
    return !TAILQ_EMPTY(&wire->queue);
}
