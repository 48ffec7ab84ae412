/* SPDX-License-Identifier: MIT */
#pragma once

/* What the bus says of who a peer is. */

#include <systemd/sd-bus.h>

#include "peer.h"

/* Reads a{sv}, as GetConnectionCredentials answers it, into the peer. */
int credentials_read(Peer *peer, sd_bus_message *message);
