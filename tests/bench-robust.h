/* SPDX-License-Identifier: MIT */
#pragma once

/* What bench-robust's processes do: the services, the innocent, and those who disturb. */

#include <stdatomic.h>
#include <stdint.h>

#include "bench-child.h"

#define ROBUST_NAME "org.ipcbus.BenchRobust"
#define ROBUST_N_BLAST 1000000u

/* What all processes know, and share. */
typedef struct Robust {
    char address[256];
    int niceness; /* of those who flood */
    uid_t uid;    /* the same; 0: our own */
    atomic_ullong n_flooded;
} Robust;

extern Robust *robust; /* shared memory, mapped before they start */

/* ---- services: they write an int when they are ready ---- */

int robust_serve(int control, void *unused);

/* The same by plain sd-bus, with nothing but an answer to each call. */
int robust_serve_bare(int control, void *unused);

/* ---- the innocent: measures whenever it is told to, by an int ---- */

typedef struct Figures {
    int r;
    unsigned n_failed; /* calls, by timing out or else */
    double rate;       /* 1/s */
    double p50;        /* us */
    double p99;        /* us */
    double worst;      /* us */
} Figures;

typedef enum Innocent {
    INNOCENT_RENDERER, /* calls one by one */
    INNOCENT_MANY,     /* a hundred calls at a time */
    INNOCENT_LANE,     /* one by one, by a lane */
    INNOCENT_BARE,     /* the same calls by plain sd-bus, to either service */
    INNOCENT_BUS,      /* asks the bus alone: what there is to be had for anyone */
    N_INNOCENTS,
} Innocent;

extern const ChildRun robust_innocents[N_INNOCENTS];

/* ---- those who disturb ---- */

/* They never read, and never end. */
int robust_flood(int control, void *unused);
int robust_flood_lane(int control, void *unused);

/* What the one that is stopped has read in the end. */
typedef struct Reading {
    uint32_t id;
    unsigned n;
    unsigned n_disorders;
} Reading;

/* Writes a Reading with its id, reads until it has as many messages as it is told by an unsigned, writes a Reading. */
int robust_read(int control, void *unused);
int robust_read_lane(int control, void *unused);
