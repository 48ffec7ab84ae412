/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "fixture-renderer.h"
#include "macro.h"

/* Whoever does not read what is sent to it is told of, once until it has read all. */

static const char word[] = "a word, and many of them: a word, and many of them: a word, and many of them";

/* Little may wait, so it takes little to be too slow. */
static Fixture *stage_new(void)
{
    Fixture *f = fixture_new();

    load_policy(f, "{\"default\": \"allow\", \"limits\": {\"queue-bytes\": 4000000}}");
    return f;
}

/* Until no more of them are taken. The answer is how many were. */
static unsigned fill(Client *c)
{
    g_autofree char *text = g_strnfill(IPC_INLINE_MAX - 1000, 'x');
    unsigned n = 0;
    int r;

    while ((r = ipc_web_contents_sendf(contents_of(c), "x", "s", text)) == 0)
        n++;
    must_fail(r, ENOBUFS);
    return n;
}

static void expect_messages(Client *c, unsigned n)
{
    for (; n > 0; n--)
        expect_message(c, "x", NULL, 0);
    expect_silence(c);
}

/* What one warning says, of which there is no second. */
static void expect_warning_like(Fixture *f, Client *c, const char *like)
{
    g_autofree char *name = g_strdup_printf("Renderer %u (%s, process ", client_id(c), client_name(c));
    g_autofree char *warning = NULL;

    wait_until(f, f->warnings->len > 0);
    warning = g_ptr_array_steal_index(f->warnings, 0);
    g_assert_true(g_str_has_prefix(warning, name));
    if (!strstr(warning, like))
        g_error("'%s' should be in '%s'", like, warning);
}

/* ---- who is so far behind that messages are refused ---- */

static void test_refused(void)
{
    g_autoptr(Fixture) f = stage_new();
    Client *r = renderer_new(f);
    unsigned n, i;

    for (i = 0; i < 2; i++) {
        freeze(r);
        n = fill(r);
        expect_warning_like(f, r, "reads too slowly, or not at all: 39");
        g_assert_cmpuint(fill(r), ==, 0);
        thaw(r);
        expect_messages(r, n);
        g_assert_cmpuint(f->warnings->len, ==, 0);
    }
}

/* One who comes and goes before it is time leaves no trace. */
static void test_gone(void)
{
    g_autoptr(Fixture) f = stage_new();
    Client *r = renderer_new(f), *other = renderer_new(f);

    freeze(r);
    fill(r);
    vanish(r);
    settle(f);
    must(ipc_web_contents_sendf(contents_of(other), "x", "i", 1));
    expect_message(other, "x", "[1]", 0);
}

/* Much more than a window is under way to one who reads, and all is well. */
static void test_reader(void)
{
    g_autoptr(Fixture) f = stage_new();
    Client *r = renderer_new(f);
    g_autofree char *text = g_strnfill(60000, 'x');
    unsigned i;

    for (i = 0; i < 60; i++) /* most of what may wait */
        must(ipc_web_contents_sendf(contents_of(r), "x", "s", text));
    expect_messages(r, 60);
    g_assert_cmpuint(f->warnings->len, ==, 0);
}

/* A call settles, though there is no room for its answer. */
static void test_answer_without_room(void)
{
    g_autoptr(Fixture) f = stage_new();
    Client *r = renderer_new(f);
    _cleanup_(ipc_invocation_unrefp) ipc_invocation *invocation = NULL;
    g_autofree char *text = g_strnfill(200000, 'x');
    Outcome *o;
    unsigned n;

    keep(f, "later");
    o = invoke_start(r, "later", "[]");
    invocation = take_kept(f);
    freeze(r);
    n = fill(r);
    must_fail(ipc_invocation_resolvef(invocation, "s", text), ENOBUFS);
    thaw(r);
    for (; n > 0; n--)
        expect_message(r, "x", NULL, 0);
    assert_rejected(o, IPC_ERROR_QUEUE_FULL, "You did not read, and then there was no room for the answer");
}

/* ---- who has not read for a while ---- */

static void test_for_a_while(void)
{
    g_autoptr(Fixture) f = stage_new();
    Client *r = renderer_new(f), *reader = renderer_new(f);
    unsigned i;

    freeze(r);
    for (i = 0; i < 1000; i++)
        must(ipc_web_contents_sendf(contents_of(r), "x", "s", word));
    must(ipc_web_contents_sendf(contents_of(reader), "x", "i", 1));
    expect_message(reader, "x", "[1]", 0);
    expect_warning_like(f, r, "does not read: ");
    thaw(r);
    expect_messages(r, 1000);
    g_assert_cmpuint(f->warnings->len, ==, 0);
}

/* ---- when the app stops ---- */

static void test_stop(void)
{
    g_autoptr(Fixture) f = stage_new();
    Client *r = renderer_new(f);
    unsigned i;

    freeze(r);
    for (i = 0; i < 1000; i++)
        must(ipc_web_contents_sendf(contents_of(r), "x", "s", word));
    g_assert_cmpint(ipc_app_stop(f->app, is_over_lanes() ? 100000 : (uint64_t)patience()), ==, 0);
    /* What the bus has taken is the bus's. */
    g_assert_cmpuint(f->warnings->len, ==, is_over_lanes() ? 1 : 0);
    if (is_over_lanes())
        g_assert_true(g_str_has_prefix(f->warnings->pdata[0], "The app stops, and Renderer 1 ("));
    thaw(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/stuck/refused", test_refused);
    add_story("/stuck/gone", test_gone);
    add_story("/stuck/reader", test_reader);
    add_story("/stuck/answer-without-room", test_answer_without_room);
    add_story("/stuck/for-a-while", test_for_a_while);
    add_story("/stuck/stop", test_stop);
    return g_test_run();
}
