/* SPDX-License-Identifier: MIT */
#include "policy-rule.h"

#include <fnmatch.h>
#include <string.h>
#include <wctype.h>

#include "peer.h"
#include "process.h"

/* What a key of a rule says of a caller. */
typedef enum Match {
    MATCH_NO,
    MATCH_UNKNOWN,
    MATCH_YES,
} Match;

/* Behind the ":]" of a class, as in [[:alpha:]]; what else has such a shape is as strange as an unknown class. */
static const char *skip_class(const char *class)
{
    char name[16] = "";
    const char *end = strstr(class, ":]");

    if (*class != ':' || !end || end == class || (size_t)(end - class) > sizeof(name))
        return NULL;
    memcpy(name, class + 1, (size_t)(end - class) - 1);
    return wctype(name) ? end + 2 : NULL;
}

/* Behind the ']' that ends the set; one that comes first is a member. NULL: there is no such end. */
static const char *skip_set(const char *set)
{
    const char *c = set + (*set == '!' || *set == '^');

    do {
        if (*c == '[' && c[1] && strchr(":.=", c[1]))
            c = skip_class(c + 1);
        else if (*c == '\\' && c[1])
            c += 2;
        else
            c = *c ? c + 1 : NULL;
    } while (c && *c != ']');
    return c ? c + 1 : NULL;
}

bool rule_glob_is_valid(const char *glob)
{
    const char *c = glob;

    while (c && *c) {
        if (*c == '[')
            c = skip_set(c + 1);
        else if (*c == '\\')
            c = c[1] ? c + 2 : NULL;
        else
            c++;
    }
    return c;
}

static Match match_globs(const json_t *globs, const char *text, int flags)
{
    Match match = MATCH_NO;
    const json_t *glob;
    size_t i;
    int r;

    json_array_foreach(globs, i, glob) {
        r = fnmatch(json_string_value(glob), text, flags);
        if (r == 0)
            return MATCH_YES;
        if (r != FNM_NOMATCH)
            match = MATCH_UNKNOWN; /* it has failed */
    }
    return match;
}

/* What has no channel is what only "*" stands for. */
static Match match_channel(const Rule *rule, const char *channel)
{
    return rule->channels ? match_globs(rule->channels, channel ? channel : "", 0) : MATCH_YES;
}

static bool has_integer(const json_t *list, json_int_t wanted)
{
    const json_t *value;
    size_t i;

    json_array_foreach(list, i, value)
        if (json_integer_value(value) == wanted)
            return true;
    return false;
}

static Match match_uid(const Rule *rule, const Peer *peer)
{
    return !rule->uids || has_integer(rule->uids, peer->uid) ? MATCH_YES : MATCH_NO;
}

static Match match_gid(const Rule *rule, const Peer *peer)
{
    size_t i;

    if (!rule->gids)
        return MATCH_YES;
    if (!peer->has_groups)
        return MATCH_UNKNOWN;
    for (i = 0; i < peer->n_groups; i++)
        if (has_integer(rule->gids, peer->groups[i]))
            return MATCH_YES;
    return MATCH_NO;
}

static Match match_executable(const Rule *rule, Peer *peer)
{
    const Process *process;

    if (!rule->executables)
        return MATCH_YES;
    process = peer_get_process(peer);
    if (!process || !process->knows_executable)
        return MATCH_UNKNOWN;
    return match_globs(rule->executables, process->executable, FNM_PATHNAME);
}

static Match match_unit(const Rule *rule, Peer *peer)
{
    const Process *process;
    Match match, user_match;

    if (!rule->units)
        return MATCH_YES;
    process = peer_get_process(peer);
    if (!process || !process->knows_units)
        return MATCH_UNKNOWN;
    match = process->unit ? match_globs(rule->units, process->unit, 0) : MATCH_NO;
    user_match = process->user_unit ? match_globs(rule->units, process->user_unit, 0) : MATCH_NO;
    return match > user_match ? match : user_match;
}

static bool decide(const Rule *rule, Match match)
{
    return match == MATCH_YES || (match == MATCH_UNKNOWN && !rule->allow);
}

static bool matches_user(const Rule *rule, const Peer *peer)
{
    return (peer->contents ? rule->for_registered : rule->for_anonymous) && decide(rule, match_uid(rule, peer)) &&
           decide(rule, match_gid(rule, peer));
}

static bool matches_process(const Rule *rule, Peer *peer)
{
    return decide(rule, match_executable(rule, peer)) && decide(rule, match_unit(rule, peer));
}

/* The cheap questions first: /proc is read only for who is meant in all other ways. */
bool rule_matches(const Rule *rule, Peer *peer, Verb verb, const char *channel)
{
    return rule->verbs & 1u << verb && matches_user(rule, peer) && decide(rule, match_channel(rule, channel)) &&
           matches_process(rule, peer);
}

bool rule_matches_caller(const Rule *rule, Peer *peer)
{
    return matches_user(rule, peer) && matches_process(rule, peer);
}

bool rule_is_for_everything(const Rule *rule)
{
    return rule->verbs == ALL_VERBS && !rule->channels;
}

int rule_get_lost_verb(const Rule *rule)
{
    int verb;

    if (match_channel(rule, NULL) == MATCH_YES)
        return -1;
    for (verb = 0; verb < VERBS_MAX; verb++)
        if (rule->verbs & 1u << verb && !verb_has_channel(verb))
            return verb;
    return -1;
}

bool rule_can_match(const Rule *rule)
{
    int verb;

    if (rule_get_lost_verb(rule) < 0)
        return true;
    for (verb = 0; verb < VERBS_MAX; verb++)
        if (rule->verbs & 1u << verb && verb_has_channel(verb))
            return true;
    return false;
}
