/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "fixture-reader.h"
#include "peer.h"

/* Callers and their answers: those who block in a call get them, and those who never read them harm nobody. */

#define KIB 1024u
#define MIB (1024u * KIB)
#define WINDOW IPC_WINDOW_BYTES
#define FEW(n) (is_slow() ? (n) / 2 : (n))

/* ---- main ---- */

/* Sends args[0] messages of 1 KiB to the caller, then answers with a string of args[1] bytes. */
static int on_flood(ipc_invocation *invocation, json_t *args, void *userdata)
{
    ipc_web_contents *contents = ipc_sender_get_web_contents(ipc_invocation_get_sender(invocation));
    g_autofree char *filling = g_strnfill(KIB, 'x'), *answer = NULL;
    unsigned *n_sent = userdata;
    json_int_t n, size, i;

    must(json_unpack(args, "[I, I]", &n, &size));
    for (i = 0; i < n; i++)
        must(ipc_web_contents_sendf(contents, "n", "is", (*n_sent)++, filling));
    answer = g_strnfill((gsize)size, 'y');
    return ipc_invocation_resolvef(invocation, "s", answer);
}

static int on_add(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)args, (void)userdata;
    return ipc_invocation_resolvef(invocation, "i", 3);
}

static Fixture *set_scene(unsigned *n_sent)
{
    Fixture *f = fixture_new_with(&(FixtureOptions){ .bus_config = BUS_LIMITS_SMALL });

    *n_sent = 0;
    must(ipc_main_handle(f->main, NULL, "flood", on_flood, n_sent));
    must(ipc_main_handle(f->main, NULL, "add", on_add, NULL));
    return f;
}

static void assert_innocent(Client *c, unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++)
        assert_resolved(invoke(c, "add", "[1,2]"), "3");
}

/* Wants an answer, and does not wait for it. */
static void send_off(Tale *tale, sd_bus *bus, sd_bus_message *call)
{
    uint64_t cookie;

    must(sd_bus_send(bus, call, &cookie));
    sd_bus_message_unref(call);
    must(sd_bus_flush(bus));
    tale_note(tale, &tale->n_called);
}

/* ---- callers that block: none of them reads anything between its calls ---- */

static void block(Tale *tale, sd_bus *bus, const char *channel, const char *args)
{
    sd_bus_message *call = reader_new_call(bus, "Invoke", "ss", channel, args);

    must(sd_bus_call(bus, call, (uint64_t)patience(), NULL, NULL));
    sd_bus_message_unref(call);
    tale_note(tale, &tale->n_answers);
}

static void block_once(Tale *tale)
{
    sd_bus *bus = reader_connect(tale);

    reader_register(tale, bus);
    block(tale, bus, "flood", "[3000, 10]");
}

static void block_for_much(Tale *tale)
{
    sd_bus *bus = reader_connect(tale);

    reader_register(tale, bus);
    block(tale, bus, "flood", "[0, 15000000]");
}

static void block_often(Tale *tale)
{
    sd_bus *bus = reader_connect(tale);
    unsigned i;

    reader_register(tale, bus);
    for (i = 0; i < FEW(5000); i++)
        block(tale, bus, "flood", "[0, 1000]");
    for (i = 0; i < FEW(20); i++)
        block(tale, bus, "flood", "[100, 1000000]");
}

static void block_in_property(Tale *tale, sd_bus *bus)
{
    char *version = NULL;

    must(sd_bus_get_property_string(bus, FIXTURE_NAME, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "Version", NULL, &version));
    g_assert_cmpstr(version, ==, PACKAGE_VERSION);
    free(version);
    tale_note(tale, &tale->n_answers);
}

static void block_in_properties(Tale *tale)
{
    sd_bus *bus = reader_connect(tale);
    unsigned i;

    reader_register(tale, bus);
    for (i = 0; i < 3000; i++)
        block_in_property(tale, bus);
    block(tale, bus, "flood", "[1000, 10]");
    block_in_property(tale, bus);
}

/* An earlier call of it is still pending. */
static void block_beside_another(Tale *tale)
{
    sd_bus *bus = reader_connect(tale);

    reader_register(tale, bus);
    send_off(tale, bus, reader_new_call(bus, "Invoke", "ss", "slow", "[]"));
    block(tale, bus, "flood", "[3000, 10]");
}

/* The library's own, which reads and answers while it blocks. */
static void block_in_send_sync(Tale *tale)
{
    ipc_renderer *renderer;
    sd_bus *bus = reader_connect(tale);
    unsigned i;

    must(ipc_renderer_new(&renderer, bus, FIXTURE_NAME));
    for (i = 0; i < 3; i++) {
        must(ipc_renderer_send_syncf(renderer, "flood-sync", NULL, NULL, "ii", 3000, 10));
        tale_note(tale, &tale->n_answers);
    }
}

static void on_flood_sync(ipc_event *event, json_t *args, void *userdata)
{
    ipc_web_contents *contents = ipc_sender_get_web_contents(ipc_event_get_sender(event));
    g_autofree char *filling = g_strnfill(KIB, 'x');
    json_int_t i;

    (void)userdata;
    for (i = 0; i < json_integer_value(json_array_get(args, 0)); i++)
        must(ipc_web_contents_sendf(contents, "n", "s", filling));
    must(ipc_event_return(event, args));
}

typedef struct Blocking {
    ReaderRun run;
    unsigned n_answers;
} Blocking;

static void test_blocking(gconstpointer data)
{
    const Blocking *blocking = data;
    unsigned n_sent;
    g_autoptr(Fixture) f = set_scene(&n_sent);
    Reader *reader;

    must(ipc_main_on(f->main, NULL, "flood-sync", on_flood_sync, NULL));
    keep(f, "slow");
    reader = reader_start(f, blocking->run);
    wait_until(f, reader->tale->n_answers == blocking->n_answers);
    assert_innocent(renderer_new(f), 3);
}

/* ---- callers that never read ---- */

static void send_call(Tale *tale, sd_bus *bus, const char *member, const char *args)
{
    send_off(tale, bus, reader_new_call(bus, member, "ss", "flood", args));
}

/* What they take from others shall be their place on the bus, not the processor. */
static sd_bus *connect_to_flood(Tale *tale)
{
    sd_bus *bus = reader_connect(tale);

    g_assert_cmpint(setpriority(PRIO_PROCESS, 0, 15), ==, 0);
    reader_register(tale, bus);
    return bus;
}

static G_GNUC_NORETURN void never_read(void)
{
    for (;;)
        pause();
}

static void flood_invokes(Tale *tale)
{
    sd_bus *bus = connect_to_flood(tale);
    unsigned i;

    for (i = 0; i < FEW(1500); i++)
        send_call(tale, bus, "Invoke", "[0, 1000]");
    never_read();
}

/*
 * Each call after the answer to the last has come, which it does not read. If other processes kept it from its next call
 * for long, it would be one that waits for its answer, and get more than this bus can hold: so it is as quick as others.
 */
static void flood_slowly(Tale *tale)
{
    sd_bus *bus = reader_connect(tale);
    unsigned i;

    reader_register(tale, bus);
    for (i = 0; i < FEW(2000); i++) {
        send_call(tale, bus, "Invoke", "[0, 1000]");
        g_usleep(200);
    }
    never_read();
}

static void flood_refused(Tale *tale)
{
    sd_bus *bus = connect_to_flood(tale);
    unsigned i;

    for (i = 0; i < FEW(2000); i++)
        send_call(tale, bus, "Nothing", "");
    never_read();
}

static void send_get(Tale *tale, sd_bus *bus, const char *member)
{
    sd_bus_message *call;

    must(sd_bus_message_new_method_call(bus, &call, FIXTURE_NAME, IPC_MAIN_PATH, "org.freedesktop.DBus.Properties",
                                        member));
    must(sd_bus_message_append(call, "s", IPC_MAIN_INTERFACE));
    if (strcmp(member, "Get") == 0)
        must(sd_bus_message_append(call, "s", "Version"));
    send_off(tale, bus, call);
}

static void flood_properties(Tale *tale)
{
    sd_bus *bus = connect_to_flood(tale);
    unsigned i;

    for (i = 0; i < FEW(2000); i++)
        send_get(tale, bus, i % 2 == 0 ? "Get" : "GetAll");
    never_read();
}

typedef struct Flood {
    ReaderRun run;
    unsigned n_calls;
} Flood;

/* Bytes on the bus that the readers have not read. */
static guint64 count_unread(Reader **readers, unsigned n)
{
    ipc_web_contents *contents;
    guint64 bytes = 0;
    unsigned i;

    for (i = 0; i < n; i++) {
        contents = ipc_web_contents_from_id(readers[i]->fixture->app, readers[i]->tale->id);
        bytes += ipc_web_contents_get_sender(contents)->window.unread;
    }
    return bytes;
}

static unsigned count_called(Reader **readers, unsigned n)
{
    unsigned i, n_called = 0;

    for (i = 0; i < n; i++)
        n_called += readers[i]->tale->n_called;
    return n_called;
}

/* Ten of them, and one who suffers nothing. */
static void test_flood(gconstpointer data)
{
    const Flood *flood = data;
    unsigned n_sent, i;
    g_autoptr(Fixture) f = set_scene(&n_sent);
    Client *innocent = renderer_new(f);
    Reader *readers[10];

    must(ipc_renderer_set_timeout(innocent->renderer, (uint64_t)patience()));
    for (i = 0; i < G_N_ELEMENTS(readers); i++)
        readers[i] = reader_start(f, flood->run);
    while (count_called(readers, G_N_ELEMENTS(readers)) < 10 * flood->n_calls)
        assert_innocent(innocent, 1);
    /* What was written has arrived when the innocent one has had its turn a few more times. */
    assert_innocent(innocent, 200);

    /* Together they were given no more than fits on this bus, whatever they have called for. */
    g_assert_cmpuint(count_unread(readers, G_N_ELEMENTS(readers)), >=, 10 * WINDOW);
    g_assert_cmpuint(count_unread(readers, G_N_ELEMENTS(readers)), <=, 10 * 4 * WINDOW);
}

/* Who reads at last has all its answers. */
static void read_at_last(Tale *tale, sd_bus *bus)
{
    sd_bus_message *message = NULL;
    uint64_t cookie;

    for (;;) {
        if (must(sd_bus_process(bus, &message)) == 0)
            must(sd_bus_wait(bus, UINT64_MAX));
        else if (message && sd_bus_message_get_reply_cookie(message, &cookie) >= 0)
            tale_note(tale, sd_bus_message_is_method_error(message, NULL) > 0 ? &tale->n_errors : &tale->n_answers);
        message = sd_bus_message_unref(message);
    }
}

static void call_then_read(Tale *tale)
{
    sd_bus *bus = reader_connect(tale);
    unsigned i;

    reader_register(tale, bus);
    for (i = 0; i < 300; i++) {
        send_call(tale, bus, "Invoke", "[0, 1000]");
        send_get(tale, bus, "Get");
        send_call(tale, bus, "Nothing", "");
    }
    read_at_last(tale, bus);
}

static void test_reading_at_last(void)
{
    unsigned n_sent;
    g_autoptr(Fixture) f = set_scene(&n_sent);
    Reader *reader = reader_start(f, call_then_read);

    wait_until(f, reader->tale->n_answers == 600 && reader->tale->n_errors == 300);
}

static void call_too_often_then_read(Tale *tale)
{
    sd_bus *bus = reader_connect(tale);
    unsigned i;

    reader_register(tale, bus);
    for (i = 0; i < 10000; i++)
        send_call(tale, bus, "Invoke", "[0, 100]");
    read_at_last(tale, bus);
}

/* Each call has its answer, if only a refusal. */
static void test_too_many_unread(void)
{
    unsigned n_sent;
    g_autoptr(Fixture) f = set_scene(&n_sent);
    Reader *reader = reader_start(f, call_too_often_then_read);
    Tale *tale = reader->tale;

    wait_until(f, tale->n_called == 10000 && tale->n_answers + tale->n_errors == 10000);
    g_assert_cmpuint(tale->n_answers, >=, IPC_UNREAD_ANSWERS_MAX);
    assert_innocent(renderer_new(f), 3);
}

static void add_blocking(const char *path, ReaderRun run, unsigned n_answers)
{
    Blocking *blocking = g_new0(Blocking, 1);

    *blocking = (Blocking){ run, n_answers };
    g_test_add_data_func_full(path, blocking, test_blocking, g_free);
}

static void add_flood(const char *path, ReaderRun run, unsigned n_calls)
{
    Flood *flood = g_new0(Flood, 1);

    *flood = (Flood){ run, n_calls };
    g_test_add_data_func_full(path, flood, test_flood, g_free);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_blocking("/window-callers/block", block_once, 1);
    add_blocking("/window-callers/block-for-much", block_for_much, 1);
    add_blocking("/window-callers/block-often", block_often, FEW(5000) + FEW(20));
    add_blocking("/window-callers/block-in-properties", block_in_properties, 3002);
    add_blocking("/window-callers/block-beside-another", block_beside_another, 1);
    add_blocking("/window-callers/block-in-send-sync", block_in_send_sync, 3);
    add_flood("/window-callers/flood-invokes", flood_invokes, FEW(1500));
    add_flood("/window-callers/flood-slowly", flood_slowly, FEW(2000));
    add_flood("/window-callers/flood-refused", flood_refused, FEW(2000));
    add_flood("/window-callers/flood-properties", flood_properties, FEW(2000));
    g_test_add_func("/window-callers/reading-at-last", test_reading_at_last);
    g_test_add_func("/window-callers/too-many-unread", test_too_many_unread);
    return g_test_run();
}
