/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "file.h"
#include "fixture-renderer.h"
#include "lane-story.h"
#include "lane.h"
#include "macro.h"
#include "wire.h"

/* Someone at the other end of a lane who does not keep the rules, in main's place or in a renderer's. */

/* ---- the hostile ---- */

typedef struct Hostile {
    Fixture *fixture;
    Client *client;  /* whose lane it is */
    Client *honest;
    int fd;
} Hostile;

static void hostile_init(Hostile *h, Fixture *f)
{
    int fd;

    h->fixture = f;
    h->client = foreign_new_registered(f);
    h->honest = lane_renderer_new(f);
    assert_replied(call(h->client, "OpenLane", ""), "h", &fd);
    h->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    g_assert_cmpint(h->fd, >=, 0);
}

/* Its renderer is forgotten, others are not. */
static void expect_cut_off(Hostile *h)
{
    char byte;

    wait_until(h->fixture, !ipc_web_contents_from_id(h->fixture->app, 1));
    while (recv(h->fd, &byte, 1, MSG_DONTWAIT) > 0)
        ;
    close(h->fd);
    assert_resolved(invoke(h->honest, "fast", "[]"), "1");
}

static void check_packet(const Packet *packet)
{
    g_autoptr(Fixture) f = fixture_new();
    Hostile h;

    answer(f, "fast", "1");
    hostile_init(&h, f);
    must(packet_send(h.fd, packet));
    expect_cut_off(&h);
}

static Packet packet_of(uint8_t verb)
{
    return (Packet){ .verb = verb, .serial = 1, .channel = "x", .text = "[]", .length = 2, .text_fd = -1 };
}

static void test_hostile_verbs(void)
{
    static const uint8_t verbs[] = { 0, 1, LANE_SEND - 1, LANE_MESSAGE, LANE_RESULT, LANE_ERROR, LANE_ERROR + 1, 255 };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(verbs); i++) {
        Packet packet = packet_of(verbs[i]);

        check_packet(&packet);
    }
}

static void test_hostile_fds(void)
{
    Packet packet = packet_of(LANE_SEND);

    packet.n_fds = 1;
    packet.fds[0] = STDERR_FILENO;
    check_packet(&packet);
}

static void test_hostile_file(void)
{
    Packet packet = packet_of(LANE_INVOKE);
    int fd = memfd_create("unsealed", MFD_CLOEXEC);

    packet.length = IPC_INLINE_MAX + 1;
    packet.text_fd = fd;
    check_packet(&packet);
    close(fd);
}

static void test_hostile_bytes(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Hostile h;

    answer(f, "fast", "1");
    hostile_init(&h, f);
    g_assert_cmpint(send(h.fd, "GET / HTTP/1.1\r\n", 16, MSG_NOSIGNAL), ==, 16);
    expect_cut_off(&h);
}

/* Rules that are kept, with contents that are refused: an answer, as on the bus, and the lane lives. */
static void expect_error(Hostile *h, const Packet *packet, const char *name)
{
    Wire wire;
    Packet received;
    ipc_error error = IPC_ERROR_INIT;

    must(packet_send(h->fd, packet));
    wire_init(&wire, dup(h->fd));
    wait_until(h->fixture, recv(h->fd, &(char){ 0 }, 1, MSG_DONTWAIT | MSG_PEEK) > 0);
    g_assert_cmpint(wire_receive(&wire, 0, &received), ==, 1);
    g_assert_cmpuint(received.verb, ==, LANE_ERROR);
    g_assert_cmpuint(received.serial, ==, packet->serial);
    must(lane_read_error(&received, &error));
    g_assert_cmpstr(error.name, ==, name);
    ipc_error_clear(&error);
    packet_clear(&received);
    wire_close(&wire);
}

static void test_refused(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Packet packet = packet_of(LANE_INVOKE);
    Hostile h;

    hostile_init(&h, f);
    expect_error(&h, &packet, IPC_ERROR_NO_HANDLER);
    packet.channel = "";
    expect_error(&h, &packet, IPC_ERROR_INVALID_CHANNEL);
    packet.channel = "\xff";
    expect_error(&h, &packet, IPC_ERROR_INVALID_CHANNEL);
    packet = packet_of(LANE_SEND_SYNC);
    packet.serial = 77;
    packet.text = "[}";
    expect_error(&h, &packet, IPC_ERROR_INVALID_ARGS);
    packet.text = "\"\xff";
    expect_error(&h, &packet, IPC_ERROR_INVALID_ARGS);
    packet.text = "{}";
    expect_error(&h, &packet, IPC_ERROR_INVALID_ARGS);
    packet.text = "[]";
    expect_error(&h, &packet, IPC_ERROR_NO_LISTENER);
    g_assert_cmpint(shutdown(h.fd, SHUT_RDWR), ==, 0); /* the reply that brought it has it open, too */
    close(h.fd);
    wait_until(f, !ipc_web_contents_from_id(f->app, 1));
}

/* ---- one that has always more to say ---- */

typedef struct Endless {
    Hostile hostile;
    unsigned n_heard;
    bool is_over;
} Endless;

static void on_endless(ipc_event *event, json_t *args, void *userdata)
{
    Endless *endless = userdata;
    Packet packet = packet_of(LANE_SEND);

    (void)event, (void)args;
    endless->n_heard++;
    if (!endless->is_over)
        must(packet_send(endless->hostile.fd, &packet));
}

/* What it says by the bus comes after what it has written to its lane before, and not after all that it ever writes. */
static void test_endless_lane(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Endless endless = { 0 };
    Packet packet = packet_of(LANE_SEND);

    hostile_init(&endless.hostile, f);
    answer(f, "fast", "1");
    must(ipc_main_on(f->main, NULL, "x", on_endless, &endless));
    must(packet_send(endless.hostile.fd, &packet));
    assert_resolved(invoke(endless.hostile.client, "fast", "[]"), "1");
    g_assert_cmpuint(endless.n_heard, >, 0);
    assert_resolved(invoke(endless.hostile.honest, "fast", "[]"), "1");
    endless.is_over = true;
    settle(f);
    must(shutdown(endless.hostile.fd, SHUT_RDWR));
    expect_cut_off(&endless.hostile);
}

#define LONG_TEXT (1024u * 1024) /* bytes */
#define N_LONG 40u

/* It costs nothing to send one text often, and main much to read it; and the sender is gone at once. */
static void test_much_of_one_who_leaves(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *word = g_strnfill(LONG_TEXT, 'x'), *text = g_strdup_printf("[\"%s\"]", word);
    _cleanup_(file_closep) int fd = file_new_sealed("text", text, strlen(text), "", 1);
    Packet packet = packet_of(LANE_SEND);
    Hostile hostile;
    unsigned i;

    hostile_init(&hostile, f);
    answer(f, "fast", "1");
    hear(f, "x");
    must(fd);
    packet.length = strlen(text);
    packet.text_fd = fd;
    for (i = 0; i < N_LONG; i++)
        must(packet_send(hostile.fd, &packet));
    vanish(hostile.client);
    assert_resolved(invoke(hostile.honest, "fast", "[]"), "1");
    g_assert_cmpuint(f->heard.length, <, N_LONG);
    /* All that it said is heard, and nothing that somebody says in its place afterwards. */
    wait_until(f, f->heard.length == N_LONG);
    settle(f);
    must_fail(packet_send(hostile.fd, &packet), EPIPE);
    expect_cut_off(&hostile);
}

/* ---- a main that does not keep the rules ---- */

static void test_hostile_main(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f);
    Packet packet = packet_of(LANE_INVOKE); /* which is for main */

    note_states(d, r);
    answer(f, "fast", "1");
    must(packet_send(lane_fd_of_main(), &packet));
    wait_until(f, client_id(r) == 2);
    expect_diary(f, d, "gone:MainGone connecting ready");
    packet = packet_of(LANE_RESULT); /* of nothing */
    must(packet_send(lane_fd_of_main(), &packet));
    wait_until(f, client_id(r) == 3);
    assert_resolved(invoke(r, "fast", "[]"), "1");
}

/* ---- errors whose names are none ---- */

/* Answers the one call in the lane, which main has not seen, in main's place. */
static void answer_with_error(Fixture *f, const char *name, const char *message)
{
    Packet packet, answer = { .verb = LANE_ERROR, .channel = name, .text = message, .length = strlen(message),
                              .text_fd = -1 };
    g_autofree char *buffer = g_malloc(PACKET_BUFFER_SIZE);
    int fd = lane_fd_of_main();

    main_freeze(f);
    g_assert_cmpint(packet_receive(fd, buffer, 0, &packet), ==, 1);
    answer.serial = packet.serial;
    must(packet_send(fd, &answer));
}

static void check_name(const char *name)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f);
    Outcome *o = invoke_start(r, "x", "[]");

    answer_with_error(f, name, "message");
    assert_rejected(o, IPC_ERROR_MAIN_GONE, "The main process sent something by the lane that has no place there");
    main_thaw(f);
    answer(f, "fast", "1");
    wait_until(f, client_id(r) == 2);
    assert_resolved(invoke(r, "fast", "[]"), "1");
}

static void test_names_that_are_none(void)
{
    check_name("\x1b]0;title\x07.x");
    check_name("com.example\n.Error");
    check_name("nodot");
    check_name("com..example");
    check_name("com.example.\xc3\xa4");
}

static void check_message(const char *message, const char *expected)
{
    g_autoptr(Fixture) f = fixture_new();
    Outcome *o = invoke_start(lane_renderer_new(f), "x", "[]");

    answer_with_error(f, "com.example.Error.Own", message);
    assert_rejected(o, "com.example.Error.Own", expected);
    main_thaw(f);
}

static void test_messages_of_errors(void)
{
    check_message("\x1b[31m \xc3\xa4\n", "\x1b[31m \xc3\xa4\n");
    check_message("\xe4", "The error's message is not UTF-8");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lane-hostile/hostile-verbs", test_hostile_verbs);
    g_test_add_func("/lane-hostile/hostile-fds", test_hostile_fds);
    g_test_add_func("/lane-hostile/hostile-file", test_hostile_file);
    g_test_add_func("/lane-hostile/hostile-bytes", test_hostile_bytes);
    g_test_add_func("/lane-hostile/refused", test_refused);
    g_test_add_func("/lane-hostile/endless-lane", test_endless_lane);
    g_test_add_func("/lane-hostile/much-of-one-who-leaves", test_much_of_one_who_leaves);
    g_test_add_func("/lane-hostile/hostile-main", test_hostile_main);
    g_test_add_func("/lane-hostile/names-that-are-none", test_names_that_are_none);
    g_test_add_func("/lane-hostile/messages-of-errors", test_messages_of_errors);
    return g_test_run();
}
