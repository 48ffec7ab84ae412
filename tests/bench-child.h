/* SPDX-License-Identifier: MIT */
#pragma once

/* A child: a process of the benchmark that ends with it, and a socket to tell it things and to hear from it. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct Child {
    pid_t pid; /* 0: there is none */
    int control;
} Child;

/* What a child does; the process ends with it. A negative answer is its failure. */
typedef int (*ChildRun)(int control, void *userdata);

int child_start(Child *child, ChildRun run, void *userdata);

/* One message to the other end, and one from there of exactly that size. -ECONNRESET: it ended; -ETIMEDOUT. */
int child_write(int control, const void *message, size_t size);
int child_read(int control, void *message, size_t size);

/* Up to size bytes; the answer is how many. */
ssize_t child_read_some(int control, void *message, size_t size);

/* A program of this name could be run. */
bool child_program_exists(const char *name);

bool child_has_ended(const Child *child);

/* Ends it and waits until it is gone. */
void child_stop(Child *child);
