/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "account.h"
#include "clock.h"
#include "file.h"
#include "macro.h"

/*
 * The kernel bounds what is unread in a socket, but not what the memfds hold that are on their way in it. So large
 * texts are counted here until the socket is known to be empty. What is unread in both ways together, in files and in
 * the queue, stays under wire->max; only a text that is larger by itself may go alone. The account may say no to that.
 */

void wire_init(Wire *wire, int fd)
{
    *wire = (Wire){ .fd = fd, .max = IPC_QUEUE_BYTES_MAX };
    TAILQ_INIT(&wire->queue);
}

static unsigned count_files(const Packet *packet)
{
    return packet->n_fds + (packet->text_fd >= 0 ? 1u : 0u);
}

static void queue_take_first(Wire *wire)
{
    Parcel *parcel = TAILQ_FIRST(&wire->queue);

    TAILQ_REMOVE(&wire->queue, parcel, link);
    wire->bytes -= parcel->size;
    wire->n_files -= count_files(&parcel->packet);
    parcel_free(parcel);
}

static void queue_clear(Wire *wire)
{
    while (!TAILQ_EMPTY(&wire->queue))
        queue_take_first(wire);
}

void wire_close(Wire *wire)
{
    queue_clear(wire);
    account_leave(wire);
    if (wire->fd >= 0)
        close(wire->fd);
    wire->fd = -1;
    free(TAKE_PTR(wire->buffer));
}

int wire_make_pair(int ret_fds[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0 ? -errno : 0;
}

/* ---- out ---- */

static bool is_all_read(const Wire *wire)
{
    int n = 0;

    return ioctl(wire->fd, SIOCOUTQ, &n) == 0 && n == 0;
}

size_t wire_get_unread(Wire *wire)
{
    if (wire->n_sent_files > 0 && is_all_read(wire)) {
        wire->n_sent_files = 0;
        wire->large_bytes = 0;
    }
    account_count(wire);
    return wire->large_bytes + wire->bytes;
}

static bool has_room(Wire *wire, const Packet *packet)
{
    bool is_large = packet->length > IPC_INLINE_MAX;
    size_t unread = is_large ? wire_get_unread(wire) : wire->large_bytes + wire->bytes;
    size_t size = packet->length + IPC_MESSAGE_OVERHEAD;

    if (unread > 0 && (unread > wire->max || size > wire->max - unread))
        return false;
    return !wire->account || account_has_room(wire->account, size, packet->n_fds + (is_large ? 1u : 0u));
}

static int broke(Wire *wire)
{
    wire->is_broken = true;
    queue_clear(wire);
    return -EPIPE;
}

static int write_packet(Wire *wire, const Packet *packet)
{
    int r;

    r = packet_send(wire->fd, packet);
    if (r >= 0 && packet->text_fd >= 0)
        wire->large_bytes += packet->length;
    if (r >= 0)
        wire->n_sent_files += count_files(packet);
    return r == -EPIPE ? broke(wire) : r;
}

static int keep(Wire *wire, const Packet *packet)
{
    Parcel *parcel;
    int r;

    r = parcel_copy(packet, &parcel);
    if (r < 0)
        return r;
    TAILQ_INSERT_TAIL(&wire->queue, parcel, link);
    wire->bytes += parcel->size;
    wire->n_files += count_files(&parcel->packet);
    return 0;
}

static int send_or_keep(Wire *wire, const Packet *packet, bool is_bounded)
{
    int r = -EAGAIN;

    if (TAILQ_EMPTY(&wire->queue))
        r = write_packet(wire, packet);
    if (r == -EAGAIN)
        r = !is_bounded || has_room(wire, packet) ? keep(wire, packet) : -ENOBUFS;
    if (r >= 0)
        wire->n_sent++;
    account_count(wire);
    return r == -ETOOMANYREFS ? -ENOBUFS : r;
}

int wire_send(Wire *wire, const Packet *packet)
{
    _cleanup_(file_closep) int text_fd = -1;
    Packet large;
    int r;

    if (wire->fd < 0 || wire->is_broken)
        return -EPIPE;
    if (packet->length > IPC_LANE_ARGS_MAX)
        return -EMSGSIZE;
    if ((wire->bytes > 0 || packet->length > IPC_INLINE_MAX || packet->n_fds > 0) && !has_room(wire, packet))
        return -ENOBUFS;
    if (packet->length <= IPC_INLINE_MAX || packet->text_fd >= 0)
        return send_or_keep(wire, packet, true);
    r = packet_make_text_fd(packet, &text_fd);
    if (r < 0)
        return r;
    large = *packet;
    large.text_fd = text_fd;
    return send_or_keep(wire, &large, true);
}

int wire_send_anyway(Wire *wire, const Packet *packet)
{
    if (wire->fd < 0 || wire->is_broken)
        return -EPIPE;
    return packet->length > IPC_INLINE_MAX ? -EMSGSIZE : send_or_keep(wire, packet, false);
}

int wire_flush(Wire *wire)
{
    int r = wire->is_broken ? -EPIPE : 0;

    while (r >= 0 && !TAILQ_EMPTY(&wire->queue)) {
        r = write_packet(wire, &TAILQ_FIRST(&wire->queue)->packet);
        if (r >= 0)
            queue_take_first(wire);
    }
    /* The kernel has as many files of this user under way as it takes: some will arrive. */
    if (r == -ETOOMANYREFS)
        r = -EAGAIN;
    /* What it has accepted it cannot write: there is no telling the sender any more, but the reader. */
    if (r < 0 && r != -EAGAIN && r != -EPIPE)
        r = broke(wire);
    account_count(wire);
    return r == -EAGAIN ? 0 : r;
}

int wire_flush_all(Wire *wire, uint64_t timeout_usec)
{
    uint64_t now = clock_now(CLOCK_MONOTONIC), deadline = now + timeout_usec;
    struct pollfd pollfd = { .fd = wire->fd, .events = POLLOUT };
    int r;

    for (;;) {
        r = wire_flush(wire);
        if (r < 0 || TAILQ_EMPTY(&wire->queue))
            return r;
        now = clock_now(CLOCK_MONOTONIC);
        if (now >= deadline)
            return -ETIMEDOUT;
        if (poll(&pollfd, 1, (int)((deadline - now) / 1000 + 1)) < 0 && errno != EINTR)
            return -errno;
    }
}

/* ---- in ---- */

int wire_receive(Wire *wire, int flags, Packet *ret_packet)
{
    if (wire->fd < 0)
        return -ECONNRESET;
    if (!wire->buffer) {
        wire->buffer = malloc(PACKET_BUFFER_SIZE);
        if (!wire->buffer)
            return -ENOMEM;
    }
    return packet_receive(wire->fd, wire->buffer, flags, ret_packet);
}
