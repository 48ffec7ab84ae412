/* SPDX-License-Identifier: MIT */
#pragma once

/* What the command line asks for. */

#include <stdbool.h>
#include <stdint.h>

#include "bus-open.h"
#include "ctl-failure.h"
#include "ctl-output.h"

typedef struct Options {
    BusTarget bus;
    const char *name;      /* the bus name of the app */
    Style style;
    bool is_style_given;   /* else it is STYLE_TEXT */
    uint64_t timeout_usec; /* UINT64_MAX: none */
    const char *sizes;     /* of bench, as they were typed; NULL: not given. The next ones the same */
    const char *concurrency;
    const char *duration;
    const char *interval;  /* of top, the same */
    const char *iterations;
    bool no_auto_start; /* what is not running stays so */
    bool by_lane;
    bool help;
    bool version;
    char **words; /* the command and its operands; ends with NULL */
} Options;

/*
 * Everything in ret is borrowed from argv, whose words it moves. Options are taken wherever they stand up to "--"; a
 * word such as -5 is none.
 */
ExitStatus options_parse(Options *ret, int argc, char **argv, Failure *failure);

/* Refuses --lane. */
ExitStatus options_refuse_lane(const Options *options, const char *command, Failure *failure);

/* Refuses what only another command takes. */
ExitStatus options_refuse_of_others(const Options *options, const char *command, Failure *failure);

/* Seconds from min to max, such as 0.5; option: how it is called. */
ExitStatus options_read_seconds(const char *option, const char *text, double min, double max, uint64_t *ret_usec,
                                Failure *failure);

/* The lines about options in --help; own: those about the command's own ones, or NULL. */
void options_print_help(const char *own);
