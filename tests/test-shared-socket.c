/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture-renderer.h"
#include "lane-story.h"
#include "lane.h"
#include "packet.h"
#include "port-story.h"
#include "port.h"
#include "sleeper.h"

/*
 * Whoever made a lane, or sent a port, may have kept what it gave away: the options of the socket are then its options,
 * too. Whatever it does with them, nobody spins at the other end, and no fd is left open. (A main that takes the renderer's
 * time-out for reading away can hold it in a call: that is the price of a call with half of the system calls.)
 */

#define SHORT_USEC 50000u /* us: a call's time that is to be over */

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76 /* Linux 6.5 */
#endif

static void set_receive_timeout(int fd, struct timeval timeout)
{
    g_assert_cmpint(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), ==, 0);
}

static void make_non_blocking(int fd)
{
    g_assert_cmpint(fcntl(fd, F_SETFL, O_NONBLOCK), ==, 0);
}

/* ---- a main that keeps the renderer's end of the lane ---- */

typedef struct Keeper {
    Client *client;
    Client *renderer; /* that is ready */
    sd_bus_slot *slot;
    int fds[2]; /* its own, the renderer's */
    const char *result;
} Keeper;

static int on_call(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    Keeper *k = userdata;

    (void)error;
    if (sd_bus_message_is_method_call(call, IPC_MAIN_INTERFACE, "Register") > 0)
        return sd_bus_reply_method_return(call, "u", 7);
    if (sd_bus_message_is_method_call(call, IPC_MAIN_INTERFACE, "OpenLane") > 0)
        return sd_bus_reply_method_return(call, "h", k->fds[1]);
    return 0;
}

static Keeper *keeper_new(Fixture *f)
{
    Keeper *k = g_new0(Keeper, 1);

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, k->fds), ==, 0);
    k->client = foreign_new(f);
    must(sd_bus_add_filter(k->client->bus, &k->slot, on_call, k));
    must(sd_bus_request_name(k->client->bus, FIXTURE_NAME, 0));
    k->renderer = lane_renderer_new(f);
    return k;
}

static void keeper_free(Keeper *k)
{
    sd_bus_slot_unref(k->slot);
    close(k->fds[0]);
    close(k->fds[1]);
    g_free(k);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Keeper, keeper_free)

static Fixture *fixture_new_without_main(void)
{
    return fixture_new_with(&(FixtureOptions){ .is_without_main = true });
}

static void expect_no_answer(Keeper *k)
{
    must(ipc_renderer_set_timeout(k->renderer->renderer, SHORT_USEC));
    assert_rejected(send_sync(k->renderer, "x", "[]"), IPC_ERROR_TIMEOUT, NULL);
}

/* Answers the first call that waits in the lane. */
static void answer_one(void *userdata)
{
    Packet packet, answer = { .verb = LANE_RESULT, .text = "1", .length = 1, .text_fd = -1 };
    g_autofree char *buffer = g_malloc(PACKET_BUFFER_SIZE);
    Keeper *k = userdata;

    g_assert_cmpint(packet_receive(k->fds[0], buffer, 0, &packet), ==, 1);
    g_assert_cmpuint(packet.verb, ==, LANE_SEND_SYNC);
    answer.serial = packet.serial;
    must(packet_send(k->fds[0], &answer));
}

static void expect_sleep_until_answered(Keeper *k)
{
    Sleeper *sleeper = when_asleep(answer_one, k);

    assert_resolved(send_sync(k->renderer, "x", "[]"), "1");
    sleeper_end(sleeper);
}

static void test_non_blocking(void)
{
    g_autoptr(Fixture) f = fixture_new_without_main();
    g_autoptr(Keeper) k = keeper_new(f);

    make_non_blocking(k->fds[1]);
    set_receive_timeout(k->fds[1], (struct timeval){ .tv_usec = 1 });
    expect_sleep_until_answered(k);
    expect_no_answer(k);
}

/* What comes by a port is for later, and nothing to wake up for. */
static void test_ready_ports(void)
{
    g_autoptr(PortStory) s = port_story_new();
    g_autoptr(Fixture) f = fixture_new_without_main();
    g_autoptr(Keeper) k = keeper_new(f);

    make_non_blocking(k->fds[1]);
    must(ipc_renderer_attach_port(k->renderer->renderer, s->b));
    must(ipc_port_start(s->b));
    post(s->a, "1");
    expect_sleep_until_answered(k);
}

/* One way or the other, or both. */
static void test_shut_down(void)
{
    g_autoptr(Fixture) f = fixture_new_without_main();
    g_autoptr(Keeper) k = keeper_new(f);

    g_assert_cmpint(shutdown(k->fds[1], SHUT_WR), ==, 0);
    expect_no_answer(k);
    g_assert_cmpint(shutdown(k->fds[1], SHUT_RD), ==, 0);
    assert_rejected(send_sync(k->renderer, "x", "[]"), IPC_ERROR_MAIN_GONE, NULL);
}

/* ---- whoever sent a port, and keeps it ---- */

typedef struct Sent {
    PortStory *story;
    ipc_port *port; /* that came from elsewhere */
    int kept;       /* the same socket */
    int other_end;
} Sent;

static Sent *sent_new(void)
{
    Sent *s = g_new0(Sent, 1);
    int fds[2];

    s->story = port_story_new();
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), ==, 0);
    s->other_end = fds[0];
    s->kept = fcntl(fds[1], F_DUPFD_CLOEXEC, 3);
    must(ipc_port_new_from_fd(&s->port, fds[1]));
    listen_to_port(s->story, s->port);
    must(ipc_port_start(s->port));
    return s;
}

static void sent_free(Sent *s)
{
    close(s->kept);
    close(s->other_end);
    ipc_port_unref(s->port);
    port_story_free(s->story); /* which counts fds */
    g_free(s);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sent, sent_free)

static void send_one(void *userdata)
{
    Packet packet = { .verb = PORT_VERB, .text = "1", .length = 1, .text_fd = -1 };

    must(packet_send(((Sent *)userdata)->other_end, &packet));
}

static void expect_sleep_until_sent(Sent *s)
{
    Sleeper *sleeper = when_asleep(send_one, s);

    g_assert_cmpint(ipc_port_wait(s->port, UINT64_MAX), ==, 1);
    g_assert_cmpint(ipc_port_process(s->port), ==, 1);
    expect_log(s->story, "1");
    sleeper_end(sleeper);
}

static void test_port_non_blocking(void)
{
    g_autoptr(Sent) s = sent_new();

    make_non_blocking(s->kept);
    expect_sleep_until_sent(s);
}

/* Each packet brings a fd of its sender then, which nobody wants. */
static void test_port_with_processes(void)
{
    g_autoptr(Sent) s = sent_new();
    int is_on = 1;

    if (setsockopt(s->kept, SOL_SOCKET, SO_PASSPIDFD, &is_on, sizeof(is_on)) < 0)
        g_test_message("the kernel tells of no processes, so no fd comes along");
    send_one(s);
    g_assert_cmpint(ipc_port_process(s->port), ==, 1);
    expect_log(s->story, "1");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/shared-socket/non-blocking", test_non_blocking);
    g_test_add_func("/shared-socket/ready-ports", test_ready_ports);
    g_test_add_func("/shared-socket/shut-down", test_shut_down);
    g_test_add_func("/shared-socket/port-non-blocking", test_port_non_blocking);
    g_test_add_func("/shared-socket/port-with-processes", test_port_with_processes);
    return g_test_run();
}
