/* SPDX-License-Identifier: MIT */
#include "policy.h"

#include <stdbool.h>

#include "app.h"
#include "peer.h"

static const char *const verb_names[] = {
    [VERB_REGISTER] = "register",   [VERB_SEND] = "send",       [VERB_INVOKE] = "invoke",
    [VERB_SEND_SYNC] = "send-sync", [VERB_SEND_TO] = "send-to", [VERB_SEND_TO_HOST] = "send-to-host",
};

/* The service's own user and root may do everything, others nothing. */
static bool is_allowed(const Peer *peer)
{
    return peer->has_uid && (peer->uid == 0 || peer->uid == peer->app->uid);
}

int policy_check(const Peer *peer, Verb verb, const char *channel, sd_bus_error *error)
{
    if (is_allowed(peer))
        return 0;
    if (channel)
        return sd_bus_error_setf(error, IPC_ERROR_ACCESS_DENIED,
                                 "This service belongs to user %u: you may not %s on '%s'", peer->app->uid,
                                 verb_names[verb], channel);
    return sd_bus_error_setf(error, IPC_ERROR_ACCESS_DENIED, "This service belongs to user %u: you may not %s",
                             peer->app->uid, verb_names[verb]);
}
