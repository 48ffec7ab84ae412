/* SPDX-License-Identifier: MIT */
#pragma once

/* Contenders without a bus daemon: the least that any IPC costs, over sockets that both processes inherit. */

#include "bench-contender.h"

extern Contender raw_contender;  /* send() and recv(), and nothing else */
extern Contender pair_contender; /* sd-bus with a socketpair of its own */
extern Contender port_contender; /* a port of the library, with JSON */
extern Contender file_contender; /* a file that is made, filled, mapped and read in one process */

/* Before they start, each time. */
int pair_prepare(size_t payload_size);
int port_prepare(void);

/* A new one in place of the one that is there; -1: there is none. */
int pair_make(int pair[2], int type);
