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

/* Where no rule says otherwise. */
static bool is_allowed_otherwise(const Peer *peer)
{
    PolicyDefault otherwise = peer->app->policy.otherwise;

    return otherwise == POLICY_OWN ? is_own(peer) : otherwise == POLICY_ALLOW;
}

static bool is_allowed(Peer *peer, Verb verb, const char *channel)
{
    const Policy *policy = &peer->app->policy;
    const Rule *rule;
    size_t i;

    for (i = 0; i < policy->n_rules; i++) {
        rule = &policy->rules[i];
        if (rule_matches(rule, peer, verb, channel))
            return rule->allow;
    }
    return is_allowed_otherwise(peer);
}

static bool is_allowed_anything(Peer *peer)
{
    const Policy *policy = &peer->app->policy;
    const Rule *rule;
    size_t i;

    for (i = 0; i < policy->n_rules; i++) {
        rule = &policy->rules[i];
        if ((rule->allow || rule_is_for_everything(rule)) && rule_matches_caller(rule, peer))
            return rule->allow;
    }
    return is_allowed_otherwise(peer);
}

/* what: may be followed by a channel, in quotes. */
static int deny(const Peer *peer, const char *what, const char *channel, sd_bus_error *error)
{
    const char *on = channel ? " on '" : "", *name = channel ? channel : "", *end = channel ? "'" : "";

    if (!peer->has_uid)
        return sd_bus_error_setf(error, IPC_ERROR_ACCESS_DENIED,
                                 "The bus does not tell which user you are: you may not %s%s%s%s", what, on, name, end);
    if (!peer->app->policy.root)
        return sd_bus_error_setf(error, IPC_ERROR_ACCESS_DENIED,
                                 "This service belongs to user %u: you may not %s%s%s%s", peer->app->uid, what, on,
                                 name, end);
    return sd_bus_error_setf(error, IPC_ERROR_ACCESS_DENIED, "The policy of this service does not let user %u %s%s%s%s",
                             peer->uid, what, on, name, end);
}

/* Of whom the bus does not even tell the user, nobody can say that he is meant. */
int policy_check(Peer *peer, Verb verb, const char *channel, sd_bus_error *error)
{
    if (peer->has_uid && is_allowed(peer, verb, channel))
        return 0;
    return deny(peer, verb_name(verb), channel, error);
}

int policy_check_look(Peer *peer, sd_bus_error *error)
{
    if (peer->has_uid && is_allowed_anything(peer))
        return 0;
    return deny(peer, "look at it", NULL, error);
}
