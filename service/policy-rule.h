/* SPDX-License-Identifier: MIT */
#pragma once

/* A rule of a policy: the calls that it is about, and whether it allows them. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "verb.h"

typedef struct ipc_sender Peer;

/* The lists are borrowed from the policy; NULL: every one matches. */
typedef struct Rule {
    bool allow;
    uint32_t verbs;      /* bits by Verb */
    bool for_registered;
    bool for_anonymous;
    json_t *channels;    /* globs */
    json_t *uids;        /* integers */
    json_t *gids;        /* the same */
    json_t *executables; /* globs */
    json_t *units;       /* the same */
} Rule;

#define ALL_VERBS ((1u << VERBS_MAX) - 1)

/* One that matches every call. */
#define RULE_INIT { .verbs = ALL_VERBS, .for_registered = true, .for_anonymous = true }

/*
 * Where it is not known whether a caller is meant (the bus does not tell its groups, its process is gone), a rule that
 * denies matches, and one that allows does not.
 */
bool rule_matches(const Rule *rule, Peer *peer, Verb verb, const char *channel);

/* The same for any verb and channel: whether it is about calls of this caller, and whether about all of them. */
bool rule_matches_caller(const Rule *rule, Peer *peer);
bool rule_is_for_everything(const Rule *rule);

/*
 * Its first verb that it is never about, since it names channels and the verb has none, or -1; and whether there is a
 * call that it is about.
 */
int rule_get_lost_verb(const Rule *rule);
bool rule_can_match(const Rule *rule);

/* Whether fnmatch() understands it to the end, and what is wrong if it does not. */
#define RULE_NO_GLOB "a bracket or a backslash has no end, or there is no such class"
bool rule_glob_is_valid(const char *glob);
