/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared texts: large texts in memory that are in a sealed memfd, too, so that whoever sends one sends that file. */

#include <stdbool.h>
#include <stddef.h>

/* From now on it is shared. The fd is borrowed until it is removed. False: it was shared, or memory is out. */
bool shared_text_add(const char *text, size_t length, int fd);

/* No longer. That it never was is fine. */
void shared_text_remove(const char *text);

/* A duplicate of its fd, which holds this text and the NUL after it: 1; or 0: it is not shared. -EMFILE. */
int shared_text_open(const char *text, size_t length, int *ret_fd);
