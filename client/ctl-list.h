/* SPDX-License-Identifier: MIT */
#pragma once

/* The command that lists the renderers of an app. */

#include <jansson.h>

#include "ctl-client.h"
#include "ctl-failure.h"
#include "ctl-options.h"

ExitStatus list_command(const Options *options, char **operands, Failure *failure);

/* An array of their properties, in no particular order. */
ExitStatus list_get_renderers(Client *client, json_t **ret_renderers, Failure *failure);
