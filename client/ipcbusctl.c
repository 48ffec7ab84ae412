/* SPDX-License-Identifier: MIT */

/*
 * The command-line tool: one command a run, each in a file of its own. A command fills in a Failure, which is told
 * here, once.
 */

#include <signal.h>
#include <stdio.h>

#include "ctl-bench.h"
#include "ctl-channels.h"
#include "ctl-command.h"
#include "ctl-failure.h"
#include "ctl-list.h"
#include "ctl-listen.h"
#include "ctl-monitor.h"
#include "ctl-options.h"
#include "ctl-output.h"
#include "ctl-send.h"
#include "ctl-status.h"
#include "ctl-top.h"
#include "macro.h"

static ExitStatus help_command(const Options *options, char **operands, Failure *failure);

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
        .description = "Of a renderer, its properties on D-Bus and its calls; of the app, its names, process and\n"
                       "version, how many renderers it has, and the figures of its channels.\n",
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
        .takes_lane = true,
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
        .takes_lane = true,
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
        .takes_lane = true,
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
        .takes_lane = true,
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
        .takes_lane = true,
        .run = listen_command,
    },
    {
        .name = "monitor",
        .operands = "[GLOB...]",
        .n_max = ANY_NUMBER,
        .summary = "Print everything that goes by",
        .description = "All messages between the app and its renderers, on the bus and on lanes, as lines of JSON;\n"
                       "on a terminal, as a table. With GLOB, only those on channels that match one.\n",
        .example = "ipcbusctl monitor 'notes:*' | jq --unbuffered 'select(.error)'",
        .run = monitor_command,
    },
    {
        .name = "top",
        .operands = "",
        .summary = "Show the busiest channels",
        .description = "Calls, messages that came and that were sent, errors, calls that are pending, bytes, and\n"
                       "the times that half and 99 % of them take, and the longest. On a terminal it goes on until\n"
                       "q; else it looks once.\n",
        .example = "ipcbusctl top --interval=0.5",
        .own_options = top_options_help,
        .run = top_command,
    },
    {
        .name = "bench",
        .operands = "[VERB...]",
        .n_max = ANY_NUMBER,
        .summary = "Measure an app that has the module echo",
        .description = "VERB is invoke, send (there, and the echo back) or send-sync; without any, all are\n"
                       "measured, by size and by how many are under way at once. send-sync blocks: it is\n"
                       "always one at a time.\n",
        .example = "ipcbusctl bench invoke --size=64,1M --concurrency=1 --duration=5",
        .takes_lane = true,
        .own_options = bench_options_help,
        .run = bench_command,
    },
    {
        .name = "help",
        .operands = "[COMMAND]",
        .n_max = 1,
        .summary = "Print this help, or that of a command",
        .description = "The same as --help.\n",
        .example = "ipcbusctl help invoke",
        .run = help_command,
    },
    { 0 },
};

static ExitStatus find_command(const char *name, const Command **ret_command, Failure *failure)
{
    *ret_command = command_find(commands, name);
    return *ret_command ? STATUS_OK : failure_set(failure, STATUS_USAGE, NULL, "Unknown command '%s'", name);
}

static ExitStatus help_command(const Options *options, char **operands, Failure *failure)
{
    const Command *command = NULL;
    ExitStatus status = STATUS_OK;

    if (operands[0])
        status = find_command(operands[0], &command, failure);
    if (status == STATUS_OK && command)
        command_print_help(command);
    else if (status == STATUS_OK)
        command_print_help_of_all(commands);
    return status;
}

static ExitStatus run_command(const Options *options, const Command *command, Failure *failure)
{
    char **operands = options->words + 1;
    ExitStatus status;

    status = command_check_operands(command, operands, failure);
    if (status == STATUS_OK && !command->takes_lane)
        status = options_refuse_lane(options, command->name, failure);
    if (status == STATUS_OK)
        status = options_refuse_of_others(options, command->name, failure);
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

    return name ? find_command(name, ret_command, failure) : STATUS_OK;
}

/* What is wrong with help is that it knows no such command. */
static void report(const Failure *failure, const Command *command)
{
    if (command && command->run == help_command)
        command = NULL;
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
