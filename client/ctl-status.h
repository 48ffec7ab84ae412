/* SPDX-License-Identifier: MIT */
#pragma once

/* The command that tells how one renderer stands, or the app. */

#include "ctl-failure.h"
#include "ctl-options.h"

ExitStatus status_command(const Options *options, char **operands, Failure *failure);
