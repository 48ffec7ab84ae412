/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "monitor-story.h"

/* Those who watch: slow ones, dead ones, many of them, and some who may not. None of it is the service's trouble. */

#define STRANGER 1

static void send_numbers(Client *c, unsigned from, unsigned n)
{
    unsigned i;

    for (i = from; i < from + n; i++) {
        g_autofree char *args = g_strdup_printf("[%u]", i);

        send_message(c, "n", args);
    }
}

/* ---- who does not read ---- */

typedef struct Count {
    unsigned n_told, n_dropped;
    json_int_t next; /* the least number that may come */
} Count;

static void count_line(Count *count, const json_t *line)
{
    const json_t *dropped = json_object_get(line, "dropped"), *args = json_object_get(line, "args");

    if (dropped) {
        count->n_dropped += (unsigned)json_integer_value(dropped);
        count->next += json_integer_value(dropped);
        return;
    }
    /* What is dropped is missing where it is told to be. */
    g_assert_cmpint(json_integer_value(json_array_get(args, 0)), ==, count->next);
    count->next++;
    count->n_told++;
}

static void count_lines(Watching *w, Count *count, unsigned n)
{
    while (count->n_told + count->n_dropped < n)
        count_line(count, expect_line(w, "{}"));
    expect_no_line(w);
    g_assert_cmpuint(count->n_told + count->n_dropped, ==, n);
}

static void test_stopped_reader(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Watching) stopped = watch(f), reading = watch(f);
    Client *c = foreign_new(f);
    unsigned n = is_slow() ? 4000 : 12000, i;
    Count of_stopped = { 0 }, of_reading = { 0 };

    stop_reading(stopped);
    answer(f, "fast", "1");
    for (i = 0; i < n; i += 1000) {
        send_numbers(c, i, 1000);
        count_lines(reading, &of_reading, i + 1000);
    }
    g_assert_cmpuint(of_reading.n_dropped, ==, 0);
    assert_resolved(invoke(c, "fast", "[]"), "1");
    expect_line(reading, "{'verb': 'invoke'}");
    go_on_reading(stopped);
    /* The invoke was dropped as well, or came last. */
    while (of_stopped.n_told + of_stopped.n_dropped < n)
        count_line(&of_stopped, expect_line(stopped, "{}"));
    if (!is_slow())
        g_assert_cmpuint(of_stopped.n_dropped, >, 0);
    g_assert_cmpuint(of_stopped.n_told, >, 0);
    settle(f);
    /* From here on nothing is missing. */
    g_queue_clear_full(&stopped->lines, (GDestroyNotify)json_decref);
    of_stopped = (Count){ 0 };
    send_numbers(c, 0, 10);
    count_lines(stopped, &of_stopped, 10);
    g_assert_cmpuint(of_stopped.n_told, ==, 10);
}

/* A line that the pipe has not taken whole is not followed by another one before its rest. */
static void test_long_lines_to_a_stopped_reader(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Watching) w = watch(f);
    g_autofree char *filling = g_strnfill(300 * 1000, 'x');
    Client *c = foreign_new(f);
    Count count = { 0 };
    unsigned i;

    stop_reading(w);
    for (i = 0; i < 20; i++) {
        g_autofree char *args = g_strdup_printf("[%u, \"%s\"]", i, filling);

        assert_replied(call(c, "Send", "ss", "n", args), "");
    }
    go_on_reading(w);
    count_lines(w, &count, 20);
    g_assert_cmpuint(count.n_told, >, 0);
    g_assert_cmpuint(count.n_dropped, >, 0);
}

/* ---- who goes ---- */

static void test_closed(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Watching) silent = watch(f), busy = watch(f);
    Client *c = foreign_new(f);

    g_assert_cmpuint(count_watchers(c), ==, 2);
    close_eyes(silent);
    expect_watchers(c, 1);
    /* The signal of a broken pipe would end this program. */
    close_eyes(busy);
    answer(f, "fast", "1");
    assert_resolved(invoke(c, "fast", "[]"), "1");
    expect_watchers(c, 0);
}

static int on_close(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)args;
    close_eyes(userdata);
    return ipc_invocation_resolve(invocation, NULL);
}

/* Between a message and its line. */
static void test_closed_in_a_handler(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Watching) w = watch(f), other = watch(f);
    Client *c = foreign_new(f);

    must(ipc_main_handle(f->main, NULL, "close", on_close, w));
    assert_resolved(invoke(c, "close", "[]"), "null");
    expect_line(other, "{'channel': 'close'}");
    expect_watchers(c, 1);
}

static void run_watcher(const Bus *bus)
{
    sd_bus_message *reply;
    sd_bus *connection = bus_connect(bus);

    must(sd_bus_call_method(connection, FIXTURE_NAME, IPC_MAIN_PATH, IPC_MONITOR_INTERFACE, "Watch", NULL, &reply, "as",
                            0));
    raise(SIGSTOP);
    _exit(0);
}

static void test_killed(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    pid_t pid = fork();
    unsigned i;

    g_assert_cmpint(pid, >=, 0);
    if (pid == 0)
        run_watcher(f->bus);
    expect_watchers(c, 1);
    answer(f, "fast", "1");
    for (i = 0; i < 100; i++)
        assert_resolved(invoke(c, "fast", "[]"), "1");
    g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
    g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
    expect_watchers(c, 0);
    assert_resolved(invoke(c, "fast", "[]"), "1");
}

/* Who has asked may leave the bus: whoever reads the pipe watches. */
static void test_asked_by_another(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *asking = foreign_new(f);
    g_autoptr(Watching) w = watch_as(asking, NULL, NULL);

    leave(asking);
    settle(f);
    send_numbers(foreign_new(f), 0, 1);
    expect_line(w, "{'args': [0]}");
}

/* ---- many ---- */

static void test_many(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)watching_free);
    Client *c = foreign_new(f);
    unsigned i;

    for (i = 0; i < IPC_WATCHERS_PER_UID_MAX; i++)
        g_ptr_array_add(all, watch_as(c, NULL, NULL));
    g_assert_cmpuint(count_watchers(c), ==, IPC_WATCHERS_PER_UID_MAX);
    assert_rejected(watch_start(c, NULL, NULL), IPC_ERROR_LIMITS_EXCEEDED, NULL);
    for (i = 0; i < all->len; i++)
        expect_line(all->pdata[i], "{'verb': 'monitor'}");
    send_numbers(c, 0, 3);
    for (i = 0; i < all->len; i++) {
        expect_line(all->pdata[i], "{'args': [0]}");
        expect_line(all->pdata[i], "{'args': [1]}");
        expect_line(all->pdata[i], "{'args': [2]}");
    }
    g_ptr_array_set_size(all, 1);
    expect_watchers(c, 1);
    g_ptr_array_add(all, watch_as(c, NULL, NULL));
}

/* ---- who may ---- */

static bool is_root(void)
{
    if (getuid() == 0)
        return true;
    g_test_skip("only root can be other users");
    return false;
}

static void test_others(void)
{
    g_autoptr(Fixture) f = NULL;
    g_autoptr(Watching) own = NULL, w = NULL;
    Client *theirs;

    if (!is_root())
        return;
    f = fixture_new();
    own = watch(f);
    theirs = foreign_new_as(f, STRANGER);
    assert_rejected(watch_start(theirs, NULL, NULL), IPC_ERROR_ACCESS_DENIED,
                    "This service belongs to user 0: you may not monitor");
    expect_line(own, "{'verb': 'monitor', 'direction': 'in', 'channel': null}");
    assert_rejected(get_property(theirs, IPC_MAIN_PATH, IPC_MONITOR_INTERFACE, "Channels"), IPC_ERROR_ACCESS_DENIED,
                    NULL);
    load_policy(f, "{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"uid\": [0]}, {\"allow\": true, "
                   "\"uid\": [1], \"verbs\": [\"invoke\"]}]}");
    assert_rejected(watch_start(theirs, NULL, NULL), IPC_ERROR_ACCESS_DENIED,
                    "The policy of this service does not let user 1 monitor");
    load_policy(f, "{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"uid\": [0]}, {\"allow\": true, "
                   "\"uid\": [1], \"verbs\": [\"monitor\"]}]}");
    w = watch_as(theirs, NULL, NULL);
    send_numbers(foreign_new(f), 0, 1);
    expect_line(w, "{'args': [0]}");
    expect_line(own, "{'verb': 'monitor'}");
    expect_line(own, "{'args': [0]}");
}

/* It is asked who they are before anything is read. */
static void test_others_with_many_globs(void)
{
    g_autoptr(Fixture) f = NULL;

    if (!is_root())
        return;
    f = fixture_new();
    assert_rejected(watch_globs(foreign_new(f), 300000), IPC_ERROR_INVALID_ARGS, NULL);
    assert_rejected(watch_globs(foreign_new_as(f, STRANGER), 300000), IPC_ERROR_ACCESS_DENIED, NULL);
}

/* A policy that is loaded anew ends it for who may not any more, and for nobody else. */
static void test_judged_anew(void)
{
    g_autoptr(Fixture) f = NULL;
    g_autoptr(Watching) own = NULL, w = NULL;

    if (!is_root())
        return;
    f = fixture_new();
    load_policy(f, "{\"default\": \"allow\"}");
    own = watch(f);
    w = watch_as(foreign_new_as(f, STRANGER), NULL, NULL);
    load_policy(f, "{\"default\": \"deny\", \"rules\": [{\"allow\": true, \"uid\": [0]}]}");
    expect_end(w);
    send_numbers(foreign_new(f), 0, 1);
    expect_line(own, "{'args': [0]}");
    g_assert_cmpuint(count_watchers(foreign_new(f)), ==, 1);
}

static void test_other_arguments(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    assert_rejected(call_object(c, IPC_MAIN_PATH, IPC_MONITOR_INTERFACE, "Watch", "s", "x"),
                    "org.freedesktop.DBus.Error.InvalidArgs", NULL);
    assert_rejected(call_object(c, IPC_WEB_CONTENTS_PATH, IPC_MONITOR_INTERFACE, "Watch", "as", 0),
                    "org.freedesktop.DBus.Error.UnknownMethod", NULL);
    g_assert_cmpuint(count_watchers(c), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/monitor-watchers/stopped-reader", test_stopped_reader);
    g_test_add_func("/monitor-watchers/long-lines-to-a-stopped-reader", test_long_lines_to_a_stopped_reader);
    g_test_add_func("/monitor-watchers/closed", test_closed);
    g_test_add_func("/monitor-watchers/closed-in-a-handler", test_closed_in_a_handler);
    g_test_add_func("/monitor-watchers/killed", test_killed);
    g_test_add_func("/monitor-watchers/asked-by-another", test_asked_by_another);
    g_test_add_func("/monitor-watchers/many", test_many);
    g_test_add_func("/monitor-watchers/others", test_others);
    g_test_add_func("/monitor-watchers/others-with-many-globs", test_others_with_many_globs);
    g_test_add_func("/monitor-watchers/judged-anew", test_judged_anew);
    g_test_add_func("/monitor-watchers/other-arguments", test_other_arguments);
    return g_test_run();
}
