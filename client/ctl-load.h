/* SPDX-License-Identifier: MIT */
#pragma once

/* A load on an app that has the module echo: one renderer does the same thing over and over, and takes the time. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl-client.h"
#include "ctl-failure.h"
#include "ctl-options.h"
#include "histogram.h"
#include "ipc-renderer.h"

typedef enum LoadVerb {
    LOAD_INVOKE,
    LOAD_SEND,      /* until the same message comes back */
    LOAD_SEND_SYNC, /* blocks: one at a time */
    N_LOAD_VERBS,
} LoadVerb;

typedef struct LoadPlan {
    LoadVerb verb;
    size_t size;          /* bytes of the string that is the one argument */
    unsigned concurrency; /* how many are under way at any time */
    uint64_t usec;        /* how long it goes on */
} LoadPlan;

typedef struct LoadResult {
    Histogram latency; /* nsec */
    uint64_t nsec;     /* that all of them took */
} LoadResult;

typedef struct Flight Flight;

typedef struct Load {
    Client client;
    ipc_renderer *renderer;
    ipc_slot *state;
    Failure *failure;
    ExitStatus status; /* of what happens in callbacks */
    bool was_ready;

    /* Of the plan that is carried out: */
    const LoadPlan *plan;
    LoadResult *result;
    json_t *args;
    Flight *flights;
    size_t n_flights; /* under way */
    size_t oldest;    /* of messages, which come back in their order */
    uint64_t begin;   /* nsec of CLOCK_MONOTONIC; those before are for warming up */
    uint64_t end;
} Load;

const char *load_verb_to_string(LoadVerb verb);

/* The verb, or N_LOAD_VERBS. */
LoadVerb load_verb_from_string(const char *name);

/* Registers. The options and the failure must outlive the load. Close it, whatever the answer. */
ExitStatus load_open(Load *load, const Options *options, Failure *failure);
void load_close(Load *load);

/* fraction: how much of the plan is done, 0 to 1. */
typedef void (*LoadTick)(double fraction, void *userdata);

ExitStatus load_run(Load *load, const LoadPlan *plan, LoadResult *ret_result, LoadTick tick, void *userdata);
