/* SPDX-License-Identifier: MIT */
#pragma once

/* A contender: one way to write a service and its client, each of which runs in a process of its own. */

#include <stdatomic.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "bench-child.h"

#define PAYLOAD "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/" /* the argument: 64 bytes */
#define PAYLOAD_SIZE (sizeof(PAYLOAD) - 1)
#define CHANNEL "echo"

/* What a client is told to do, n times. */
typedef enum Act {
    ACT_CALL,   /* call and block until the answer is there, one by one */
    ACT_INVOKE, /* call, and hear the answer by a callback, one by one */
    ACT_SEND,   /* send without an answer, as fast as it goes */
    N_ACTS,
} Act;

/* What the service writes and the client reads. */
typedef struct Tally {
    atomic_ullong n_awaited;
    atomic_ullong finished; /* nsec of CLOCK_MONOTONIC at which the last one awaited came */
} Tally;

/* Where a contender's processes meet. */
typedef struct Scene {
    const char *address;
    const char *bus_name;
    Tally *tally;
    int control;
} Scene;

typedef int (*ActRun)(void *client, unsigned n);

typedef struct Contender {
    const char *bus_name;
    int (*serve)(const Scene *scene);   /* calls scene_ready(), then serves until it is killed */
    int (*perform)(const Scene *scene); /* sets up a client, then calls scene_perform() */
    Child service;
    Child client;
    Tally *tally;
} Contender;

extern Contender bare_contender;       /* sd-bus, by process() and wait() */
extern Contender bare_event_contender; /* the same in an sd-event loop */
extern Contender ipcbus_contender;
extern Contender ipcbus_event_contender;

int contender_start(Contender *contender, const char *address);
void contender_stop(Contender *contender);

/* How long it took the client. */
int contender_act(Contender *contender, Act act, unsigned n, uint64_t *ret_nsec);

/* ---- for the processes ---- */

uint64_t now_nsec(void);

int scene_ready(const Scene *scene);

/* Does what it is told until the end. Acts that the client does not know are NULL. */
int scene_perform(const Scene *scene, const ActRun runs[N_ACTS], void *client);

/* One of the messages sent has come. */
static inline void tally_count(Tally *tally)
{
    if (atomic_fetch_sub_explicit(&tally->n_awaited, 1, memory_order_relaxed) == 1)
        tally->finished = now_nsec();
}
