/* SPDX-License-Identifier: MIT */
#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "ipc-names.h"
#include "macro.h"
#include "port.h"

#define KIND_PORT "port"
#define KIND_FILE "file"

/* ---- out ---- */

static int check_port(const ipc_transfer *transfer, size_t index, const ipc_port *through)
{
    const ipc_port *port = transfer->ports[index];
    size_t i;

    if (!port)
        return -EINVAL;
    if (port == through)
        return -ELOOP;
    for (i = 0; i < index; i++)
        if (transfer->ports[i] == port)
            return -EEXIST;
    return port_check_transferable(port);
}

int transfer_check(const ipc_transfer *transfer, const ipc_port *through)
{
    size_t i;
    int r = 0;

    if (!transfer)
        return 0;
    if ((transfer->n_ports > 0 && !transfer->ports) || (transfer->n_files > 0 && !transfer->files))
        return -EINVAL;
    if (transfer->n_ports > IPC_TRANSFERS_MAX || transfer->n_files > IPC_TRANSFERS_MAX - transfer->n_ports)
        return -E2BIG;
    for (i = 0; i < transfer->n_ports && r >= 0; i++)
        r = check_port(transfer, i, through);
    for (i = 0; i < transfer->n_files && r >= 0; i++)
        if (fcntl(transfer->files[i], F_GETFD) < 0)
            r = -EBADF;
    return r;
}

void transfer_fill(const ipc_transfer *transfer, Packet *packet)
{
    size_t i;

    if (!transfer)
        return;
    for (i = 0; i < transfer->n_ports; i++) {
        packet->ports |= (uint16_t)(1u << packet->n_fds);
        packet->fds[packet->n_fds++] = transfer->ports[i]->wire.fd;
    }
    for (i = 0; i < transfer->n_files; i++)
        packet->fds[packet->n_fds++] = transfer->files[i];
}

int transfer_append(const Packet *packet, sd_bus_message *message)
{
    unsigned i;
    int r;

    r = sd_bus_message_open_container(message, 'a', "(sh)");
    for (i = 0; i < packet->n_fds && r >= 0; i++)
        r = sd_bus_message_append(message, "(sh)", packet->ports & 1u << i ? KIND_PORT : KIND_FILE, packet->fds[i]);
    return r < 0 ? r : sd_bus_message_close_container(message);
}

void transfer_done(const ipc_transfer *transfer, Account *account)
{
    size_t i;

    for (i = 0; transfer && i < transfer->n_ports; i++)
        port_neuter(transfer->ports[i], account);
}

/* ---- in ---- */

static int add_fd(Transfers *transfers, int fd, bool is_port)
{
    int r;

    if (!is_port) {
        transfers->files[transfers->n_files++] = fd;
        return 0;
    }
    r = port_new(fd, &transfers->ports[transfers->n_ports]);
    if (r >= 0)
        transfers->n_ports++;
    return r;
}

int transfers_from_packet(Packet *packet, Transfers **ret_transfers)
{
    _cleanup_(transfers_freep) Transfers *transfers = NULL;
    unsigned i;
    int r;

    if (packet->n_fds == 0)
        return 0;
    transfers = calloc(1, sizeof(*transfers));
    if (!transfers)
        return -ENOMEM;
    for (i = 0; i < packet->n_fds; i++) {
        if (file_is_scarce(packet->fds[i]))
            return -EMFILE;
        r = add_fd(transfers, packet->fds[i], packet->ports & 1u << i);
        if (r < 0)
            return r;
        packet->fds[i] = -1;
    }
    *ret_transfers = TAKE_PTR(transfers);
    return 0;
}

static int refuse(sd_bus_error *error, const char *message)
{
    sd_bus_error_set(error, IPC_ERROR_INVALID_ARGS, message);
    return -EINVAL;
}

static int read_transfer(sd_bus_message *message, Transfers *transfers, sd_bus_error *error)
{
    const char *kind;
    bool is_port;
    int fd, copy, r;

    r = sd_bus_message_read(message, "(sh)", &kind, &fd);
    if (r <= 0)
        return r;
    is_port = strcmp(kind, KIND_PORT) == 0;
    if (!is_port && strcmp(kind, KIND_FILE) != 0)
        return refuse(error, "What is transferred is a 'port' or a 'file', and nothing else");
    if (is_port && !packet_is_port_fd(fd))
        return refuse(error, "A port is a connected socket (AF_UNIX, SOCK_SEQPACKET), and this one is not");
    if (transfers->n_ports + transfers->n_files >= IPC_TRANSFERS_MAX)
        return refuse(error, "More ports and files are transferred than one message may have");
    copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return -errno;
    if (file_is_scarce(copy)) {
        close(copy);
        sd_bus_error_set(error, IPC_ERROR_LIMITS_EXCEEDED, "Too many files are open here to take in more of them");
        return -EMFILE;
    }
    r = add_fd(transfers, copy, is_port);
    if (r < 0)
        close(copy);
    return r < 0 ? r : 1;
}

int transfers_from_message(sd_bus_message *message, Transfers **ret_transfers, sd_bus_error *error)
{
    _cleanup_(transfers_freep) Transfers *transfers = NULL;
    int r;

    r = sd_bus_message_enter_container(message, 'a', "(sh)");
    if (r < 0)
        return r;
    if (sd_bus_message_at_end(message, false) <= 0) {
        transfers = calloc(1, sizeof(*transfers));
        if (!transfers)
            return -ENOMEM;
        do
            r = read_transfer(message, transfers, error);
        while (r > 0);
    }
    if (r >= 0)
        r = sd_bus_message_exit_container(message);
    if (r < 0)
        return r;
    *ret_transfers = TAKE_PTR(transfers);
    return 0;
}

int transfers_join(Transfers *transfers, Account *account)
{
    for (size_t i = 0; transfers && account && i < transfers->n_ports; i++) {
        if (file_is_scarce_for(transfers->ports[i]->wire.fd, account->n_wires))
            return -EMFILE;
        account_join(account, &transfers->ports[i]->wire);
    }
    return 0;
}

Transfers *transfers_free(Transfers *transfers)
{
    size_t i;

    if (!transfers)
        return NULL;
    for (i = 0; i < transfers->n_ports; i++)
        ipc_port_unref(transfers->ports[i]);
    for (i = 0; i < transfers->n_files; i++)
        if (transfers->files[i] >= 0)
            close(transfers->files[i]);
    free(transfers);
    return NULL;
}
