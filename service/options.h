/* SPDX-License-Identifier: MIT */
#pragma once

/* What the command line of ipcbusd asks for. */

#include <stddef.h>
#include <stdint.h>

#include "bus-open.h"

typedef struct Options {
    BusTarget bus;
    const char *name;
    const char **modules; /* names or paths, in the order in which they are loaded */
    size_t n_modules;
    const char *policy; /* a file; NULL: none */
    uint64_t exit_on_idle_usec; /* 0: never */
} Options;

/*
 * Everything in ret is borrowed from argv but the list of modules. Answers 1 if the daemon is to run; 0 if --help or
 * --version has printed all that was asked for; -EINVAL for bad usage, or -ENOMEM, which were told on stderr.
 */
int options_parse(Options *ret, int argc, char **argv);
void options_clear(Options *options);
