/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "fixture-reader.h"

/* One that does not read hurts nobody else, and loses nothing that was accepted for it. */

#define KIB 1024u
#define MIB (1024u * KIB)
#define WINDOW IPC_WINDOW_BYTES
#define QUEUE IPC_QUEUE_BYTES_MAX

/* ---- verbs ---- */

static int send_numbered(ipc_web_contents *contents, unsigned number, size_t size)
{
    g_autofree char *filling = g_strnfill(size, 'x');

    return ipc_web_contents_sendf(contents, "n", "is", number, filling);
}

/* Sends up to n messages of a size until one is refused; the answer is how many were accepted. */
static unsigned send_many(ipc_web_contents *contents, unsigned first, unsigned n, size_t size)
{
    unsigned i;
    int r;

    for (i = 0; i < n; i++) {
        r = send_numbered(contents, first + i, size);
        if (r < 0) {
            must_fail(r, ENOBUFS);
            break;
        }
    }
    return i;
}

static guint64 get_number(Client *c, uint32_t id, const char *property)
{
    g_autofree char *path = g_strdup_printf("%s/%u", IPC_WEB_CONTENTS_PATH, id);
    guint64 number;

    assert_replied(get_property(c, path, IPC_WEB_CONTENTS_INTERFACE, property), "v", "t", &number);
    return number;
}

static void assert_innocent(Client *c, unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++)
        assert_resolved(invoke(c, "add", "[1,2]"), "3");
}

/* All that was accepted has come, once and in order, and no more. */
static void assert_all_came(Reader *reader, unsigned n)
{
    Tale *tale = reader->tale;

    wait_until(reader->fixture, tale->n_messages >= n);
    settle(reader->fixture);
    g_assert_cmpuint(tale->n_messages, ==, n);
    g_assert_false(tale->is_disorder);
}

/* ---- one that is stopped ---- */

typedef struct Scene {
    const char *name;
    const char *bus_config; /* NULL: a dbus-broker */
    const char *broker_bytes;
    const ReaderRun *run;
} Scene;

static Fixture *set_scene(const Scene *scene)
{
    FixtureOptions options = { .bus_config = scene->bus_config };

    if (!*scene->run) {
        g_test_skip("there is no libdbus");
        return NULL;
    }
    if (!scene->bus_config) {
        options.bus = bus_new_broker(scene->broker_bytes);
        if (!options.bus) {
            g_test_skip("there is no dbus-broker");
            return NULL;
        }
    }
    return fixture_new_with(&options);
}

static void test_stopped(gconstpointer data)
{
    g_autoptr(Fixture) f = set_scene(data);
    unsigned i, n = 0, n_rounds = is_slow() ? 2 : 10;
    Client *innocent, *watcher;
    Reader *reader;

    if (!f)
        return;
    answer(f, "add", "3");
    innocent = renderer_new(f);
    watcher = foreign_new(f);
    reader = reader_new(f, *((const Scene *)data)->run);
    reader_stop(reader);
    for (i = 0; i < n_rounds; i++) {
        n += send_many(contents_of_reader(reader), n, 1000, KIB);
        assert_innocent(innocent, 3);
    }
    g_assert_cmpuint(n, ==, n_rounds * 1000);
    g_assert_cmpuint(get_number(watcher, reader->tale->id, "BytesQueued"), >, n * KIB);
    reader_continue(reader);
    assert_all_came(reader, n);
    g_assert_cmpuint(get_number(watcher, reader->tale->id, "BytesQueued"), ==, 0);
    g_assert_cmpuint(get_number(watcher, reader->tale->id, "MessagesSent"), ==, n + 1);
}

/* What is refused was refused to the sender, and all else arrives. */
static void test_full(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .bus_config = BUS_LIMITS_SMALL });
    Client *innocent = renderer_new(f);
    Reader *reader = reader_new(f, read_by_sd_bus);
    ipc_web_contents *contents = contents_of_reader(reader);
    unsigned n, m;

    answer(f, "add", "3");
    reader_stop(reader);
    n = send_many(contents, 0, UINT32_MAX, 64 * KIB);
    g_assert_cmpuint(n, >=, QUEUE / (65 * KIB));
    g_assert_cmpuint(n, <=, (QUEUE + 2 * WINDOW) / (64 * KIB));
    must_fail(send_numbered(contents, n, 64 * KIB), ENOBUFS);
    n += send_many(contents, n, UINT32_MAX, 0);
    must_fail(ipc_app_broadcastf(f->app, "n", "is", n, "much"), ENOBUFS);
    assert_rejected(call(foreign_new_registered(f), "SendTo", "uss", reader->tale->id, "n", "[0]"),
                    IPC_ERROR_QUEUE_FULL, NULL);
    assert_innocent(innocent, 10);
    reader_continue(reader);
    assert_all_came(reader, n);
    m = send_many(contents, n, 10, KIB);
    g_assert_cmpuint(m, ==, 10);
    assert_all_came(reader, n + m);
}

static void test_again_and_again(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .bus_config = BUS_LIMITS_SMALL });
    Reader *reader = reader_new(f, read_by_sd_bus);
    unsigned i, n = 0;

    for (i = 0; i < 10; i++) {
        reader_stop(reader);
        n += send_many(contents_of_reader(reader), n, 300 * i, KIB);
        settle(f);
        reader_continue(reader);
        if (i % 2 == 0)
            wait_until(f, reader->tale->n_messages == n);
    }
    assert_all_came(reader, n);
}

/* It dies with all that waits for it. */
static void test_killed(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .bus_config = BUS_LIMITS_SMALL });
    Client *innocent = renderer_new(f);
    Reader *reader = reader_new(f, read_by_sd_bus);
    ipc_web_contents *contents = ipc_web_contents_ref(contents_of_reader(reader));

    answer(f, "add", "3");
    reader_stop(reader);
    send_many(contents, 0, 5000, KIB);
    settle(f);
    reader_kill(reader);
    wait_until(f, ipc_web_contents_is_destroyed(contents));
    must_fail(send_numbered(contents, 0, KIB), ENOTCONN);
    ipc_web_contents_unref(contents);
    assert_innocent(innocent, 10);
}

/* More of them than may be asked at a time. */
static void test_many_stopped(void)
{
    enum { MANY = IPC_PINGS_MAX + 6 };
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .bus_config = BUS_LIMITS_SYSTEM });
    Client *innocent = renderer_new(f);
    Client *frozen[MANY];
    unsigned i, j;

    answer(f, "add", "3");
    for (i = 0; i < MANY; i++) {
        frozen[i] = foreign_new_registered(f);
        freeze(frozen[i]);
    }
    for (i = 0; i < MANY; i++)
        send_many(ipc_web_contents_from_id(f->app, i + 2), 0, 6, 100 * KIB);
    assert_innocent(innocent, 10);
    for (i = 0; i < MANY; i++)
        thaw(frozen[i]);
    for (i = 0; i < MANY; i++)
        for (j = 0; j < 6; j++)
            expect_message(frozen[i], "n", NULL, 0);
}

/* ---- who is asked ---- */

static void test_pings(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Reader *reader = reader_new(f, read_by_sd_bus);
    ipc_web_contents *contents = contents_of_reader(reader);
    unsigned each = WINDOW / (KIB + IPC_MESSAGE_OVERHEAD), n;

    /* Nothing for as little as a window, then one for each. */
    n = send_many(contents, 0, each - 1, KIB);
    assert_all_came(reader, n);
    g_assert_cmpuint(reader->tale->n_pings, ==, 0);
    n += send_many(contents, n, 2, KIB);
    assert_all_came(reader, n);
    g_assert_cmpuint(reader->tale->n_pings, ==, 1);
    n += send_many(contents, n, 10 * each, KIB);
    assert_all_came(reader, n);
    g_assert_cmpuint(reader->tale->n_pings, >=, 10);
    g_assert_cmpuint(reader->tale->n_pings, <=, 11);
}

/* Small ones count, too. */
static void test_pings_for_small_ones(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Reader *reader = reader_new(f, read_by_sd_bus);
    unsigned n;

    n = send_many(contents_of_reader(reader), 0, WINDOW / IPC_MESSAGE_OVERHEAD, 0);
    assert_all_came(reader, n);
    g_assert_cmpuint(reader->tale->n_pings, ==, 1);
}

static void forge_answers(Client *liar, const char *to)
{
    uint64_t cookie;

    for (cookie = 1; cookie < 1000; cookie++) {
        sd_bus_message *call, *reply;

        must(sd_bus_message_new_method_call(liar->bus, &call, NULL, "/", "org.freedesktop.DBus.Peer", "Ping"));
        must(sd_bus_message_seal(call, cookie, 0));
        must(sd_bus_message_new_method_return(call, &reply));
        must(sd_bus_message_set_destination(reply, to));
        must(sd_bus_send(liar->bus, reply, NULL));
        sd_bus_message_unref(reply);
        sd_bus_message_unref(call);
    }
}

/* Nobody answers for another. */
static void test_forged_answers(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *liar = foreign_new(f), *watcher = foreign_new(f);
    Reader *reader = reader_new(f, read_by_sd_bus);
    guint64 before;
    const char *name;
    unsigned n;

    must(sd_bus_get_unique_name(ipc_app_get_bus(f->app), &name));
    reader_stop(reader);
    n = send_many(contents_of_reader(reader), 0, 1000, KIB);
    settle(f);
    before = get_number(watcher, reader->tale->id, "BytesQueued");
    g_assert_cmpuint(before, >, 0);
    forge_answers(liar, name);
    settle(f);
    g_assert_cmpuint(get_number(watcher, reader->tale->id, "BytesQueued"), ==, before);
    reader_continue(reader);
    assert_all_came(reader, n);
}

/* ---- large messages ---- */

/* One that is frozen is not given more than fits into its window, however little it had before. */
static void test_large_to_stopped(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *frozen[5], *reading = foreign_new_registered(f), *watcher = foreign_new(f);
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(frozen); i++) {
        frozen[i] = foreign_new_registered(f);
        freeze(frozen[i]);
        g_assert_cmpuint(send_many(ipc_web_contents_from_id(f->app, i + 2), 0, 1, 15 * MIB), ==, 1);
    }
    settle(f);
    for (i = 0; i < G_N_ELEMENTS(frozen); i++)
        g_assert_cmpuint(get_number(watcher, i + 2, "BytesQueued"), >, 15 * MIB);
    /* 75 MiB wait, and nobody else does. */
    for (i = 0; i < 2; i++) {
        g_assert_cmpuint(send_many(contents_of(reading), 0, 1, 15 * MIB), ==, 1);
        expect_message(reading, "n", NULL, 0);
    }
    thaw(frozen[0]);
    expect_message(frozen[0], "n", NULL, 0);
}

static void test_large_among_small(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .bus_config = BUS_LIMITS_SYSTEM });
    Reader *reader = reader_new(f, read_by_sd_bus);
    ipc_web_contents *contents = contents_of_reader(reader);
    unsigned i;

    for (i = 0; i < 60; i++) {
        must(send_numbered(contents, i, i % 3 == 0 ? MIB : i % 3 == 1 ? WINDOW : 10));
        if (i % 7 == 0)
            settle(f);
    }
    assert_all_came(reader, i);
}

/* ---- all together ---- */

/* More than all may have unread, to those who read, none of whom gets a window's worth. */
static void test_all_together(void)
{
    enum { MANY = 400, EACH = 200 * KIB };
    g_autoptr(Fixture) f = fixture_new();
    g_autofree Client **clients = g_new(Client *, MANY);
    unsigned i;

    for (i = 0; i < MANY; i++)
        clients[i] = foreign_new_registered(f);
    for (i = 0; i < MANY; i++)
        must(send_numbered(ipc_web_contents_from_id(f->app, i + 1), 0, EACH));
    for (i = 0; i < MANY; i++)
        expect_message(clients[i], "n", NULL, 0);
}

/* ---- being told ---- */

static void test_warning(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Reader *reader = reader_new(f, read_by_sd_bus);
    g_autofree char *beginning = NULL;
    unsigned n;

    reader_stop(reader);
    n = send_many(contents_of_reader(reader), 0, 1000, KIB);
    wait_until(f, f->warnings->len > 0);
    beginning = g_strdup_printf("Renderer %u (", reader->tale->id);
    g_assert_true(g_str_has_prefix(f->warnings->pdata[0], beginning));
    g_free(beginning);
    beginning = g_strdup_printf(", process %d) does not read: ", reader->pid);
    g_assert_nonnull(strstr(f->warnings->pdata[0], beginning));

    /* Once until it has read all, however much more waits. */
    n += send_many(contents_of_reader(reader), n, 5000, KIB);
    settle(f);
    g_assert_cmpuint(f->warnings->len, ==, 1);
    reader_continue(reader);
    assert_all_came(reader, n);
    g_assert_cmpuint(f->warnings->len, ==, 1);
}

static void send_more(const char *message, void *userdata)
{
    ipc_web_contents *contents = userdata;

    (void)message;
    must(ipc_web_contents_send(contents, "n", NULL));
    must_fail(ipc_app_process(ipc_web_contents_get_app(contents)), EBUSY);
}

static void test_warned_ones_may_send(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Reader *reader = reader_new(f, read_by_sd_bus);
    ipc_web_contents *contents = contents_of_reader(reader);

    must(ipc_app_on_warning(f->app, NULL, send_more, contents));
    reader_stop(reader);
    send_many(contents, 0, 600, 64 * KIB);
    wait_until(f, f->warnings->len == 1);
    settle(f);
    g_assert_cmpuint(f->warnings->len, ==, 1);
}

/* ---- leaving ---- */

/* What was accepted is written, though somebody has not read it yet. */
static void test_stop(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Reader *reader = reader_new(f, read_by_sd_bus);
    unsigned n;

    reader_stop(reader);
    n = send_many(contents_of_reader(reader), 0, 3000, KIB);
    settle(f);
    main_stop(f);
    reader_continue(reader);
    wait_until(f, reader->tale->n_messages == n);
    g_assert_false(reader->tale->is_disorder);
}

static void add_stopped(const char *name, const char *config, const char *broker_bytes, const ReaderRun *run)
{
    Scene *scene = g_new0(Scene, 1);

    *scene = (Scene){ name, config, broker_bytes, run };
    g_test_add_data_func_full(name, scene, test_stopped, g_free);
}

/* One that takes too long where everything is slow. */
static void add_large(const char *path, void (*test)(void))
{
    if (!is_slow())
        g_test_add_func(path, test);
}

static const ReaderRun by_sd_bus = read_by_sd_bus, by_gdbus = read_by_gdbus;

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_stopped("/window/stopped/small/sd-bus", BUS_LIMITS_SMALL, NULL, &by_sd_bus);
    add_stopped("/window/stopped/small/gdbus", BUS_LIMITS_SMALL, NULL, &by_gdbus);
    add_stopped("/window/stopped/small/libdbus", BUS_LIMITS_SMALL, NULL, &read_by_libdbus);
    add_stopped("/window/stopped/session/sd-bus", BUS_LIMITS_SESSION, NULL, &by_sd_bus);
    add_stopped("/window/stopped/system/libdbus", BUS_LIMITS_SYSTEM, NULL, &read_by_libdbus);
    add_stopped("/window/stopped/broker-small/sd-bus", NULL, "10000000", &by_sd_bus);
    add_stopped("/window/stopped/broker/gdbus", NULL, "536870912", &by_gdbus);
    add_large("/window/full", test_full);
    g_test_add_func("/window/again-and-again", test_again_and_again);
    g_test_add_func("/window/killed", test_killed);
    add_large("/window/many-stopped", test_many_stopped);
    g_test_add_func("/window/pings", test_pings);
    g_test_add_func("/window/pings-for-small-ones", test_pings_for_small_ones);
    g_test_add_func("/window/forged-answers", test_forged_answers);
    add_large("/window/large-to-stopped", test_large_to_stopped);
    g_test_add_func("/window/large-among-small", test_large_among_small);
    add_large("/window/all-together", test_all_together);
    add_large("/window/warning", test_warning);
    add_large("/window/warned-ones-may-send", test_warned_ones_may_send);
    g_test_add_func("/window/stop", test_stop);
    return g_test_run();
}
