/* SPDX-License-Identifier: MIT */
#pragma once

/* Sealed memfds: how large texts and binary data travel without a copy through a socket. */

#include <stdbool.h>
#include <stddef.h>

#include "ipc-file.h"

/* A new one with two pieces of data one after the other; the answer is the fd. -EMFILE, -ENFILE, -ENOMEM, -ENOSPC. */
int file_new_sealed(const char *name, const void *data, size_t size, const void *tail, size_t tail_size);

/* Maps it, if it is sealed against all change. -EPERM: it is not. NULL and 0: it is empty. */
int file_map_sealed(int fd, const void **ret_data, size_t *ret_size);

/*
 * Whether the number of a fd tells that few more can be opened. Who is sent fds must stop keeping them before the last
 * one is gone: a message whose fds find no room breaks the connection that brings it, and with it everyone behind it.
 */
bool file_is_scarce(int fd);

/* The same for who has so many already, and may have three times what is left for others. */
bool file_is_scarce_for(int fd, size_t n_taken);

/* The same of the fd that would be opened next. */
bool file_next_is_scarce(void);

/* How many this process may have open. */
size_t file_get_max(void);

/* Of a cleanup variable: closes what is one. */
void file_closep(int *fd);

static inline int file_take(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}
