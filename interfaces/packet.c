/* SPDX-License-Identifier: MIT */
#include "packet.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "file.h"
#include "macro.h"
#include "shared-text.h"

/*
 * On the socket a packet is a header, the channel with its NUL, and the text with its NUL. A text over IPC_INLINE_MAX
 * is not there: the first fd is a sealed memfd that holds it, with its NUL. The other fds are what is transferred.
 *
 * The other end may be anyone's. So whatever does not add up to the byte is no packet, and no fd that came with it
 * stays open. The kernel drops fds for which the control buffer has no room, and says so.
 */

#define PACKET_MAGIC 0x31637069u /* "ipc1"; another order of bytes is no packet */
#define PACKET_TEXT_IN_FD 0x01u  /* flag */
#define SMALL 1024u              /* bytes of a packet that are copied together rather than gathered */

#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04 /* Linux 6.5 */
#endif

typedef struct Header {
    uint32_t magic;
    uint8_t verb;
    uint8_t flags;
    uint8_t n_fds; /* that are transferred */
    uint8_t channel_length;
    uint16_t ports;
    uint16_t reserved; /* 0 */
    uint32_t id;
    uint32_t serial;
    uint32_t length; /* of the text */
} Header;

#define FDS_MAX (IPC_TRANSFERS_MAX + 1)
#define CONTROL_SIZE CMSG_SPACE(FDS_MAX * sizeof(int))

typedef union Control {
    struct cmsghdr header; /* for its alignment */
    char bytes[CONTROL_SIZE];
} Control;

/* ---- out ---- */

int packet_make_text_fd(const Packet *packet, int *ret_fd)
{
    int fd, r;

    if (packet->length <= IPC_INLINE_MAX || packet->text_fd >= 0)
        return 0;
    r = shared_text_open(packet->text, packet->length, ret_fd);
    if (r != 0)
        return r < 0 ? r : 0;
    fd = file_new_sealed("ipcbus-text", packet->text, packet->length, "", 1);
    if (fd < 0)
        return fd;
    *ret_fd = fd;
    return 0;
}

static void header_init(Header *header, const Packet *packet, size_t channel_length)
{
    *header = (Header){
        .magic = PACKET_MAGIC,
        .verb = packet->verb,
        .flags = packet->text_fd >= 0 ? PACKET_TEXT_IN_FD : 0,
        .n_fds = packet->n_fds,
        .channel_length = (uint8_t)channel_length,
        .ports = packet->ports,
        .id = packet->id,
        .serial = packet->serial,
        .length = (uint32_t)packet->length,
    };
}

/* Of a header on the socket. */
static size_t inline_size(const Header *header)
{
    return sizeof(*header) + header->channel_length + 1 + (header->flags & PACKET_TEXT_IN_FD ? 0 : header->length + 1);
}

static int sent(ssize_t n)
{
    if (n >= 0)
        return 0;
    return errno == EWOULDBLOCK ? -EAGAIN : errno == ECONNRESET || errno == ENOTCONN ? -EPIPE : -errno;
}

static int send_small(int fd, const Header *header, const char *channel, const char *text)
{
    char buffer[SMALL], *end = buffer;

    end = mempcpy(end, header, sizeof(*header));
    end = mempcpy(end, channel, header->channel_length + 1u);
    end = mempcpy(end, text, header->length);
    *end++ = '\0';
    return sent(send(fd, buffer, (size_t)(end - buffer), MSG_DONTWAIT | MSG_NOSIGNAL));
}

static void control_init(struct msghdr *message, Control *control, const Packet *packet)
{
    unsigned n_texts = packet->text_fd >= 0 ? 1 : 0, n = packet->n_fds + n_texts;
    struct cmsghdr *cmsg;

    if (n == 0)
        return;
    memset(control, 0, sizeof(*control));
    message->msg_control = control;
    message->msg_controllen = CMSG_SPACE(n * sizeof(int));
    cmsg = CMSG_FIRSTHDR(message);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
    if (n_texts > 0)
        memcpy(CMSG_DATA(cmsg), &packet->text_fd, sizeof(int));
    memcpy(CMSG_DATA(cmsg) + n_texts * sizeof(int), packet->fds, packet->n_fds * sizeof(int));
}

int packet_send(int fd, const Packet *packet)
{
    const char *channel = packet->channel ? packet->channel : "", *text = packet->text ? packet->text : "";
    size_t channel_length = strlen(channel);
    bool has_text_fd = packet->text_fd >= 0;
    Header header;
    struct iovec pieces[] = {
        { .iov_base = &header, .iov_len = sizeof(header) },
        { .iov_base = (void *)channel, .iov_len = channel_length + 1 },
        { .iov_base = (void *)text, .iov_len = packet->length },
        { .iov_base = (void *)"", .iov_len = 1 },
    };
    struct msghdr message = { .msg_iov = pieces, .msg_iovlen = has_text_fd ? 2 : ELEMENTSOF(pieces) };
    Control control;

    if (channel_length > IPC_CHANNEL_MAX || packet->length > (has_text_fd ? IPC_LANE_ARGS_MAX : IPC_INLINE_MAX))
        return -EMSGSIZE;
    header_init(&header, packet, channel_length);
    if (packet->n_fds == 0 && inline_size(&header) <= SMALL && !has_text_fd)
        return send_small(fd, &header, channel, text);
    control_init(&message, &control, packet);
    return sent(sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
}

/* ---- in ---- */

void packet_clear(Packet *packet)
{
    unsigned i;

    if (packet->is_mapped) {
        shared_text_remove(packet->text);
        munmap((void *)packet->text, packet->length + 1);
    }
    if (packet->text_fd >= 0)
        close(packet->text_fd);
    for (i = 0; i < packet->n_fds; i++)
        if (packet->fds[i] >= 0)
            close(packet->fds[i]);
    *packet = (Packet)PACKET_INIT;
}

/* Of a process, which whoever holds the socket, too, may have asked the kernel for with each packet. */
static void close_process_fd(const struct cmsghdr *cmsg)
{
    int fd;

    if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_PIDFD || cmsg->cmsg_len != CMSG_LEN(sizeof(fd)))
        return;
    memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
    if (fd >= 0)
        close(fd);
}

/* How many fds came: all of them are ours now, and those beyond what a packet may have are closed here. */
static unsigned take_fds(struct msghdr *message, int fds[FDS_MAX])
{
    struct cmsghdr *cmsg;
    unsigned n_fds = 0;
    size_t i, n;
    int fd;

    for (cmsg = CMSG_FIRSTHDR(message); cmsg; cmsg = CMSG_NXTHDR(message, cmsg)) {
        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS) {
            close_process_fd(cmsg);
            continue;
        }
        n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (i = 0; i < n; i++) {
            memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
            if (n_fds < FDS_MAX)
                fds[n_fds] = fd;
            else
                close(fd);
            n_fds++;
        }
    }
    return n_fds;
}

static void close_fds(const int fds[FDS_MAX], unsigned n_fds)
{
    unsigned i;

    for (i = 0; i < n_fds && i < FDS_MAX; i++)
        close(fds[i]);
}

static bool header_is_sound(const Header *header, size_t size, unsigned n_fds)
{
    bool has_text_fd = header->flags & PACKET_TEXT_IN_FD;

    return header->magic == PACKET_MAGIC && header->reserved == 0 && !(header->flags & ~PACKET_TEXT_IN_FD) &&
           header->n_fds <= IPC_TRANSFERS_MAX && n_fds == header->n_fds + (has_text_fd ? 1u : 0u) &&
           header->ports >> header->n_fds == 0 &&
           (has_text_fd ? header->length > IPC_INLINE_MAX && header->length <= IPC_LANE_ARGS_MAX
                        : header->length <= IPC_INLINE_MAX) &&
           size == inline_size(header);
}

bool packet_is_port_fd(int fd)
{
    struct sockaddr_storage address;
    int domain = -1, type = -1;
    socklen_t size = sizeof(int), address_size = sizeof(address);

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 || domain != AF_UNIX)
        return false;
    size = sizeof(int);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_SEQPACKET)
        return false;
    return getpeername(fd, (struct sockaddr *)&address, &address_size) == 0;
}

static int map_text(Packet *packet)
{
    const void *data;
    size_t size;
    int r;

    r = file_map_sealed(packet->text_fd, &data, &size);
    if (r < 0)
        return r == -ENOMEM ? r : -EBADMSG;
    if (size != packet->length + 1 || ((const char *)data)[packet->length] != '\0') {
        ipc_file_unmap(data, size);
        return -EBADMSG;
    }
    packet->text = data;
    packet->is_mapped = true;
    (void)shared_text_add(packet->text, packet->length, packet->text_fd);
    return 0;
}

/* The strings of a header that is sound. */
static int read_strings(const Header *header, const char *strings, Packet *packet)
{
    packet->channel = strings;
    if (strnlen(strings, header->channel_length + 1u) != header->channel_length)
        return -EBADMSG;
    if (packet->text_fd >= 0)
        return map_text(packet);
    packet->text = strings + header->channel_length + 1;
    return packet->text[packet->length] == '\0' ? 0 : -EBADMSG;
}

static int check_ports(const Packet *packet)
{
    unsigned i;

    for (i = 0; i < packet->n_fds; i++)
        if ((packet->ports & 1u << i) && !packet_is_port_fd(packet->fds[i]))
            return -EBADMSG;
    return 0;
}

/* From here on the fds belong to the packet. */
static int read_packet(const char *bytes, const Header *header, const int fds[FDS_MAX], Packet *packet)
{
    bool has_text_fd = header->flags & PACKET_TEXT_IN_FD;
    int r;

    packet->verb = header->verb;
    packet->n_fds = header->n_fds;
    packet->ports = header->ports;
    packet->id = header->id;
    packet->serial = header->serial;
    packet->length = header->length;
    packet->text_fd = has_text_fd ? fds[0] : -1;
    packet->is_mapped = false;
    memcpy(packet->fds, fds + (has_text_fd ? 1 : 0), header->n_fds * sizeof(int));
    r = read_strings(header, bytes + sizeof(*header), packet);
    if (r >= 0)
        r = check_ports(packet);
    if (r < 0)
        packet_clear(packet);
    return r;
}

static int received(void)
{
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int packet_receive(int fd, void *buffer, int flags, Packet *ret_packet)
{
    Control control;
    struct iovec piece = { .iov_base = buffer, .iov_len = PACKET_BUFFER_SIZE };
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
    };
    int fds[FDS_MAX] = { 0 };
    unsigned n_fds;
    Header header;
    ssize_t n;
    int r;

    n = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
    /* It went with something unread of ours. What it sent before comes first. */
    if (n < 0 && errno == ECONNRESET)
        n = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
    if (n < 0)
        return received();
    n_fds = take_fds(&message, fds);
    if (n == 0) {
        close_fds(fds, n_fds); /* an empty packet may bring some, too */
        return -ECONNRESET;
    }

    memcpy(&header, buffer, sizeof(header) < (size_t)n ? sizeof(header) : (size_t)n);
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || (size_t)n < sizeof(header) ||
        !header_is_sound(&header, (size_t)n, n_fds)) {
        close_fds(fds, n_fds);
        return -EBADMSG;
    }
    r = read_packet(buffer, &header, fds, ret_packet);
    return r < 0 ? r : 1;
}
