/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What /proc says of a peer's process. It is good advice and no proof: another process may have the id by now, and the
 * owner of a process decides what runs in it.
 */

#include <stdbool.h>
#include <sys/types.h>

typedef struct Process {
    bool knows_executable;
    bool knows_units;
    char *executable; /* an absolute path */
    char *unit;       /* of the system's service manager; NULL: it is in none */
    char *user_unit;  /* of the user's; the same */
} Process;

/* What can be read is read; the rest stays unknown. NULL: out of memory. */
Process *process_new(pid_t pid);
Process *process_free(Process *process);
