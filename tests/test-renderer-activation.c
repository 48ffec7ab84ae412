/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture-renderer.h"

/* The bus starts main when a renderer wants it: this program serves as the service, too. */

/* ---- the service: this program with --serve ---- */

static int on_pid(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)args, (void)userdata;
    return ipc_invocation_resolvef(invocation, "i", (int)getpid());
}

static void on_die(ipc_event *event, json_t *args, void *userdata)
{
    (void)event, (void)args, (void)userdata;
    raise(SIGKILL);
}

static int on_quit(ipc_invocation *invocation, json_t *args, void *app)
{
    (void)args;
    must(ipc_app_quit(app));
    return ipc_invocation_resolvef(invocation, "s", "bye");
}

/* It ends with its bus. */
static int serve(void)
{
    ipc_app *app;
    ipc_main *m;

    must(ipc_app_new(&app, NULL, FIXTURE_NAME));
    serve_memory(app);
    m = ipc_app_get_main(app);
    must(ipc_main_handle(m, NULL, "pid", on_pid, NULL));
    must(ipc_main_handle(m, NULL, "quit", on_quit, app));
    must(ipc_main_on(m, NULL, "die", on_die, NULL));
    (void)ipc_app_run(app);
    ipc_app_unref(app);
    return EXIT_SUCCESS;
}

/* ---- a bus that starts it ---- */

typedef struct Services {
    char *folder;
    char *file;
    char *config;
} Services;

static void services_free(Services *s)
{
    g_unlink(s->file);
    g_rmdir(s->folder);
    g_free(s->file);
    g_free(s->folder);
    g_free(s->config);
    g_free(s);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Services, services_free)

static Services *services_new(const char *command)
{
    g_autofree char *text = g_strdup_printf("[D-BUS Service]\nName=%s\nExec=%s\n", FIXTURE_NAME, command);
    Services *s = g_new0(Services, 1);

    s->folder = g_dir_make_tmp("ipcbus-services-XXXXXX", NULL);
    g_assert_nonnull(s->folder);
    s->file = g_build_filename(s->folder, FIXTURE_NAME ".service", NULL);
    g_assert_true(g_file_set_contents(s->file, text, -1, NULL));
    s->config = g_strdup_printf("<servicedir>%s</servicedir>%s", s->folder, BUS_LIMITS_SESSION);
    return s;
}

static Services *services_new_serving(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *command = g_strconcat(self, " --serve", NULL);

    return services_new(command);
}

static Fixture *fixture_new_serving(const Services *s)
{
    return fixture_new_with(&(FixtureOptions){ .bus_config = s->config, .is_without_main = true });
}

static pid_t pid_of_main(Client *c)
{
    return (pid_t)json_integer_value(await(invoke_start(c, "pid", "[]"))->result);
}

/* ---- stories ---- */

static void test_first_look(void)
{
    g_autoptr(Services) s = services_new_serving();
    g_autoptr(Fixture) f = fixture_new_serving(s);
    Client *r = renderer_new(f);

    assert_resolved(invoke(r, "add", "[1,2]"), "3");
    g_assert_cmpuint(client_id(r), ==, 1);
}

/* All that was sent before main was there comes to it, in order. */
static void test_sent_before_it_started(void)
{
    g_autoptr(Services) s = services_new_serving();
    g_autoptr(Fixture) f = fixture_new_serving(s);
    Client *r = renderer_make(f);
    Outcome *sum;

    send_message(r, "one", "[1]");
    sum = invoke_start(r, "add", "[2]");
    send_message(r, "two", "[3]");
    assert_resolved(send_sync(r, "heard", "[]"), "[\"one:[1]\", \"add:[2]\", \"two:[3]\"]");
    assert_resolved(sum, "2");
}

static void test_next_send_starts_it_again(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Services) s = services_new_serving();
    g_autoptr(Fixture) f = fixture_new_serving(s);
    Client *r = renderer_new(f);
    pid_t before = pid_of_main(r);

    note_states(d, r);
    send_message(r, "die", "[]");
    await_state(r, IPC_RENDERER_GONE);
    expect_diary(f, d, "gone:MainGone"); /* nobody wants it */
    send_message(r, "one", "[1]");
    assert_resolved(invoke(r, "heard", "[]"), "[\"one:[1]\"]");
    g_assert_cmpint(pid_of_main(r), !=, before);
    expect_diary(f, d, "connecting ready");
}

static void test_send_sync_starts_it_again(void)
{
    g_autoptr(Services) s = services_new_serving();
    g_autoptr(Fixture) f = fixture_new_serving(s);
    Client *r = renderer_new(f);

    send_message(r, "die", "[]");
    await_state(r, IPC_RENDERER_GONE);
    assert_resolved(send_sync(r, "heard", "[]"), "[]");
    send_message(r, "die", "[]");
    await_state(r, IPC_RENDERER_GONE);
    assert_resolved(send_sync(r, "heard", "[]"), "[]");
}

/* A service that quits when it is idle, say. */
static void test_quits_and_comes_back(void)
{
    g_autoptr(Services) s = services_new_serving();
    g_autoptr(Fixture) f = fixture_new_serving(s);
    Client *a = renderer_new(f), *b = renderer_new(f);

    assert_resolved(invoke(a, "quit", "[]"), "\"bye\"");
    await_state(a, IPC_RENDERER_GONE);
    await_state(b, IPC_RENDERER_GONE);
    assert_resolved(invoke(a, "add", "[1]"), "1");
    await_state(b, IPC_RENDERER_READY); /* it heard that main is back */
    assert_resolved(invoke(b, "add", "[2]"), "2");
}

/* Two want it at once, and one is started. */
static void test_started_once(void)
{
    g_autoptr(Services) s = services_new_serving();
    g_autoptr(Fixture) f = fixture_new_serving(s);
    Client *a = renderer_make(f), *b = renderer_make(f);

    g_assert_cmpint(pid_of_main(a), ==, pid_of_main(b));
    send_message(a, "die", "[]");
    await_state(a, IPC_RENDERER_GONE);
    await_state(b, IPC_RENDERER_GONE);
    invoke_start(b, "add", "[]");
    g_assert_cmpint(pid_of_main(a), ==, pid_of_main(b));
}

/* Sends what is asked of the bus first, and reads nothing. */
static void look_for_main(Client *r)
{
    must(ipc_renderer_process(r->renderer));
    must(sd_bus_flush(r->bus));
    freeze(r);
    settle(r->fixture);
}

/* It is told who main is, and main gives up its name before it registers: it ends up with the next one. */
static void test_found_one_that_leaves(void)
{
    g_autoptr(Services) s = services_new_serving();
    g_autoptr(Fixture) f = fixture_new_serving(s);
    Client *r = renderer_make(f);
    Outcome *o;

    main_return(f);
    keep(f, "slow");
    main_freeze(f);
    send_message(r, "one", "[1]");
    o = invoke_start(r, "heard", "[]");
    look_for_main(r);
    must(ipc_app_set_exit_on_idle(f->app, 1));
    while (ipc_app_start(f->app) != -ENOTCONN)
        if (must(ipc_app_process(f->app)) == 0)
            must(ipc_app_wait(f->app, (uint64_t)patience()));
    thaw(r);
    main_thaw(f);
    assert_resolved(o, "[\"one:[1]\"]");
    wait_until(f, ipc_app_get_fd(f->app) == -ENOTCONN);
}

/* The same, but main is gone when the renderer asks it. */
static void test_found_one_that_has_left(void)
{
    g_autoptr(Services) s = services_new_serving();
    g_autoptr(Fixture) f = fixture_new_serving(s);
    Client *r = renderer_make(f);

    main_return(f);
    send_message(r, "one", "[1]");
    look_for_main(r);
    main_stop(f);
    thaw(r);
    assert_resolved(invoke(r, "heard", "[]"), "[\"one:[1]\"]");
}

static void test_does_not_start(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Services) s = services_new("/bin/false");
    g_autoptr(Fixture) f = fixture_new_serving(s);
    Client *r = renderer_make(f);
    Outcome *o;

    note_states(d, r);
    o = invoke(r, "x", "[]");
    assert_rejected(o, IPC_ERROR_MAIN_GONE, NULL);
    g_assert_nonnull(strstr(o->error.message, "'" FIXTURE_NAME "'"));
    expect_diary(f, d, "gone:MainGone");
    main_return(f);
    await_state(r, IPC_RENDERER_READY);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--serve") == 0)
        return serve();

    g_test_init(&argc, &argv, NULL);
    add_story("/renderer-activation/first-look", test_first_look);
    add_story("/renderer-activation/sent-before-it-started", test_sent_before_it_started);
    add_story("/renderer-activation/next-send-starts-it-again", test_next_send_starts_it_again);
    add_story("/renderer-activation/send-sync-starts-it-again", test_send_sync_starts_it_again);
    add_story("/renderer-activation/quits-and-comes-back", test_quits_and_comes_back);
    add_story("/renderer-activation/started-once", test_started_once);
    add_story("/renderer-activation/found-one-that-leaves", test_found_one_that_leaves);
    add_story("/renderer-activation/found-one-that-has-left", test_found_one_that_has_left);
    add_story("/renderer-activation/does-not-start", test_does_not_start);
    return g_test_run();
}
