/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "fixture.h"
#include "monitor-story.h"

/* The figures of channels and renderers, as they are read on the bus. */

typedef struct Figures {
    uint64_t calls, messages, sent, errors, bytes;
    uint32_t pending;
    uint64_t p50, p99, max;
} Figures;

static sd_bus_message *ask(Client *c, const char *name, const char *element)
{
    g_autofree char *type = g_strdup_printf("a%s", element);
    Outcome *o = await(get_property(c, IPC_MAIN_PATH, IPC_MONITOR_INTERFACE, name));

    g_assert_nonnull(o->reply);
    must(sd_bus_message_rewind(o->reply, true));
    must(sd_bus_message_enter_container(o->reply, 'v', type));
    must(sd_bus_message_enter_container(o->reply, 'a', element));
    return o->reply;
}

static int read_one(sd_bus_message *reply, const char **ret_channel, Figures *ret)
{
    return must(sd_bus_message_read(reply, "(stttttuttt)", ret_channel, &ret->calls, &ret->messages, &ret->sent,
                                    &ret->errors, &ret->bytes, &ret->pending, &ret->p50, &ret->p99, &ret->max));
}

/* Those of "" are there in any case. false: there are none. */
static bool figures_of(Client *c, const char *channel, Figures *ret)
{
    sd_bus_message *reply = ask(c, "Channels", "(stttttuttt)");
    const char *name;

    while (read_one(reply, &name, ret) > 0)
        if (strcmp(name, channel) == 0)
            return true;
    return false;
}

static void assert_figures(Client *c, const char *channel, const Figures *expected)
{
    Figures found;

    if (!figures_of(c, channel, &found))
        g_error("'%s' has no figures", channel);
    g_assert_cmpuint(found.calls, ==, expected->calls);
    g_assert_cmpuint(found.messages, ==, expected->messages);
    g_assert_cmpuint(found.sent, ==, expected->sent);
    g_assert_cmpuint(found.errors, ==, expected->errors);
    g_assert_cmpuint(found.bytes, ==, expected->bytes);
    g_assert_cmpuint(found.pending, ==, expected->pending);
    g_assert_cmpuint(found.p50, <=, found.p99);
    g_assert_cmpuint(found.p99, <=, found.max);
    g_assert_true((found.max > 0) == (found.calls + found.messages > found.pending));
}

static unsigned count_channels(Client *c, Figures *ret_sum)
{
    sd_bus_message *reply = ask(c, "Channels", "(stttttuttt)");
    const char *name;
    Figures one;
    unsigned n = 0;

    *ret_sum = (Figures){ 0 };
    for (; read_one(reply, &name, &one) > 0; n++) {
        ret_sum->messages += one.messages;
        ret_sum->sent += one.sent;
        ret_sum->errors += one.errors;
        ret_sum->bytes += one.bytes;
    }
    return n;
}

static void test_calls(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *c = foreign_new(f);
    Outcome *o;
    ipc_invocation *invocation;

    answer(f, "add", "3");
    keep(f, "slow");
    assert_resolved(invoke(r, "add", "[1,2]"), "3");
    assert_resolved(invoke(r, "add", "[]"), "3");
    o = invoke_start(r, "slow", "[]");
    invocation = take_kept(f);
    assert_figures(c, "add", &(Figures){ .calls = 2, .bytes = 9 });
    assert_figures(c, "slow", &(Figures){ .calls = 1, .bytes = 2, .pending = 1 });
    must(ipc_invocation_reject(invocation, NULL, "No", NULL));
    ipc_invocation_unref(invocation);
    assert_rejected(o, IPC_ERROR_HANDLER_FAILED, NULL);
    assert_figures(c, "slow", &(Figures){ .calls = 1, .bytes = 2, .errors = 1 });
}

static void test_messages(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *c = foreign_new(f);

    hear(f, "x");
    send_message(r, "x", "[1]");
    send_message(r, "x", "[22]");
    expect_heard(f, "x", "[1]", 1);
    expect_heard(f, "x", "[22]", 1);
    must(ipc_app_broadcastf(f->app, "x", "i", 3));
    must(ipc_app_broadcastf(f->app, "y", "i", 4));
    assert_figures(c, "x", &(Figures){ .messages = 2, .sent = 1, .bytes = 10 });
    assert_figures(c, "y", &(Figures){ .sent = 1, .bytes = 3 });
}

/* A caller that goes, in the middle of its calls. */
static void test_gone(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *c = foreign_new(f);

    keep(f, "slow");
    keep_events(f, "sync");
    invoke_start(r, "slow", "[]");
    settle(f);
    send_sync_start(c, "sync", "[]");
    settle(f);
    vanish(r);
    vanish(c);
    wait_until(f, ipc_app_pending_count(f->app) == 0);
    c = foreign_new(f);
    assert_figures(c, "slow", &(Figures){ .calls = 1, .errors = 1, .bytes = 2 });
    assert_figures(c, "sync", &(Figures){ .calls = 1, .errors = 1, .bytes = 2 });
}

/* Names that only a caller knows take no memory. */
static void test_unknown_channels(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *c = foreign_new(f);
    Figures figures;
    unsigned i;

    for (i = 0; i < 1000; i++) {
        g_autofree char *name = g_strdup_printf("no-such-%u", i);

        send_message(r, name, "[]");
    }
    settle(f);
    assert_rejected(invoke(r, "no-such-1", "[]"), IPC_ERROR_NO_HANDLER, NULL);
    assert_rejected(invoke(c, "", "[]"), IPC_ERROR_INVALID_CHANNEL, NULL);
    g_assert_cmpuint(count_channels(c, &figures), ==, 1);
    assert_figures(c, "", &(Figures){ .calls = 1, .messages = 1000, .errors = 2, .bytes = 2002 });
}

/* A program that sends on ever new channels keeps the last of them. */
static void test_many_channels(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *c = foreign_new(f);
    unsigned n = IPC_FIGURES_MAX + 100, i;
    Figures sum;

    hear(f, "used");
    for (i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("channel-%u", i);

        must(ipc_app_broadcast(f->app, name, NULL));
        send_message(r, "used", "[]");
        expect_heard(f, "used", "[]", 1);
    }
    g_assert_cmpuint(count_channels(c, &sum), ==, IPC_FIGURES_MAX + 1);
    g_assert_cmpuint(sum.sent, ==, n);
    g_assert_cmpuint(sum.messages, ==, n);
    g_assert_cmpuint(sum.bytes, ==, 4 * n);
    g_assert_false(figures_of(c, "channel-0", &sum));
    g_assert_true(figures_of(c, "channel-611", &sum));
    assert_figures(c, "used", &(Figures){ .messages = n, .bytes = 2 * n });
}

static void test_renderers(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *c = foreign_new(f);
    uint64_t calls, errors, bytes;
    sd_bus_message *reply;
    uint32_t id;

    renderer_new(f);
    answer(f, "add", "3");
    assert_resolved(invoke(r, "add", "[]"), "3");
    assert_rejected(invoke(r, "none", "[]"), IPC_ERROR_NO_HANDLER, NULL);
    must(ipc_web_contents_send(contents_of(r), "x", NULL));
    reply = ask(c, "Renderers", "(uttt)");
    must(sd_bus_message_read(reply, "(uttt)", &id, &calls, &errors, &bytes));
    g_assert_cmpuint(id, ==, 1);
    g_assert_cmpuint(calls, ==, 2);
    g_assert_cmpuint(errors, ==, 1);
    g_assert_cmpuint(bytes, ==, 7);
    must(sd_bus_message_read(reply, "(uttt)", &id, &calls, &errors, &bytes));
    g_assert_cmpuint(id, ==, 2);
    g_assert_cmpuint(calls + errors + bytes, ==, 0);
    g_assert_cmpint(sd_bus_message_read(reply, "(uttt)", &id, &calls, &errors, &bytes), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/monitor-figures/calls", test_calls);
    add_story("/monitor-figures/messages", test_messages);
    add_story("/monitor-figures/gone", test_gone);
    add_story("/monitor-figures/unknown-channels", test_unknown_channels);
    add_story("/monitor-figures/many-channels", test_many_channels);
    add_story("/monitor-figures/renderers", test_renderers);
    return g_test_run();
}
