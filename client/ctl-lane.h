/* SPDX-License-Identifier: MIT */
#pragma once

/* What is sent by a lane: only renderers have one, so the command is a renderer for the moment. */

#include <stdint.h>

#include "ctl-failure.h"
#include "ctl-options.h"

/* A call that is seen to its end; the result is JSON text if main is honest, and the caller frees it. */
ExitStatus lane_invoke(const Options *options, const char *channel, const char *args, char **ret_result,
                       Failure *failure);
ExitStatus lane_send_sync(const Options *options, const char *channel, const char *args, char **ret_result,
                          Failure *failure);

/* By a lane nobody answers a message: when this is over it has been written, and what main refuses is not told. */
ExitStatus lane_send(const Options *options, const char *channel, const char *args, Failure *failure);
ExitStatus lane_send_to(const Options *options, uint32_t id, const char *channel, const char *args,
                        Failure *failure);
