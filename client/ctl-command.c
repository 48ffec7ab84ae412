/* SPDX-License-Identifier: MIT */
#include "ctl-command.h"

#include <stdio.h>
#include <string.h>

const Command *command_find(const Command *commands, const char *name)
{
    for (const Command *command = commands; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

/* The operands are named in the order in which they stand. */
static ExitStatus refuse_missing(const Command *command, int n_operands, Failure *failure)
{
    const char *name = command->operands;

    for (int i = 0; i < n_operands; i++)
        name = strchr(name, ' ') + 1;
    return failure_set(failure, STATUS_USAGE, NULL, "%s: %.*s is missing", command->name, (int)strcspn(name, " "),
                       name);
}

ExitStatus command_check_operands(const Command *command, char **operands, Failure *failure)
{
    int n_operands = 0;

    while (operands[n_operands])
        n_operands++;
    if (n_operands < command->n_min)
        return refuse_missing(command, n_operands, failure);
    if (command->n_max != ANY_NUMBER && n_operands > command->n_max)
        return failure_set(failure, STATUS_USAGE, NULL, "%s: unexpected operand '%s'", command->name,
                           operands[command->n_max]);
    return STATUS_OK;
}

void command_print_help(const Command *command)
{
    printf("Usage: ipcbusctl [OPTION]... %s%s%s\n%s.\n\n%s\nExample:\n  %s\n\n", command->name,
           *command->operands ? " " : "", command->operands, command->summary, command->description,
           command->example);
    options_print_help(command->own_options);
    puts("\nSee ipcbusctl(1).");
}

void command_print_help_of_all(const Command *commands)
{
    puts("Usage: ipcbusctl [OPTION]... COMMAND [OPERAND]...\n"
         "Talk to the main process of an ipcbus app, and to its renderers.\n"
         "\n"
         "Commands:");
    for (const Command *command = commands; command->name; command++)
        printf("  %-9s %-19s %s\n", command->name, command->operands, command->summary);
    putchar('\n');
    options_print_help(NULL);
    puts("\n"
         "An ARG is JSON; one that is not is taken as a string. For more, see\n"
         "'ipcbusctl COMMAND --help' and ipcbusctl(1).\n"
         "\n"
         "Exit status: 0 done, 1 failed, 2 wrong usage, 3 no such service, 4 rejected by\n"
         "the handler, 5 timed out.");
}
