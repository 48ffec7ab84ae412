/* SPDX-License-Identifier: MIT */
#pragma once

/* A policy is read from JSON text: what is not understood to the last word is refused. */

#include "policy.h"
#include "policy-document.h"

/*
 * name: of the file, for errors. -EBADMSG: the error, InvalidPolicy, says file, line and column. -ENOMEM. The policy,
 * which has been initialised, is untouched on failure.
 */
int policy_parse(const char *name, const char *text, size_t length, Policy *policy, sd_bus_error *error);

/* The value of "rules". */
int policy_parse_rules(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *policy);
