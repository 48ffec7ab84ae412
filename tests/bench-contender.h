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
    ACT_TEXT,   /* call with TEXT_SIZE of JSON text, one by one */
    ACT_LARGE,  /* the same with LARGE_SIZE */
    ACT_BACK,   /* call with TEXT_SIZE of text, and get it back as it went, one by one */
    ACT_OTHER,  /* the same, and get another one as long */
    ACT_FILE,   /* make a file of FILE_SIZE, and have it read, one by one */
    N_ACTS,
} Act;

#define TEXT_SIZE (1024u * 1024)
#define LARGE_SIZE (16u * 1024 * 1024)
#define FILE_SIZE (64u * 1024 * 1024)

#define SAMPLES_MAX 4096u

/* What the service writes and the client reads. */
typedef struct Tally {
    unsigned n_samples; /* nsec that single acts took, where the client takes them */
    unsigned samples[SAMPLES_MAX];
    atomic_ullong n_awaited;
    atomic_ullong finished; /* nsec of CLOCK_MONOTONIC at which the last one awaited came */
} Tally;

/* Where a contender's processes meet. */
typedef struct Scene {
    const char *address;
    const char *bus_name;
    const char *payload; /* the argument */
    Tally *tally;
    int control;
} Scene;

typedef int (*ActRun)(void *client, unsigned n);

typedef struct Contender {
    const char *bus_name;
    int (*serve)(const Scene *scene);   /* calls scene_ready(), then serves until it is killed; NULL: nobody does */
    int (*perform)(const Scene *scene); /* sets up a client, then calls scene_perform() */
    const char *payload;                /* NULL: PAYLOAD */
    Child service;
    Child client;
    Tally *tally;
} Contender;

extern Contender bare_contender;       /* sd-bus, by process() and wait() */
extern Contender bare_event_contender; /* the same in an sd-event loop */
extern Contender ipcbus_contender;
extern Contender ipcbus_event_contender;
extern Contender ipcbus_lane_contender; /* the service in an sd-event loop */
extern Contender ipcbus_text_contender; /* the same, and nobody parses anything */
extern Contender gdbus_contender; /* where there is GLib */
extern Contender node_contender;  /* has no service of its own */

int contender_start(Contender *contender, const char *address);
void contender_stop(Contender *contender);

/* How long it took the client. */
int contender_act(Contender *contender, Act act, unsigned n, uint64_t *ret_nsec);

/* ---- for the processes ---- */

/* Whoever is started from here on is on the same CPU. */
int pin_to_cpu(unsigned *ret_cpu);

uint64_t now_nsec(void);

int scene_ready(const Scene *scene);

/* Does what it is told until the end. Acts that the client does not know are NULL. */
int scene_perform(const Scene *scene, const ActRun runs[N_ACTS], void *client);

/* One act is over that began then. */
static inline void tally_sample(Tally *tally, uint64_t start)
{
    if (tally->n_samples < SAMPLES_MAX)
        tally->samples[tally->n_samples++] = (unsigned)(now_nsec() - start);
}

/* Reads a byte of each page. */
unsigned touch_pages(const char *data, size_t size);

/* A JSON array as long as that, which the caller frees; a NUL follows. NULL: no memory. */
char *make_args_text(size_t size);

/* One of the messages sent has come. */
static inline void tally_count(Tally *tally)
{
    if (atomic_fetch_sub_explicit(&tally->n_awaited, 1, memory_order_relaxed) == 1)
        tally->finished = now_nsec();
}
