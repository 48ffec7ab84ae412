/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-login.h>
#include <unistd.h>

static void read_executable(Process *process, pid_t pid)
{
    char link[64], path[PATH_MAX];
    ssize_t size;

    snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
    size = readlink(link, path, sizeof(path) - 1);
    if (size <= 0)
        return;
    path[size] = '\0';
    process->executable = strdup(path);
    process->knows_executable = process->executable != NULL;
}

/* A process in no unit of this kind is known to be in none. */
static bool read_unit(int (*get)(pid_t pid, char **ret_unit), pid_t pid, char **ret_unit)
{
    int r = get(pid, ret_unit);

    return r >= 0 || r == -ENODATA || r == -ENXIO;
}

Process *process_new(pid_t pid)
{
    Process *process = calloc(1, sizeof(*process));

    if (!process)
        return NULL;
    read_executable(process, pid);
    process->knows_units = read_unit(sd_pid_get_unit, pid, &process->unit) &&
                           read_unit(sd_pid_get_user_unit, pid, &process->user_unit);
    return process;
}

Process *process_free(Process *process)
{
    if (!process)
        return NULL;
    free(process->executable);
    free(process->unit);
    free(process->user_unit);
    free(process);
    return NULL;
}
