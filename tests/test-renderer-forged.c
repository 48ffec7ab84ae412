/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "fixture-renderer.h"

/* On a session bus anyone may send anything to anyone: a renderer believes the bus and its main, nobody else. */

#define COOKIES 60 /* more than a renderer has used in these stories */

/* ---- forging ---- */

static void post(Client *from, sd_bus_message *message, const char *to)
{
    if (to)
        must(sd_bus_message_set_destination(message, to));
    must(sd_bus_send(from->bus, message, NULL));
    sd_bus_message_unref(message);
}

/* A call that was never made, to be answered. */
static sd_bus_message *pretend_call(Client *from, uint64_t cookie)
{
    sd_bus_message *call;

    must(sd_bus_message_new_method_call(from->bus, &call, NULL, "/", IPC_MAIN_INTERFACE, "Invoke"));
    must(sd_bus_message_seal(call, cookie, 0));
    return call;
}

static void forge_results(Client *from, const char *to, const char *types, ...)
{
    uint64_t cookie;

    for (cookie = 1; cookie < COOKIES; cookie++) {
        sd_bus_message *call = pretend_call(from, cookie), *reply;
        va_list values;

        must(sd_bus_message_new_method_return(call, &reply));
        va_start(values, types);
        must(sd_bus_message_appendv(reply, types, values));
        va_end(values);
        post(from, reply, to);
        sd_bus_message_unref(call);
    }
}

static void forge_errors(Client *from, const char *to, const char *name)
{
    uint64_t cookie;

    for (cookie = 1; cookie < COOKIES; cookie++) {
        sd_bus_message *call = pretend_call(from, cookie), *reply;

        must(sd_bus_message_new_method_errorf(call, &reply, name, "forged"));
        post(from, reply, to);
        sd_bus_message_unref(call);
    }
}

static void forge_signal(Client *from, const char *to, const char *path, const char *interface, const char *member,
                         const char *types, ...)
{
    sd_bus_message *signal;
    va_list values;

    must(sd_bus_message_new_signal(from->bus, &signal, path, interface, member));
    va_start(values, types);
    must(sd_bus_message_appendv(signal, types, values));
    va_end(values);
    post(from, signal, to);
}

/* ---- stories ---- */

static void test_messages(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *liar = foreign_new(f);

    forge_signal(liar, client_name(r), IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "Message", "ssu", "x", "[]", 0);
    forge_signal(liar, NULL, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "Message", "ssu", "x", "[]", 0);
    expect_silence(r);
    must(ipc_web_contents_sendf(contents_of(r), "true", NULL));
    expect_message(r, "true", "[]", 0);
}

/* Before there is any main, too. */
static void test_messages_without_main(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Client *liar = foreign_new(f), *r = renderer_make(f);

    await_state(r, IPC_RENDERER_GONE);
    forge_signal(liar, client_name(r), IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "Message", "ssu", "x", "[]", 0);
    expect_silence(r);
}

static void test_results(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *liar = foreign_new(f);
    Outcome *o;

    keep(f, "slow");
    o = invoke_start(r, "slow", "[]");
    settle(f);
    forge_results(liar, client_name(r), "s", "\"forged\"");
    settle(f);
    g_assert_false(is_settled(o));
    resolve_kept(f, "\"true\"");
    assert_resolved(o, "\"true\"");
}

static void test_errors(void)
{
    static const char *const names[] = {
        SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_DISCONNECTED, IPC_ERROR_CANCELLED,
    };
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *liar = foreign_new(f);
    Outcome *o;
    size_t i;

    keep(f, "slow");
    o = invoke_start(r, "slow", "[]");
    settle(f);
    for (i = 0; i < G_N_ELEMENTS(names); i++)
        forge_errors(liar, client_name(r), names[i]);
    settle(f);
    g_assert_false(is_settled(o));
    resolve_kept(f, "1");
    assert_resolved(o, "1");
}

/* The bus is asked who main is: the answers of the liar are there first. */
static void test_owner(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *liar = foreign_new(f), *r = renderer_make(f);

    note_states(d, r);
    freeze(r);
    forge_results(liar, client_name(r), "s", client_name(liar));
    settle(f);
    thaw(r);
    await_state(r, IPC_RENDERER_READY);
    expect_diary(f, d, "ready");
    g_assert_nonnull(contents_of(r));
}

static void test_registration(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *liar = foreign_new(f), *r = renderer_make(f);

    note_states(d, r);
    main_freeze(f);
    settle(f);
    forge_results(liar, client_name(r), "u", 4711);
    forge_errors(liar, client_name(r), IPC_ERROR_ACCESS_DENIED);
    settle(f);
    g_assert_cmpint(ipc_renderer_get_state(r->renderer), ==, IPC_RENDERER_CONNECTING);
    main_thaw(f);
    await_state(r, IPC_RENDERER_READY);
    g_assert_cmpuint(client_id(r), ==, 1);
    expect_diary(f, d, "ready");
}

/* "Main is gone", and "here is another one". */
static void test_name_owner_changed(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *liar = foreign_new(f);
    const char *owner;

    note_states(d, r);
    must(sd_bus_get_unique_name(ipc_app_get_bus(f->app), &owner));
    forge_signal(liar, client_name(r), "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", "sss",
                 FIXTURE_NAME, owner, client_name(liar));
    forge_signal(liar, client_name(r), "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", "sss",
                 FIXTURE_NAME, owner, "");
    expect_diary(f, d, "");
    g_assert_cmpuint(client_id(r), ==, 1);
}

static void on_webview(ipc_webview *webview, ipc_webview_state state, const ipc_error *error, void *diary)
{
    static const char *const words[] = { "preparing", "waiting", "attached", "detached" };

    (void)webview, (void)error;
    diary_write(diary, "%s", words[state]);
}

static void test_webview(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *host = renderer_new(f), *liar = foreign_new(f);
    ipc_webview *webview;
    const char *token;

    must(ipc_webview_new(&webview, host->renderer));
    must(ipc_webview_on_state(webview, NULL, on_webview, d));
    expect_diary(f, d, "waiting");
    must(ipc_webview_get_token(webview, &token));
    forge_signal(liar, client_name(host), IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "WebviewAttached", "su", token, 7);
    expect_diary(f, d, "");
    ipc_webview_unref(webview);
}

static int on_reply(sd_bus_message *reply, void *outcome, sd_bus_error *error)
{
    (void)error;
    outcome_settle_reply(outcome, reply, false);
    return 0;
}

/* A renderer has no methods, and says so. */
static void test_calls_to_a_renderer(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *liar = foreign_new(f);
    sd_bus_message *call;
    sd_bus_slot *slot;
    Outcome *o = outcome_new(f);

    must(sd_bus_message_new_method_call(liar->bus, &call, client_name(r), IPC_MAIN_PATH, IPC_MAIN_INTERFACE,
                                        "Register"));
    must(sd_bus_message_append(call, "a{sv}", 0));
    must(sd_bus_call_async(liar->bus, &slot, call, on_reply, o, 0));
    sd_bus_message_unref(call);
    assert_rejected(o, SD_BUS_ERROR_UNKNOWN_OBJECT, NULL);
    sd_bus_slot_unref(slot);
    g_assert_cmpint(ipc_renderer_get_state(r->renderer), ==, IPC_RENDERER_READY);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/renderer-forged/messages", test_messages);
    g_test_add_func("/renderer-forged/messages-without-main", test_messages_without_main);
    g_test_add_func("/renderer-forged/results", test_results);
    g_test_add_func("/renderer-forged/errors", test_errors);
    g_test_add_func("/renderer-forged/owner", test_owner);
    g_test_add_func("/renderer-forged/registration", test_registration);
    g_test_add_func("/renderer-forged/name-owner-changed", test_name_owner_changed);
    g_test_add_func("/renderer-forged/webview", test_webview);
    g_test_add_func("/renderer-forged/calls-to-a-renderer", test_calls_to_a_renderer);
    return g_test_run();
}
