/* SPDX-License-Identifier: MIT */
#pragma once

/* The command that measures how quick an app with the module echo is. */

#include "ctl-failure.h"
#include "ctl-options.h"

/* The lines about its own options in --help. */
extern const char bench_options_help[];

ExitStatus bench_command(const Options *options, char **operands, Failure *failure);
