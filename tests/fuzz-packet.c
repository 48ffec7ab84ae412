/* SPDX-License-Identifier: MIT */
#include "fuzz-packet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "macro.h"
#include "packet.h"
#include "raw-header.h"

#define LARGE (IPC_INLINE_MAX + 100u) /* bytes of a text in a file */
#define FDS_MAX 18u                   /* one more than a packet may have */

/* What a packet has beside its header: each is a bit of the first byte. */
enum {
    IS_LARGE = 1,
    HAS_FDS = 2,
    IS_WRONG = 4,    /* a byte of the header is another one */
    HAS_WORDS = 8,   /* channel and text are the fuzzer's */
    IS_CUT = 16,     /* or longer than it says */
    MAY_MISCOUNT = 32,
};

/* ---- fds that are no ports ---- */

static int file_of(size_t size, size_t text_length, int seals)
{
    static char text[LARGE + 2];
    int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    check(fd >= 0);
    memset(text, ' ', sizeof(text));
    memcpy(text, "[1]", 3);
    if (size > text_length)
        text[text_length] = '\0';
    check(write(fd, text, size) == (ssize_t)size);
    check(seals == 0 || fcntl(fd, F_ADD_SEALS, seals) == 0);
    return fd;
}

typedef struct Pool {
    int sound; /* the text of a large packet */
    int others[11];
} Pool;

/* They are the same all the time, and nobody can change them. */
static const Pool *get_pool(void)
{
    const int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    static Pool pool;
    int *other = pool.others;

    if (pool.sound > 0)
        return &pool;
    pool.sound = file_of(LARGE + 1, LARGE, all);
    *other++ = file_of(LARGE + 1, LARGE + 1, all); /* without its NUL */
    *other++ = file_of(LARGE, LARGE, all);
    *other++ = file_of(0, 1, all);
    *other++ = file_of(LARGE + 1, LARGE, 0);
    *other++ = file_of(LARGE + 1, LARGE, all & ~F_SEAL_WRITE);
    *other++ = file_of(LARGE + 1, LARGE, all & ~F_SEAL_SHRINK);
    *other++ = open("/dev/null", O_RDWR | O_CLOEXEC);
    *other++ = open("/", O_PATH | O_CLOEXEC);
    *other++ = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    check(pipe2(other, O_CLOEXEC) == 0);
    return &pool;
}

/* ---- ends ---- */

void ends_add(Ends *ends, int fd)
{
    if (ends->n < ENDS_MAX)
        ends->fds[ends->n++] = fd;
    else
        close(fd);
}

void ends_clear(Ends *ends)
{
    while (ends->n > 0)
        close(ends->fds[--ends->n]);
}

int ends_make_pair(Ends *ends)
{
    int fds[2];

    check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
    ends_add(ends, fds[0]);
    return fds[1];
}

void ends_close_one(Ends *ends, Input *input)
{
    unsigned i = take_byte(input) % ENDS_MAX;

    if (i >= ends->n)
        return;
    close(ends->fds[i]);
    ends->fds[i] = ends->fds[--ends->n];
}

void ends_drain(const Ends *ends)
{
    static char buffer[PACKET_BUFFER_SIZE];
    Packet packet;
    unsigned i;
    int r;

    for (i = 0; i < ends->n; i++) {
        while ((r = packet_receive(ends->fds[i], buffer, MSG_DONTWAIT, &packet)) > 0)
            packet_clear(&packet);
        check(r == 0 || r == -ECONNRESET);
    }
}

/* ---- packets ---- */

typedef struct Fds {
    int fds[FDS_MAX];
    unsigned n;
    int made[FDS_MAX]; /* of them, those that are closed when they are sent */
    unsigned n_made;
} Fds;

static void add_fd(Fds *fds, int fd, bool is_made)
{
    fds->fds[fds->n++] = fd;
    if (is_made)
        fds->made[fds->n_made++] = fd;
}

static void add_transfers(Fds *fds, Ends *ends, Input *input, Header *header)
{
    unsigned i, kind, n = take_byte(input) % (FDS_MAX - 1);

    for (i = 0; i < n; i++) {
        kind = take_byte(input);
        if (kind < 128)
            add_fd(fds, ends_make_pair(ends), true);
        else if (kind < 160)
            add_fd(fds, ends->fds[kind % ends->n], false);
        else
            add_fd(fds, get_pool()->others[kind % ELEMENTSOF(get_pool()->others)], false);
        if (kind < 144)
            header->ports |= (uint16_t)(1u << i);
    }
    header->n_fds = (uint8_t)n;
}

static void add_large_text(Fds *fds, Input *input, Header *header)
{
    unsigned which = take_byte(input);

    header->flags = TEXT_IN_FD;
    header->length = LARGE;
    add_fd(fds, which < 128 ? get_pool()->sound : get_pool()->others[which % ELEMENTSOF(get_pool()->others)], false);
}

static void post(int fd, const void *data, size_t size, const Fds *fds)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control = { 0 };
    struct iovec piece = { .iov_base = (void *)data, .iov_len = size };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };

    if (fds->n > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(fds->n * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(fds->n * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds->fds, fds->n * sizeof(int));
    }
    /* It may be full, or closed. */
    (void)!sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Channel and text behind the header; the answer is how many bytes. */
static size_t put_strings(char *into, Input *input, Header *header, bool has_words)
{
    static const char *const channels[] = { "", "echo", "keep", "nothing", "port" };
    static const char *const texts[] = { "[]", "[1,\"a\"]", "1", "[", "", "{\"a\":[null]}", "\"It\"\0\"detail\"" };
    static const size_t lengths[] = { 2, 7, 1, 1, 0, 12, 13 };
    unsigned i;
    size_t size;
    _cleanup_free_ char *channel = has_words ? take_word(input) : NULL;
    _cleanup_free_ char *text = has_words ? take_bytes(input, &size) : NULL;

    if (!has_words) {
        i = take_byte(input);
        channel = strdup(channels[i % ELEMENTSOF(channels)]);
        i = take_byte(input) % ELEMENTSOF(texts);
        size = lengths[i];
        text = malloc(size + 1);
        check(channel && text);
        memcpy(text, texts[i], size);
        text[size] = '\0';
    }
    header->channel_length = (uint8_t)strlen(channel);
    memcpy(into, channel, header->channel_length + 1u);
    if (header->flags & TEXT_IN_FD)
        return header->channel_length + 1u;
    header->length = (uint32_t)size;
    memcpy(into + header->channel_length + 1, text, size + 1);
    return header->channel_length + 1u + size + 1;
}

void ends_send(Ends *ends, Input *input, const uint8_t *verbs, size_t n_verbs)
{
    char bytes[sizeof(Header) + 1024] = { 0 };
    unsigned what = take_byte(input), which = take_byte(input);
    Header header = { .magic = MAGIC, .verb = verbs[take_byte(input) % n_verbs] };
    Fds fds = { 0 };
    size_t size;

    if (ends->n == 0)
        return;
    header.id = take_byte(input);
    header.serial = take_byte(input);
    if (what & IS_LARGE)
        add_large_text(&fds, input, &header);
    if (what & HAS_FDS)
        add_transfers(&fds, ends, input, &header);
    if (what & MAY_MISCOUNT)
        header.n_fds = take_byte(input);
    size = sizeof(header) + put_strings(bytes + sizeof(header), input, &header, what & HAS_WORDS);
    memcpy(bytes, &header, sizeof(header));
    if (what & IS_WRONG) {
        unsigned place = take_byte(input) % sizeof(header);

        bytes[place] = (char)take_byte(input);
    }
    if (what & IS_CUT)
        size = (size + take_byte(input)) % sizeof(bytes);
    post(ends->fds[which % ends->n], bytes, size, &fds);
    while (fds.n_made > 0)
        close(fds.made[--fds.n_made]);
}

/* ---- what is left ---- */

uint64_t fds_that_are_open(void)
{
    struct pollfd fds[64];
    uint64_t open = 0;
    unsigned i;

    (void)get_pool();
    for (i = 0; i < ELEMENTSOF(fds); i++)
        fds[i] = (struct pollfd){ .fd = (int)i, .events = POLLIN };
    (void)poll(fds, ELEMENTSOF(fds), 0);
    for (i = 0; i < ELEMENTSOF(fds); i++)
        open |= (uint64_t)!(fds[i].revents & POLLNVAL) << i;
    return open;
}
