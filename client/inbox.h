/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What came in and has not been told yet, in order: messages, settled calls, changes of state.
 *
 * Callbacks run from here alone, and never while the connection is being read. So a callback may do anything,
 * even block in send_sync, which reads on and leaves what it finds here.
 */

#include <stdbool.h>
#include <sys/queue.h>
#include <systemd/sd-bus.h>

#include "ipc-renderer.h"
#include "packet.h"

typedef struct Delivery Delivery;

/* Tells, and frees. Not wanted: the renderer is closed, and only calls are told how they ended. */
typedef void (*DeliveryRun)(ipc_renderer *renderer, Delivery *delivery, bool is_wanted);

struct Delivery {
    TAILQ_ENTRY(Delivery) link;
    DeliveryRun run;
};

typedef struct Inbox {
    TAILQ_HEAD(, Delivery) deliveries;
} Inbox;

void inbox_init(Inbox *inbox);
bool inbox_is_empty(const Inbox *inbox);
void inbox_push(Inbox *inbox, Delivery *delivery, DeliveryRun run);
void inbox_remove(Inbox *inbox, Delivery *delivery);

/* Tells the first. */
void inbox_deliver(ipc_renderer *renderer);

/* Empties it when the renderer closes. */
void inbox_drop(ipc_renderer *renderer);

/* A signal of main, by the bus or by the lane; what the packet owns is taken. */
void inbox_push_message(ipc_renderer *renderer, sd_bus_message *message);
void inbox_push_packet(ipc_renderer *renderer, Packet *packet);
