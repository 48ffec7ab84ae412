/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture-renderer.h"
#include "lane.h"
#include "wire.h"

/* What is true of lanes alone: how they open and end, what they take, and who does not keep the rules on them. */

static Client *lane_renderer_make(Fixture *f)
{
    Client *r = renderer_make(f);

    must(ipc_renderer_set_flags(r->renderer, IPC_RENDERER_LANE));
    return r;
}

static Client *lane_renderer_new(Fixture *f)
{
    Client *r = lane_renderer_make(f);

    await_state(r, IPC_RENDERER_READY);
    return r;
}

/* A property of the web contents of a client, as a foreign one sees it. */
static char *get_text(Fixture *f, Client *c, const char *name)
{
    g_autofree char *path = g_strdup_printf("%s/%u", IPC_WEB_CONTENTS_PATH, client_id(c));
    Outcome *o = await(get_property(foreign_new(f), path, IPC_WEB_CONTENTS_INTERFACE, name));
    const char *text;

    must(sd_bus_message_read(o->reply, "v", "s", &text));
    return g_strdup(text);
}

static uint64_t get_number(Fixture *f, Client *c, const char *name)
{
    g_autofree char *path = g_strdup_printf("%s/%u", IPC_WEB_CONTENTS_PATH, client_id(c));
    Outcome *o = await(get_property(foreign_new(f), path, IPC_WEB_CONTENTS_INTERFACE, name));
    uint64_t number;

    must(sd_bus_message_read(o->reply, "v", "t", &number));
    return number;
}

/* ---- opening ---- */

static void test_transport(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *lane = lane_renderer_new(f), *bus = renderer_new(f);
    g_autofree char *of_lane = get_text(f, lane, "Transport"), *of_bus = get_text(f, bus, "Transport");

    g_assert_cmpstr(of_lane, ==, "lane");
    g_assert_cmpstr(of_bus, ==, "bus");
}

static void test_counts(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f);
    uint64_t received = get_number(f, r, "MessagesReceived"), sent = get_number(f, r, "MessagesSent");

    hear(f, "x");
    answer(f, "y", "1");
    send_message(r, "x", "[]");
    assert_resolved(invoke(r, "y", "[]"), "1");
    g_assert_cmpuint(get_number(f, r, "MessagesReceived"), ==, received + 2);
    g_assert_cmpuint(get_number(f, r, "MessagesSent"), ==, sent + 1);
}

static void test_flags(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_make(f);

    must_fail(ipc_renderer_set_flags(NULL, 0), EINVAL);
    must_fail(ipc_renderer_set_flags(r->renderer, (ipc_renderer_flags)2), EINVAL);
    must(ipc_renderer_set_flags(r->renderer, IPC_RENDERER_LANE));
    await_state(r, IPC_RENDERER_READY);
    must_fail(ipc_renderer_set_flags(r->renderer, 0), EBUSY);
}

static void test_open_needs_registration(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    assert_rejected(call(c, "OpenLane", ""), IPC_ERROR_NOT_REGISTERED, NULL);
    client_id(c);
    assert_replied(call(c, "OpenLane", ""), "h", &(int){ 0 });
    assert_rejected(call(c, "OpenLane", ""), IPC_ERROR_LIMITS_EXCEEDED, "Renderer 1 has a lane: it may have one");
}

static void on_created(ipc_web_contents *contents, void *userdata)
{
    Fixture *f = userdata;
    unsigned i;

    (void)f;
    for (i = 0; i < 10; i++)
        must(ipc_web_contents_sendf(contents, "early", "i", i));
}

static void on_send_more(ipc_event *event, json_t *args, void *userdata)
{
    (void)args, (void)userdata;
    must(ipc_event_replyf(event, "late", NULL));
}

/* What main says by the bus, before the lane is there, comes before what it says by the lane; and the other way. */
static void test_order_at_the_switch(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_make(f);
    unsigned i;

    must(ipc_app_on_web_contents_created(f->app, NULL, on_created, f));
    must(ipc_main_on(f->main, NULL, "x", on_send_more, NULL));
    hear(f, "x");
    for (i = 0; i < 10; i++) {
        g_autofree char *args = g_strdup_printf("[%u]", i);

        send_message(r, "x", args);
    }
    await_state(r, IPC_RENDERER_READY);
    for (i = 0; i < 10; i++) {
        g_autofree char *args = g_strdup_printf("[%u]", i);

        expect_heard(f, "x", args, 1);
        expect_message(r, "early", args, 0);
    }
    for (i = 0; i < 10; i++)
        expect_message(r, "late", "[]", 0);
}

static void test_mixed_with_the_bus(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *lane = lane_renderer_new(f), *bus = renderer_new(f);

    send_to(lane, client_id(bus), "x", "[1]");
    expect_message(bus, "x", "[1]", client_id(lane));
    send_to(bus, client_id(lane), "x", "[2]");
    expect_message(lane, "x", "[2]", client_id(bus));
    must(ipc_app_broadcastf(f->app, "all", NULL));
    expect_message(lane, "all", "[]", 0);
    expect_message(bus, "all", "[]", 0);
}

/* ---- large values ---- */

static void test_large(void)
{
    static const size_t sizes[] = { 100, 1000, 10000, IPC_INLINE_MAX - 4, IPC_INLINE_MAX - 3, 100000,
                                    IPC_ARGS_MAX + 1 };
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f);
    unsigned i;

    hear(f, "x");
    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *word = g_strnfill(sizes[i], 'x'), *args = g_strdup_printf("[\"%s\"]", word);

        send_message(r, "x", args);
        expect_heard(f, "x", args, 1);
        must(ipc_web_contents_sendf(contents_of(r), "x", "s", word));
        expect_message(r, "x", args, 0);
    }
}

/* One that the bus cannot take does not go there. */
static void test_large_to_the_bus(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *lane = lane_renderer_new(f), *bus = renderer_new(f);
    g_autofree char *word = g_strnfill(IPC_ARGS_MAX, 'x'), *args = g_strdup_printf("[\"%s\"]", word);

    send_to(lane, client_id(bus), "x", args);
    expect_silence(bus);
    send_to(bus, client_id(lane), "x", "[1]");
    expect_message(lane, "x", "[1]", client_id(bus));
}

/* ---- one that does not read ---- */

static void test_frozen(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f), *other = lane_renderer_new(f);
    g_autofree char *word = g_strnfill(10000, 'x');
    ipc_web_contents *contents = contents_of(r);
    unsigned n = 0, i;
    int result;

    answer(f, "x", "1");
    freeze(r);
    while ((result = ipc_web_contents_sendf(contents, "m", "s,i", word, n)) >= 0)
        n++;
    g_assert_cmpint(result, ==, -ENOBUFS);
    g_assert_cmpuint(get_number(f, r, "BytesQueued"), >, IPC_QUEUE_BYTES_MAX - 20000);
    g_assert_cmpuint(get_number(f, r, "BytesQueued"), <=, IPC_QUEUE_BYTES_MAX);
    assert_resolved(invoke(other, "x", "[]"), "1");
    thaw(r);
    for (i = 0; i < n; i++) {
        g_autofree char *args = g_strdup_printf("[\"%s\",%u]", word, i);

        expect_message(r, "m", args, 0);
    }
    g_assert_cmpuint(get_number(f, r, "BytesQueued"), ==, 0);
    expect_silence(r);
}

static void test_main_frozen(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f);
    g_autofree char *word = g_strnfill(10000, 'x');
    unsigned n = 0, i;
    int result;

    hear(f, "x");
    main_freeze(f);
    while ((result = ipc_renderer_sendf(r->renderer, "x", "s,i", word, n)) >= 0)
        n++;
    g_assert_cmpint(result, ==, -ENOBUFS);
    g_assert_cmpuint(n * 10000, >, IPC_QUEUE_BYTES_MAX - 8 * 1024 * 1024);
    main_thaw(f);
    for (i = 0; i < n; i++) {
        g_autofree char *args = g_strdup_printf("[\"%s\",%u]", word, i);

        expect_heard(f, "x", args, 1);
    }
}

/* What was accepted arrives, though its sender is gone by then. */
static void test_close_sends_all(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f);
    unsigned i;

    hear(f, "x");
    for (i = 0; i < 100; i++)
        must(ipc_renderer_sendf(r->renderer, "x", "i", i));
    leave(r);
    for (i = 0; i < 100; i++) {
        g_autofree char *args = g_strdup_printf("[%u]", i);

        expect_heard(f, "x", args, 1);
    }
    settle(f);
    g_assert_null(ipc_web_contents_from_id(f->app, 1));
}

/* Far more than a socket takes, to a main that reads meanwhile. */
static void test_close_sends_much(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Client *r, *other;
    size_t n_heard = 0;
    unsigned i;

    main_fork(f, serve_memory);
    r = lane_renderer_new(f);
    other = lane_renderer_new(f);
    for (i = 0; i < 3000; i++)
        must(ipc_renderer_sendf(r->renderer, "one", "i", i));
    leave(r);
    while (n_heard < 3000)
        n_heard = json_array_size(await(invoke(other, "heard", "[]"))->result);
    g_assert_cmpuint(n_heard, ==, 3000);
}

/* ---- the end of a lane, and of it alone ---- */

static int lane_fd_of_main(Fixture *f)
{
    GDir *folder = g_dir_open("/proc/self/fd", 0, NULL);
    int fd, type, found = -1;
    socklen_t size = sizeof(type);
    const char *name;

    (void)f;
    while ((name = g_dir_read_name(folder))) {
        fd = atoi(name);
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET)
            found = found < 0 ? fd : found;
    }
    g_dir_close(folder);
    g_assert_cmpint(found, >=, 0);
    return found;
}

static void test_breaks(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f);
    Outcome *pending;

    note_states(d, r);
    keep(f, "slow");
    answer(f, "fast", "1");
    pending = invoke_start(r, "slow", "[]");
    settle(f);
    g_assert_cmpint(shutdown(lane_fd_of_main(f), SHUT_RDWR), ==, 0);
    assert_rejected(pending, IPC_ERROR_MAIN_GONE, NULL);
    wait_until(f, client_id(r) == 2);
    expect_diary(f, d, "gone:MainGone connecting ready");
    assert_resolved(invoke(r, "fast", "[]"), "1");
    g_assert_null(ipc_web_contents_from_id(f->app, 1));
}

static void test_main_is_killed(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    Client *r;

    main_fork(f, serve_memory);
    r = lane_renderer_new(f);
    note_states(d, r);
    assert_resolved(invoke(r, "add", "[1,2]"), "3");
    main_end(f, SIGKILL);
    await_state(r, IPC_RENDERER_GONE);
    expect_diary(f, d, "gone:MainGone");
    main_fork(f, serve_memory);
    assert_resolved(invoke(r, "add", "[1,2]"), "3");
}

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

/* ---- a main that does not keep the rules ---- */

static void test_hostile_main(void)
{
    g_autoptr(Diary) d = diary_new();
    g_autoptr(Fixture) f = fixture_new();
    Client *r = lane_renderer_new(f);
    Packet packet = packet_of(LANE_INVOKE); /* which is for main */

    note_states(d, r);
    answer(f, "fast", "1");
    must(packet_send(lane_fd_of_main(f), &packet));
    wait_until(f, client_id(r) == 2);
    expect_diary(f, d, "gone:MainGone connecting ready");
    packet = packet_of(LANE_RESULT); /* of nothing */
    must(packet_send(lane_fd_of_main(f), &packet));
    wait_until(f, client_id(r) == 3);
    assert_resolved(invoke(r, "fast", "[]"), "1");
}

/* ---- texts ---- */

static int on_text(ipc_invocation *invocation, const char *text, size_t length, void *userdata)
{
    (void)userdata;
    return ipc_invocation_resolve_text(invocation, text, length);
}

static int on_bad_text(ipc_invocation *invocation, const char *text, size_t length, void *userdata)
{
    (void)text, (void)length, (void)userdata;
    must_fail(ipc_invocation_resolve_text(invocation, NULL, 0), EINVAL);
    must_fail(ipc_invocation_resolve_text(invocation, "1x", 1), EINVAL);
    must(ipc_invocation_resolve_text(invocation, "}{", 2));
    must_fail(ipc_invocation_resolve_text(invocation, "1", 1), EALREADY);
    return 0;
}

static void on_reply_text(ipc_renderer *renderer, const char *text, size_t length, const ipc_error *error,
                          void *userdata)
{
    GString *string = userdata;

    (void)renderer;
    g_string_append(string, error ? error_word(error) : text);
    g_assert_cmpuint(length, ==, text ? strlen(text) : 0);
}

static void expect_reply_text(Client *c, const char *channel, const char *text, const char *expected)
{
    g_autoptr(GString) string = g_string_new(NULL);

    must(ipc_renderer_invoke_text(c->renderer, NULL, channel, text, strlen(text), on_reply_text, string));
    wait_until(c->fixture, string->len > 0);
    g_assert_cmpstr(string->str, ==, expected);
}

static void test_texts(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    g_autofree char *large = g_strnfill(1024 * 1024, ' ');

    memcpy(large, "[1]", 3);
    must(ipc_main_handle_text(f->main, NULL, "text", on_text, NULL));
    must_fail(ipc_main_handle_text(f->main, NULL, "text", on_text, NULL), EEXIST);
    must_fail(ipc_main_handle_text(f->main, NULL, "text", NULL, NULL), EINVAL);
    must(ipc_main_handle_text(f->main, NULL, "bad", on_bad_text, NULL));
    answer(f, "json", "[ 1, 2 ]");
    hear(f, "x");
    expect_reply_text(r, "text", "[ 1 ]", "[ 1 ]");
    expect_reply_text(r, "text", "{ no JSON", "{ no JSON");
    expect_reply_text(r, "text", large, large);
    expect_reply_text(r, "bad", "[]", "}{");
    expect_reply_text(r, "json", "[]", "[1,2]");
    expect_reply_text(r, "json", "{ no JSON", "InvalidArgs");
    expect_reply_text(r, "none", "[]", "NoHandler");
    assert_resolved(invoke(r, "text", "[1,{\"a\":2}]"), "[1,{\"a\":2}]");
    assert_rejected(invoke(r, "bad", "[]"), IPC_ERROR_INVALID_ARGS, NULL);
    must(ipc_renderer_send_text(r->renderer, "x", "[ 7 ]", 5));
    expect_heard(f, "x", "[7]", client_id(r));
    must(ipc_web_contents_send_text(contents_of(r), "x", "[ 8 ]", 5));
    expect_message(r, "x", "[8]", 0);
    must_fail(ipc_renderer_send_text(r->renderer, "x", "[]x", 2), EINVAL);
    must_fail(ipc_renderer_invoke_text(r->renderer, NULL, "", "[]", 2, NULL, NULL), EINVAL);
    must_fail(ipc_web_contents_send_text(contents_of(r), "x", NULL, 0), EINVAL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lane-only/transport", test_transport);
    g_test_add_func("/lane-only/counts", test_counts);
    g_test_add_func("/lane-only/flags", test_flags);
    g_test_add_func("/lane-only/open-needs-registration", test_open_needs_registration);
    g_test_add_func("/lane-only/order-at-the-switch", test_order_at_the_switch);
    g_test_add_func("/lane-only/mixed-with-the-bus", test_mixed_with_the_bus);
    g_test_add_func("/lane-only/large", test_large);
    g_test_add_func("/lane-only/large-to-the-bus", test_large_to_the_bus);
    g_test_add_func("/lane-only/frozen", test_frozen);
    g_test_add_func("/lane-only/main-frozen", test_main_frozen);
    g_test_add_func("/lane-only/close-sends-all", test_close_sends_all);
    g_test_add_func("/lane-only/close-sends-much", test_close_sends_much);
    g_test_add_func("/lane-only/breaks", test_breaks);
    g_test_add_func("/lane-only/main-is-killed", test_main_is_killed);
    g_test_add_func("/lane-only/hostile-verbs", test_hostile_verbs);
    g_test_add_func("/lane-only/hostile-fds", test_hostile_fds);
    g_test_add_func("/lane-only/hostile-file", test_hostile_file);
    g_test_add_func("/lane-only/hostile-bytes", test_hostile_bytes);
    g_test_add_func("/lane-only/refused", test_refused);
    g_test_add_func("/lane-only/hostile-main", test_hostile_main);
    add_story("/texts", test_texts);
    return g_test_run();
}
