/* SPDX-License-Identifier: MIT */
#pragma once

/* The commands that send one message: to main, or to another renderer. */

#include "ctl-failure.h"
#include "ctl-options.h"

ExitStatus send_command(const Options *options, char **operands, Failure *failure);
ExitStatus send_invoke_command(const Options *options, char **operands, Failure *failure);
ExitStatus send_sync_command(const Options *options, char **operands, Failure *failure);
ExitStatus send_to_command(const Options *options, char **operands, Failure *failure);
