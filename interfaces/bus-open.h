/* SPDX-License-Identifier: MIT */
#pragma once

/* Which bus a program of ours was told to use, and how it opens it: shared by ipcbusd and ipcbusctl. */

#include <systemd/sd-bus.h>

typedef enum BusKind {
    BUS_USER,
    BUS_SYSTEM,
    BUS_ADDRESS, /* where: a D-Bus address */
    BUS_HOST,    /* where: as of ssh */
    BUS_MACHINE, /* where: as of machinectl */
} BusKind;

typedef struct BusTarget {
    BusKind kind;
    const char *where; /* borrowed */
} BusTarget;

/*
 * Opens the bus and sees it through its authentication. On failure it answers a negative errno, and *ret_tried, if
 * anything could be said, is the address that was tried. The caller frees both.
 */
int bus_open(const BusTarget *target, sd_bus **ret_bus, char **ret_tried);
