/* SPDX-License-Identifier: MIT */
#pragma once

/* What goes along with a message: ports and files, on their way out and in. */

#include <systemd/sd-bus.h>

#include "account.h"
#include "ipc-port.h"
#include "packet.h"

/* ---- out: from the caller's list; NULL is an empty one ---- */

/* The port that it goes through, or NULL. The answers are those of struct ipc_transfer. */
int transfer_check(const ipc_transfer *transfer, const ipc_port *through);

/* Into a packet, which borrows the fds; from there into a message, as a(sh). */
void transfer_fill(const ipc_transfer *transfer, Packet *packet);
int transfer_append(const Packet *packet, sd_bus_message *message);

/* It has gone: the ports are dead. The account is that of who got them, or NULL. */
void transfer_done(const ipc_transfer *transfer, Account *account);

/* ---- in: owned ---- */

typedef struct Transfers {
    size_t n_ports;
    size_t n_files;
    ipc_port *ports[IPC_TRANSFERS_MAX];
    int files[IPC_TRANSFERS_MAX]; /* -1: taken */
} Transfers;

/* What is in a packet leaves it. NULL: there is nothing. -ENOMEM. */
int transfers_from_packet(Packet *packet, Transfers **ret_transfers);

/* Reads a(sh); what is wrong with it is -EINVAL, and the error says what. -EMFILE, -ENOMEM. */
int transfers_from_message(sd_bus_message *message, Transfers **ret_transfers, sd_bus_error *error);

/* Its ports are those of an account; of NULL, nobody's. -EMFILE: it has so many that others would find too few. */
int transfers_join(Transfers *transfers, Account *account);

Transfers *transfers_free(Transfers *transfers);

static inline void transfers_freep(Transfers **transfers)
{
    transfers_free(*transfers);
}
