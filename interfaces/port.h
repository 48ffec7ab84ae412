/* SPDX-License-Identifier: MIT */
#pragma once

/* A port: one end of a message channel. */

#include "account.h"
#include "emitter.h"
#include "ipc-port.h"
#include "watch.h"
#include "wire.h"

struct ipc_port {
    unsigned n_ref;
    Wire wire;
    ipc_port *twin; /* borrowed: its other end, as long as both are here */
    Watch watch;  /* in its own set, or in that of who drives it */
    WatchSet set; /* of ipc_port_attach_event() */
    sd_event *event; /* a reference, of the same */
    Emitter listeners; /* by the names below */
    Packet ahead;      /* read by wait() */
    bool has_ahead;
    int ahead_error; /* what wait() has got instead of a packet; 0: nothing */
    bool was_read; /* wait() or process() has just seen all there was */
    bool is_started;
    bool is_processing;
    bool is_closed;      /* by its holder */
    bool is_ended;       /* by the other end */
    bool is_transferred;
    bool is_lingering;   /* closed, with something to write; it holds itself */
};

#define PORT_MESSAGE "message"
#define PORT_TEXT "text"
#define PORT_CLOSE "close"

#define PORT_VERB 1u /* of packets between ports, the only one */

/* Takes the fd, which is known to be good. -ENOMEM leaves it. */
int port_new(int fd, ipc_port **ret_port);

/* -EINVAL, -ESTALE, -ENOTCONN (closed by its holder) */
int port_check(const ipc_port *port);

/* Of epoll, for its socket. */
uint32_t port_wanted_events(const ipc_port *port);

/* Writes what waits, and tells what has come; the answer is whether anything has. */
int port_process(ipc_port *port);

/* All is written, or nobody reads it. */
void port_linger_over(ipc_port *port);

/* Puts it into a set that somebody drives. -EBUSY: it is in one. */
int port_attach(ipc_port *port, WatchSet *set);

/* 0 if it can be transferred; as struct ipc_transfer says. */
int port_check_transferable(const ipc_port *port);

/* It was transferred: its fd lives on elsewhere. The one who got it answers for what waits in its other end. */
void port_neuter(ipc_port *port, Account *account);
