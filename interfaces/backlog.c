/* SPDX-License-Identifier: MIT */
#include "backlog.h"

#include <errno.h>
#include <sys/socket.h>

#include "ipc-names.h"
#include "macro.h"

void backlog_keep_short(Backlog *backlog, sd_bus *bus)
{
    int size = IPC_MAIN_SEND_BUFFER;

    backlog->n_messages = IPC_MAIN_BACKLOG_MESSAGES_MAX;
    /* sd-bus asks for 8 MiB. Without a socket of ours there is nothing to make smaller. */
    (void)setsockopt(sd_bus_get_fd(bus), SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

bool backlog_has_room(Backlog *backlog, sd_bus *bus)
{
    uint64_t n_messages = 0;

    if (sd_bus_get_n_queued_write(bus, &n_messages) < 0)
        return true; /* sending tells what is wrong */
    if (n_messages == 0)
        backlog->bytes = 0;
    return n_messages < (backlog->n_messages > 0 ? backlog->n_messages : IPC_BACKLOG_MESSAGES_MAX) &&
           backlog->bytes < IPC_BACKLOG_BYTES_MAX;
}

int backlog_settle(sd_bus *bus, uint64_t timeout_usec)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *ping = NULL;
    int r;

    /* sd-bus would first wait for a bus that has not let us in, for as long as it likes. */
    r = sd_bus_is_ready(bus);
    if (r <= 0)
        return r < 0 ? r : -ETIMEDOUT;
    r = sd_bus_message_new_method_call(bus, &ping, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                       "org.freedesktop.DBus.Peer", "Ping");
    if (r >= 0)
        r = sd_bus_call(bus, ping, timeout_usec, NULL, NULL);
    return r < 0 ? r : 0;
}
