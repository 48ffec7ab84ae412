/* SPDX-License-Identifier: MIT */
#pragma once

/* The policy: who may do what, and how much of it. */

#include <systemd/sd-bus.h>

#include "app-limits.h"
#include "policy-rule.h"

/* What is done where no rule matches. */
typedef enum PolicyDefault {
    POLICY_OWN, /* the service's own user and root may do everything, others nothing */
    POLICY_DENY,
    POLICY_ALLOW,
} PolicyDefault;

typedef struct Policy {
    json_t *root; /* what the rules point into */
    PolicyDefault otherwise;
    Limits limits;
    Rule *rules;
    size_t n_rules;
} Policy;

/* What holds without a file: POLICY_OWN, and as only one user and root get in, neither needs a share of its own. */
void policy_init(Policy *policy);
void policy_clear(Policy *policy);

/*
 * The caller is one that the bus has told of. channel: NULL where the verb has none. AccessDenied, with verb and
 * channel.
 */
int policy_check(Peer *peer, Verb verb, const char *channel, sd_bus_error *error);

/* Properties and objects: who may do nothing with the service need not know what it has. AccessDenied. */
int policy_check_look(Peer *peer, sd_bus_error *error);
