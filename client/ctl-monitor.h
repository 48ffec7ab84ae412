/* SPDX-License-Identifier: MIT */
#pragma once

/* The command that prints everything that goes between main and its renderers. */

#include "ctl-failure.h"
#include "ctl-options.h"

ExitStatus monitor_command(const Options *options, char **operands, Failure *failure);
