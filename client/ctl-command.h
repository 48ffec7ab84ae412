/* SPDX-License-Identifier: MIT */
#pragma once

/* A command of ipcbusctl, as its table of commands has it. */

#include "ctl-failure.h"
#include "ctl-options.h"

typedef struct Command {
    const char *name;
    const char *operands; /* as usage shows them: "CHANNEL [ARG...]" */
    int n_min, n_max;     /* how many; n_max ANY_NUMBER: no limit */
    const char *summary;
    const char *description; /* lines that end with a new line */
    const char *example;
    bool takes_lane;
    const char *own_options; /* lines about options that no other command has, or NULL */
    ExitStatus (*run)(const Options *options, char **operands, Failure *failure);
} Command;

#define ANY_NUMBER (-1)

/* A table ends with a command without a name. */
const Command *command_find(const Command *commands, const char *name);

ExitStatus command_check_operands(const Command *command, char **operands, Failure *failure);

void command_print_help(const Command *command);
void command_print_help_of_all(const Command *commands);
