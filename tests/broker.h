/* SPDX-License-Identifier: MIT */
#pragma once

/* A dbus-broker without its launcher, which wants a systemd: we are its controller. */

#include <sys/types.h>
#include <systemd/sd-bus.h>

typedef struct Broker {
    pid_t pid;
    sd_bus *controller; /* the broker ends with it */
} Broker;

/*
 * It listens at that path, lets everybody do everything, and bounds the bytes of one user. What has been started is the
 * caller's to end, whatever the answer.
 */
int broker_start(Broker *broker, const char *path, const char *max_bytes);
