/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "app.h"
#include "fixture.h"
#include "macro.h"
#include "policy-parse.h"

/* What a policy says of a call: verb, channel and caller, and what is done where something is not known. */

#define OWN_UID 1000

/* ---- verbs ---- */

/* An app that is on no bus, and a peer of it that has never been on one. */
typedef struct Stage {
    ipc_app app;
    Peer *peer;
    gid_t groups[4];
    ipc_web_contents *contents; /* of a registered peer: never looked into */
    Process process;
} Stage;

static Stage *stage_new(const char *text)
{
    Stage *s = g_new0(Stage, 1);
    sd_bus_error error = SD_BUS_ERROR_NULL;

    s->app.uid = OWN_UID;
    policy_init(&s->app.policy);
    if (text && policy_parse("policy", text, strlen(text), &s->app.policy, &error) < 0)
        g_error("%s", error.message);
    s->peer = g_malloc0(sizeof(*s->peer) + 1);
    s->contents = g_malloc0(sizeof(*s->contents) + 1);
    s->peer->app = &s->app;
    s->process = (Process){ .knows_executable = true, .knows_units = true, .executable = (char *)"/usr/bin/app" };
    s->peer->process = &s->process;
    return s;
}

static void stage_free(Stage *s)
{
    policy_clear(&s->app.policy);
    g_free(s->contents);
    g_free(s->peer);
    g_free(s);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stage, stage_free)

typedef struct Caller {
    const char *name;
    uid_t uid;
    gid_t group; /* the last of them; 0: it has none but its own */
    bool is_registered;
    bool has_no_uid;
    bool has_no_groups;
} Caller;

static void enter(Stage *s, const Caller *caller)
{
    Peer *peer = s->peer;

    s->groups[0] = 5000;
    s->groups[1] = caller->group;
    peer->uid = caller->uid;
    peer->has_uid = !caller->has_no_uid;
    peer->has_groups = !caller->has_no_groups;
    peer->groups = s->groups;
    peer->n_groups = caller->has_no_groups ? 0 : caller->group ? 2 : 1;
    peer->contents = caller->is_registered ? s->contents : NULL;
}

static bool may(Stage *s, Verb verb, const char *channel)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = policy_check(s->peer, verb, verb_has_channel(verb) ? channel : NULL, &error);

    if (r < 0) {
        g_assert_cmpstr(error.name, ==, IPC_ERROR_ACCESS_DENIED);
        g_assert_nonnull(strstr(error.message, verb_name(verb)));
        g_assert_true(!verb_has_channel(verb) || strstr(error.message, channel));
    }
    sd_bus_error_free(&error);
    return r >= 0;
}

/* The verbs that a caller may use on a channel, in the order in which the manual has them. */
static void assert_may(Stage *s, const Caller *caller, const char *channel, const char *expected)
{
    g_autoptr(GString) verbs = g_string_new("");
    Verb verb;

    enter(s, caller);
    for (verb = 0; verb < VERBS_MAX; verb++)
        if (may(s, verb, channel))
            g_string_append_printf(verbs, "%s%s", verbs->len > 0 ? " " : "", verb_name(verb));
    if (strcmp(verbs->str, expected) != 0)
        g_error("%s on '%s' may: %s\nand should: %s", caller->name, channel, verbs->str, expected);
}

#define EVERYTHING "register send invoke send-sync send-to send-to-host post-message open-lane monitor"
#define NOTHING ""

static const Caller root = { .name = "root", .uid = 0 };
static const Caller own = { .name = "own", .uid = OWN_UID };
static const Caller other = { .name = "other", .uid = 1001 };
static const Caller member = { .name = "member", .uid = 1001, .group = 77 };
static const Caller renderer = { .name = "renderer", .uid = 1001, .is_registered = true };
static const Caller nameless = { .name = "nameless", .has_no_uid = true };
static const Caller groupless = { .name = "groupless", .uid = 1001, .has_no_groups = true };

/* ---- without rules ---- */

static void test_none(void)
{
    g_autoptr(Stage) s = stage_new(NULL);

    assert_may(s, &root, "x", EVERYTHING);
    assert_may(s, &own, "x", EVERYTHING);
    assert_may(s, &other, "x", NOTHING);
    assert_may(s, &renderer, "x", NOTHING);
    assert_may(s, &nameless, "x", NOTHING);
}

static void test_default(void)
{
    g_autoptr(Stage) absent = stage_new("{}"), allow = stage_new("{\"default\": \"allow\"}");
    g_autoptr(Stage) deny = stage_new("{\"default\": \"deny\"}");

    assert_may(absent, &own, "x", EVERYTHING);
    assert_may(absent, &root, "x", EVERYTHING);
    assert_may(absent, &other, "x", NOTHING);
    assert_may(allow, &other, "x", EVERYTHING);
    assert_may(deny, &own, "x", NOTHING);
    assert_may(deny, &root, "x", NOTHING);
}

/* Nobody knows who it is, so nobody can mean it. */
static void test_nameless(void)
{
    g_autoptr(Stage) s = stage_new("{\"default\": \"allow\", \"rules\": [{\"allow\": true}]}");

    assert_may(s, &nameless, "x", NOTHING);
    assert_may(s, &other, "x", EVERYTHING);
}

/* ---- rules: each table is a policy, and what it says of some callers and channels ---- */

typedef struct Row {
    const char *policy;
    struct {
        const Caller *caller;
        const char *channel;
        const char *verbs;
    } expected[8];
} Row;

static const Row rows[] = {
    /* the first that matches decides */
    { "{\"default\": \"deny\", \"rules\": [{\"allow\": false, \"uid\": [0]}, {\"allow\": true}, {\"allow\": false}]}",
      { { &root, "x", NOTHING }, { &other, "x", EVERYTHING } } },

    /* all keys of a rule have to match */
    { "{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"uid\": [1001], \"gid\": [77], \"verbs\": [\"send\", "
      "\"invoke\"], \"channels\": [\"a\", \"b\"]}]}",
      { { &member, "a", "send invoke" }, { &member, "b", "send invoke" }, { &member, "c", NOTHING },
        { &other, "a", NOTHING }, { &root, "a", NOTHING } } },

    /* a channel */
    { "{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"channels\": [\"notes:*\", \"[ab]?\", \"\\\\*\"]}]}",
      { { &own, "notes:", "send invoke send-sync send-to send-to-host post-message" },
        { &own, "notes:a/b.c:d", "send invoke send-sync send-to send-to-host post-message" },
        { &own, "notes", NOTHING },
        { &own, "a1", "send invoke send-sync send-to send-to-host post-message" },
        { &own, "c1", NOTHING },
        { &own, "a12", NOTHING },
        { &own, "*", "send invoke send-sync send-to send-to-host post-message" },
        { &own, "Notes:", NOTHING } } },

    /* a star takes a first dot and slashes, and what has no channel as well */
    { "{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"channels\": [\"*\"], \"uid\": [1000]}]}",
      { { &own, ".hidden", EVERYTHING }, { &own, "/a/b", EVERYTHING }, { &own, "\xc3\xa4", EVERYTHING } } },
    { "{\"default\": \"allow\", \"rules\": [{\"allow\": false, \"channels\": [\"secret\"]}]}",
      { { &own, "secret", "register open-lane monitor" }, { &own, "secrets", EVERYTHING } } },

    /* users and groups */
    { "{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"uid\": [\"root\", 1001]}]}",
      { { &root, "x", EVERYTHING }, { &other, "x", EVERYTHING }, { &own, "x", NOTHING } } },
    { "{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"gid\": [76, 77]}]}",
      { { &member, "x", EVERYTHING }, { &other, "x", NOTHING }, { &groupless, "x", NOTHING } } },
    { "{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"gid\": [5000]}]}",
      { { &member, "x", EVERYTHING }, { &other, "x", EVERYTHING }, { &groupless, "x", NOTHING } } },

    /* where groups are not known, who is to be kept out is kept out */
    { "{\"default\": \"allow\", \"rules\": [{\"allow\": false, \"gid\": [77]}]}",
      { { &member, "x", NOTHING }, { &other, "x", EVERYTHING }, { &groupless, "x", NOTHING } } },

    /* renderers */
    { "{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"registered\": true}, {\"allow\": true, \"verbs\": "
      "[\"register\"], \"registered\": false}]}",
      { { &renderer, "x", EVERYTHING }, { &other, "x", "register" } } },
    { "{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"registered\": [false]}]}",
      { { &renderer, "x", NOTHING }, { &other, "x", EVERYTHING } } },
};

static void test_rules(void)
{
    size_t i, j;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Stage) s = stage_new(rows[i].policy);

        for (j = 0; j < G_N_ELEMENTS(rows[i].expected) && rows[i].expected[j].caller; j++)
            assert_may(s, rows[i].expected[j].caller, rows[i].expected[j].channel, rows[i].expected[j].verbs);
    }
}

/* ---- looking: whoever may do anything may, nobody else ---- */

static void assert_may_look(const char *policy, const Caller *caller, bool expected)
{
    g_autoptr(Stage) s = stage_new(policy);
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int r;

    enter(s, caller);
    r = policy_check_look(s->peer, &error);
    if ((r >= 0) != expected)
        g_error("%s may%s look with %s", caller->name, r < 0 ? " not" : "", policy ? policy : "no policy");
    g_assert_true(r >= 0 || strcmp(error.name, IPC_ERROR_ACCESS_DENIED) == 0);
    sd_bus_error_free(&error);
}

static void test_look(void)
{
    static const char some[] = "{\"default\": \"deny\", \"rules\": [{\"allow\": false, \"channels\": [\"a\"]}, "
                               "{\"allow\": true, \"gid\": [77], \"verbs\": [\"send\"], \"channels\": [\"a\", \"b\"]}]}";
    static const char but_one[] = "{\"default\": \"allow\", \"rules\": [{\"allow\": false, \"uid\": [1001]}]}";

    assert_may_look(NULL, &own, true);
    assert_may_look(NULL, &root, true);
    assert_may_look(NULL, &other, false);
    assert_may_look("{}", &other, false);
    assert_may_look(some, &member, true);
    assert_may_look(some, &other, false);
    assert_may_look(some, &own, false);
    assert_may_look(but_one, &other, false);
    assert_may_look(but_one, &own, true);
    assert_may_look("{\"default\": \"allow\"}", &nameless, false);
}

/* ---- the message ---- */

static void test_messages(void)
{
    static const struct {
        const char *policy;
        const Caller *caller;
        Verb verb;
        const char *channel;
        const char *message;
    } cases[] = {
        { NULL, &other, VERB_INVOKE, "x", "This service belongs to user 1000: you may not invoke on 'x'" },
        { NULL, &other, VERB_OPEN_LANE, NULL, "This service belongs to user 1000: you may not open-lane" },
        { "{}", &other, VERB_SEND_TO, "x", "The policy of this service does not let user 1001 send-to on 'x'" },
        { "{}", &other, VERB_REGISTER, NULL, "The policy of this service does not let user 1001 register" },
        { "{}", &nameless, VERB_SEND, "x", "The bus does not tell which user you are: you may not send on 'x'" },
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Stage) s = stage_new(cases[i].policy);
        sd_bus_error error = SD_BUS_ERROR_NULL;

        enter(s, cases[i].caller);
        g_assert_cmpint(policy_check(s->peer, cases[i].verb, cases[i].channel, &error), <, 0);
        g_assert_cmpstr(error.message, ==, cases[i].message);
        sd_bus_error_free(&error);
    }
}

/* ---- programs and units ---- */

static void assert_process_may(const char *keys, const Process *process, const char *expected)
{
    g_autofree char *text = g_strdup_printf("{\"default\": \"deny\", \"rules\": [{\"allow\": true, %s}]}", keys);
    g_autoptr(Stage) s = stage_new(text);

    s->process = *process;
    assert_may(s, &own, "x", expected);
}

static void test_executable(void)
{
    const Process app = { .knows_executable = true, .executable = (char *)"/usr/bin/app" };
    const Process unknown = { 0 };

    assert_process_may("\"executable\": [\"/usr/bin/app\"]", &app, EVERYTHING);
    assert_process_may("\"executable\": [\"/bin/app\", \"/usr/bin/a*\"]", &app, EVERYTHING);
    assert_process_may("\"executable\": [\"/usr/bin/app1\"]", &app, NOTHING);
    assert_process_may("\"executable\": [\"/usr/*\", \"/*\", \"/usr?bin?app\"]", &app, NOTHING);
    assert_process_may("\"executable\": [\"/usr/bin/app\"]", &unknown, NOTHING);
}

static void test_unit(void)
{
    const Process service = { .knows_units = true, .unit = (char *)"a.service" };
    const Process user = { .knows_units = true, .unit = (char *)"user@1000.service", .user_unit = (char *)"b.scope" };
    const Process none = { .knows_units = true }, unknown = { 0 };

    assert_process_may("\"unit\": [\"a.service\"]", &service, EVERYTHING);
    assert_process_may("\"unit\": [\"b.*\"]", &service, NOTHING);
    assert_process_may("\"unit\": [\"b.*\"]", &user, EVERYTHING);
    assert_process_may("\"unit\": [\"user@*.service\"]", &user, EVERYTHING);
    assert_process_may("\"unit\": [\"*\"]", &none, NOTHING);
    assert_process_may("\"unit\": [\"*\"]", &unknown, NOTHING);
}

/* What is not known cannot be let in, and may be what is to be kept out; what is known to be another thing is not. */
static void test_unknown_process(void)
{
    g_autoptr(Stage) s = stage_new("{\"default\": \"allow\", \"rules\": [{\"allow\": false, \"executable\": [\"/a\"], "
                                   "\"verbs\": [\"send\"]}, {\"allow\": false, \"unit\": [\"a.service\"], "
                                   "\"verbs\": [\"invoke\"]}]}");

    assert_may(s, &own, "x", EVERYTHING);
    s->process = (Process){ 0 };
    assert_may(s, &own, "x", "register send-sync send-to send-to-host post-message open-lane monitor");
    s->peer->process = NULL; /* nor is its pid known */
    assert_may(s, &own, "x", "register send-sync send-to send-to-host post-message open-lane monitor");
}

/* /proc is read where a rule that could match asks for it, and once. */
static void test_process_is_read_late(void)
{
    g_autofree char *executable = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *text = g_strdup_printf("{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"uid\": [0]}, "
                                            "{\"allow\": true, \"verbs\": [\"send\"], \"channels\": [\"a\"], "
                                            "\"executable\": [\"%s\"]}]}", executable);
    g_autoptr(Stage) s = stage_new(text);
    const Process *process;

    s->peer->process = NULL;
    s->peer->has_pid = true;
    s->peer->pid = getpid();
    enter(s, &root);
    g_assert_true(may(s, VERB_SEND, "a"));
    enter(s, &own);
    g_assert_false(may(s, VERB_SEND, "b"));
    g_assert_false(may(s, VERB_INVOKE, "a"));
    g_assert_null(s->peer->process);
    g_assert_true(may(s, VERB_SEND, "a"));
    process = s->peer->process;
    g_assert_nonnull(process);
    g_assert_true(may(s, VERB_SEND, "a"));
    g_assert_true(s->peer->process == process);
    s->peer->process = process_free(s->peer->process);
}

static void test_process(void)
{
    g_autofree char *executable = g_file_read_link("/proc/self/exe", NULL);
    _cleanup_free_ char *unit = NULL;
    int r = sd_pid_get_unit(getpid(), &unit);
    Process *process = process_new(getpid());
    pid_t gone;

    g_assert_true(process->knows_executable);
    g_assert_cmpstr(process->executable, ==, executable);
    g_assert_cmpstr(process->unit, ==, r < 0 ? NULL : unit);
    process_free(process);

    gone = fork();
    if (gone == 0)
        _exit(0);
    g_assert_cmpint(waitpid(gone, NULL, 0), ==, gone);
    process = process_new(gone);
    g_assert_false(process->knows_executable || process->knows_units);
    process_free(process);
    g_assert_null(process_free(NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy/none", test_none);
    g_test_add_func("/policy/default", test_default);
    g_test_add_func("/policy/nameless", test_nameless);
    g_test_add_func("/policy/rules", test_rules);
    g_test_add_func("/policy/look", test_look);
    g_test_add_func("/policy/messages", test_messages);
    g_test_add_func("/policy/executable", test_executable);
    g_test_add_func("/policy/unit", test_unit);
    g_test_add_func("/policy/unknown-process", test_unknown_process);
    g_test_add_func("/policy/process-is-read-late", test_process_is_read_late);
    g_test_add_func("/policy/process", test_process);
    return g_test_run();
}
