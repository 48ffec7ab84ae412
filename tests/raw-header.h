/* SPDX-License-Identifier: MIT */
#pragma once

/* The header of a packet, made by hand from the description in packet.c, for packets that may be wrong. */

#include <stdint.h>

typedef struct Header {
    uint32_t magic;
    uint8_t verb;
    uint8_t flags;
    uint8_t n_fds;
    uint8_t channel_length;
    uint16_t ports;
    uint16_t reserved;
    uint32_t id;
    uint32_t serial;
    uint32_t length;
} Header;

#define MAGIC 0x31637069u
#define TEXT_IN_FD 1u
