/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "fixture-renderer.h"

/* Whoever owns the name is main: here it is a program that speaks plain D-Bus, well or badly. */

typedef struct FakeMain {
    Client *client;
    sd_bus_slot *slot;
    GQueue calls; /* of sd_bus_message */
} FakeMain;

static int on_call(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    FakeMain *fake = userdata;

    (void)error;
    if (sd_bus_message_is_method_call(message, IPC_MAIN_INTERFACE, NULL) <= 0)
        return 0;
    g_queue_push_tail(&fake->calls, sd_bus_message_ref(message));
    return 1;
}

static FakeMain *fake_new(Fixture *f)
{
    FakeMain *fake = g_new0(FakeMain, 1);

    fake->client = foreign_new(f);
    g_queue_init(&fake->calls);
    must(sd_bus_add_filter(fake->client->bus, &fake->slot, on_call, fake));
    must(sd_bus_request_name(fake->client->bus, FIXTURE_NAME, 0));
    return fake;
}

static void fake_release_name(FakeMain *fake)
{
    must(sd_bus_release_name(fake->client->bus, FIXTURE_NAME));
}

static void fake_free(FakeMain *fake)
{
    sd_bus_message *call;

    while ((call = g_queue_pop_head(&fake->calls)))
        sd_bus_message_unref(call);
    fake->slot = sd_bus_slot_unref(fake->slot);
    if (fake->client->bus)
        leave(fake->client);
    g_free(fake);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeMain, fake_free)

/* Waits for the next call, and answers it. */
static sd_bus_message *take_call(FakeMain *fake, const char *member)
{
    sd_bus_message *call;

    wait_until(fake->client->fixture, fake->calls.length > 0);
    call = g_queue_pop_head(&fake->calls);
    g_assert_cmpstr(sd_bus_message_get_member(call), ==, member);
    return call;
}

#define reply_to(fake, member, ...)                                                 \
    do {                                                                            \
        sd_bus_message *call_ = take_call(fake, member);                            \
                                                                                    \
        must(sd_bus_reply_method_return(call_, __VA_ARGS__));                       \
        sd_bus_message_unref(call_);                                                \
    } while (0)

static void fail(FakeMain *fake, const char *member, const char *name, const char *message)
{
    sd_bus_message *call = take_call(fake, member);

    must(sd_bus_reply_method_errorf(call, name, "%s", message));
    sd_bus_message_unref(call);
}

static void tell(FakeMain *fake, Client *c, const char *member, const char *types, ...)
{
    sd_bus_message *signal;
    va_list values;

    must(sd_bus_message_new_signal(fake->client->bus, &signal, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member));
    va_start(values, types);
    must(sd_bus_message_appendv(signal, types, values));
    va_end(values);
    must(sd_bus_message_set_destination(signal, client_name(c)));
    must(sd_bus_send(fake->client->bus, signal, NULL));
    sd_bus_message_unref(signal);
}

/* A renderer that is registered with a fake main, as number 7. */
static Client *renderer_new_of(FakeMain *fake)
{
    Client *r = renderer_make(fake->client->fixture);

    reply_to(fake, "Register", "u", 7);
    await_state(r, IPC_RENDERER_READY);
    g_assert_cmpuint(client_id(r), ==, 7);
    return r;
}

static Fixture *fixture_new_without_main(void)
{
    return fixture_new_with(&(FixtureOptions){ .is_without_main = true });
}

/* ---- registering ---- */

static void test_a_program_takes_the_name(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(FakeMain) fake = NULL;
    Client *r = renderer_new(f);
    Outcome *o;

    note_states(d, r);
    main_vanish(f);
    fake = fake_new(f);
    reply_to(fake, "Register", "u", 7);
    await_state(r, IPC_RENDERER_READY);
    g_assert_cmpuint(client_id(r), ==, 7);
    o = invoke_start(r, "x", "[]");
    reply_to(fake, "Invoke", "s", "[1]");
    assert_resolved(o, "[1]");
    leave(fake->client);
    main_return(f);
    expect_diary(f, d, "gone:MainGone connecting ready gone:MainGone connecting ready");
    g_assert_nonnull(contents_of(r));
}

static void test_refused(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new_without_main();
    g_autoptr(FakeMain) fake = fake_new(f);
    Client *r = renderer_make(f);
    Outcome *o;

    note_states(d, r);
    o = invoke_start(r, "x", "[]");
    fail(fake, "Register", IPC_ERROR_ACCESS_DENIED, "Not you");
    assert_rejected(o, IPC_ERROR_ACCESS_DENIED, "Not you");
    expect_diary(f, d, "gone:AccessDenied");
    o = invoke_start(r, "x", "[]"); /* it tries again */
    reply_to(fake, "Register", "u", 1);
    reply_to(fake, "Invoke", "s", "2");
    assert_resolved(o, "2");
}

/* A service of another kind. */
static void test_knows_no_register(void)
{
    g_autoptr(Fixture) f = fixture_new_without_main();
    Client *other = foreign_new(f), *r;

    must(sd_bus_request_name(other->bus, FIXTURE_NAME, 0));
    r = renderer_make(f);
    assert_rejected(invoke(r, "x", "[]"), SD_BUS_ERROR_UNKNOWN_OBJECT, NULL);
    g_assert_cmpint(ipc_renderer_get_state(r->renderer), ==, IPC_RENDERER_GONE);
    leave(other);
    main_return(f);
    await_state(r, IPC_RENDERER_READY);
}

static void test_registers_nonsense(void)
{
    g_autoptr(Fixture) f = fixture_new_without_main();
    g_autoptr(FakeMain) fake = fake_new(f);
    Client *r = renderer_make(f);
    Outcome *o = invoke_start(r, "x", "[]");

    reply_to(fake, "Register", "u", 0);
    assert_rejected(o, IPC_ERROR_MAIN_GONE, "'" FIXTURE_NAME "' answered Register with 0, which is the id of nobody, "
                                            "not with the id of a renderer");
    o = invoke_start(r, "x", "[]");
    reply_to(fake, "Register", "s", "seven");
    assert_rejected(o, IPC_ERROR_MAIN_GONE, "'" FIXTURE_NAME "' answered Register with values of the types 's', "
                                            "not with the id of a renderer");
    o = invoke_start(r, "x", "[]");
    reply_to(fake, "Register", NULL);
    assert_rejected(o, IPC_ERROR_MAIN_GONE, "'" FIXTURE_NAME "' answered Register with nothing, "
                                            "not with the id of a renderer");
    g_assert_cmpint(ipc_renderer_get_state(r->renderer), ==, IPC_RENDERER_GONE);
}

/* Main went while the renderer registered, and did not answer. */
static void test_dies_while_registering(void)
{
    g_autoptr(Fixture) f = fixture_new_without_main();
    g_autoptr(FakeMain) fake = fake_new(f);
    Client *r = renderer_make(f);
    Outcome *o = invoke_start(r, "x", "[]");

    sd_bus_message_unref(take_call(fake, "Register"));
    leave(fake->client);
    assert_rejected(o, IPC_ERROR_MAIN_GONE, NULL);
    await_state(r, IPC_RENDERER_GONE);
    main_return(f);
    await_state(r, IPC_RENDERER_READY);
}

/* The next one was there before the renderer knew that the last one had gone. */
static void test_follows_while_registering(void)
{
    g_autoptr(Fixture) f = fixture_new_without_main();
    g_autoptr(FakeMain) fake = fake_new(f);
    Client *r = renderer_make(f);
    Outcome *o = invoke_start(r, "x", "[]");

    sd_bus_message_unref(take_call(fake, "Register"));
    freeze(r);
    leave(fake->client);
    main_return(f);
    answer(f, "x", "1");
    thaw(r);
    await(o); /* it was asked of the one that went, or of the one that came */
    await_state(r, IPC_RENDERER_READY);
    assert_resolved(invoke(r, "x", "[]"), "1");
}

/* It answers though it has given up the name: it is not main any more. */
static void test_registers_after_the_name_went(void)
{
    g_autoptr(Fixture) f = fixture_new_without_main();
    g_autoptr(FakeMain) fake = fake_new(f);
    Client *r = renderer_make(f);
    sd_bus_message *call = take_call(fake, "Register");

    fake_release_name(fake);
    must(sd_bus_reply_method_return(call, "u", 7));
    sd_bus_message_unref(call);
    settle(f);
    main_return(f);
    answer(f, "x", "1");
    wait_until(f, ipc_web_contents_from_id(f->app, 1));
    assert_resolved(invoke(r, "x", "[]"), "1");
}

static void test_registers_after_another_took_the_name(void)
{
    g_autoptr(Fixture) f = fixture_new_without_main();
    g_autoptr(FakeMain) fake = fake_new(f);
    Client *r = renderer_make(f);
    sd_bus_message *call = take_call(fake, "Register");

    fake_release_name(fake);
    main_return(f);
    answer(f, "x", "1");
    must(sd_bus_reply_method_return(call, "u", 7));
    sd_bus_message_unref(call);
    wait_until(f, ipc_web_contents_from_id(f->app, 1));
    assert_resolved(invoke(r, "x", "[]"), "1");
}

/* ---- answers that are none ---- */

static void test_result_is_no_json(void)
{
    g_autoptr(Fixture) f = fixture_new_without_main();
    g_autoptr(FakeMain) fake = fake_new(f);
    Client *r = renderer_new_of(fake);
    Outcome *o = invoke_start(r, "x", "[]");

    reply_to(fake, "Invoke", "s", "nonsense");
    assert_rejected(o, IPC_ERROR_INVALID_ARGS, NULL);
    o = invoke_start(r, "x", "[]");
    reply_to(fake, "Invoke", "u", 1);
    assert_rejected(o, IPC_ERROR_INVALID_ARGS, "The answer of main has not the form of a result");
    o = invoke_start(r, "x", "[]");
    reply_to(fake, "Invoke", NULL);
    assert_rejected(o, IPC_ERROR_INVALID_ARGS, NULL);
}

static void test_detail_is_no_json(void)
{
    g_autoptr(Fixture) f = fixture_new_without_main();
    g_autoptr(FakeMain) fake = fake_new(f);
    Client *r = renderer_new_of(fake);
    Outcome *o = invoke_start(r, "x", "[]");
    sd_bus_message *call = take_call(fake, "Invoke"), *reply;

    must(sd_bus_message_new_method_errorf(call, &reply, "com.example.Error.Odd", "odd"));
    must(sd_bus_message_append(reply, "s", "nonsense"));
    must(sd_bus_send(fake->client->bus, reply, NULL));
    sd_bus_message_unref(reply);
    sd_bus_message_unref(call);
    assert_rejected(o, "com.example.Error.Odd", "odd");
    assert_detail(o, NULL);
}

/* Main's own word is no word of the bus. */
static void test_no_reply_of_main(void)
{
    g_autoptr(Fixture) f = fixture_new_without_main();
    g_autoptr(FakeMain) fake = fake_new(f);
    Client *r = renderer_new_of(fake);
    Outcome *o = invoke_start(r, "x", "[]");

    fail(fake, "Invoke", SD_BUS_ERROR_NO_REPLY, "the handler had nothing to say");
    assert_rejected(o, SD_BUS_ERROR_NO_REPLY, "the handler had nothing to say");
    g_assert_cmpint(ipc_renderer_get_state(r->renderer), ==, IPC_RENDERER_READY);
}

static void test_answers_twice(void)
{
    g_autoptr(Fixture) f = fixture_new_without_main();
    g_autoptr(FakeMain) fake = fake_new(f);
    Client *r = renderer_new_of(fake);
    Outcome *o = invoke_start(r, "x", "[]");
    sd_bus_message *call = take_call(fake, "Invoke");

    must(sd_bus_reply_method_return(call, "s", "1"));
    must(sd_bus_reply_method_return(call, "s", "2"));
    must(sd_bus_reply_method_errorf(call, SD_BUS_ERROR_FAILED, "failed"));
    sd_bus_message_unref(call);
    assert_resolved(o, "1");
    settle(f); /* the outcome would not bear a second one */
}

/* ---- messages that are none ---- */

static void test_bad_messages(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new_without_main();
    g_autoptr(FakeMain) fake = fake_new(f);
    Client *r = renderer_new_of(fake);

    must(ipc_renderer_on_warning(r->renderer, NULL, on_note_warning, note_new(d, "warned")));
    tell(fake, r, "Message", "ssu", "x", "nonsense", 0);
    tell(fake, r, "Message", "ssu", "x", "{}", 0);
    tell(fake, r, "Message", "s", "x");
    tell(fake, r, "Message", "");
    tell(fake, r, "WebviewAttached", "u", 1);
    tell(fake, r, "WebviewDetached", "s", "one");
    tell(fake, r, "WebviewMessage", "ss", "x", "[]");
    expect_diary(f, d, "warned warned warned warned warned warned warned");
    g_assert_cmpuint(r->heard.length, ==, 0);
    tell(fake, r, "Message", "ssu", "x", "[1]", 0);
    expect_message(r, "x", "[1]", 0);
}

/* Those of a later version, and of webviews that are not there. */
static void test_unknown_messages(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new_without_main();
    g_autoptr(FakeMain) fake = fake_new(f);
    Client *r = renderer_new_of(fake);

    must(ipc_renderer_on_warning(r->renderer, NULL, on_note_warning, note_new(d, "warned")));
    tell(fake, r, "Shout", "s", "x");
    tell(fake, r, "WebviewPainted", "s", "x");
    tell(fake, r, "WebviewAttached", "su", "no token", 1);
    tell(fake, r, "WebviewDetached", "u", 1);
    tell(fake, r, "WebviewMessage", "uss", 1, "x", "[]");
    expect_diary(f, d, "");
    expect_silence(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/renderer-fake-main/a-program-takes-the-name", test_a_program_takes_the_name);
    g_test_add_func("/renderer-fake-main/refused", test_refused);
    g_test_add_func("/renderer-fake-main/knows-no-register", test_knows_no_register);
    g_test_add_func("/renderer-fake-main/registers-nonsense", test_registers_nonsense);
    g_test_add_func("/renderer-fake-main/dies-while-registering", test_dies_while_registering);
    g_test_add_func("/renderer-fake-main/follows-while-registering", test_follows_while_registering);
    g_test_add_func("/renderer-fake-main/registers-after-the-name-went", test_registers_after_the_name_went);
    g_test_add_func("/renderer-fake-main/registers-after-another-took-the-name",
                    test_registers_after_another_took_the_name);
    g_test_add_func("/renderer-fake-main/result-is-no-json", test_result_is_no_json);
    g_test_add_func("/renderer-fake-main/detail-is-no-json", test_detail_is_no_json);
    g_test_add_func("/renderer-fake-main/no-reply-of-main", test_no_reply_of_main);
    g_test_add_func("/renderer-fake-main/answers-twice", test_answers_twice);
    g_test_add_func("/renderer-fake-main/bad-messages", test_bad_messages);
    g_test_add_func("/renderer-fake-main/unknown-messages", test_unknown_messages);
    return g_test_run();
}
