/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fixture-renderer.h"

/*
 * Order. What one client sends is dispatched in the order in which it was sent, whichever methods it mixes; what main
 * sends to one client arrives in order, replies included.
 *
 * Every message carries a number. Main passes on each number that it hears or is asked for to the witness; what is
 * sent with SendTo goes to the witness by itself. So the witness must count up.
 */

typedef struct Stage {
    Fixture *f;
    Client *witness;
    uint32_t witness_id;
} Stage;

static void pass_on(Stage *s, json_t *args)
{
    must(ipc_web_contents_send(ipc_web_contents_from_id(s->f->app, s->witness_id), "n", args));
}

static void on_hear(ipc_event *event, json_t *args, void *userdata)
{
    pass_on(userdata, args);
    if (ipc_event_is_sync(event))
        must(ipc_event_return(event, args));
}

static int on_asked(ipc_invocation *invocation, json_t *args, void *userdata)
{
    pass_on(userdata, args);
    return ipc_invocation_resolve(invocation, args);
}

static void stage_set(Stage *s, Fixture *f)
{
    s->f = f;
    s->witness = foreign_new_registered(f);
    s->witness_id = client_id(s->witness);
    must(ipc_main_on(f->main, NULL, "n", on_hear, s));
    must(ipc_main_handle(f->main, NULL, "n", on_asked, s));
}

enum { SEND, SEND_WITHOUT_REPLY, INVOKE, SEND_SYNC, SEND_TO, N_WAYS };

/* Sends a number in one of the ways, and waits for nothing. */
static void say(Stage *s, Client *c, int way, unsigned number)
{
    g_autofree char *args = g_strdup_printf("[%u]", number);

    if (way == SEND)
        call_start(c, "Send", "ss", "n", args);
    else if (way == SEND_WITHOUT_REPLY)
        send_message(c, "n", args);
    else if (way == INVOKE)
        invoke_start(c, "n", args);
    else if (way == SEND_SYNC)
        send_sync_start(c, "n", args);
    else
        call_start(c, "SendTo", "uss", s->witness_id, "n", args);
}

/* The id is of the sender of what came by itself. */
static void assert_counts(Stage *s, unsigned begin, unsigned end, uint32_t id)
{
    unsigned i;

    for (i = begin; i < end; i++) {
        g_autofree char *args = g_strdup_printf("[%u]", i);
        Wait wait = wait_begin(G_STRLOC, args);
        Heard *heard;

        while (s->witness->heard.length == 0)
            wait_step(s->f, &wait);
        heard = g_queue_pop_head(&s->witness->heard);
        heard_compare(G_STRLOC, heard, "Message", "n", args, heard->id == 0 ? 0 : id);
        heard_free(heard);
    }
}

/* ---- to main ---- */

static void test_first_messages_of_a_new_peer(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    Stage s;

    /* Main knows nothing of this one: what it sends waits for its credentials, in order. */
    stage_set(&s, f);
    say(&s, c, SEND_WITHOUT_REPLY, 0);
    say(&s, c, INVOKE, 1);
    say(&s, c, SEND_SYNC, 2);
    say(&s, c, SEND, 3);
    call_start(c, "Register", "a{sv}", 0);
    say(&s, c, SEND_TO, 4);
    say(&s, c, SEND, 5);
    say(&s, c, SEND_TO, 6);
    say(&s, c, INVOKE, 7);
    say(&s, c, SEND_TO, 8);
    assert_counts(&s, 0, 9, 2);
    expect_silence(s.witness);
}

/* It goes on while the credentials arrive. */
static void test_while_credentials_arrive(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    unsigned i;
    Stage s;

    stage_set(&s, f);
    call_start(c, "Register", "a{sv}", 0);
    for (i = 0; i < 100; i++) {
        say(&s, c, (int)(i % N_WAYS), i);
        must(sd_event_run(f->event, 0));
    }
    assert_counts(&s, 0, 100, 2);
}

static void test_random_mix(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    unsigned i;
    Stage s;

    stage_set(&s, f);
    call_start(c, "Register", "a{sv}", 0);
    for (i = 0; i < 1000; i++) {
        say(&s, c, g_test_rand_int_range(0, N_WAYS), i);
        if (g_test_rand_int_range(0, 10) == 0)
            must(sd_event_run(f->event, 0));
    }
    assert_counts(&s, 0, 1000, 2);
    expect_silence(s.witness);
}

/* A large message does not fall behind the small ones after it. */
static void test_sizes(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *filling = g_strnfill(3 * 1024 * 1024, ' ');
    Client *c = foreign_new_registered(f);
    unsigned i;
    Stage s;

    stage_set(&s, f);
    for (i = 0; i < 10; i++) {
        g_autofree char *args = g_strdup_printf("[%u%s]", 2 * i, filling);

        send_message(c, "n", args);
        say(&s, c, SEND_TO, 2 * i + 1);
    }
    assert_counts(&s, 0, 20, 1);
}

static void test_renderer(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r;
    unsigned i;
    Stage s;

    /* It is not even registered when it begins. */
    stage_set(&s, f);
    r = renderer_make(f);
    for (i = 0; i < 500; i++) {
        g_autofree char *args = g_strdup_printf("[%u]", i);
        int way = g_test_rand_int_range(0, 3);

        if (way == 0)
            send_message(r, "n", args);
        else if (way == 1)
            invoke_start(r, "n", args);
        else
            send_to(r, s.witness_id, "n", args);
        if (g_test_rand_int_range(0, 10) == 0)
            must(sd_event_run(f->event, 0));
    }
    assert_counts(&s, 0, 500, 2);
    expect_silence(s.witness);
}

/* Each in its own order, whatever the others do. */
static void test_several_clients(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *clients[4];
    unsigned next[G_N_ELEMENTS(clients)] = { 0 }, i, n;
    Heard *heard;

    hear(f, "n");
    for (i = 0; i < G_N_ELEMENTS(clients); i++)
        clients[i] = foreign_new_registered(f);
    for (n = 0; n < 100; n++)
        for (i = 0; i < G_N_ELEMENTS(clients); i++) {
            g_autofree char *args = g_strdup_printf("[%u]", n);

            send_message(clients[i], "n", args);
        }
    wait_until(f, f->heard.length == 100 * G_N_ELEMENTS(clients));
    while ((heard = g_queue_pop_head(&f->heard))) {
        n = (unsigned)json_integer_value(json_array_get(heard->args, 0));
        g_assert_cmpuint(n, ==, next[heard->id - 1]++);
        heard_free(heard);
    }
}

/* What is refused is answered in its place, and what comes after it is not. */
static void test_refused_ones(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    Outcome *first, *bad, *nothing, *last;
    Stage s;

    stage_set(&s, f);
    first = call_start(c, "Send", "ss", "n", "[0]");
    bad = call_start(c, "Send", "ss", "n", "no JSON");
    nothing = invoke_start(c, "nothing", "[]");
    last = invoke_start(c, "n", "[1]");
    assert_resolved(last, "[1]");
    assert_counts(&s, 0, 2, 0);
    g_assert_cmpuint(first->order, ==, 1 + s.f->n_settled - 4);
    g_assert_cmpuint(bad->order, ==, first->order + 1);
    g_assert_cmpuint(nothing->order, ==, first->order + 2);
    g_assert_cmpuint(last->order, ==, first->order + 3);
}

/* ---- from main ---- */

/* Messages, results and errors, as they come out of the connection: "m" and "r" and "e". */
static int on_arrival(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    GString *arrivals = userdata;

    (void)error;
    if (sd_bus_message_is_signal(message, IPC_MAIN_INTERFACE, NULL) > 0)
        g_string_append_c(arrivals, 'm');
    else if (sd_bus_message_is_method_error(message, NULL) > 0)
        g_string_append_c(arrivals, 'e');
    else
        g_string_append_c(arrivals, 'r');
    return 0;
}

/* Invocations wait; then main sends as a score says: a message, a result or an error. */
static void play(Fixture *f, Client *c, const char *score)
{
    ipc_web_contents *contents = ipc_web_contents_from_id(f->app, 1);
    ipc_invocation *invocation;

    g_assert_nonnull(contents);
    for (; *score; score++) {
        if (*score == 'm') {
            must(ipc_web_contents_send(contents, "x", NULL));
            continue;
        }
        invocation = take_kept(f);
        if (*score == 'r')
            must(ipc_invocation_resolve(invocation, NULL));
        else
            must(ipc_invocation_reject(invocation, NULL, "no", NULL));
        ipc_invocation_unref(invocation);
    }
}

static void test_from_main(void)
{
    static const char score[] = "mrmmemrrmeeemmmrmemmmmmmrrrrreemm";
    g_autoptr(GString) arrivals = g_string_new(NULL);
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);
    size_t i;

    keep(f, "slow");
    for (i = 0; i < strlen(score); i++)
        if (score[i] != 'm')
            invoke_start(c, "slow", "[]");
    settle(f);
    must(sd_bus_add_filter(c->bus, NULL, on_arrival, arrivals));
    play(f, c, score);
    wait_until(f, arrivals->len == strlen(score));
    g_assert_cmpstr(arrivals->str, ==, score);
}

/* The library's callbacks run in the same order. */
static void test_from_main_to_a_renderer(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    unsigned i;

    keep(f, "slow");
    must(ipc_renderer_on(r->renderer, NULL, "x", on_note, note_new(d, "m")));
    for (i = 0; i < 4; i++)
        must(ipc_renderer_invoke(r->renderer, NULL, "slow", NULL, on_note_reply, note_new(d, "i")));
    settle(f);
    play(f, r, "mrmemmrem");
    expect_diary(f, d, "m i:ok m i:HandlerFailed m m i:ok i:HandlerFailed m");
}

static int on_send_and_resolve(ipc_invocation *invocation, json_t *args, void *userdata)
{
    ipc_web_contents *contents = ipc_sender_get_web_contents(ipc_invocation_get_sender(invocation));

    (void)userdata;
    must(ipc_web_contents_send(contents, "before", NULL));
    must(ipc_invocation_resolve(invocation, args));
    must(ipc_web_contents_send(contents, "after", NULL));
    return 0;
}

static void test_around_a_result(void)
{
    g_autoptr(GString) arrivals = g_string_new(NULL);
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);
    unsigned i;

    must(ipc_main_handle(f->main, NULL, "x", on_send_and_resolve, NULL));
    must(sd_bus_add_filter(c->bus, NULL, on_arrival, arrivals));
    for (i = 0; i < 3; i++)
        invoke_start(c, "x", "[]");
    wait_until(f, arrivals->len == 9);
    g_assert_cmpstr(arrivals->str, ==, "mrmmrmmrm");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/order/first-messages-of-a-new-peer", test_first_messages_of_a_new_peer);
    add_story("/order/while-credentials-arrive", test_while_credentials_arrive);
    add_story("/order/random-mix", test_random_mix);
    add_story("/order/sizes", test_sizes);
    add_story("/order/renderer", test_renderer);
    add_story("/order/several-clients", test_several_clients);
    add_story("/order/refused-ones", test_refused_ones);
    add_story("/order/from-main", test_from_main);
    add_story("/order/from-main-to-a-renderer", test_from_main_to_a_renderer);
    add_story("/order/around-a-result", test_around_a_result);
    return g_test_run();
}
