/* SPDX-License-Identifier: MIT */
#include "policy.h"

#include <stdbool.h>
#include <stdlib.h>

#include "app.h"
#include "peer.h"

void policy_init(Policy *policy)
{
    *policy = (Policy){ .otherwise = POLICY_OWN, .limits = LIMITS_DEFAULT };
    policy->limits.renderers_per_uid = policy->limits.renderers;
}

void policy_clear(Policy *policy)
{
    json_decref(policy->root);
    free(policy->rules);
    policy_init(policy);
}

static bool is_own(const Peer *peer)
{
    return peer->uid == 0 || peer->uid == peer->app->uid;
}

static bool is_allowed(Peer *peer, Verb verb, const char *channel)
{
    const Policy *policy = &peer->app->policy;
    const Rule *rule;

    /* Of whom the bus does not even tell the user, nobody can say that he is meant. */
    if (!peer->has_uid)
        return false;
    for (rule = policy->rules; rule < policy->rules + policy->n_rules; rule++)
        if (rule_matches(rule, peer, verb, channel))
            return rule->allow;
    return policy->otherwise == POLICY_OWN ? is_own(peer) : policy->otherwise == POLICY_ALLOW;
}

static int deny(const Peer *peer, Verb verb, const char *channel, sd_bus_error *error)
{
    const char *on = channel ? " on '" : "", *name = channel ? channel : "", *end = channel ? "'" : "";

    if (!peer->has_uid)
        return sd_bus_error_setf(error, IPC_ERROR_ACCESS_DENIED,
                                 "The bus does not tell which user you are: you may not %s%s%s%s", verb_name(verb),
                                 on, name, end);
    if (!peer->app->policy.root)
        return sd_bus_error_setf(error, IPC_ERROR_ACCESS_DENIED,
                                 "This service belongs to user %u: you may not %s%s%s%s", peer->app->uid,
                                 verb_name(verb), on, name, end);
    return sd_bus_error_setf(error, IPC_ERROR_ACCESS_DENIED,
                             "The policy of this service does not let user %u %s%s%s%s", peer->uid, verb_name(verb),
                             on, name, end);
}

int policy_check(Peer *peer, Verb verb, const char *channel, sd_bus_error *error)
{
    return is_allowed(peer, verb, channel) ? 0 : deny(peer, verb, channel, error);
}
