/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "macro.h"
#include "policy-parse.h"

#define VERBS_LIST                                                                                       \
    "register, send, invoke, send-sync, send-to, send-to-host, post-message, open-lane or monitor"
#define ID_MAX (UINT32_MAX - 1) /* the last one stands for none */
#define ENTRY_BYTES_MAX (1024u * 1024) /* of an entry in the lists of users and groups */

/* ---- lists ---- */

typedef int (*TakeElement)(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target);

static int take_list(const PolicyDocument *document, const JsonPlace *place, json_t *list, TakeElement take,
                     void *target)
{
    json_t *value;
    size_t i;
    int r;

    if (!json_is_array(list))
        return policy_document_fail(document, place, "%s must be a list", place->key);
    if (json_array_size(list) == 0)
        return policy_document_fail(document, place, "%s is empty and would match nothing: without the key it "
                                    "matches everything", place->key);
    json_array_foreach(list, i, value) {
        JsonPlace inner = { .parent = place, .index = i };

        r = take(document, &inner, value, target);
        if (r < 0)
            return r;
    }
    return 0;
}

/* An error is told of the list that an element is in. */
static const char *list_name(const JsonPlace *element)
{
    return element->parent->key;
}

/* ---- globs ---- */

static int check_glob(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target)
{
    const char *glob = json_string_value(value);

    (void)target;
    if (!glob || !*glob)
        return policy_document_fail(document, place, "%s wants strings that are not empty", list_name(place));
    if (!rule_glob_is_valid(glob))
        return policy_document_fail(document, place, "this is no glob: " RULE_NO_GLOB);
    return 0;
}

static int check_path_glob(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target)
{
    int r = check_glob(document, place, value, target);

    if (r >= 0 && *json_string_value(value) != '/')
        return policy_document_fail(document, place, "an executable is an absolute path: it begins with '/'");
    return r;
}

static int take_channels(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target)
{
    ((Rule *)target)->channels = value;
    return take_list(document, place, value, check_glob, NULL);
}

static int take_executables(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target)
{
    ((Rule *)target)->executables = value;
    return take_list(document, place, value, check_path_glob, NULL);
}

static int take_units(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target)
{
    ((Rule *)target)->units = value;
    return take_list(document, place, value, check_glob, NULL);
}

/* ---- users and groups: their names become numbers, in place ---- */

/* -ENOENT: there is none with this name. -ENOMEM, and what asking for it has failed with. */
typedef int (*LookUp)(const char *name, char *buffer, size_t size, json_int_t *ret_id);

static int look_up_user(const char *name, char *buffer, size_t size, json_int_t *ret_id)
{
    struct passwd entry, *found = NULL;
    int r = getpwnam_r(name, &entry, buffer, size, &found);

    if (found)
        *ret_id = found->pw_uid;
    return found ? 0 : r > 0 ? -r : -ENOENT;
}

static int look_up_group(const char *name, char *buffer, size_t size, json_int_t *ret_id)
{
    struct group entry, *found = NULL;
    int r = getgrnam_r(name, &entry, buffer, size, &found);

    if (found)
        *ret_id = found->gr_gid;
    return found ? 0 : r > 0 ? -r : -ENOENT;
}

static int look_up(LookUp look_up_entry, const char *name, json_int_t *ret_id)
{
    size_t size;
    int r = -ERANGE;

    for (size = 1024; r == -ERANGE && size <= ENTRY_BYTES_MAX; size *= 4) {
        _cleanup_free_ char *buffer = malloc(size);

        if (!buffer)
            return -ENOMEM;
        r = look_up_entry(name, buffer, size, ret_id);
    }
    /* That a source of names is not there is no reason for there to be such a name. */
    return r == -ESRCH || r == -EPERM || r == -EBADF ? -ENOENT : r;
}

static bool is_number(const char *name)
{
    return *name && name[strspn(name, "0123456789")] == '\0';
}

typedef struct IdKind {
    const char *noun;
    LookUp look_up_entry;
    json_t *list;
} IdKind;

static int take_id(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target)
{
    const IdKind *kind = target;
    json_int_t id = json_integer_value(value);
    int r;

    if (json_is_integer(value)) {
        if (id < 0 || id > ID_MAX)
            return policy_document_fail(document, place, "%lld is no number of a %s", (long long)id, kind->noun);
        return 0;
    }
    if (!json_is_string(value))
        return policy_document_fail(document, place, "%s wants numbers and names", list_name(place));
    r = look_up(kind->look_up_entry, json_string_value(value), &id);
    if (r == -ENOENT)
        return policy_document_fail(document, place, "there is no %s '%.64s'%s", kind->noun, json_string_value(value),
                                    is_number(json_string_value(value)) ? ": a number has no quotes" : "");
    if (r < 0 && r != -ENOMEM)
        return policy_document_fail(document, place, "the %s '%.64s' cannot be looked up: %s", kind->noun,
                                    json_string_value(value), strerror(-r));
    if (r < 0 || json_array_set_new(kind->list, place->index, json_integer(id)) < 0)
        return -ENOMEM;
    return 0;
}

static int take_uids(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target)
{
    IdKind kind = { "user", look_up_user, value };

    ((Rule *)target)->uids = value;
    return take_list(document, place, value, take_id, &kind);
}

static int take_gids(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target)
{
    IdKind kind = { "group", look_up_group, value };

    ((Rule *)target)->gids = value;
    return take_list(document, place, value, take_id, &kind);
}

/* ---- the other keys ---- */

static int take_allow(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target)
{
    if (!json_is_boolean(value))
        return policy_document_fail(document, place, "allow must be true or false");
    ((Rule *)target)->allow = json_is_true(value);
    return 0;
}

static int take_verb(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target)
{
    int verb;

    if (!json_is_string(value))
        return policy_document_fail(document, place, "a verb must be a string");
    verb = verb_from_name(json_string_value(value));
    if (verb < 0)
        return policy_document_fail(document, place, "there is no verb '%.64s': it may be " VERBS_LIST,
                                    json_string_value(value));
    ((Rule *)target)->verbs |= 1u << verb;
    return 0;
}

static int take_verbs(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target)
{
    ((Rule *)target)->verbs = 0;
    return take_list(document, place, value, take_verb, target);
}

static int take_boolean(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target)
{
    Rule *rule = target;

    if (!json_is_boolean(value))
        return policy_document_fail(document, place, "registered must be true or false");
    if (json_is_true(value))
        rule->for_registered = true;
    else
        rule->for_anonymous = true;
    return 0;
}

/* A list, as of all keys, or, since a list of one is all that makes sense, that one. */
static int take_registered(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target)
{
    Rule *rule = target;

    rule->for_registered = rule->for_anonymous = false;
    return json_is_array(value) ? take_list(document, place, value, take_boolean, rule)
                                : take_boolean(document, place, value, rule);
}

static const PolicyKey rule_keys[] = {
    { "allow", take_allow },
    { "verbs", take_verbs },
    { "channels", take_channels },
    { "uid", take_uids },
    { "gid", take_gids },
    { "registered", take_registered },
    { "executable", take_executables },
    { "unit", take_units },
    { 0 },
};

static int take_rule(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target)
{
    Policy *policy = target;
    Rule *rule = &policy->rules[policy->n_rules];
    int verb, r;

    *rule = (Rule)RULE_INIT;
    r = policy_document_take_object(document, place, value, "a rule", rule_keys, rule);
    if (r < 0)
        return r;
    if (!json_object_get(value, "allow"))
        return policy_document_fail(document, place, "this rule does not say allow, true or false");
    if (!rule_can_match(rule))
        return policy_document_fail(document, place, "the verbs of this rule have no channels, so it matches nothing");
    /* What is not allowed by mistake is soon noticed. What is not denied is not. */
    verb = rule_get_lost_verb(rule);
    if (!rule->allow && verb >= 0 && json_object_get(value, "verbs"))
        return policy_document_fail(document, place, "%s has no channel, so this rule would not deny it: it needs a rule "
                                    "without channels", verb_name(verb));
    policy->n_rules++;
    return 0;
}

int policy_parse_rules(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target)
{
    Policy *policy = target;

    if (!json_is_array(value))
        return policy_document_fail(document, place, "rules must be a list");
    if (json_array_size(value) == 0)
        return 0;
    policy->rules = calloc(json_array_size(value), sizeof(*policy->rules));
    if (!policy->rules)
        return -ENOMEM;
    return take_list(document, place, value, take_rule, policy);
}
