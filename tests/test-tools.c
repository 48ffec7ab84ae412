/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

/* The app through the tools that everyone has, which are built on other D-Bus libraries than ours. */

typedef struct Run {
    GString *output; /* both streams */
    bool has_ended;
} Run;

static int on_output(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    Run *run = userdata;
    char buffer[4096];
    ssize_t n;

    (void)revents;
    n = read(fd, buffer, sizeof(buffer));
    g_assert_cmpint(n, >=, 0);
    g_string_append_len(run->output, buffer, n);
    if (n > 0)
        return 0;
    run->has_ended = true;
    return sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

/* Between fork and exec: what goes wrong is output as well. */
static void join_streams(gpointer data)
{
    (void)data;
    dup2(STDOUT_FILENO, STDERR_FILENO);
}

/* Runs a program to its end; its exit status must be as expected, and its output is returned. */
static char *run_tool(Fixture *f, int expected_status, const char *const *argv)
{
    Run run = { .output = g_string_new(NULL) };
    g_autoptr(GError) error = NULL;
    sd_event_source *source;
    int out, status;
    GPid pid;

    if (!g_spawn_async_with_pipes(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                                  join_streams, NULL, &pid, NULL, &out, NULL, &error))
        g_error("%s", error->message);
    must(sd_event_add_io(f->event, &source, out, POLLIN, on_output, &run));
    wait_until(f, run.has_ended);
    sd_event_source_unref(source);
    close(out);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != expected_status)
        g_error("%s ended with wait status %d and said: %s", argv[0], status, run.output->str);
    return g_string_free(run.output, FALSE);
}

static bool has_tool(const char *name)
{
    g_autofree char *path = g_find_program_in_path(name);

    if (path)
        return true;
    g_test_skip("the tool is not installed");
    return false;
}

static char *gdbus_call(Fixture *f, int expected_status, const char *method, const char *channel, const char *args)
{
    g_autofree char *full = g_strconcat(IPC_MAIN_INTERFACE, ".", method, NULL);
    const char *const argv[] = { "gdbus", "call", "--address", f->bus->address, "--dest", FIXTURE_NAME,
                                 "--object-path", IPC_MAIN_PATH, "--method", full, channel, args, NULL };

    return run_tool(f, expected_status, argv);
}

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        g_error("expected '%s' in '%s'", part, text);
}

/* ---- GDBus ---- */

static void test_gdbus(void)
{
    g_autoptr(Fixture) f = NULL;
    g_autofree char *three = NULL, *error = NULL, *nothing = NULL;

    if (!has_tool("gdbus"))
        return;
    f = fixture_new();
    hear(f, "x");
    answer(f, "add", "3");
    three = gdbus_call(f, 0, "Invoke", "add", "[1, 2]");
    g_assert_cmpstr(three, ==, "('3',)\n");
    nothing = gdbus_call(f, 0, "Send", "x", "[\"\xc3\xa9\"]");
    g_assert_cmpstr(nothing, ==, "()\n");
    expect_heard(f, "x", "[\"\xc3\xa9\"]", 0);
    error = gdbus_call(f, 1, "Invoke", "y", "[]");
    assert_contains(error, IPC_ERROR_NO_HANDLER);
    assert_contains(error, "No handler registered for 'y'");
}

/* D-Bus lets noncharacters into strings, and so does GDBus. sd-bus, below main, does not. */
static void test_noncharacters(void)
{
    g_autoptr(Fixture) f = NULL;
    g_autofree char *args_error = NULL, *channel_error = NULL, *three = NULL;

    if (!has_tool("gdbus"))
        return;
    f = fixture_new();
    answer(f, "add", "3");
    args_error = gdbus_call(f, 1, "Invoke", "add", "[\"\xef\xbf\xbf\"]");
    assert_contains(args_error, IPC_ERROR_INVALID_ARGS);
    channel_error = gdbus_call(f, 1, "Invoke", "\xef\xbf\xbf", "[]");
    assert_contains(channel_error, "org.ipcbus.Error.Invalid");
    three = gdbus_call(f, 0, "Invoke", "add", "[]");
    g_assert_cmpstr(three, ==, "('3',)\n");
}

/* ---- busctl ---- */

static void test_busctl(void)
{
    g_autoptr(Fixture) f = NULL;
    g_autofree char *address = NULL, *tree = NULL, *title = NULL, *call_output = NULL, *objects = NULL;
    Client *r;

    if (!has_tool("busctl"))
        return;
    f = fixture_new();
    address = g_strconcat("--address=", f->bus->address, NULL);
    r = renderer_make(f);
    must(ipc_renderer_set_title(r->renderer, "Panel"));
    await_state(r, IPC_RENDERER_READY);

    tree = run_tool(f, 0, (const char *const[]){ "busctl", address, "tree", "--list", FIXTURE_NAME, NULL });
    assert_contains(tree, "/org/ipcbus/Main\n");
    assert_contains(tree, "/org/ipcbus/Main/web_contents/1\n");
    title = run_tool(f, 0, (const char *const[]){ "busctl", address, "get-property", FIXTURE_NAME,
                                                  IPC_WEB_CONTENTS_PATH "/1", IPC_WEB_CONTENTS_INTERFACE, "Title",
                                                  NULL });
    g_assert_cmpstr(title, ==, "s \"Panel\"\n");
    call_output = run_tool(f, 1, (const char *const[]){ "busctl", address, "call", FIXTURE_NAME, IPC_MAIN_PATH,
                                                        IPC_MAIN_INTERFACE, "Invoke", "ss", "x", "[]", NULL });
    assert_contains(call_output, "No handler registered for 'x'");
    objects = run_tool(f, 0, (const char *const[]){ "busctl", address, "introspect", FIXTURE_NAME, IPC_MAIN_PATH,
                                                    NULL });
    assert_contains(objects, "CreateWebview");
    assert_contains(objects, "GetManagedObjects");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tools/gdbus", test_gdbus);
    g_test_add_func("/tools/noncharacters", test_noncharacters);
    g_test_add_func("/tools/busctl", test_busctl);
    return g_test_run();
}
