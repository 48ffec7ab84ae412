/* SPDX-License-Identifier: MIT */
#pragma once

/* A dbus-broker without its launcher, which wants a systemd: we are its controller. */

#include <sys/types.h>
#include <systemd/sd-bus.h>

typedef struct Broker {
    pid_t pid;
    sd_bus *controller; /* the broker ends with it */
} Broker;

/* Of one user, as numbers for its command line. */
typedef struct BrokerLimits {
    const char *bytes;
    const char *fds;
    const char *matches;
    const char *objects;
} BrokerLimits;

/*
 * It listens at that path, and lets everybody do everything within these limits. What has been started is the caller's
 * to end, whatever the answer.
 */
int broker_start(Broker *broker, const char *path, const BrokerLimits *limits);
