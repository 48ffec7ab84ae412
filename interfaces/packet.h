/* SPDX-License-Identifier: MIT */
#pragma once

/* The packet: one message on the socket of a port or a lane. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc-names.h"

#define PACKET_BUFFER_SIZE (IPC_INLINE_MAX + 512u) /* bytes: the longest that a packet can be, and more */

/*
 * What is sent is borrowed. What was received owns its fds and its mapping, until packet_clear(); its strings point
 * into the mapping, or into the buffer that it was received into.
 */
typedef struct Packet {
    uint8_t verb;
    uint8_t n_fds;
    uint16_t ports;  /* bit i: fds[i] is a port; else it is a file */
    uint32_t id;     /* of a renderer */
    uint32_t serial; /* of a call */
    const char *channel; /* NULL is "" */
    const char *text;    /* NUL-terminated, and may have others; NULL is "" */
    size_t length;       /* of the text */
    int text_fd;         /* the sealed memfd that the text is in; -1: none */
    bool is_mapped;      /* the text is in a mapping of its own */
    int fds[IPC_TRANSFERS_MAX];
} Packet;

#define PACKET_INIT { .text_fd = -1 }

/*
 * 0, or -EAGAIN (the socket takes no more), -EPIPE (nobody reads it), -EMSGSIZE (no packet can be as long),
 * -ETOOMANYREFS (too many fds are under way), -ENOMEM. A text that is longer than IPC_INLINE_MAX needs a text_fd.
 */
int packet_send(int fd, const Packet *packet);

/* A memfd with a long text, the one that it came in if it did; the caller closes it. 0 also where the text is short. */
int packet_make_text_fd(const Packet *packet, int *ret_fd);

/*
 * 1, or 0 (there is none now), -ECONNRESET (the other end is closed), -EBADMSG (it was no packet: what came with it is
 * closed), -ENOMEM and the like. The flags are those of recvmsg(); the buffer has PACKET_BUFFER_SIZE.
 */
int packet_receive(int fd, void *buffer, int flags, Packet *ret_packet);

void packet_clear(Packet *packet);

/* Whether a fd can be a port: a connected socket of the right kind. */
bool packet_is_port_fd(int fd);
