/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "policy-parse.h"

/* The text of a policy: what is wrong with it, and where; and what is right. */

#define NO_GLOB "this is no glob: a bracket or a backslash has no end, or there is no such class"

/* ---- verbs ---- */

static int parse(const char *text, size_t length, Policy *policy, sd_bus_error *error)
{
    policy_init(policy);
    return policy_parse("file", text, length, policy, error);
}

static Policy parse_well(const char *text)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    Policy policy;

    if (parse(text, strlen(text), &policy, &error) < 0)
        g_error("'%s' is no policy: %s", text, error.message);
    g_assert_false(sd_bus_error_is_set(&error));
    return policy;
}

static void assert_refused(const char *text, size_t length, const char *message)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    Policy policy;

    must_fail(parse(text, length, &policy, &error), EBADMSG);
    g_assert_cmpstr(error.name, ==, IPC_ERROR_INVALID_POLICY);
    if (strcmp(error.message, message) != 0)
        g_error("'%s' is refused as\n  %s\nwhich should be\n  %s", text, error.message, message);
    /* What was there is there. */
    g_assert_true(policy.otherwise == POLICY_OWN && !policy.rules && !policy.root);
    g_assert_cmpuint(policy.limits.renderers_per_uid, ==, IPC_RENDERERS_MAX);
    sd_bus_error_free(&error);
}

/* A policy of one rule, which allows. */
static Policy parse_rule(const char *keys)
{
    g_autofree char *text = g_strdup_printf("{\"rules\": [{\"allow\": true, %s}]}", keys);

    return parse_well(text);
}

/* ---- what is wrong, and where ---- */

static const struct {
    const char *text;
    const char *message;
} refused[] = {
    /* what is no JSON: the column is that of the last character which was read */
    { "", "file:1:1: '[' or '{' expected near end of file" },
    { "\n\n  ", "file:3:2: '[' or '{' expected near end of file" },
    { "{", "file:1:1: string or '}' expected near end of file" },
    { "{\"default\" \"deny\"}", "file:1:17: ':' expected near '\"deny\"'" },
    { "{\n \"default\": \"deny\",\n}", "file:3:1: string or '}' expected near '}'" },
    { "{\"rules\": [\n/* no comment */]}", "file:2:1: invalid token near '/'" },
    { "{} {}", "file:1:4: end of file expected near '{'" },
    { "{\"rules\": [{\"channels\": [\"\xff\"]}]}", "file:1:26: unable to decode byte 0xff near '\"'" },
    { "{\"limits\": {\"renderers\": 99999999999999999999}}",
      "file:1:45: too big integer near '99999999999999999999'" },
    { "{\"default\": \"deny\",\n \"default\": \"allow\"}", "file:2:10: duplicate object key near '\"default\"'" },
    { "{\"rules\": [{\"allow\": true,\n\"allow\": false}]}", "file:2:7: duplicate object key near '\"allow\"'" },

    /* the policy */
    { "[]", "file:1:1: a policy must be an object" },
    { "\n  []", "file:2:3: a policy must be an object" },
    { "{\"Default\": \"deny\"}", "file:1:2: a policy has no key 'Default': there may be default, rules or limits" },
    { "{\"rules\": [],\n\t\"rule\": []}", "file:2:2: a policy has no key 'rule': there may be default, rules or limits" },
    { "{\"\": 1}", "file:1:2: a policy has no key '': there may be default, rules or limits" },
    { "{\"default\": \"Allow\"}", "file:1:13: default must be \"allow\" or \"deny\"" },
    { "{\"default\": true}", "file:1:13: default must be \"allow\" or \"deny\"" },
    { "{\"default\": null}", "file:1:13: default must be \"allow\" or \"deny\"" },
    { "{\"rules\": {}}", "file:1:11: rules must be a list" },
    { "{\"rules\": [{\"allow\": true}, 5]}", "file:1:29: a rule must be an object" },
    { "{\"rules\": [{\"allow\": true}, [{}]]}", "file:1:29: a rule must be an object" },
    { "{\"limits\": []}", "file:1:12: limits must be an object" },

    /* a rule */
    { "{\"rules\": [ {} ]}", "file:1:13: this rule does not say allow, true or false" },
    { "{\"rules\": [\n  {\"allow\": true},\n  {\"verbs\": [\"send\"]}\n]}",
      "file:3:3: this rule does not say allow, true or false" },
    { "{\"rules\": [{\"allow\": \"true\"}]}", "file:1:22: allow must be true or false" },
    { "{\"rules\": [{\"allow\": 1}]}", "file:1:22: allow must be true or false" },
    { "{\"rules\": [{\"allow\": true, \"verb\": [\"send\"]}]}",
      "file:1:28: a rule has no key 'verb': there may be allow, verbs, channels, uid, gid, registered, executable or "
      "unit" },
    { "{\"rules\": [{\"allow\": true,\n   \"ch\\u0061nnel\": []}]}",
      "file:2:4: a rule has no key 'channel': there may be allow, verbs, channels, uid, gid, registered, executable "
      "or unit" },
    { "{\"rules\": [{\"allow\": true, \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\": 1}]}",
      "file:1:28: a rule has no such key: there may be allow, verbs, channels, uid, gid, registered, executable or "
      "unit" },

    /* its verbs */
    { "{\"rules\": [{\"allow\": true, \"verbs\": \"send\"}]}", "file:1:37: verbs must be a list" },
    { "{\"rules\": [{\"allow\": true, \"verbs\": []}]}",
      "file:1:37: verbs is empty and would match nothing: without the key it matches everything" },
    { "{\"rules\": [{\"allow\": true, \"verbs\": [\"send\", 7]}]}", "file:1:46: a verb must be a string" },
    { "{\"rules\": [{\"allow\": true, \"verbs\": [\"send\",\n\"sendto\"]}]}",
      "file:2:1: there is no verb 'sendto': it may be register, send, invoke, send-sync, send-to, send-to-host, "
      "post-message, open-lane or monitor" },
    { "{\"rules\": [{\"allow\": true, \"verbs\": [\"register\", \"monitor\"], \"channels\": [\"a\"]}]}",
      "file:1:12: the verbs of this rule have no channels, so it matches nothing" },
    { "{\"rules\": [{\"allow\": false, \"verbs\": [\"invoke\", \"monitor\"], \"channels\": [\"a\"]}]}",
      "file:1:12: monitor has no channel, so this rule would not deny it: it needs a rule without channels" },

    /* its globs */
    { "{\"rules\": [{\"allow\": true, \"channels\": \"a\"}]}", "file:1:40: channels must be a list" },
    { "{\"rules\": [{\"allow\": true, \"channels\": [\"a\", \"\"]}]}",
      "file:1:46: channels wants strings that are not empty" },
    { "{\"rules\": [{\"allow\": true, \"channels\": [null]}]}", "file:1:41: channels wants strings that are not empty" },
    { "{\"rules\": [{\"allow\": true, \"channels\": [\"\xc3\xa4\xc3\xb6\xe2\x82\xac\", \"[a-\"]}]}",
      "file:1:48: " NO_GLOB },
    { "{\"rules\": [{\"allow\": true, \"channels\": [\"[]\"]}]}",
      "file:1:41: " NO_GLOB },
    { "{\"rules\": [{\"allow\": true, \"channels\": [\"a\\\\\"]}]}",
      "file:1:41: " NO_GLOB },
    { "{\"rules\": [{\"allow\": true, \"channels\": [\"[[:alpha:]\"]}]}", "file:1:41: " NO_GLOB },
    { "{\"rules\": [{\"allow\": true, \"channels\": [\"[[:alhpa:]]\"]}]}", "file:1:41: " NO_GLOB },
    { "{\"rules\": [{\"allow\": true, \"channels\": [\"[[:a-z]\"]}]}", "file:1:41: " NO_GLOB },
    { "{\"rules\": [{\"allow\": true, \"channels\": [\"[[.a.]]\"]}]}", "file:1:41: " NO_GLOB },
    { "{\"rules\": [{\"allow\": true, \"channels\": [\"[a\\\\]\"]}]}", "file:1:41: " NO_GLOB },
    { "{\"rules\": [{\"allow\": true, \"channels\": [\"a\\u0000b\"]}]}",
      "file:1:50: \\u0000 is not allowed without JSON_ALLOW_NUL near '\"a\\u0000b\"'" },
    { "{\"rules\": [{\"allow\": true, \"executable\": [\"bin/sh\"]}]}",
      "file:1:43: an executable is an absolute path: it begins with '/'" },
    { "{\"rules\": [{\"allow\": true, \"unit\": [[]]}]}", "file:1:37: unit wants strings that are not empty" },

    /* its users and groups */
    { "{\"rules\": [{\"allow\": true, \"uid\": 0}]}", "file:1:35: uid must be a list" },
    { "{\"rules\": [{\"allow\": true, \"uid\": [0, -1]}]}", "file:1:39: -1 is no number of a user" },
    { "{\"rules\": [{\"allow\": true, \"uid\": [4294967295]}]}", "file:1:36: 4294967295 is no number of a user" },
    { "{\"rules\": [{\"allow\": true, \"uid\": [1.0]}]}", "file:1:36: uid wants numbers and names" },
    { "{\"rules\": [{\"allow\": true, \"uid\": [\"no such user\"]}]}", "file:1:36: there is no user 'no such user'" },
    { "{\"rules\": [{\"allow\": true, \"uid\": [\"\"]}]}", "file:1:36: there is no user ''" },
    { "{\"rules\": [{\"allow\": true, \"gid\": [\"root\", \"no such group\"]}]}",
      "file:1:44: there is no group 'no such group'" },
    { "{\"rules\": [{\"allow\": true, \"gid\": [-2]}]}", "file:1:36: -2 is no number of a group" },
    { "{\"rules\": [{\"allow\": true, \"registered\": \"yes\"}]}", "file:1:42: registered must be true or false" },
    { "{\"rules\": [{\"allow\": true, \"registered\": [true, 0]}]}", "file:1:49: registered must be true or false" },

    /* the limits */
    { "{\"limits\": {\"renderer\": 1}}",
      "file:1:13: limits has no key 'renderer': there may be renderers, renderers-per-uid, pending-invokes, "
      "pending-invokes-per-uid, queue-bytes, queue-bytes-per-uid or args-bytes" },
    { "{\"limits\": {\"renderers\": \"many\"}}", "file:1:26: renderers must be a whole number" },
    { "{\"limits\": {\"renderers\": 1e3}}", "file:1:26: renderers must be a whole number" },
    { "{\"limits\": {\"renderers\": 1,\n\"args-bytes\": -1}}", "file:2:15: args-bytes must not be negative" },

    /* what stands before it may look like anything */
    { "{\"limits\": {\"renderers\": 1, \"queue-bytes\": 2}, \"rules\": [{\"allow\": false, \"channels\": [\"}],{\", "
      "\"\\\"]\\\\\\\\\", \"\xc3\xa4\"], \"uid\": [0]}, {\"allow\": true, \"uid\": [true]}]}",
      "file:1:150: uid wants numbers and names" },
};

static void test_refused(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(refused); i++)
        assert_refused(refused[i].text, strlen(refused[i].text), refused[i].message);
}

static void test_nul(void)
{
    assert_refused("{}\0{}", 5, "file:1:3: a text has no NUL bytes");
}

/* jansson stops at 2048 values within each other; nothing of ours goes deeper than it does. */
static void test_deep(void)
{
    g_autofree char *brackets = g_strnfill(2000, '[');
    g_autofree char *ends = g_strnfill(2000, ']');
    g_autofree char *text = g_strconcat("{\"rules\": [{\"allow\": true, \"uid\": [", brackets, ends, ",\n0]}]}", NULL);
    g_autofree char *later = g_strconcat("{\"x\": ", brackets, ends, ", \"y\": 0}", NULL);

    assert_refused(text, strlen(text), "file:1:36: uid wants numbers and names");
    assert_refused(later, strlen(later), "file:1:2: a policy has no key 'x': there may be default, rules or limits");
}

/* Cut anywhere, it is refused, and nothing is read beyond it. */
static void test_cut_anywhere(void)
{
    static const char text[] = "{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"channels\": [\"a\\\\b\"], "
                               "\"uid\": [0], \"gid\": [0]}], \"limits\": {\"renderers\": 1}}";
    Policy policy = parse_well(text);
    size_t length;

    policy_clear(&policy);
    for (length = 1; length < strlen(text); length++) {
        g_autofree char *part = g_memdup2(text, length);
        sd_bus_error error = SD_BUS_ERROR_NULL;

        must_fail(parse(part, length, &policy, &error), EBADMSG);
        g_assert_true(g_str_has_prefix(error.message, "file:1:"));
        sd_bus_error_free(&error);
    }
}

/* ---- what is right ---- */

static void test_empty(void)
{
    Policy policy = parse_well("{}");

    g_assert_true(policy.otherwise == POLICY_OWN);
    g_assert_cmpuint(policy.n_rules, ==, 0);
    g_assert_cmpuint(policy.limits.renderers, ==, 4096);
    g_assert_cmpuint(policy.limits.renderers_per_uid, ==, 256);
    g_assert_cmpuint(policy.limits.pending_invokes, ==, 1024);
    g_assert_cmpuint(policy.limits.queue_bytes, ==, 64 * 1024 * 1024);
    policy_clear(&policy);
    policy = parse_well("{\"rules\": [], \"limits\": {}, \"default\": \"allow\"}");
    g_assert_true(policy.otherwise == POLICY_ALLOW);
    policy_clear(&policy);
    policy = parse_well(" {\"default\": \"deny\"}\n");
    g_assert_true(policy.otherwise == POLICY_DENY);
    policy_clear(&policy);
}

static void test_rules(void)
{
    Policy policy = parse_rule("\"verbs\": [\"send\", \"monitor\", \"send\"], \"channels\": [\"*\"], \"registered\": false");
    const Rule *rule = policy.rules;

    g_assert_cmpuint(policy.n_rules, ==, 1);
    g_assert_true(rule->allow);
    g_assert_cmpuint(rule->verbs, ==, 1u << VERB_SEND | 1u << VERB_MONITOR);
    g_assert_true(!rule->for_registered && rule->for_anonymous);
    g_assert_true(!rule->uids && !rule->gids && !rule->executables && !rule->units);
    policy_clear(&policy);

    policy = parse_rule("\"verbs\": [\"register\"], \"channels\": [\"a\", \"*\"], \"registered\": [true, false]");
    g_assert_true(policy.rules->for_registered && policy.rules->for_anonymous);
    policy_clear(&policy);
}

static void test_globs(void)
{
    Policy policy = parse_rule("\"channels\": [\"[]a]\", \"[!]]\", \"[[:alpha:]]\", \"[^[:digit:]_]x\", "
                               "\"[a[]\", \"[\\\\]]\", \"a\\\\[\", \"]\", \"\\\\\\\\\"]");

    policy_clear(&policy);
}

static void test_names(void)
{
    Policy policy = parse_rule("\"uid\": [1, \"root\", 4294967294], \"gid\": [\"root\", 7]");
    const Rule *rule = policy.rules;

    g_assert_cmpint(json_integer_value(json_array_get(rule->uids, 0)), ==, 1);
    g_assert_cmpint(json_integer_value(json_array_get(rule->uids, 1)), ==, 0);
    g_assert_true(json_is_integer(json_array_get(rule->uids, 1)));
    g_assert_cmpint(json_integer_value(json_array_get(rule->uids, 2)), ==, 4294967294);
    g_assert_true(json_is_integer(json_array_get(rule->gids, 0)));
    policy_clear(&policy);
}

static void test_limits(void)
{
    Policy policy = parse_well("{\"limits\": {\"renderers\": 0, \"renderers-per-uid\": 1, \"pending-invokes\": 100000, "
                               "\"queue-bytes\": 1000000000, \"queue-bytes-per-uid\": 5, \"args-bytes\": 2}}");
    const Limits *limits = &policy.limits;

    g_assert_cmpuint(limits->renderers, ==, 0);
    g_assert_cmpuint(limits->renderers_per_uid, ==, 1);
    g_assert_cmpuint(limits->pending_invokes, ==, 100000);
    g_assert_cmpuint(limits->pending_invokes_per_uid, ==, 100000);
    g_assert_cmpuint(limits->queue_bytes, ==, 1000000000);
    g_assert_cmpuint(limits->queue_bytes_per_uid, ==, 5);
    g_assert_cmpuint(limits->args_bytes, ==, 2);
    policy_clear(&policy);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy-parse/refused", test_refused);
    g_test_add_func("/policy-parse/nul", test_nul);
    g_test_add_func("/policy-parse/deep", test_deep);
    g_test_add_func("/policy-parse/cut-anywhere", test_cut_anywhere);
    g_test_add_func("/policy-parse/empty", test_empty);
    g_test_add_func("/policy-parse/rules", test_rules);
    g_test_add_func("/policy-parse/globs", test_globs);
    g_test_add_func("/policy-parse/names", test_names);
    g_test_add_func("/policy-parse/limits", test_limits);
    return g_test_run();
}
