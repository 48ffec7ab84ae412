/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "activation.h"
#include "fixture-renderer.h"

/*
 * A service that the bus starts, and that may never come: a renderer asks systemd how its unit is doing. Systemd is
 * played by a client here, and the service by this program with --hang, which never takes its name.
 */

#define UNIT "ipcbus-test.service"
#define UNIT_PATH "/org/freedesktop/systemd1/unit/ipcbus_2dtest_2eservice"

static int hang(void)
{
    sd_event *event;
    sd_bus *bus;

    must(sd_event_default(&event));
    must(sd_bus_open_user(&bus));
    must(sd_bus_set_exit_on_disconnect(bus, true));
    must(sd_bus_attach_event(bus, event, 0));
    must(sd_event_loop(event));
    return EXIT_SUCCESS;
}

/* ---- a bus that starts it ---- */

typedef struct Machine {
    char *folder; /* as XDG_DATA_HOME */
    char *services;
    char *file;
    char *config;
    Client *systemd;
    const char *active_state;
    uint32_t job;
    unsigned n_asked;
} Machine;

static void machine_free(Machine *m)
{
    g_autofree char *parent = g_path_get_dirname(m->services);

    g_unlink(m->file);
    g_rmdir(m->services);
    g_rmdir(parent);
    g_rmdir(m->folder);
    g_free(m->folder);
    g_free(m->services);
    g_free(m->file);
    g_free(m->config);
    g_free(m);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Machine, machine_free)

/* unit_line is of the activation file. */
static Machine *machine_new(const char *unit_line)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *text =
        g_strdup_printf("[D-BUS Service]\nName=%s\nExec=%s --hang\n%s\n", FIXTURE_NAME, self, unit_line);
    Machine *m = g_new0(Machine, 1);

    m->folder = g_dir_make_tmp("ipcbus-starting-XXXXXX", NULL);
    g_assert_nonnull(m->folder);
    m->services = g_build_filename(m->folder, "dbus-1", "services", NULL);
    g_assert_cmpint(g_mkdir_with_parents(m->services, 0700), ==, 0);
    m->file = g_build_filename(m->services, FIXTURE_NAME ".service", NULL);
    g_assert_true(g_file_set_contents(m->file, text, -1, NULL));
    m->config = g_strdup_printf("<servicedir>%s</servicedir>%s", m->services, BUS_LIMITS_SESSION);
    m->active_state = "activating";
    g_setenv("XDG_DATA_HOME", m->folder, TRUE);
    return m;
}

static Fixture *fixture_new_on(const Machine *m)
{
    return fixture_new_with(&(FixtureOptions){ .bus_config = m->config, .is_without_main = true });
}

/* ---- systemd ---- */

static int get_unit_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Machine *m = userdata;

    (void)bus, (void)path, (void)interface, (void)error;
    if (strcmp(property, "Job") == 0)
        return sd_bus_message_append(reply, "(uo)", m->job, "/");
    if (strcmp(property, "LoadState") == 0)
        return sd_bus_message_append(reply, "s", "loaded");
    if (strcmp(property, "FragmentPath") == 0)
        return sd_bus_message_append(reply, "s", "/usr/lib/systemd/user/" UNIT);
    m->n_asked++;
    return sd_bus_message_append(reply, "s", m->active_state);
}

static const sd_bus_vtable unit_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("ActiveState", "s", get_unit_property, 0, 0),
    SD_BUS_PROPERTY("FragmentPath", "s", get_unit_property, 0, 0),
    SD_BUS_PROPERTY("Job", "(uo)", get_unit_property, 0, 0),
    SD_BUS_PROPERTY("LoadState", "s", get_unit_property, 0, 0),
    SD_BUS_VTABLE_END,
};

static void start_systemd(Machine *m, Fixture *f, const char *unit_path)
{
    m->systemd = foreign_new(f);
    must(sd_bus_add_object_vtable(m->systemd->bus, NULL, unit_path, SYSTEMD_UNIT_INTERFACE, unit_vtable, m));
    must(sd_bus_request_name(m->systemd->bus, SYSTEMD_NAME, 0));
}

/* When a renderer wants to be woken. */
static uint64_t deadline_of(Client *r)
{
    uint64_t deadline;

    must(ipc_renderer_get_timeout(r->renderer, &deadline));
    return deadline;
}

static void assert_unit_is_blamed(Outcome *o, const char *what)
{
    g_autofree char *message =
        g_strdup_printf("No service '%s' on this bus: its unit '%s' %s; 'systemctl --user status %s' shows why",
                        FIXTURE_NAME, UNIT, what, UNIT);

    assert_rejected(o, IPC_ERROR_MAIN_GONE, message);
}

/* ---- stories ---- */

static void test_failed(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Machine) m = machine_new("SystemdService=" UNIT);
    g_autoptr(Fixture) f = fixture_new_on(m);
    Client *r = renderer_make(f);
    Outcome *one, *two;

    start_systemd(m, f, UNIT_PATH);
    m->active_state = "failed";
    note_states(d, r);
    one = invoke_start(r, "x", "[]");
    two = invoke_start(r, "y", "[]");
    assert_unit_is_blamed(one, "failed");
    assert_unit_is_blamed(two, "failed");
    expect_diary(f, d, "gone:MainGone");
    assert_unit_is_blamed(invoke_start(r, "again", "[]"), "failed");
}

/* As long as it may come, nobody is told that it will not; and when it has, nobody asks. */
static void test_slow(void)
{
    g_autoptr(Machine) m = machine_new("SystemdService=" UNIT);
    g_autoptr(Fixture) f = fixture_new_on(m);
    Client *r = renderer_make(f);
    Outcome *o;

    start_systemd(m, f, UNIT_PATH);
    o = invoke_start(r, "add", "[]");
    wait_until(f, m->n_asked == 1);
    settle(f);
    g_assert_false(is_settled(o));
    main_return(f);
    answer(f, "add", "3");
    assert_resolved(o, "3");
    g_assert_cmpuint(deadline_of(r), ==, UINT64_MAX);
    g_assert_cmpint(m->n_asked, ==, 1);
}

static void test_fails_later(void)
{
    g_autoptr(Machine) m = machine_new("  \nUser=nobody\nSystemdService = " UNIT);
    g_autoptr(Fixture) f = fixture_new_on(m);
    Outcome *o;

    start_systemd(m, f, UNIT_PATH);
    o = invoke_start(renderer_make(f), "x", "[]");
    wait_until(f, m->n_asked == 1);
    m->active_state = "failed";
    assert_unit_is_blamed(o, "failed");
}

/* One with a job will be started yet. */
static void test_inactive(void)
{
    g_autoptr(Machine) m = machine_new("SystemdService=" UNIT);
    g_autoptr(Fixture) f = fixture_new_on(m);
    Outcome *o;

    start_systemd(m, f, UNIT_PATH);
    m->active_state = "inactive";
    m->job = 7;
    o = invoke_start(renderer_make(f), "x", "[]");
    wait_until(f, m->n_asked == 1);
    settle(f);
    g_assert_false(is_settled(o));
    m->job = 0;
    assert_unit_is_blamed(o, "is not running");
}

/* Without systemd on the bus, or a unit that it knows, there is one look, and no waking any more. */
static void test_without_systemd(void)
{
    g_autoptr(Machine) m = machine_new("SystemdService=" UNIT);
    g_autoptr(Fixture) f = fixture_new_on(m);
    Client *r = renderer_make(f);
    Outcome *o = invoke_start(r, "x", "[]");

    wait_until(f, deadline_of(r) < (uint64_t)g_get_monotonic_time() + 2 * G_USEC_PER_SEC);
    wait_until(f, deadline_of(r) > (uint64_t)g_get_monotonic_time() + 10 * G_USEC_PER_SEC);
    g_assert_false(is_settled(o));
}

/* The bus starts the program itself, and tells of its end: systemd has no say, whoever calls himself that. */
static void test_without_unit(void)
{
    g_autoptr(Machine) m = machine_new("");
    g_autoptr(Fixture) f = fixture_new_on(m);
    Client *r = renderer_make(f);
    Outcome *o;

    start_systemd(m, f, UNIT_PATH);
    m->active_state = "failed";
    o = invoke_start(r, "x", "[]");
    wait_until(f, deadline_of(r) < UINT64_MAX);
    settle(f);
    g_assert_cmpuint(deadline_of(r), >, (uint64_t)g_get_monotonic_time() + 10 * G_USEC_PER_SEC);
    g_assert_false(is_settled(o));
    g_assert_cmpint(m->n_asked, ==, 0);
}

/* Where the file is not to be seen, the unit is known by what such units are called. */
static void test_guessed(void)
{
    g_autoptr(Machine) m = machine_new("SystemdService=" UNIT);
    g_autoptr(Fixture) f = fixture_new_on(m);
    Outcome *o;

    g_setenv("XDG_DATA_HOME", "/nonexistent", TRUE);
    start_systemd(m, f, "/org/freedesktop/systemd1/unit/ipcbusd_40org_2eexample_2eTest_2eservice");
    m->active_state = "inactive";
    o = invoke_start(renderer_make(f), "x", "[]");
    wait_until(f, m->n_asked == 2); /* one that does not run may not be the one */
    g_assert_false(is_settled(o));
    m->active_state = "failed";
    assert_rejected(o, IPC_ERROR_MAIN_GONE, NULL);
    g_assert_nonnull(strstr(o->error.message, "'ipcbusd@" FIXTURE_NAME ".service' failed"));
}

/* Closing settles what waits, whatever has been asked. */
static void test_closed_meanwhile(void)
{
    g_autoptr(Machine) m = machine_new("SystemdService=" UNIT);
    g_autoptr(Fixture) f = fixture_new_on(m);
    Client *soon = renderer_make(f), *later = renderer_make(f), *lost = renderer_make(f);
    Outcome *a, *b, *c;

    start_systemd(m, f, UNIT_PATH);
    a = invoke_start(soon, "x", "[]");
    b = invoke_start(later, "x", "[]");
    c = invoke_start(lost, "x", "[]");
    settle(f);
    leave(soon);
    assert_rejected(a, IPC_ERROR_CANCELLED, NULL);
    wait_until(f, m->n_asked > 0);
    leave(later);
    assert_rejected(b, IPC_ERROR_CANCELLED, NULL);
    bus_kill(f->bus);
    assert_rejected(c, IPC_ERROR_MAIN_GONE, NULL);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--hang") == 0)
        return hang();

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/renderer-starting/failed", test_failed);
    g_test_add_func("/renderer-starting/slow", test_slow);
    g_test_add_func("/renderer-starting/fails-later", test_fails_later);
    g_test_add_func("/renderer-starting/inactive", test_inactive);
    g_test_add_func("/renderer-starting/without-systemd", test_without_systemd);
    g_test_add_func("/renderer-starting/without-unit", test_without_unit);
    g_test_add_func("/renderer-starting/guessed", test_guessed);
    g_test_add_func("/renderer-starting/closed-meanwhile", test_closed_meanwhile);
    return g_test_run();
}
