/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "fixture-renderer.h"

/* What an app has for the log of its program, and what that is about. */

static void on_note_notice(int priority, const char *message, const char *channel, uint32_t renderer_id, void *note)
{
    g_assert_true(priority == LOG_WARNING || priority == LOG_NOTICE);
    g_assert_nonnull(message);
    diary_write(((Note *)note)->diary, "%d:%s:%u", priority, channel ? channel : "-", renderer_id);
}

static void note_notices(Diary *d, Fixture *f)
{
    must(ipc_app_on_notice(f->app, NULL, on_note_notice, note_new(d, "notice")));
}

static void on_nothing(ipc_event *event, json_t *args, void *userdata)
{
    (void)event, (void)args, (void)userdata;
}

static void leak(ipc_main *main, const char *channel)
{
    unsigned i;

    for (i = 0; i <= IPC_LISTENERS_MAX; i++)
        must(ipc_main_on(main, NULL, channel, on_nothing, NULL));
}

static void test_leaks(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    note_notices(d, f);
    leak(f->main, "mine");
    assert_diary(d, "4:mine:0");
    leak(ipc_web_contents_get_main(contents_of(r)), "theirs");
    assert_diary(d, "4:theirs:1");
    g_assert_cmpint(f->warnings->len, ==, 2); /* they are warnings as ever, too */
}

/* Another user may knock as often as he likes: one line is enough. */
static void test_denials(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = NULL;
    Client *c;

    if (geteuid() != 0) {
        g_test_skip("only root can be another user");
        return;
    }
    f = fixture_new();
    note_notices(d, f);
    c = foreign_new_as(f, 65534);
    assert_rejected(invoke(c, "secret", "[]"), IPC_ERROR_ACCESS_DENIED, NULL);
    expect_diary(f, d, "5:secret:0");
    assert_rejected(call(c, "Register", "a{sv}", 0), IPC_ERROR_ACCESS_DENIED, NULL);
    expect_diary(f, d, "");
    assert_rejected(call(foreign_new_as(f, 65534), "Register", "a{sv}", 0), IPC_ERROR_ACCESS_DENIED, NULL);
    expect_diary(f, d, "5:-:0");
    g_assert_cmpint(f->warnings->len, ==, 0);
}

/* By whatever means it came. */
static void test_denials_of_renderers(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);

    note_notices(d, f);
    load_policy(f, "{\"default\": \"allow\", \"rules\": [{\"allow\": false, \"channels\": [\"secret\"]}]}");
    send_message(r, "secret", "[]");
    expect_diary(f, d, "5:secret:1");
    assert_rejected(invoke(r, "secret", "[]"), IPC_ERROR_ACCESS_DENIED, NULL);
    expect_diary(f, d, "");
}

static void on_message(int priority, const char *message, const char *channel, uint32_t renderer_id, void *userdata)
{
    GString *log = userdata;

    (void)priority, (void)channel, (void)renderer_id;
    g_string_append_printf(log, "%s\n", message);
}

static unsigned count_lines(const GString *log)
{
    unsigned n = 0;

    for (gsize i = 0; i < log->len; i++)
        n += log->str[i] == '\n';
    return n;
}

static void be_denied(Fixture *f)
{
    Client *c = foreign_new(f);

    assert_rejected(invoke(c, "secret", "[]"), IPC_ERROR_ACCESS_DENIED, NULL);
    leave(c);
}

/* Who comes again and again. */
static void test_many_denials(void)
{
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(Fixture) f = fixture_new();
    gint64 start;
    unsigned i;

    load_policy(f, "{\"default\": \"deny\"}");
    must(ipc_app_on_notice(f->app, NULL, on_message, log));
    start = g_get_monotonic_time();
    for (i = 0; i < 30; i++)
        be_denied(f);
    /* Twenty lines in five seconds. */
    g_assert_cmpuint(count_lines(log), >=, 20);
    g_assert_cmpuint(count_lines(log), <=, 20 * (1 + (g_get_monotonic_time() - start) / (5 * G_USEC_PER_SEC)));
    /* In a while there is room again, and the log says what it has not told. */
    while (!strstr(log->str, " more were not told\n") && !is_slow())
        be_denied(f);
}

/* An error of a handler is its own affair, whatever it is called. */
static void test_errors_are_no_news(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();

    note_notices(d, f);
    assert_rejected(invoke(foreign_new(f), "nothing", "[]"), IPC_ERROR_NO_HANDLER, NULL);
    assert_rejected(invoke(foreign_new(f), "", "[]"), IPC_ERROR_INVALID_CHANNEL, NULL);
    expect_diary(f, d, "");
}

static void test_misuse(void)
{
    g_autoptr(Fixture) f = fixture_new();

    must_fail(ipc_app_on_notice(NULL, NULL, on_note_notice, NULL), EINVAL);
    must_fail(ipc_app_on_notice(f->app, NULL, NULL, NULL), EINVAL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/notice/leaks", test_leaks);
    g_test_add_func("/notice/denials", test_denials);
    add_story("/notice/denials-of-renderers", test_denials_of_renderers);
    g_test_add_func("/notice/many-denials", test_many_denials);
    g_test_add_func("/notice/errors-are-no-news", test_errors_are_no_news);
    g_test_add_func("/notice/misuse", test_misuse);
    return g_test_run();
}
