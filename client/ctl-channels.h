/* SPDX-License-Identifier: MIT */
#pragma once

/* The command that lists the channels on which an app listens. */

#include "ctl-failure.h"
#include "ctl-options.h"

ExitStatus channels_command(const Options *options, char **operands, Failure *failure);
