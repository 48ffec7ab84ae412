/* SPDX-License-Identifier: MIT */
#pragma once

/* Cold activation: how long the first call takes, for which the bus has to start the service. */

#include "bench-bus.h"
#include "bench-report.h"

/* What a program does that the bus started to be the bare service: serves for ever. */
int activation_serve(const char *address);

/*
 * Adds a value for each round, in ms. program: ipcbusd; self: the command that calls activation_serve(), up to the address.
 */
int activation_measure(const Bus *bus, const char *program, const char *self, unsigned n_rounds, Series *ipcbus,
                       Series *bare);
