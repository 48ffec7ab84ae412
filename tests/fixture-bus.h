/* SPDX-License-Identifier: MIT */
#pragma once

/* A private bus: a dbus-daemon with a configuration of its own, which ends with the test. */

#include <glib.h>
#include <systemd/sd-bus.h>

typedef struct Bus {
    GPid pid;
    char *folder; /* of its configuration and its socket */
    char *address;
    sd_bus *controller; /* of a dbus-broker; NULL: it is a dbus-daemon */
} Bus;

/* The limits of a stock session bus. */
#define BUS_LIMITS_SESSION                                              \
    "<limit name='max_incoming_bytes'>1000000000</limit>"               \
    "<limit name='max_incoming_unix_fds'>250000000</limit>"             \
    "<limit name='max_outgoing_bytes'>1000000000</limit>"               \
    "<limit name='max_outgoing_unix_fds'>250000000</limit>"             \
    "<limit name='max_message_size'>1000000000</limit>"                 \
    "<limit name='max_completed_connections'>100000</limit>"            \
    "<limit name='max_incomplete_connections'>10000</limit>"            \
    "<limit name='max_connections_per_user'>100000</limit>"             \
    "<limit name='max_pending_service_starts'>10000</limit>"            \
    "<limit name='max_names_per_connection'>50000</limit>"              \
    "<limit name='max_match_rules_per_connection'>50000</limit>"        \
    "<limit name='max_replies_per_connection'>50000</limit>"

/* What is worst for a service whose peers do not read: small, and the same in and out. */
#define BUS_LIMITS_SMALL                                                \
    BUS_LIMITS_SESSION                                                  \
    "<limit name='max_incoming_bytes'>10000000</limit>"                 \
    "<limit name='max_outgoing_bytes'>10000000</limit>"

/* Those of a stock system bus, but with room for as many connections as a test likes to open. */
#define BUS_LIMITS_SYSTEM                                               \
    "<limit name='max_completed_connections'>100000</limit>"            \
    "<limit name='max_incomplete_connections'>10000</limit>"            \
    "<limit name='max_connections_per_user'>100000</limit>"             \
    "<limit name='max_match_rules_per_connection'>512</limit>"          \
    "<limit name='max_replies_per_connection'>128</limit>"

/* The configuration, beside address and policy, as XML: limits, a <servicedir>; NULL is BUS_LIMITS_SESSION. */
Bus *bus_new(const char *config);

/* A dbus-broker with a bound of the bytes of one user; NULL: it is not installed. */
Bus *bus_new_broker(const char *max_bytes);

/* Ends the daemon. */
void bus_free(Bus *bus);

/* Ends the daemon and leaves the rest to bus_free(): whoever is connected loses the bus. */
void bus_kill(Bus *bus);

/* A new connection, which has said hello but has not been answered yet. */
sd_bus *bus_connect(const Bus *bus);

/* The same for another user; the caller must be root. */
sd_bus *bus_connect_as(const Bus *bus, uid_t uid);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bus, bus_free)
