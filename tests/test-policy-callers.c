/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

/* A policy and its callers: processes of other users and groups, on a bus that lets everyone in. */

/* dbus-daemon lets nobody in whom the system's list of users does not have. */
#define STRANGER 1
#define NOBODY 65534
#define GROUP 23456

/* ---- callers: each is a process that tries everything, and writes down what it may do ---- */

typedef struct Caller {
    uid_t uid;
    gid_t gid;
    gid_t group; /* a supplementary one; 0: none */
} Caller;

static const char *const channels[] = { "notes:list", "notes:secret", "public" };
static const char *const members[] = { "Send", "Invoke", "SendSync", "SendTo", "SendToHost" };

static int call_member(sd_bus *bus, const char *member, const char *channel, sd_bus_error *error)
{
    if (strcmp(member, "Register") == 0)
        return sd_bus_call_method(bus, FIXTURE_NAME, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member, error, NULL, "a{sv}", 0);
    if (strcmp(member, "CreateWebview") == 0)
        return sd_bus_call_method(bus, FIXTURE_NAME, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member, error, NULL, "");
    if (strcmp(member, "SendTo") == 0)
        return sd_bus_call_method(bus, FIXTURE_NAME, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member, error, NULL, "uss", 1,
                                  channel, "[]");
    return sd_bus_call_method(bus, FIXTURE_NAME, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member, error, NULL, "ss", channel,
                              "[]");
}

/* Main's other errors say that it may. */
static bool may(sd_bus *bus, const char *member, const char *channel)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    bool is_denied;
    int r;

    r = call_member(bus, member, channel, &error);
    is_denied = r < 0 && sd_bus_error_has_name(&error, IPC_ERROR_ACCESS_DENIED);
    if (r < 0 && !is_denied && !g_str_has_prefix(error.name, "org.ipcbus.Error."))
        g_error("%s: %s: %s", member, error.name, error.message);
    sd_bus_error_free(&error);
    return !is_denied;
}

static void report(FILE *out, sd_bus *bus)
{
    size_t i, j, n;

    for (i = 0; i < G_N_ELEMENTS(channels); i++) {
        for (j = n = 0; j < G_N_ELEMENTS(members); j++)
            if (may(bus, members[j], channels[i]))
                fprintf(out, "%s%s", n++ > 0 ? " " : "", members[j]);
        fprintf(out, "%s%s\n", n > 0 ? " on " : "nothing on ", channels[i]);
    }
}

static G_GNUC_NORETURN void run_caller(Fixture *f, const Caller *caller, int fd)
{
    FILE *out = fdopen(fd, "w");
    sd_bus *bus;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    must(setgroups(caller->group ? 1 : 0, &caller->group) < 0 ? -errno : 0);
    must(setresgid(caller->gid, caller->gid, caller->gid) < 0 ? -errno : 0);
    must(setresuid(caller->uid, caller->uid, caller->uid) < 0 ? -errno : 0);
    bus = bus_connect(f->bus);
    report(out, bus);
    if (may(bus, "CreateWebview", NULL))
        fputs("CreateWebview\n", out);
    if (may(bus, "Register", NULL)) {
        fputs("Register, then\n", out);
        report(out, bus);
    }
    fclose(out);
    sd_bus_flush_close_unref(bus);
    _exit(0);
}

typedef struct Output {
    GString *text;
    bool has_ended;
} Output;

static int on_output(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    Output *output = userdata;
    char buffer[1024];
    ssize_t n = read(fd, buffer, sizeof(buffer));

    (void)revents;
    g_assert_cmpint(n, >=, 0);
    g_string_append_len(output->text, buffer, n);
    output->has_ended = n == 0;
    return n > 0 ? 0 : sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

static void assert_reports(Fixture *f, const Caller *caller, const char *expected)
{
    Output output = { .text = g_string_new("") };
    sd_event_source *source;
    int fds[2], status;
    pid_t pid;

    g_assert_cmpint(pipe(fds), ==, 0);
    pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid == 0)
        run_caller(f, caller, fds[1]);
    close(fds[1]);
    must(sd_event_add_io(f->event, &source, fds[0], POLLIN, on_output, &output));
    wait_until(f, output.has_ended);
    sd_event_source_unref(source);
    close(fds[0]);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_cmpint(status, ==, 0);
    if (strcmp(output.text->str, expected) != 0)
        g_error("user %u, groups %u and %u: expected\n%sgot\n%s", caller->uid, caller->gid, caller->group, expected,
                output.text->str);
    g_string_free(output.text, TRUE);
}

static bool is_root(void)
{
    if (getuid() == 0)
        return true;
    g_test_skip("only root can be other users");
    return false;
}

#define ALL "Send Invoke SendSync SendTo SendToHost"
#define ALL_ON_ALL ALL " on notes:list\n" ALL " on notes:secret\n" ALL " on public\n"
#define NOTHING_ON_ALL "nothing on notes:list\nnothing on notes:secret\nnothing on public\n"

/* ---- the tests ---- */

static void test_without(void)
{
    static const Caller root = { 0, 0, 0 }, same = { 0, STRANGER, GROUP }, stranger = { STRANGER, STRANGER, 0 },
                        grouped = { STRANGER, 0, GROUP };
    g_autoptr(Fixture) f = NULL;

    if (!is_root())
        return;
    f = fixture_new();
    assert_reports(f, &root, ALL_ON_ALL "CreateWebview\nRegister, then\n" ALL_ON_ALL);
    assert_reports(f, &same, ALL_ON_ALL "CreateWebview\nRegister, then\n" ALL_ON_ALL);
    assert_reports(f, &stranger, NOTHING_ON_ALL);
    assert_reports(f, &grouped, NOTHING_ON_ALL);
}

/* What the manual shows: one group may do this, another that, and a user is kept out whatever his groups. */
static const char policy[] =
    "{\n"
    "  \"default\": \"deny\",\n"
    "  \"rules\": [\n"
    "    { \"allow\": true, \"uid\": [\"root\"] },\n"
    "    { \"allow\": false, \"uid\": [65534] },\n"
    "    { \"allow\": false, \"channels\": [\"*:secret\"] },\n"
    "    { \"allow\": true, \"gid\": [23456], \"verbs\": [\"register\"] },\n"
    "    { \"allow\": true, \"gid\": [23456], \"registered\": true, \"verbs\": [\"send\", \"send-to\"] },\n"
    "    { \"allow\": true, \"gid\": [23456], \"verbs\": [\"invoke\"], \"channels\": [\"notes:*\"] },\n"
    "    { \"allow\": true, \"verbs\": [\"invoke\", \"send-sync\"], \"channels\": [\"pub*\"] }\n"
    "  ]\n"
    "}\n";

#define MEMBER                                                                                                  \
    "Invoke on notes:list\nnothing on notes:secret\nInvoke SendSync on public\nCreateWebview\nRegister, then\n" \
    "Send Invoke SendTo on notes:list\nnothing on notes:secret\nSend Invoke SendSync SendTo on public\n"
#define OUTSIDER "nothing on notes:list\nnothing on notes:secret\nInvoke SendSync on public\n"

static void test_callers(void)
{
    static const struct {
        Caller caller;
        const char *report;
    } table[] = {
        { { 0, 0, 0 }, ALL_ON_ALL "CreateWebview\nRegister, then\n" ALL_ON_ALL },
        { { STRANGER, STRANGER, GROUP }, MEMBER },
        { { STRANGER, GROUP, 0 }, MEMBER },
        { { STRANGER, STRANGER, 0 }, OUTSIDER },
        { { STRANGER, 0, 0 }, OUTSIDER },
        { { NOBODY, GROUP, GROUP }, NOTHING_ON_ALL },
    };
    g_autoptr(Fixture) f = NULL;
    size_t i;

    if (!is_root())
        return;
    f = fixture_new();
    load_policy(f, policy);
    for (i = 0; i < G_N_ELEMENTS(table); i++)
        assert_reports(f, &table[i].caller, table[i].report);
}

/* The program of this test is a caller by its path; who is not this program is not. */
static void test_executable(void)
{
    static const Caller stranger = { STRANGER, STRANGER, 0 };
    g_autofree char *path = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *let_in = g_strdup_printf("{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"verbs\": "
                                              "[\"send\"], \"executable\": [\"%s\"]}]}", path);
    g_autofree char *keep_out = g_strdup_printf("{\"default\": \"allow\", \"rules\": [{\"allow\": false, "
                                                "\"executable\": [\"/nowhere/%s\"]}, {\"allow\": false, \"verbs\": "
                                                "[\"send\"], \"executable\": [\"%s\"]}]}", name, path);
    g_autoptr(Fixture) f = NULL;
    Client *c;

    f = fixture_new();
    c = foreign_new(f);
    load_policy(f, let_in);
    assert_replied(call(c, "Send", "ss", "x", "[]"), "");
    assert_rejected(call(c, "Invoke", "ss", "x", "[]"), IPC_ERROR_ACCESS_DENIED, NULL);
    load_policy(f, keep_out);
    assert_rejected(call(c, "Send", "ss", "x", "[]"), IPC_ERROR_ACCESS_DENIED, NULL);
    assert_rejected(call(c, "Invoke", "ss", "x", "[]"), IPC_ERROR_NO_HANDLER, NULL);
    load_policy(f, "{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"executable\": [\"/nowhere\"]}]}");
    assert_rejected(call(c, "Send", "ss", "x", "[]"), IPC_ERROR_ACCESS_DENIED, NULL);
    /* Under valgrind, another process of ours is one of valgrind. */
    if (getuid() != 0 || is_slow())
        return;
    load_policy(f, let_in);
    assert_reports(f, &stranger, "Send on notes:list\nSend on notes:secret\nSend on public\n");
}

/* ---- properties and objects ---- */

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define OBJECTS "org.freedesktop.DBus.ObjectManager"
#define INTROSPECTABLE "org.freedesktop.DBus.Introspectable"
#define PEER "org.freedesktop.DBus.Peer"

#define TITLE_PATH IPC_WEB_CONTENTS_PATH "/1"

static void assert_sees_nothing(Client *c, const char *message)
{
    static const char *const paths[] = { "/", IPC_MAIN_PATH, IPC_WEB_CONTENTS_PATH, TITLE_PATH };
    size_t i;

    assert_rejected(get_property(c, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "Handlers"), IPC_ERROR_ACCESS_DENIED, message);
    assert_rejected(get_property(c, TITLE_PATH, IPC_WEB_CONTENTS_INTERFACE, "Title"), IPC_ERROR_ACCESS_DENIED, message);
    assert_rejected(call_object(c, TITLE_PATH, PROPERTIES, "GetAll", "s", IPC_WEB_CONTENTS_INTERFACE),
                    IPC_ERROR_ACCESS_DENIED, message);
    assert_rejected(call_object(c, IPC_MAIN_PATH, OBJECTS, "GetManagedObjects", ""), IPC_ERROR_ACCESS_DENIED, message);
    for (i = 0; i < G_N_ELEMENTS(paths); i++)
        assert_rejected(call_object(c, paths[i], INTROSPECTABLE, "Introspect", ""), IPC_ERROR_ACCESS_DENIED, message);
    assert_rejected(call_object(c, IPC_MAIN_PATH, "org.example.None", "None", ""), IPC_ERROR_ACCESS_DENIED, message);
    assert_replied(call_object(c, "/", PEER, "Ping", ""), "");
}

static void assert_sees_all(Client *c)
{
    const char *text;

    assert_replied(get_property(c, TITLE_PATH, IPC_WEB_CONTENTS_INTERFACE, "Title"), "v", "s", &text);
    g_assert_cmpstr(text, ==, "secret");
    assert_replied(call_object(c, IPC_WEB_CONTENTS_PATH, INTROSPECTABLE, "Introspect", ""), "s", &text);
    g_assert_nonnull(strstr(text, "<node name=\"1\"/>"));
    assert_rejected(call_object(c, IPC_MAIN_PATH, "org.example.None", "None", ""),
                    "org.freedesktop.DBus.Error.UnknownMethod", NULL);
}

static void test_looking(void)
{
    g_autoptr(Fixture) f = NULL;
    Client *theirs;

    if (!is_root())
        return;
    f = fixture_new();
    assert_replied(call(foreign_new(f), "Register", "a{sv}", 1, "title", "s", "secret"), "u", NULL);
    theirs = foreign_new_as(f, STRANGER);
    assert_sees_nothing(theirs, "This service belongs to user 0: you may not look at it");
    assert_sees_all(foreign_new(f));
    load_policy(f, "{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"uid\": [1], \"verbs\": [\"invoke\"], "
                   "\"channels\": [\"a\"]}]}");
    assert_sees_all(theirs);
    assert_sees_all(foreign_new_as(f, STRANGER));
    assert_sees_nothing(foreign_new(f), "The policy of this service does not let user 0 look at it");
    assert_sees_nothing(foreign_new_as(f, NOBODY), "The policy of this service does not let user 65534 look at it");
}

/* What one asks first is answered once it is known who asks; and it is no message. */
static void test_looking_first(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    Outcome *first, *second, *third;
    uint64_t n_received;
    uint32_t id;

    first = call_start(c, "Register", "a{sv}", 0);
    second = get_property(c, IPC_WEB_CONTENTS_PATH "/1", IPC_WEB_CONTENTS_INTERFACE, "MessagesReceived");
    assert_replied(first, "u", &id);
    assert_replied(second, "v", "t", &n_received);
    g_assert_cmpuint(n_received, ==, 0);
    third = get_property(foreign_new(f), IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "Version");
    assert_replied(third, "v", "s", NULL);
}

static int on_signal(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    (void)message, (void)error;
    ++*(unsigned *)userdata;
    return 0;
}

static void watch_objects(Client *c, unsigned *n)
{
    must(sd_bus_match_signal(c->bus, NULL, NULL, NULL, OBJECTS, NULL, on_signal, n));
}

/* What goes to all is the bus's to keep from some: as the manual says, and nothing else is kept from them. */
static void test_signals_to_all(void)
{
    static const char config[] =
        BUS_LIMITS_SESSION
        "<policy context='default'><deny receive_sender='" FIXTURE_NAME "' receive_interface='" OBJECTS "'/></policy>"
        "<policy user='root'><allow receive_sender='" FIXTURE_NAME "' receive_interface='" OBJECTS "'/></policy>";
    g_autoptr(Fixture) f = NULL;
    Client *mine, *theirs;
    unsigned n_mine = 0, n_theirs = 0;

    if (!is_root())
        return;
    f = fixture_new_with(&(FixtureOptions){ .bus_config = config });
    load_policy(f, "{\"default\": \"allow\"}");
    mine = foreign_new(f);
    theirs = foreign_new_as(f, STRANGER);
    watch_objects(mine, &n_mine);
    watch_objects(theirs, &n_theirs);
    g_assert_cmpuint(client_id(theirs), ==, 1);
    must(ipc_app_broadcast(f->app, "x", NULL));
    expect_message(theirs, "x", "[]", 0);
    settle(f);
    g_assert_cmpuint(n_mine, ==, 1);
    g_assert_cmpuint(n_theirs, ==, 0);
}

/* ---- a policy that changes ---- */

static void test_reload(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *c = foreign_new(f);
    ipc_invocation *invocation;
    Outcome *o;

    keep(f, "slow");
    hear(f, "x");
    o = invoke_start(r, "slow", "[]");
    settle(f);
    load_policy(f, "{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"verbs\": [\"send\"]}]}");
    /* What is registered is, what was let in is answered, what may be said is heard. */
    g_assert_nonnull(ipc_web_contents_from_id(f->app, 1));
    send_message(r, "x", "[1]");
    expect_heard(f, "x", "[1]", 1);
    assert_rejected(invoke(r, "slow", "[]"), IPC_ERROR_ACCESS_DENIED, NULL);
    assert_rejected(call(c, "Register", "a{sv}", 0), IPC_ERROR_ACCESS_DENIED, NULL);
    must(ipc_web_contents_sendf(contents_of(r), "y", "i", 1));
    expect_message(r, "y", "[1]", 0);
    invocation = take_kept(f);
    must(ipc_invocation_resolvef(invocation, "i", 5));
    ipc_invocation_unref(invocation);
    assert_resolved(o, "5");
    load_policy(f, "{}");
    g_assert_cmpuint(client_id(c), ==, 2);
}

/* Who may invoke no more may still give up what it has invoked. */
static void test_cancel(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    Outcome *o;

    keep(f, "slow");
    o = invoke_start(c, "slow", "[]");
    settle(f);
    load_policy(f, "{\"default\": \"deny\"}");
    assert_replied(call(c, "Cancel", "u", (uint32_t)o->serial), "");
    assert_rejected(o, IPC_ERROR_CANCELLED, NULL);
}

static int on_load(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)args;
    load_policy(userdata, "{\"default\": \"deny\"}");
    return ipc_invocation_resolve(invocation, NULL);
}

static void test_reload_from_a_handler(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    Outcome *o, *next;

    load_policy(f, "{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"channels\": [\"lock\"]}]}");
    must(ipc_main_handle(f->main, NULL, "lock", on_load, f));
    o = invoke_start(c, "lock", "[]");
    next = invoke_start(c, "lock", "[]");
    assert_resolved(o, "null");
    assert_rejected(next, IPC_ERROR_ACCESS_DENIED, NULL);
}

static void assert_load_fails(Fixture *f, const char *path, int number, const char *name, const char *message)
{
    ipc_error error = IPC_ERROR_INIT;

    must_fail(ipc_app_load_policy(f->app, path, &error), number);
    g_assert_cmpstr(error.name, ==, name);
    g_assert_cmpstr(error.message, ==, message);
    ipc_error_clear(&error);
    must_fail(ipc_app_load_policy(f->app, path, NULL), number);
}

static void test_bad_files(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *config = g_build_filename(f->bus->folder, "bus.conf", NULL);
    g_autofree char *nothing = g_build_filename(f->bus->folder, "nothing", NULL);
    g_autofree char *socket = g_build_filename(f->bus->folder, "socket", NULL);
    g_autofree char *no_json = g_strconcat(config, ":1:1: '[' or '{' expected near '<'", NULL);
    g_autofree char *no_file = g_strconcat(nothing, ": No such file or directory", NULL);
    g_autofree char *folder = g_strconcat(f->bus->folder, ": Is a directory", NULL);
    Client *c = foreign_new(f);

    load_policy(f, "{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"verbs\": [\"register\"]}]}");
    assert_load_fails(f, config, EBADMSG, IPC_ERROR_INVALID_POLICY, no_json);
    assert_load_fails(f, nothing, ENOENT, "org.freedesktop.DBus.Error.FileNotFound", no_file);
    assert_load_fails(f, f->bus->folder, EISDIR, "System.Error.EISDIR", folder);
    g_assert_cmpint(ipc_app_load_policy(f->app, socket, NULL), <, 0);
    assert_load_fails(f, NULL, EINVAL, NULL, NULL);
    must_fail(ipc_app_load_policy(NULL, config, NULL), EINVAL);
    /* What was there is there. */
    g_assert_cmpuint(client_id(c), ==, 1);
    assert_rejected(call(c, "Send", "ss", "x", "[]"), IPC_ERROR_ACCESS_DENIED,
                    NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy-callers/without", test_without);
    g_test_add_func("/policy-callers/callers", test_callers);
    g_test_add_func("/policy-callers/executable", test_executable);
    g_test_add_func("/policy-callers/looking", test_looking);
    g_test_add_func("/policy-callers/looking-first", test_looking_first);
    g_test_add_func("/policy-callers/signals-to-all", test_signals_to_all);
    g_test_add_func("/policy-callers/reload", test_reload);
    g_test_add_func("/policy-callers/cancel", test_cancel);
    g_test_add_func("/policy-callers/reload-from-a-handler", test_reload_from_a_handler);
    g_test_add_func("/policy-callers/bad-files", test_bad_files);
    return g_test_run();
}
