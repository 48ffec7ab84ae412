/* SPDX-License-Identifier: MIT */
#pragma once

/* The figures that an app keeps of its channels and renderers. */

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "ctl-client.h"

/*
 * Objects with channel, calls, messages, sent, errors, bytes, pending, p50_us, p99_us and max_us, in an array; those of
 * all channels without figures of their own come last, and their channel is "".
 */
ExitStatus figures_get_channels(Client *client, json_t **ret_channels, Failure *failure);

/* Objects with id, calls, errors and bytes, in an array. */
ExitStatus figures_get_renderers(Client *client, json_t **ret_renderers, Failure *failure);

/*
 * As a table, whose channels take what is left of so many columns; not more than so many rows. is_live: it is drawn
 * over another one.
 */
void figures_print(FILE *stream, json_t *channels, unsigned columns, size_t n_rows, bool is_live);

/* Calls and messages, both ways. */
json_int_t figures_total(const json_t *channel);
