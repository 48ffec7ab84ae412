/* SPDX-License-Identifier: MIT */
#pragma once

/* The command that is a renderer and prints what it hears, until it is stopped. */

#include "ctl-failure.h"
#include "ctl-options.h"

ExitStatus listen_command(const Options *options, char **operands, Failure *failure);
