/* SPDX-License-Identifier: MIT */
#pragma once

/* The command that shows what the channels of an app are up to. */

#include "ctl-failure.h"
#include "ctl-options.h"

extern const char top_options_help[];

ExitStatus top_command(const Options *options, char **operands, Failure *failure);
