/* SPDX-License-Identifier: MIT */
#include "parcel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "macro.h"

/* A parcel without fds: strings that are no mapping are copied. */
static Parcel *parcel_new(const Packet *packet, bool is_text_elsewhere)
{
    const char *channel = packet->channel ? packet->channel : "";
    size_t channel_size = strlen(channel) + 1, text_size = is_text_elsewhere ? 0 : packet->length + 1;
    Parcel *parcel;

    parcel = malloc(sizeof(*parcel) + channel_size + text_size);
    if (!parcel)
        return NULL;
    parcel->size = packet->length + IPC_MESSAGE_OVERHEAD;
    parcel->packet = (Packet)PACKET_INIT;
    parcel->packet.verb = packet->verb;
    parcel->packet.id = packet->id;
    parcel->packet.serial = packet->serial;
    parcel->packet.ports = packet->ports;
    parcel->packet.length = packet->length;
    parcel->packet.channel = memcpy(parcel->strings, channel, channel_size);
    if (text_size == 0)
        return parcel;
    parcel->packet.text = parcel->strings + channel_size;
    if (packet->length > 0)
        memcpy(parcel->strings + channel_size, packet->text, packet->length);
    parcel->strings[channel_size + packet->length] = '\0';
    return parcel;
}

int parcel_take(Packet *packet, Parcel **ret_parcel)
{
    Parcel *parcel;

    parcel = parcel_new(packet, packet->is_mapped);
    if (!parcel)
        return -ENOMEM;
    if (packet->is_mapped)
        parcel->packet.text = packet->text;
    parcel->packet.is_mapped = packet->is_mapped;
    parcel->packet.text_fd = packet->text_fd;
    parcel->packet.n_fds = packet->n_fds;
    memcpy(parcel->packet.fds, packet->fds, packet->n_fds * sizeof(int));
    *packet = (Packet)PACKET_INIT;
    *ret_parcel = parcel;
    return 0;
}

static int duplicate(int fd, int *ret_fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    if (copy < 0)
        return -errno;
    if (file_is_scarce(copy)) {
        close(copy);
        return -ENOBUFS;
    }
    *ret_fd = copy;
    return 0;
}

int parcel_copy(const Packet *packet, Parcel **ret_parcel)
{
    _cleanup_(parcel_freep) Parcel *parcel = NULL;
    int r = 0;

    parcel = parcel_new(packet, packet->text_fd >= 0);
    if (!parcel)
        return -ENOMEM;
    if (packet->text_fd >= 0)
        r = duplicate(packet->text_fd, &parcel->packet.text_fd);
    for (; r >= 0 && parcel->packet.n_fds < packet->n_fds; parcel->packet.n_fds++) {
        r = duplicate(packet->fds[parcel->packet.n_fds], &parcel->packet.fds[parcel->packet.n_fds]);
        if (r < 0)
            break;
    }
    if (r < 0)
        return r;
    *ret_parcel = TAKE_PTR(parcel);
    return 0;
}

Parcel *parcel_free(Parcel *parcel)
{
    if (!parcel)
        return NULL;
    packet_clear(&parcel->packet);
    free(parcel);
    return NULL;
}
