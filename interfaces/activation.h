/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The unit of systemd that a bus starts for a name. The bus tells nobody which one that is, nor, as dbus-daemon, that
 * it has failed; but the file that tells the bus is there for all to read, and systemd on the same bus answers
 * everybody.
 */

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_UNIT_INTERFACE "org.freedesktop.systemd1.Unit"
#define ACTIVATION_UNITS_MAX 3u

typedef struct Activation {
    char *units[ACTIVATION_UNITS_MAX];
    size_t n_units;
    bool is_certain; /* the file names the unit; else these are the ones that it may be, by convention */
    bool is_system;  /* it is on the system bus */
} Activation;

typedef enum UnitState {
    UNIT_OTHER,   /* it is not what starts the name, or says nothing about it */
    UNIT_STARTS,  /* it may still come */
    UNIT_ENDED,   /* it does not run, and nobody starts it */
    UNIT_FAILED,
} UnitState;

/*
 * Which units may have to do with the name. None is no error: a bus without systemd starts programs itself, and tells
 * of their end. The bus is looked at, not talked to. -ENOMEM
 */
int activation_find(Activation *ret_activation, sd_bus *bus, const char *name);
void activation_clear(Activation *activation);

/* The question how a unit is doing, for systemd, which the caller addresses and sends. A negative errno. */
int activation_new_question(const Activation *activation, size_t unit, sd_bus *bus, sd_bus_message **ret_call);

/* What the answer means. */
UnitState activation_read_answer(Activation *activation, sd_bus_message *answer);

/* Why the name has no owner, and which command shows more: the caller frees it. NULL: out of memory. */
char *activation_explain(const Activation *activation, size_t unit, UnitState state, const char *name);
