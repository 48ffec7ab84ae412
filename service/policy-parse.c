/* SPDX-License-Identifier: MIT */
#include "policy-parse.h"

#include <errno.h>
#include <string.h>

#include "macro.h"

static int take_default(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target)
{
    const char *word = json_string_value(value);
    Policy *policy = target;

    if (word && strcmp(word, "allow") == 0)
        policy->otherwise = POLICY_ALLOW;
    else if (word && strcmp(word, "deny") == 0)
        policy->otherwise = POLICY_DENY;
    else
        return policy_document_fail(document, place, "default must be \"allow\" or \"deny\"");
    return 0;
}

static int take_limit(const PolicyDocument *document, const JsonPlace *place, json_t *value, uint64_t *limit)
{
    if (!json_is_integer(value))
        return policy_document_fail(document, place, "%s must be a whole number", place->key);
    if (json_integer_value(value) < 0)
        return policy_document_fail(document, place, "%s must not be negative", place->key);
    *limit = (uint64_t)json_integer_value(value);
    return 0;
}

#define TAKE_LIMIT(limit)                                                                                    \
    static int take_##limit(const PolicyDocument *document, const JsonPlace *place, json_t *value,           \
                            void *limits)                                                                    \
    {                                                                                                        \
        return take_limit(document, place, value, &((Limits *)limits)->limit);                               \
    }

TAKE_LIMIT(renderers)
TAKE_LIMIT(renderers_per_uid)
TAKE_LIMIT(pending_invokes)
TAKE_LIMIT(pending_invokes_per_uid)
TAKE_LIMIT(queue_bytes)
TAKE_LIMIT(queue_bytes_per_uid)
TAKE_LIMIT(args_bytes)

static const PolicyKey limit_keys[] = {
    { "renderers", take_renderers },
    { "renderers-per-uid", take_renderers_per_uid },
    { "pending-invokes", take_pending_invokes },
    { "pending-invokes-per-uid", take_pending_invokes_per_uid },
    { "queue-bytes", take_queue_bytes },
    { "queue-bytes-per-uid", take_queue_bytes_per_uid },
    { "args-bytes", take_args_bytes },
    { 0 },
};

/* Who raises what a peer may have means to let it have that. */
static void raise_shares(Limits *limits, json_t *value)
{
    if (limits->pending_invokes_per_uid < limits->pending_invokes && !json_object_get(value, "pending-invokes-per-uid"))
        limits->pending_invokes_per_uid = limits->pending_invokes;
    if (limits->queue_bytes_per_uid < limits->queue_bytes && !json_object_get(value, "queue-bytes-per-uid"))
        limits->queue_bytes_per_uid = limits->queue_bytes;
}

static int take_limits(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target)
{
    Policy *policy = target;
    int r;

    r = policy_document_take_object(document, place, value, "limits", limit_keys, &policy->limits);
    if (r >= 0)
        raise_shares(&policy->limits, value);
    return r;
}

static const PolicyKey policy_keys[] = {
    { "default", take_default },
    { "rules", policy_parse_rules },
    { "limits", take_limits },
    { 0 },
};

int policy_parse(const char *name, const char *text, size_t length, Policy *policy, sd_bus_error *error)
{
    PolicyDocument document = { .name = name, .text = text, .length = length, .error = error };
    _cleanup_(policy_clear) Policy parsed = { .otherwise = POLICY_OWN, .limits = LIMITS_DEFAULT };
    JsonPlace place = { 0 };
    int r;

    r = policy_document_load(&document, &parsed.root);
    if (r >= 0)
        r = policy_document_take_object(&document, &place, parsed.root, "a policy", policy_keys, &parsed);
    if (r < 0)
        return r;

    policy_clear(policy);
    *policy = parsed;
    parsed = (Policy){ 0 };
    return 0;
}
