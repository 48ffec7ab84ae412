/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture-renderer.h"
#include "lane-story.h"
#include "lane.h"
#include "packet.h"
#include "port-story.h"
#include "shared-text.h"

/* Large texts that are passed on as they came: in the file that they came in. */

#define LARGE (IPC_INLINE_MAX + 1000u)

/* ---- verbs ---- */

static char *large_text(char filler)
{
    char *text = g_strnfill(LARGE, filler);

    text[0] = text[LARGE - 1] = '"';
    return text;
}

/* Of the file that is mapped there; 0: none is. */
static uint64_t inode_at(const char *text)
{
    g_autofree char *maps = NULL;
    g_auto(GStrv) lines = NULL;
    uintptr_t begin, end;
    uint64_t inode;
    size_t i;

    g_assert_true(g_file_get_contents("/proc/self/maps", &maps, NULL, NULL));
    lines = g_strsplit(maps, "\n", 0);
    for (i = 0; lines[i]; i++)
        if (sscanf(lines[i], "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %" SCNu64, &begin, &end, &inode) == 3 &&
            begin <= (uintptr_t)text && (uintptr_t)text < end)
            return inode;
    g_error("Nothing is mapped at %p", text);
}

static uint64_t inode_of(int fd)
{
    struct stat status;

    g_assert_cmpint(fstat(fd, &status), ==, 0);
    return status.st_ino;
}

/* What one end was told, and what it does with it. */
typedef struct Told {
    uint64_t inode;
    GString *text;
    ipc_port *next; /* NULL: it goes no further */
    size_t skip;    /* bytes that go no further */
} Told;

static void told_clear(Told *told)
{
    g_string_free(told->text, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Told, told_clear)

#define TOLD_INIT { .text = g_string_new(NULL) }

static void tell(Told *told, const char *text, size_t length)
{
    told->inode = inode_at(text);
    g_string_truncate(told->text, 0);
    g_string_append_len(told->text, text, (gssize)length);
}

static void on_port_text(ipc_port *port, ipc_event *event, const char *text, size_t length, void *userdata)
{
    Told *told = userdata;

    (void)port, (void)event;
    tell(told, text, length);
    if (told->next)
        must(ipc_port_post_text(told->next, text + told->skip, length - told->skip, NULL));
}

static void hear_text(PortStory *s, ipc_port *port, Told *told)
{
    must(ipc_port_on_text(port, NULL, on_port_text, told));
    must(ipc_port_attach_event(port, s->event, SD_EVENT_PRIORITY_NORMAL));
    must(ipc_port_start(port));
}

static void assert_told(const Told *told, const char *text)
{
    g_assert_cmpuint(told->text->len, ==, strlen(text));
    g_assert_cmpstr(told->text->str, ==, text);
}

/* ---- ports ---- */

/* From s->a to s->b, and on through another pair to its other end. */
typedef struct Relay {
    PortStory *story;
    ipc_port *there;
    Told middle;
    Told end;
} Relay;

static void relay_init(Relay *relay)
{
    *relay = (Relay){ .story = port_story_new(), .middle = TOLD_INIT, .end = TOLD_INIT };
    must(ipc_port_new_pair(&relay->middle.next, &relay->there));
    hear_text(relay->story, relay->story->b, &relay->middle);
}

static void relay_clear(Relay *relay)
{
    ipc_port_unref(relay->middle.next);
    ipc_port_unref(relay->there);
    told_clear(&relay->middle);
    told_clear(&relay->end);
    port_story_free(relay->story);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Relay, relay_clear)

static void send_through(Relay *relay, const char *text)
{
    must(ipc_port_post_text(relay->story->a, text, strlen(text), NULL));
    port_story_until(relay->story, relay->end.text->len > 0);
}

static void test_port_to_port(void)
{
    g_auto(Relay) relay;
    g_autofree char *text = large_text('x');

    relay_init(&relay);
    hear_text(relay.story, relay.there, &relay.end);
    send_through(&relay, text);
    assert_told(&relay.end, text);
    g_assert_cmpuint(relay.middle.inode, !=, 0);
    g_assert_cmpuint(relay.end.inode, ==, relay.middle.inode);
}

/* What begins elsewhere, or is shorter, is another text. */
static void test_a_part(void)
{
    g_auto(Relay) relay;
    g_autofree char *text = large_text('x');

    relay_init(&relay);
    relay.middle.skip = 10;
    hear_text(relay.story, relay.there, &relay.end);
    send_through(&relay, text);
    assert_told(&relay.end, text + 10);
    g_assert_cmpuint(relay.end.inode, !=, relay.middle.inode);
}

/* It waits in a queue, and what it came from has been unmapped meanwhile. */
static void test_queued(void)
{
    g_auto(Relay) relay;
    g_autofree char *text = large_text('x');
    unsigned i;

    relay_init(&relay);
    for (i = 0; i < 100000 && !(ipc_port_get_events(relay.middle.next) > 0); i++)
        must(ipc_port_post_text(relay.middle.next, "1", 1, NULL));
    g_assert_cmpint(ipc_port_get_events(relay.middle.next), >, 0);
    must(ipc_port_post_text(relay.story->a, text, strlen(text), NULL));
    port_story_until(relay.story, relay.middle.text->len > 0);
    run_idle(relay.story);
    must(ipc_port_attach_event(relay.middle.next, relay.story->event, SD_EVENT_PRIORITY_NORMAL));
    hear_text(relay.story, relay.there, &relay.end);
    port_story_until(relay.story, relay.end.text->len > 1);
    assert_told(&relay.end, text);
    g_assert_cmpuint(relay.end.inode, ==, relay.middle.inode);
}

static void test_small_is_copied(void)
{
    g_auto(Relay) relay;

    relay_init(&relay);
    hear_text(relay.story, relay.there, &relay.end);
    send_through(&relay, "[1]");
    assert_told(&relay.end, "[1]");
}

/* ---- lanes ---- */

typedef struct Handled {
    Told told;
    Client *other; /* who is sent the text, too; NULL: nobody */
} Handled;

static int on_invoke(ipc_invocation *invocation, const char *text, size_t length, void *userdata)
{
    Handled *handled = userdata;

    tell(&handled->told, text, length);
    if (handled->other)
        must(ipc_web_contents_send_text(contents_of(handled->other), "on", text, length));
    return ipc_invocation_resolve_text(invocation, text, length);
}

static void on_reply(ipc_renderer *renderer, const char *text, size_t length, const ipc_error *error, void *userdata)
{
    (void)renderer;
    g_assert_null(error);
    tell(userdata, text, length);
}

static void test_there_and_back(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f);
    Handled handled = { .told = TOLD_INIT };
    g_auto(Told) reply = TOLD_INIT;
    g_autofree char *text = large_text('x');

    must(ipc_main_handle_text(f->main, NULL, "text", on_invoke, &handled));
    must(ipc_renderer_invoke_text(r->renderer, NULL, "text", text, LARGE, on_reply, &reply));
    wait_until(f, reply.text->len > 0);
    assert_told(&reply, text);
    g_assert_cmpuint(handled.told.inode, !=, 0);
    g_assert_cmpuint(reply.inode, ==, handled.told.inode);
    told_clear(&handled.told);
}

/* The bus takes no files in place of texts. */
static void test_on_to_the_bus(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f), *bus = renderer_new(f);
    Handled handled = { .told = TOLD_INIT, .other = bus };
    g_auto(Told) reply = TOLD_INIT;
    g_autofree char *text = g_strnfill(LARGE, ' ');

    memcpy(text, "[1]", 3);
    must(ipc_main_handle_text(f->main, NULL, "text", on_invoke, &handled));
    must(ipc_renderer_invoke_text(r->renderer, NULL, "text", text, LARGE, on_reply, &reply));
    expect_message(bus, "on", "[1]", 0);
    wait_until(f, reply.text->len > 0);
    assert_told(&reply, text);
    told_clear(&handled.told);
}

/* ---- broadcasts and messages to third ones: as they are on the lane ---- */

typedef struct Raw {
    Client *client;
    int fd;
    char buffer[PACKET_BUFFER_SIZE];
    Packet packet;
} Raw;

static Raw *raw_new(Fixture *f)
{
    Raw *raw = g_new0(Raw, 1);
    int fd;

    raw->client = foreign_new_registered(f);
    assert_replied(call(raw->client, "OpenLane", ""), "h", &fd);
    raw->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    g_assert_cmpint(raw->fd, >=, 0);
    return raw;
}

static void raw_free(Raw *raw)
{
    packet_clear(&raw->packet);
    close(raw->fd);
    g_free(raw);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Raw, raw_free)

static uint64_t receive_file(Raw *raw)
{
    packet_clear(&raw->packet);
    g_assert_cmpint(packet_receive(raw->fd, raw->buffer, MSG_DONTWAIT, &raw->packet), ==, 1);
    g_assert_cmpint(raw->packet.text_fd, >=, 0);
    return inode_of(raw->packet.text_fd);
}

static void test_broadcast(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Raw) one = raw_new(f), other = raw_new(f);
    g_autofree char *text = large_text('x');
    json_auto_t *args = json_pack("[s]", text);
    uint64_t inode;

    one->packet = other->packet = (Packet)PACKET_INIT;
    g_assert_cmpint(ipc_app_broadcast(f->app, "x", args), ==, 2);
    inode = receive_file(one);
    g_assert_cmpuint(receive_file(other), ==, inode);
    g_assert_cmpint(ipc_app_broadcast(f->app, "x", args), ==, 2);
    g_assert_cmpuint(receive_file(one), !=, inode);
}

static void test_send_to(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(Raw) from = raw_new(f), to = raw_new(f);
    g_autofree char *text = g_strnfill(LARGE, ' ');
    int fd = -1;

    from->packet = to->packet = (Packet)PACKET_INIT;
    memcpy(text, "[7]", 3);
    must(packet_make_text_fd(&(Packet){ .text = text, .length = LARGE, .text_fd = -1 }, &fd));
    must(packet_send(from->fd, &(Packet){ .verb = LANE_SEND_TO, .id = 2, .channel = "x", .text = text,
                                          .length = LARGE, .text_fd = fd }));
    wait_until(f, recv(to->fd, to->buffer, 1, MSG_PEEK | MSG_DONTWAIT) > 0);
    g_assert_cmpuint(receive_file(to), ==, inode_of(fd));
    g_assert_cmpstr(to->packet.text, ==, text);
    close(fd);
}

/* ---- what is known of them ---- */

/* The address may be another text's by then. */
static void test_forgets(void)
{
    static const char text[] = "[]";
    int fd = -1;

    shared_text_add(text, 2, STDIN_FILENO);
    g_assert_cmpint(shared_text_open(text, 1, &fd), ==, 0);
    g_assert_cmpint(shared_text_open(text + 1, 1, &fd), ==, 0);
    g_assert_cmpint(fd, ==, -1);
    g_assert_cmpint(shared_text_open(text, 2, &fd), ==, 1);
    g_assert_cmpint(fd, >, STDIN_FILENO);
    close(fd);
    shared_text_remove(text);
    g_assert_cmpint(shared_text_open(text, 2, &fd), ==, 0);
    shared_text_remove(text);
}

static void test_packet_forgets(void)
{
    g_autofree char *text = large_text('x');
    char buffer[PACKET_BUFFER_SIZE];
    Packet packet = { .text = text, .length = LARGE, .text_fd = -1 }, received = PACKET_INIT;
    const char *mapped;
    int pair[2], fd = -1;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), ==, 0);
    must(packet_make_text_fd(&packet, &packet.text_fd));
    must(packet_send(pair[0], &packet));
    g_assert_cmpint(packet_receive(pair[1], buffer, 0, &received), ==, 1);
    mapped = received.text;
    g_assert_cmpint(shared_text_open(mapped, LARGE, &fd), ==, 1);
    close(fd);
    packet_clear(&received);
    g_assert_cmpint(shared_text_open(mapped, LARGE, &fd), ==, 0);
    close(packet.text_fd);
    close(pair[0]);
    close(pair[1]);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/shared-text/forgets", test_forgets);
    g_test_add_func("/shared-text/packet-forgets", test_packet_forgets);
    g_test_add_func("/shared-text/port-to-port", test_port_to_port);
    g_test_add_func("/shared-text/a-part", test_a_part);
    g_test_add_func("/shared-text/queued", test_queued);
    g_test_add_func("/shared-text/small-is-copied", test_small_is_copied);
    g_test_add_func("/shared-text/there-and-back", test_there_and_back);
    g_test_add_func("/shared-text/on-to-the-bus", test_on_to_the_bus);
    g_test_add_func("/shared-text/broadcast", test_broadcast);
    g_test_add_func("/shared-text/send-to", test_send_to);
    return g_test_run();
}
