/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Packets that a fuzzer writes into the sockets of ports and lanes, sound or not, with fds that belong there or not,
 * and what comes back.
 */

#include "fuzz.h"

#define ENDS_MAX 8u

/* The fuzzer's ends of sockets: the first, and those of ports that it gave away. */
typedef struct Ends {
    int fds[ENDS_MAX];
    unsigned n;
} Ends;

/* Takes the fd. */
void ends_add(Ends *ends, int fd);
void ends_clear(Ends *ends);

/* Makes a pair, keeps one end, and hands over the other. */
int ends_make_pair(Ends *ends);

/* Sends a packet through one of them. These are the verbs that are understood there. */
void ends_send(Ends *ends, Input *input, const uint8_t *verbs, size_t n_verbs);

/* Closes one of them. */
void ends_close_one(Ends *ends, Input *input);

/* Reads all that has come: each is a packet, and sound, since nobody but us breaks the rules. */
void ends_drain(const Ends *ends);

/* A bit for each of the lowest ones: who takes them before and after a play sees whether it left one open. */
uint64_t fds_that_are_open(void);
