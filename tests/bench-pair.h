/* SPDX-License-Identifier: MIT */
#pragma once

/* Contenders without a bus daemon: the least that any IPC costs, over sockets that both processes inherit. */

#include "bench-contender.h"

extern Contender raw_contender;  /* SOCK_SEQPACKET, send() and recv(), and nothing else */
extern Contender pair_contender; /* sd-bus with a socketpair of its own */
extern Contender file_contender; /* a file that is made, filled, mapped and read in one process */

/* Before they start. */
int pair_prepare(void);
