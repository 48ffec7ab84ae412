/* SPDX-License-Identifier: MIT */

/*
 * The command-line tool: one command a run, each in a file of its own. A command fills in a Failure, which is told
 * here, once.
 */

#include <signal.h>
#include <stdio.h>

#include "ctl-channels.h"
#include "ctl-command.h"
#include "ctl-failure.h"
#include "ctl-list.h"
#include "ctl-listen.h"
#include "ctl-options.h"
#include "ctl-output.h"
#include "ctl-send.h"
#include "ctl-status.h"
#include "macro.h"

static const Command commands[] = {
    {
        .name = "list",
        .operands = "",
        .summary = "List the renderers",
        .description = "With --json, an array of their properties on D-Bus, in snake case.\n",
        .example = "ipcbusctl --name=com.example.Notes list",
        .run = list_command,
    },
    {
        .name = "status",
        .operands = "[ID]",
        .n_max = 1,
        .summary = "Show one renderer, or the app",
        .description = "Of a renderer, its properties on D-Bus; of the app, its names, process and version,\n"
                       "and how many renderers it has.\n",
        .example = "ipcbusctl status 3",
        .run = status_command,
    },
    {
        .name = "channels",
        .operands = "",
        .summary = "List the channels and what is on them",
        .description = "Send and send-sync run the listeners of a channel, invoke calls its handler.\n",
        .example = "ipcbusctl channels --json=short",
        .run = channels_command,
    },
    {
        .name = "send",
        .operands = "CHANNEL [ARG...]",
        .n_min = 1,
        .n_max = ANY_NUMBER,
        .summary = "Run the listeners of a channel",
        .description = "Nothing is printed. That nobody listens is no error.\n",
        .example = "ipcbusctl send todo:add '{\"title\": \"milk\"}' 2",
        .run = send_command,
    },
    {
        .name = "invoke",
        .operands = "CHANNEL [ARG...]",
        .n_min = 1,
        .n_max = ANY_NUMBER,
        .summary = "Call a handler and print its result",
        .description = "The result is JSON. If the handler rejects, the exit status is 4, and standard error has\n"
                       "its message, its error name and, in a second line, the detail if there is one.\n",
        .example = "ipcbusctl invoke add -5 3",
        .run = send_invoke_command,
    },
    {
        .name = "send-sync",
        .operands = "CHANNEL [ARG...]",
        .n_min = 1,
        .n_max = ANY_NUMBER,
        .summary = "Run the listeners and print the answer",
        .description = "The first value that a listener returns is printed as JSON.\n",
        .example = "ipcbusctl send-sync config:get theme",
        .run = send_sync_command,
    },
    {
        .name = "send-to",
        .operands = "ID CHANNEL [ARG...]",
        .n_min = 2,
        .n_max = ANY_NUMBER,
        .summary = "Send a message to another renderer",
        .description = "'ipcbusctl list' shows the ids. The sender is a renderer of its own for the moment.\n",
        .example = "ipcbusctl send-to 3 note:show 42",
        .run = send_to_command,
    },
    {
        .name = "listen",
        .operands = "[CHANNEL...]",
        .n_max = ANY_NUMBER,
        .summary = "Be a renderer and print the messages that come",
        .description = "Prints {\"id\": N} when it is registered, and again after each restart of the app; then\n"
                       "each message as a line of JSON. Without CHANNEL, all messages are printed.\n",
        .example = "ipcbusctl listen notes:changed | jq --unbuffered .args",
        .run = listen_command,
    },
    { 0 },
};

static ExitStatus run_command(const Options *options, const Command *command, Failure *failure)
{
    char **operands = options->words + 1;
    ExitStatus status;

    status = command_check_operands(command, operands, failure);
    return status == STATUS_OK ? command->run(options, operands, failure) : status;
}

static ExitStatus run(const Options *options, const Command *command, Failure *failure)
{
    if (options->help && command)
        command_print_help(command);
    else if (options->help)
        command_print_help_of_all(commands);
    else if (options->version)
        puts("ipcbusctl " PACKAGE_VERSION);
    else if (command)
        return run_command(options, command, failure);
    else
        return failure_set(failure, STATUS_USAGE, NULL, "COMMAND is missing");
    return STATUS_OK;
}

static ExitStatus choose_command(const Options *options, const Command **ret_command, Failure *failure)
{
    const char *name = options->words[0];

    if (!name)
        return STATUS_OK;
    *ret_command = command_find(commands, name);
    return *ret_command ? STATUS_OK : failure_set(failure, STATUS_USAGE, NULL, "Unknown command '%s'", name);
}

static void report(const Failure *failure, const Command *command)
{
    failure_report(failure);
    if (failure->status == STATUS_USAGE)
        fprintf(stderr, "Try 'ipcbusctl%s%s --help'.\n", command ? " " : "", command ? command->name : "");
}

int main(int argc, char **argv)
{
    _cleanup_(failure_clear) Failure failure = { 0 };
    const Command *command = NULL;
    Options options = { 0 };
    ExitStatus status;

    /* A reader that leaves is noticed when something is written. */
    signal(SIGPIPE, SIG_IGN);

    status = options_parse(&options, argc, argv, &failure);
    if (status == STATUS_OK)
        status = choose_command(&options, &command, &failure);
    if (status == STATUS_OK)
        status = run(&options, command, &failure);
    if (status == STATUS_OK)
        status = output_finish(&failure);
    if (status != STATUS_OK)
        report(&failure, command);
    return (int)status;
}
