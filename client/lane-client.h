/* SPDX-License-Identifier: MIT */
#pragma once

/* The lane of a renderer: its end of it. */

#include "ipc-renderer.h"

/* A lane to the main that it has just registered with; the fd is duplicated. One to a main before that ends. */
int lane_open(ipc_renderer *renderer, int fd);

/* Reads what has come, with the flags of recvmsg(); the answer is whether there was anything, or the lane's end. */
bool lane_read(ipc_renderer *renderer, int flags);

/* It ends, and nobody is told. */
void lane_close(ipc_renderer *renderer);
