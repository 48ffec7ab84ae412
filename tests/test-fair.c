/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app.h"
#include "fixture.h"
#include "lane-story.h"
#include "lane.h"
#include "macro.h"
#include "peer-lane.h"

/* Nobody takes more than a share of main: by the bus, by lanes, or before it is known who that is. */

#define KIB 1024u

/* ---- verbs ---- */

/* It does not read, and does what it is told by hand. */
typedef struct Mute {
    Fixture *fixture;
    Client *client;
    ipc_web_contents *contents;
    int fd; /* its lane */
    unsigned n_called;
} Mute;

static void mute_init(Mute *mute, Fixture *f)
{
    int fd;

    *mute = (Mute){ .fixture = f, .client = foreign_new_registered(f) };
    mute->contents = contents_of(mute->client);
    assert_replied(call(mute->client, "OpenLane", ""), "h", &fd);
    mute->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    g_assert_cmpint(mute->fd, >=, 0);
}

static PeerLane *lane_of(const Mute *mute)
{
    return mute->contents->peer->lane;
}

/* Calls until the socket takes no more. */
static void call_on(Mute *mute)
{
    Packet packet = { .verb = LANE_INVOKE, .channel = "add", .text = "[]", .length = 2, .text_fd = -1 };
    int r;

    do {
        packet.serial = mute->n_called;
        r = packet_send(mute->fd, &packet);
        mute->n_called += r >= 0;
    } while (r >= 0);
    g_assert_cmpint(r, ==, -EAGAIN);
}

/* The answers come in order, and each once. */
static void read_answers(Mute *mute)
{
    static char buffer[PACKET_BUFFER_SIZE];
    unsigned i;

    for (i = 0; i < mute->n_called; i++) {
        Packet packet;

        wait_until(mute->fixture, packet_receive(mute->fd, buffer, MSG_DONTWAIT, &packet) != 0);
        g_assert_cmpuint(packet.verb, ==, LANE_RESULT);
        g_assert_cmpuint(packet.serial, ==, i);
        packet_clear(&packet);
    }
}

/* ---- lanes ---- */

/* Until it is its own writing that has to wait. What it says on the bus would have its lane read. */
static void make_held(Mute *mute, Client *innocent)
{
    while (lane_of(mute)->n_unread < IPC_UNREAD_ANSWERS_MAX) {
        call_on(mute);
        assert_resolved(invoke(innocent, "add", "[]"), "3");
    }
    call_on(mute);
}

static void test_unread_answers(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *innocent = lane_renderer_new(f);
    unsigned n_called, i;
    Mute mute;

    answer(f, "add", "3");
    mute_init(&mute, f);
    make_held(&mute, innocent);
    n_called = mute.n_called;
    for (i = 0; i < 100; i++)
        assert_resolved(invoke(innocent, "add", "[]"), "3");
    call_on(&mute);
    g_assert_cmpuint(mute.n_called, ==, n_called);
    g_assert_cmpuint(lane_of(&mute)->n_unread, <, 2 * IPC_UNREAD_ANSWERS_MAX);
    read_answers(&mute);
    g_assert_cmpuint(lane_of(&mute)->n_unread, ==, 0);
    close(mute.fd);
}

/* Who only sends is heard, whatever it has not read. */
static void test_unread_messages(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Packet packet = { .verb = LANE_SEND, .channel = "x", .text = "[]", .length = 2, .text_fd = -1 };
    unsigned i;
    Mute mute;

    mute_init(&mute, f);
    hear(f, "x");
    for (i = 0; i < 2 * IPC_UNREAD_ANSWERS_MAX; i++)
        must(ipc_web_contents_sendf(mute.contents, "n", "i", i));
    g_assert_true(peer_lane_has_unwritten(mute.contents->peer));
    must(packet_send(mute.fd, &packet));
    expect_heard(f, "x", "[]", mute.contents->id);
    close(mute.fd);
}

static void test_vanish_unread(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *innocent = lane_renderer_new(f);
    Mute mute;
    uint32_t id;

    answer(f, "add", "3");
    mute_init(&mute, f);
    id = mute.contents->id;
    make_held(&mute, innocent);
    g_assert_cmpint(shutdown(mute.fd, SHUT_RDWR), ==, 0); /* the reply that brought it has it open, too */
    wait_until(f, !ipc_web_contents_from_id(f->app, id));
    assert_resolved(invoke(innocent, "add", "[]"), "3");
    close(mute.fd);
}

/* ---- a lane and the bus at once ---- */

/* What is sent without a reply has arrived when the bus has answered what came after it. */
static void send_many(Client *c, unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++)
        call_no_reply(c, "Send", "ss", "nobody", "[]");
    must(sd_bus_call_method(c->bus, "org.freedesktop.DBus", "/", "org.freedesktop.DBus.Peer", "Ping", NULL, NULL, ""));
}

static void test_bus_beside_lane(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Packet packet = { .verb = LANE_SEND, .channel = "x", .text = "[]", .length = 2, .text_fd = -1 };
    Client *c = foreign_new_registered(f);
    const Peer *peer = contents_of(c)->peer;
    uint64_t n_before;
    Mute mute;

    hear(f, "x");
    mute_init(&mute, f);
    must(ipc_app_detach_event(f->app));
    send_many(c, 100);
    must(packet_send(mute.fd, &packet));
    n_before = peer->n_received;
    while (g_queue_is_empty(&f->heard))
        g_assert_cmpint(must(ipc_app_process(f->app)), >, 0);
    g_assert_cmpuint(peer->n_received - n_before, <, 20);
    must(ipc_app_attach_event(f->app, f->event, 0));
    close(mute.fd);
}

/* ---- the bus ---- */

/* The bus reads nothing: most of what is sent stays where peers take turns. */
static void test_short_backlog(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *filling = g_strnfill(KIB, 'x');
    Client *c = foreign_new_registered(f);
    ipc_web_contents *contents = contents_of(c);
    uint64_t n_queued;
    unsigned i;

    settle(f);
    g_assert_cmpint(kill(f->bus->pid, SIGSTOP), ==, 0);
    for (i = 0; i < 150; i++)
        must(ipc_web_contents_sendf(contents, "n", "is", i, filling));
    must(sd_bus_get_n_queued_write(f->app->bus, &n_queued));
    g_assert_cmpuint(n_queued, <=, IPC_MAIN_BACKLOG_MESSAGES_MAX);
    g_assert_cmpuint(contents->peer->queue.bytes, >=, 80 * KIB);
    g_assert_cmpint(kill(f->bus->pid, SIGCONT), ==, 0);
    for (i = 0; i < 150; i++) {
        g_autofree char *args = g_strdup_printf("[%u, \"%s\"]", i, filling);

        expect_message(c, "n", args, 0);
    }
}

static void send_much(Client *c, unsigned n)
{
    g_autofree char *filling = g_strnfill(KIB, 'x');
    ipc_web_contents *contents = contents_of(c);
    unsigned i;

    for (i = 0; i < n; i++)
        must(ipc_web_contents_sendf(contents, "n", "s", filling));
}

static void expect_much(Client *c, unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++)
        expect_message(c, "n", NULL, 0);
}

/* There are more who do not answer than may be asked. */
static void test_many_frozen(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *innocent = renderer_new(f), *frozen[IPC_PINGS_MAX];
    unsigned i;

    send_much(innocent, 2 * IPC_WINDOW_BYTES / KIB);
    expect_much(innocent, 2 * IPC_WINDOW_BYTES / KIB);
    for (i = 0; i < G_N_ELEMENTS(frozen); i++) {
        frozen[i] = foreign_new_registered(f);
        send_much(frozen[i], IPC_WINDOW_BYTES / KIB);
        freeze(frozen[i]);
    }
    settle(f);
    send_much(innocent, 8 * IPC_WINDOW_BYTES / KIB);
    expect_much(innocent, 8 * IPC_WINDOW_BYTES / KIB);
    for (i = 0; i < G_N_ELEMENTS(frozen); i++) {
        thaw(frozen[i]);
        expect_much(frozen[i], IPC_WINDOW_BYTES / KIB);
    }
}

/* ---- before it is known who it is ---- */

static void test_waiting(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *filling = g_strnfill(30 * KIB, 'x'), *args = g_strdup_printf("[\"%s\"]", filling);
    Client *c = foreign_new(f);
    Outcome *outcomes[5];
    unsigned i;

    load_policy(f, "{\"default\": \"allow\", \"limits\": {\"queue-bytes\": 100000}}");
    main_freeze(f);
    for (i = 0; i < G_N_ELEMENTS(outcomes); i++)
        outcomes[i] = call_start(c, "Send", "ss", "x", args);
    send_many(c, 0);
    main_thaw(f);
    for (i = 0; i < 3; i++)
        assert_replied(outcomes[i], "");
    for (; i < G_N_ELEMENTS(outcomes); i++)
        assert_rejected(outcomes[i], IPC_ERROR_BUSY, NULL);
    g_assert_cmpuint(f->app->peers.list.tqh_first->queue.bytes, ==, 0);
    assert_replied(call(c, "Send", "ss", "x", args), "");
}

/* Whatever is in it, and if it is no method of ours. */
static void test_waiting_others(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *large = g_strnfill(60 * KIB, 'x');
    Client *c = foreign_new(f);
    Outcome *first, *second;

    load_policy(f, "{\"default\": \"allow\", \"limits\": {\"queue-bytes\": 100000}}");
    main_freeze(f);
    first = call_start(c, "Register", "a{sv}", 1, "unknown", "(sad)", large, 2, 1.5, 2.5);
    second = call_start(c, "Nothing", "v", "as", 2, "y", large);
    send_many(c, 0);
    main_thaw(f);
    assert_replied(first, "u", NULL);
    assert_rejected(second, IPC_ERROR_BUSY, NULL);
}

/* ---- who says that the bus is gone ---- */

static void forge_end(sd_bus *bus, const char *sender)
{
    sd_bus_message *message;

    must(sd_bus_message_new_signal(bus, &message, "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
                                   "Disconnected"));
    must(sd_bus_message_set_sender(message, sender));
    must(sd_bus_message_seal(message, 1, 0));
    must(sd_bus_enqueue_for_read(bus, message));
    sd_bus_message_unref(message);
}

static void test_forged_end(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f), *c = foreign_new(f);

    answer(f, "add", "3");
    forge_end(f->app->bus, client_name(c));
    forge_end(r->bus, client_name(c));
    assert_resolved(invoke(r, "add", "[]"), "3");
    g_assert_cmpint(ipc_renderer_get_state(r->renderer), ==, IPC_RENDERER_READY);
    g_assert_cmpuint(client_id(r), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fair/unread-answers", test_unread_answers);
    g_test_add_func("/fair/unread-messages", test_unread_messages);
    g_test_add_func("/fair/vanish-unread", test_vanish_unread);
    g_test_add_func("/fair/bus-beside-lane", test_bus_beside_lane);
    g_test_add_func("/fair/short-backlog", test_short_backlog);
    g_test_add_func("/fair/many-frozen", test_many_frozen);
    g_test_add_func("/fair/waiting", test_waiting);
    g_test_add_func("/fair/waiting-others", test_waiting_others);
    g_test_add_func("/fair/forged-end", test_forged_end);
    return g_test_run();
}
