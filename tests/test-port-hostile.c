/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "ipc-names.h"
#include "macro.h"
#include "port-story.h"
#include "raw-header.h"

/*
 * Someone at the other end of a port who does not keep the rules: that port closes, nothing that came stays open, and
 * nobody else notices. The packets here are made by hand.
 */

/* ---- the hostile end ---- */

typedef struct Hostile {
    PortStory *story; /* whose a and b are honest */
    int fd;           /* the other end of a port that is heard */
    ipc_port *port;
} Hostile;

static Hostile *hostile_new(void)
{
    Hostile *h = g_new0(Hostile, 1);
    int fds[2];

    h->story = port_story_new();
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), ==, 0);
    h->fd = fds[0];
    must(ipc_port_new_from_fd(&h->port, fds[1]));
    hear_port(h->story, h->port);
    hear_port(h->story, h->story->b);
    return h;
}

static void hostile_free(Hostile *h)
{
    close(h->fd);
    ipc_port_unref(h->port);
    port_story_free(h->story); /* which counts fds */
    g_free(h);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hostile, hostile_free)

static void send_packet(Hostile *h, const void *data, size_t size, const int *fds, unsigned n_fds)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(253 * sizeof(int))];
    } control = { 0 };
    struct iovec piece = { .iov_base = (void *)data, .iov_len = size };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };

    if (n_fds > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
    }
    g_assert_cmpint(sendmsg(h->fd, &message, MSG_NOSIGNAL), ==, (ssize_t)size);
}

/* A header, and the bytes "\0" and text with its NUL after it. */
static void send_header(Hostile *h, Header header, const char *text, const int *fds, unsigned n_fds)
{
    char packet[1024];
    size_t size = text ? strlen(text) + 1 : 0;

    memcpy(packet, &header, sizeof(header));
    packet[sizeof(header)] = '\0';
    if (text)
        memcpy(packet + sizeof(header) + 1, text, size);
    send_packet(h, packet, sizeof(header) + 1 + size, fds, n_fds);
}

static Header sound(const char *text)
{
    return (Header){ .magic = MAGIC, .verb = 1, .length = (uint32_t)strlen(text) };
}

/* The port closes, and an honest one lives on. */
static void expect_cut_off(Hostile *h)
{
    expect_log(h->story, "close");
    g_assert_true(ipc_port_is_closed(h->port));
    post(h->story->a, "\"honest\"");
    expect_log(h->story, "\"honest\"");
}

/* ---- headers ---- */

/* What is made by hand is understood, so that what is refused below is refused for its fault. */
static void test_sound(void)
{
    g_autoptr(Hostile) h = hostile_new();

    send_header(h, sound("[1]"), "[1]", NULL, 0);
    expect_log(h->story, "[1]");
}

/* Who waits without end reads ahead, and must not forget what it was that came. */
static void test_waited_for(void)
{
    g_autoptr(Hostile) h = hostile_new();
    int r;

    must(ipc_port_detach_event(h->port));
    send_header(h, sound("[1]"), "[1]", NULL, 0);
    send_header(h, (Header){ 0 }, "[2]", NULL, 0);
    send_header(h, sound("[3]"), "[3]", NULL, 0);
    while ((r = ipc_port_wait(h->port, UINT64_MAX)) >= 0)
        while (ipc_port_process(h->port) > 0)
            ;
    g_assert_cmpint(r, ==, -ENOTCONN);
    expect_log(h->story, "[1] close");
}

static void check_header(Header header)
{
    g_autoptr(Hostile) h = hostile_new();

    send_header(h, header, "[1]", NULL, 0);
    expect_cut_off(h);
}

#define CHECK_HEADER(member, value)       \
    do {                                  \
        Header header_ = sound("[1]");    \
        header_.member = value;           \
        check_header(header_);            \
    } while (0)

static void test_headers(void)
{
    CHECK_HEADER(magic, 0);
    CHECK_HEADER(magic, GUINT32_SWAP_LE_BE(MAGIC));
    CHECK_HEADER(verb, 0);
    CHECK_HEADER(verb, 2);
    CHECK_HEADER(verb, 255);
    CHECK_HEADER(flags, TEXT_IN_FD);
    CHECK_HEADER(flags, 2);
    CHECK_HEADER(flags, 128);
    CHECK_HEADER(n_fds, 1);
    CHECK_HEADER(n_fds, 17);
    CHECK_HEADER(n_fds, 255);
    CHECK_HEADER(channel_length, 1);
    CHECK_HEADER(channel_length, 3);
    CHECK_HEADER(channel_length, 255);
    CHECK_HEADER(ports, 1);
    CHECK_HEADER(ports, 0x8000);
    CHECK_HEADER(reserved, 1);
    CHECK_HEADER(length, 0);
    CHECK_HEADER(length, 2);
    CHECK_HEADER(length, 4);
    CHECK_HEADER(length, IPC_INLINE_MAX + 1);
    CHECK_HEADER(length, UINT32_MAX);
    CHECK_HEADER(length, UINT32_MAX - 27);
}

static void test_short(void)
{
    Header header = sound("");
    size_t size;

    for (size = 0; size < sizeof(header) + 2; size++) {
        g_autoptr(Hostile) h = hostile_new();
        char packet[sizeof(header) + 2] = { 0 };

        memcpy(packet, &header, sizeof(header));
        send_packet(h, packet, size, NULL, 0);
        expect_cut_off(h);
    }
}

static void test_no_nul(void)
{
    g_autoptr(Hostile) h = hostile_new();
    char packet[sizeof(Header) + 3];
    Header header = sound("1");

    memcpy(packet, &header, sizeof(header));
    memcpy(packet + sizeof(header), "\0001x", 3);
    send_packet(h, packet, sizeof(packet), NULL, 0);
    expect_cut_off(h);
}

static void test_too_long(void)
{
    g_autoptr(Hostile) h = hostile_new();
    size_t size = IPC_INLINE_MAX + 4096;
    g_autofree char *packet = g_malloc0(size);
    Header header = { .magic = MAGIC, .verb = 1, .length = (uint32_t)(size - sizeof(header) - 2) };

    memcpy(packet, &header, sizeof(header));
    send_packet(h, packet, size, NULL, 0);
    expect_cut_off(h);
}

/* ---- fds ---- */

static void test_unexpected_fds(void)
{
    int fd = STDERR_FILENO;
    g_autoptr(Hostile) h = hostile_new();

    send_header(h, sound("1"), "1", &fd, 1);
    expect_cut_off(h);
}

static void test_fds_of_an_empty_packet(void)
{
    int fd = STDERR_FILENO;
    g_autoptr(Hostile) h = hostile_new();

    send_packet(h, "", 0, &fd, 1);
    expect_cut_off(h);
}

static void test_too_many_fds(void)
{
    static const unsigned numbers[] = { 17, 18, 19, 100, 253 };
    int fds[253];
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(fds); i++)
        fds[i] = STDERR_FILENO;
    for (i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autoptr(Hostile) h = hostile_new();
        Header header = sound("1");

        header.n_fds = (uint8_t)numbers[i];
        send_header(h, header, "1", fds, numbers[i]);
        expect_cut_off(h);
    }
}

static void test_too_few_fds(void)
{
    int fds[2] = { STDERR_FILENO, STDERR_FILENO };
    g_autoptr(Hostile) h = hostile_new();
    Header header = sound("1");

    header.n_fds = 3;
    send_header(h, header, "1", fds, 2);
    expect_cut_off(h);
}

static void check_port_fd(int fd)
{
    g_autoptr(Hostile) h = hostile_new();
    Header header = sound("1");

    header.n_fds = 1;
    header.ports = 1;
    send_header(h, header, "1", &fd, 1);
    expect_cut_off(h);
}

static void test_ports_that_are_none(void)
{
    int stream[2], lone = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream), ==, 0);
    check_port_fd(STDERR_FILENO);
    check_port_fd(stream[0]);
    check_port_fd(lone);
    close(stream[0]);
    close(stream[1]);
    close(lone);
}

/* The receiver has no room for what comes: it must not take half of it for whole. */
static void test_no_room_for_fds(void)
{
    g_autoptr(Hostile) h = hostile_new();
    int fds[4] = { STDERR_FILENO, STDERR_FILENO, STDERR_FILENO, STDERR_FILENO };
    struct rlimit limit, low;
    Header header = sound("1");
    GArray *fillers = g_array_new(FALSE, FALSE, sizeof(int));
    unsigned i;
    int fd;

    header.n_fds = 4;
    send_header(h, header, "1", fds, 4);
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    low = (struct rlimit){ .rlim_cur = 128, .rlim_max = limit.rlim_max };
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &low), ==, 0);
    while ((fd = dup(STDERR_FILENO)) >= 0)
        g_array_append_val(fillers, fd);
    close(g_array_index(fillers, int, 0));
    g_array_remove_index(fillers, 0);
    port_story_until(h->story, ipc_port_is_closed(h->port));
    for (i = 0; i < fillers->len; i++)
        close(g_array_index(fillers, int, i));
    g_array_unref(fillers);
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    expect_cut_off(h);
}

/* ---- texts in files ---- */

static int file_of(const char *bytes, size_t size, size_t text_length, int seals)
{
    int fd = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    g_autofree char *data = g_malloc(size + 1);

    g_assert_cmpint(fd, >=, 0);
    memset(data, ' ', size);
    memcpy(data, bytes, strlen(bytes));
    if (size > text_length)
        data[text_length] = '\0';
    g_assert_cmpint(write(fd, data, size), ==, (ssize_t)size);
    if (seals != 0)
        g_assert_cmpint(fcntl(fd, F_ADD_SEALS, seals), ==, 0);
    return fd;
}

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)
#define LENGTH (IPC_INLINE_MAX + 100u)

static void send_file(Hostile *h, int fd, uint32_t length)
{
    Header header = { .magic = MAGIC, .verb = 1, .flags = TEXT_IN_FD, .length = length };

    send_header(h, header, NULL, &fd, 1);
}

static void check_file(int fd, uint32_t length)
{
    Hostile *h = hostile_new();

    send_file(h, fd, length);
    expect_cut_off(h);
    hostile_free(h);
    close(fd);
}

static void test_sound_file(void)
{
    g_autoptr(Hostile) h = hostile_new();
    int fd = file_of("[1]", LENGTH + 1, LENGTH, SEALS);

    send_file(h, fd, LENGTH);
    close(fd);
    expect_log(h->story, "[1]");
}

static void test_unsealed_files(void)
{
    check_file(file_of("1", LENGTH + 1, LENGTH, 0), LENGTH);
    check_file(file_of("1", LENGTH + 1, LENGTH, SEALS & ~F_SEAL_SHRINK), LENGTH);
    check_file(file_of("1", LENGTH + 1, LENGTH, SEALS & ~F_SEAL_GROW), LENGTH);
    check_file(file_of("1", LENGTH + 1, LENGTH, SEALS & ~F_SEAL_WRITE), LENGTH);
    check_file(file_of("1", LENGTH + 1, LENGTH, SEALS & ~F_SEAL_SEAL), LENGTH);
    check_file(file_of("1", LENGTH + 1, LENGTH, (SEALS & ~F_SEAL_WRITE) | F_SEAL_FUTURE_WRITE), LENGTH);
}

static void test_lying_files(void)
{
    check_file(file_of("1", LENGTH + 1, LENGTH, SEALS), LENGTH + 1);
    check_file(file_of("1", LENGTH + 1, LENGTH, SEALS), LENGTH - 1);
    check_file(file_of("1", LENGTH + 1, LENGTH, SEALS), IPC_LANE_ARGS_MAX);
    check_file(file_of("1", LENGTH + 1, LENGTH, SEALS), IPC_LANE_ARGS_MAX + 1);
    check_file(file_of("1", LENGTH + 1, LENGTH, SEALS), UINT32_MAX);
    check_file(file_of("1", LENGTH + 1, LENGTH + 1, SEALS), LENGTH); /* without its NUL */
    check_file(file_of("1", 2, 1, SEALS), 1);                       /* short texts do not travel so */
    check_file(file_of("1", 1, 1, SEALS), LENGTH);
}

/* It is cut short while it is under way, which the seals are there to prevent. */
static void test_shrinking_file(void)
{
    g_autoptr(Hostile) h = hostile_new();
    int fd = file_of("1", LENGTH + 1, LENGTH, 0);

    send_file(h, fd, LENGTH);
    g_assert_cmpint(ftruncate(fd, 0), ==, 0);
    expect_cut_off(h);
    close(fd);
}

static void test_no_memfd(void)
{
    int fds[2];

    check_file(open("/dev/zero", O_RDONLY | O_CLOEXEC), LENGTH);
    check_file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), LENGTH);
    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    check_file(fds[0], LENGTH);
    close(fds[1]);
    check_file(open("/", O_PATH | O_CLOEXEC), LENGTH);
}

/* ---- anything at all ---- */

static void test_random(void)
{
    unsigned round;

    for (round = 0; round < 300; round++) {
        g_autoptr(Hostile) h = hostile_new();
        char packet[256];
        Header header = sound("[1]");
        unsigned i, size = (unsigned)g_test_rand_int_range(1, sizeof(packet)), n = (unsigned)g_test_rand_int_range(1, 4);
        int fds[3] = { STDERR_FILENO, STDERR_FILENO, STDERR_FILENO };

        memset(packet, 0, sizeof(packet));
        memcpy(packet, &header, sizeof(header));
        memcpy(packet + sizeof(header) + 1, "[1]", 4);
        for (i = 0; i < n; i++)
            packet[g_test_rand_int_range(0, sizeof(header))] = (char)g_test_rand_int();
        send_packet(h, packet, size, fds, (unsigned)g_test_rand_int_range(0, 4));
        run_idle(h->story);
        g_string_truncate(h->story->log, 0);
        post(h->story->a, "\"honest\"");
        expect_log(h->story, "\"honest\"");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/port-hostile/sound", test_sound);
    g_test_add_func("/port-hostile/waited-for", test_waited_for);
    g_test_add_func("/port-hostile/headers", test_headers);
    g_test_add_func("/port-hostile/short", test_short);
    g_test_add_func("/port-hostile/no-nul", test_no_nul);
    g_test_add_func("/port-hostile/too-long", test_too_long);
    g_test_add_func("/port-hostile/unexpected-fds", test_unexpected_fds);
    g_test_add_func("/port-hostile/fds-of-an-empty-packet", test_fds_of_an_empty_packet);
    g_test_add_func("/port-hostile/too-many-fds", test_too_many_fds);
    g_test_add_func("/port-hostile/too-few-fds", test_too_few_fds);
    g_test_add_func("/port-hostile/ports-that-are-none", test_ports_that_are_none);
    /* Valgrind has a bound of its own for fds, and does not tell of it as the kernel does. */
    if (!is_slow())
        g_test_add_func("/port-hostile/no-room-for-fds", test_no_room_for_fds);
    g_test_add_func("/port-hostile/sound-file", test_sound_file);
    g_test_add_func("/port-hostile/unsealed-files", test_unsealed_files);
    g_test_add_func("/port-hostile/lying-files", test_lying_files);
    g_test_add_func("/port-hostile/shrinking-file", test_shrinking_file);
    g_test_add_func("/port-hostile/no-memfd", test_no_memfd);
    g_test_add_func("/port-hostile/random", test_random);
    return g_test_run();
}
