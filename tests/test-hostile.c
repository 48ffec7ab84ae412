/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <gio/gio.h>
#include <gio/gunixfdlist.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "fixture-reader.h"
#include "macro.h"

/* What others on the bus may try: main refuses it in words, keeps nothing of it, and goes on. */

#define NOBODY 65534

/* ---- verbs ---- */

static void assert_alive(Fixture *f)
{
    Client *c = foreign_new(f);

    assert_resolved(invoke(c, "add", "[1,2]"), "3");
    leave(c);
}

static unsigned count_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned n = 0;

    g_assert_nonnull(folder);
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

static unsigned count_peers(Fixture *f)
{
    unsigned n = 0;
    Peer *peer;

    TAILQ_FOREACH(peer, &f->app->peers.list, link)
        n++;
    return n;
}

static const char *main_name(Fixture *f)
{
    const char *name;

    must(sd_bus_get_unique_name(ipc_app_get_bus(f->app), &name));
    return name;
}

/* ---- wrong objects ---- */

static void test_wrong_objects(void)
{
    static const char *const paths[] = {
        "/", "/org/ipcbus", "/org/ipcbus/Main/", "/org/ipcbus/Main/x", "/org/ipcbus/main", IPC_WEB_CONTENTS_PATH,
        IPC_WEB_CONTENTS_PATH "/1", IPC_WEB_CONTENTS_PATH "/01", IPC_WEB_CONTENTS_PATH "/1/1",
        IPC_WEB_CONTENTS_PATH "/4294967297", IPC_WEB_CONTENTS_PATH "/1x", IPC_WEB_CONTENTS_PATH "/99999999999999999999",
    };
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);
    size_t i;

    answer(f, "add", "3");
    for (i = 0; i < G_N_ELEMENTS(paths); i++) {
        if (!sd_bus_object_path_is_valid(paths[i]))
            continue;
        g_assert_nonnull(await(call_object(c, paths[i], IPC_MAIN_INTERFACE, "Send", "ss", "x", "[]"))->error.name);
        g_assert_nonnull(await(call_object(c, paths[i], NULL, "Register", "a{sv}", 0))->error.name);
        if (strcmp(paths[i], IPC_WEB_CONTENTS_PATH "/1") != 0)
            g_assert_nonnull(await(get_property(c, paths[i], IPC_WEB_CONTENTS_INTERFACE, "Id"))->error.name);
    }
    assert_alive(f);
}

static void test_wrong_members(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    answer(f, "add", "3");
    assert_rejected(call(c, "send", "ss", "x", "[]"), SD_BUS_ERROR_UNKNOWN_METHOD, NULL);
    assert_rejected(call(c, "Message", "ssu", "x", "[]", 1), SD_BUS_ERROR_UNKNOWN_METHOD, NULL);
    assert_rejected(call_object(c, IPC_MAIN_PATH, "org.example.Other", "Send", "ss", "x", "[]"),
                    SD_BUS_ERROR_UNKNOWN_METHOD, NULL);
    assert_alive(f);
}

/* ---- files where none belong ---- */

static void send_with_files(GDBusConnection *connection, const char *member, GVariant *body)
{
    g_autoptr(GDBusMessage) message = g_dbus_message_new_method_call(FIXTURE_NAME, IPC_MAIN_PATH, IPC_MAIN_INTERFACE,
                                                                     member);
    g_autoptr(GUnixFDList) files = g_unix_fd_list_new();
    int i;

    for (i = 0; i < 4; i++)
        g_assert_cmpint(g_unix_fd_list_append(files, STDERR_FILENO, NULL), ==, i);
    g_dbus_message_set_unix_fd_list(message, files);
    g_dbus_message_set_body(message, body);
    if (strcmp(member, "Send") == 0)
        g_dbus_message_set_flags(message, G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);
    g_assert_true(g_dbus_connection_send_message(connection, message, 0, NULL, NULL));
}

/* Files that no argument names, files instead of arguments, and files behind them. */
static GDBusConnection *connect_gdbus(const char *address)
{
    GDBusConnection *connection = g_dbus_connection_new_for_address_sync(
        address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL,
        NULL, NULL);

    g_assert_nonnull(connection);
    return connection;
}

static void send_files(Tale *tale)
{
    g_autoptr(GDBusConnection) connection = connect_gdbus(tale->address);
    int i;

    for (i = 0; i < 500; i++) {
        send_with_files(connection, "Send", g_variant_new("(ss)", "x", "[]"));
        send_with_files(connection, "Send", g_variant_new("(hh)", 0, 1));
        send_with_files(connection, "Send", g_variant_new("(ssh)", "x", "[]", 2));
    }
    g_assert_true(g_dbus_connection_flush_sync(connection, NULL, NULL));
    tale_note(tale, &tale->n_called);
    pause();
}

static void test_files(void)
{
    g_autoptr(Fixture) f = fixture_new();
    unsigned before;
    Reader *reader;

    answer(f, "add", "3");
    hear(f, "x");
    assert_alive(f);
    reader = reader_start(f, send_files);
    before = count_fds();
    wait_until(f, f->heard.length == 500 && reader->tale->n_called == 1);
    assert_alive(f);
    g_assert_cmpuint(count_fds(), ==, before);
}

/* Calls that wait for their answers do not hold them. */
static void call_with_files(Tale *tale)
{
    g_autoptr(GDBusConnection) connection = connect_gdbus(tale->address);
    int i;

    for (i = 0; i < 50; i++) {
        send_with_files(connection, "Invoke", g_variant_new("(ss)", "x", "[]"));
        send_with_files(connection, "SendSync", g_variant_new("(ss)", "x", "[]"));
    }
    pause();
}

static void test_files_of_waiting_calls(void)
{
    g_autoptr(Fixture) f = fixture_new();
    unsigned before;

    answer(f, "add", "3");
    keep(f, "x");
    keep_events(f, "x");
    assert_alive(f);
    reader_start(f, call_with_files);
    before = count_fds();
    wait_until(f, f->kept.length == 50 && f->kept_events.length == 50);
    assert_alive(f);
    g_assert_cmpuint(count_fds(), ==, before);
}

#define N_PINGS 1000        /* more than are answered to one who does not read */
#define PING_BYTES 1000000u /* of what one of them brings along */

static void ping(sd_bus *bus, const char *types, ...)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    va_list arguments;
    uint64_t cookie; /* without it, no reply would be expected */

    must(sd_bus_message_new_method_call(bus, &message, FIXTURE_NAME, "/", "org.freedesktop.DBus.Peer", "Ping"));
    va_start(arguments, types);
    must(sd_bus_message_appendv(message, types, arguments));
    va_end(arguments);
    must(sd_bus_send(bus, message, &cookie));
}

static void ping_with_files(Tale *tale)
{
    g_autofree char *word = g_strnfill(PING_BYTES, 'x');
    sd_bus *bus;
    int i;

    must(sd_bus_new(&bus));
    must(sd_bus_set_address(bus, tale->address));
    must(sd_bus_set_bus_client(bus, true));
    must(sd_bus_start(bus));
    for (i = 0; i < N_PINGS; i++)
        ping(bus, "");
    must(sd_bus_flush(bus));
    for (i = 0; i < 20; i++)
        ping(bus, "hhhh", 2, 2, 2, 2);
    ping(bus, "as", 1, word);
    must(sd_bus_flush(bus));
    pause();
}

/* Everyone may ping, so everyone's pings may wait: neither files nor what nobody reads. */
static void test_files_of_waiting_pings(void)
{
    g_autoptr(Fixture) f = fixture_new();
    const Peer *peer = NULL;
    unsigned before;

    answer(f, "add", "3");
    assert_alive(f);
    reader_start(f, ping_with_files);
    before = count_fds();
    wait_until(f, (peer = TAILQ_FIRST(&f->app->peers.list)) && peer->queue.n_answers > 0);
    settle(f);
    wait_until(f, count_fds() == before);
    assert_alive(f);
    g_assert_cmpuint(peer->queue.bytes, <, PING_BYTES);
}

/* ---- forged words of the bus ---- */

static void forge_credentials(Client *liar, const char *to)
{
    uint64_t cookie;

    for (cookie = 1; cookie < 300; cookie++) {
        sd_bus_message *call, *reply;

        must(sd_bus_message_new_method_call(liar->bus, &call, NULL, "/", "org.example.Lie", "Lie"));
        must(sd_bus_message_seal(call, cookie, 0));
        must(sd_bus_message_new_method_return(call, &reply));
        must(sd_bus_message_append(reply, "a{sv}", 2, "UnixUserID", "u", 0, "ProcessID", "u", 1));
        must(sd_bus_message_set_destination(reply, to));
        must(sd_bus_send(liar->bus, reply, NULL));
        sd_bus_message_unref(reply);
        sd_bus_message_unref(call);
    }
}

/* The answers of the liar are there before that of the bus. */
static void test_forged_credentials(void)
{
    g_autoptr(Fixture) f = NULL;
    Client *nobody, *liar;
    Outcome *o;

    if (getuid() != 0) {
        g_test_skip("only root may act as another user");
        return;
    }
    f = fixture_new();
    answer(f, "add", "3");
    nobody = foreign_new_as(f, NOBODY);
    liar = foreign_new_as(f, NOBODY);
    main_freeze(f);
    o = invoke_start(nobody, "add", "[1,2]");
    settle(f);
    forge_credentials(liar, main_name(f));
    settle(f);
    main_thaw(f);
    assert_rejected(o, IPC_ERROR_ACCESS_DENIED, NULL);
    assert_rejected(invoke(nobody, "add", "[1,2]"), IPC_ERROR_ACCESS_DENIED, NULL);
    assert_alive(f);
}

/* Nobody leaves because another says so. */
static void test_forged_leaving(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *liar = foreign_new(f);
    sd_bus_message *signal;

    must(sd_bus_message_new_signal(liar->bus, &signal, "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                   "NameOwnerChanged"));
    must(sd_bus_message_append(signal, "sss", client_name(r), client_name(r), ""));
    must(sd_bus_message_set_destination(signal, main_name(f)));
    must(sd_bus_send(liar->bus, signal, NULL));
    sd_bus_message_unref(signal);
    settle(f);
    must(ipc_web_contents_send(contents_of(r), "x", NULL));
    expect_message(r, "x", "[]", 0);
}

/* ---- guest tokens ---- */

static const char *new_token(Client *host)
{
    const char *token;

    assert_replied(call(host, "CreateWebview", ""), "s", &token);
    return token;
}

static void assert_token_refused(Fixture *f, const char *token)
{
    assert_rejected(call(foreign_new(f), "Register", "a{sv}", 1, "guest-token", "s", token), IPC_ERROR_INVALID_TOKEN,
                    NULL);
}

/* All but one are wrong, however near. */
static void test_near_tokens(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *host = foreign_new_registered(f);
    g_autofree char *token = g_strdup(new_token(host)), *guess = g_strdup(token);
    size_t i, length = strlen(token);

    for (i = 0; i < length; i++) {
        guess[i] = '\0';
        assert_token_refused(f, guess);
        guess[i] = token[i] == 'a' ? 'b' : 'a';
        assert_token_refused(f, guess);
        guess[i] = token[i];
    }
    assert_replied(call(foreign_new(f), "Register", "a{sv}", 1, "guest-token", "s", token), "u", NULL);
}

/* ---- many that come and go ---- */

/* Each registers and leaves; every third one leaves before it is answered. */
static void churn(Tale *tale)
{
    unsigned i, n = is_slow() ? 300 : 10000;
    uint64_t cookie;

    for (i = 0; i < n; i++) {
        sd_bus *bus = reader_connect(tale);
        sd_bus_message *call = reader_new_call(bus, "Register", "a{sv}", 0);

        if (i % 3 == 0) {
            must(sd_bus_send(bus, call, &cookie));
            must(sd_bus_flush(bus));
        } else {
            must(sd_bus_call(bus, call, (uint64_t)patience(), NULL, NULL));
        }
        sd_bus_message_unref(call);
        sd_bus_close_unref(bus);
    }
    tale_note(tale, &tale->n_called);
    pause();
}

static void test_churn(void)
{
    g_autoptr(Fixture) f = fixture_new();
    unsigned n_fds, n_peers;
    size_t n_bytes;
    Reader *reader;

    answer(f, "add", "3");
    assert_alive(f);
    settle(f);
    reader = reader_start(f, churn);
    n_fds = count_fds();
    n_peers = count_peers(f);
    n_bytes = mallinfo2().uordblks;
    wait_until(f, reader->tale->n_called == 1);
    settle(f);
    g_assert_cmpuint(count_peers(f), ==, n_peers);
    g_assert_cmpuint(count_fds(), ==, n_fds);
    g_assert_cmpuint(mallinfo2().uordblks, <, n_bytes + 64 * 1024);
    assert_alive(f);
}

/* ---- properties, read in a loop ---- */

static void send_read(sd_bus *bus, const char *interface, const char *member, const char *of)
{
    sd_bus_message *call;
    uint64_t cookie;

    must(sd_bus_message_new_method_call(bus, &call, FIXTURE_NAME, IPC_MAIN_PATH, interface, member));
    if (of)
        must(sd_bus_message_append(call, "s", of));
    must(sd_bus_send(bus, call, &cookie));
    sd_bus_message_unref(call);
}

/* All there is to read, over and over; what comes back it never looks at. */
static void read_properties(Tale *tale)
{
    unsigned i, n = is_slow() ? 200 : 10000;
    sd_bus *bus = reader_connect(tale);

    for (i = 0; i < n; i++) {
        send_read(bus, "org.freedesktop.DBus.Properties", "GetAll", IPC_MAIN_INTERFACE);
        send_read(bus, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL);
        send_read(bus, "org.freedesktop.DBus.Introspectable", "Introspect", NULL);
        must(sd_bus_flush(bus));
    }
    tale_note(tale, &tale->n_called);
    pause();
}

static void test_property_reads(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);
    unsigned i, n_peers;
    size_t n_bytes;
    Reader *reader;

    answer(f, "add", "3");
    for (i = 0; i < 20; i++)
        foreign_new_registered(f);
    assert_resolved(invoke(c, "add", "[1,2]"), "3");
    settle(f);
    n_peers = count_peers(f);
    n_bytes = mallinfo2().uordblks;
    reader = reader_start(f, read_properties);
    while (reader->tale->n_called == 0)
        assert_resolved(invoke(c, "add", "[1,2]"), "3");
    settle(f);
    g_assert_cmpuint(mallinfo2().uordblks, <, n_bytes + IPC_QUEUE_BYTES_MAX + 8 * 1024 * 1024);
    reader_kill(reader);
    wait_until(f, count_peers(f) == n_peers);
    g_assert_cmpuint(mallinfo2().uordblks, <, n_bytes + 1024 * 1024);
    assert_resolved(invoke(c, "add", "[1,2]"), "3");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hostile/wrong-objects", test_wrong_objects);
    g_test_add_func("/hostile/wrong-members", test_wrong_members);
    g_test_add_func("/hostile/files", test_files);
    g_test_add_func("/hostile/files-of-waiting-calls", test_files_of_waiting_calls);
    g_test_add_func("/hostile/files-of-waiting-pings", test_files_of_waiting_pings);
    g_test_add_func("/hostile/forged-credentials", test_forged_credentials);
    g_test_add_func("/hostile/forged-leaving", test_forged_leaving);
    g_test_add_func("/hostile/near-tokens", test_near_tokens);
    g_test_add_func("/hostile/churn", test_churn);
    g_test_add_func("/hostile/property-reads", test_property_reads);
    return g_test_run();
}
