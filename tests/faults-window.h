/* SPDX-License-Identifier: MIT */
#pragma once

/* A renderer of the fault harness, and what it has to do with others. */

#include "faults.h"

#define NEIGHBOURS 9u /* ids that are written to */

typedef struct Window {
    Shared *shared;
    ipc_renderer *renderer;
    unsigned number;
    GRand *rand;
    GHashTable *pending; /* calls */
    unsigned generation; /* of main, that numbers come from */
    unsigned next_number;

    unsigned epoch;                /* changes with main; within it what goes to one neighbour is numbered */
    unsigned next_to[NEIGHBOURS];  /* by id */
    GHashTable *last_from;         /* neighbours, by their epochs: what was heard last */

    GPtrArray *made; /* ports whose other ends were given away */
    GPtrArray *held; /* ports that came */

    ipc_webview *webview;      /* of a host; NULL: none */
    unsigned n_waits;          /* turns in which no guest came */
    unsigned guest;            /* who it is; 0: nobody yet */
    unsigned next_from_guest;
    unsigned next_to_guest;
} Window;

static inline bool has_chance(Window *w, int percent)
{
    return g_rand_int_range(w->rand, 0, 100) < percent;
}

/* ---- ports ---- */

void ports_begin(Window *w);
void ports_act(Window *w); /* makes one, posts through those that there are, closes */
void ports_end(Window *w);

/* ---- webviews ---- */

void host_act(Window *w); /* makes a webview, or writes to its guest */
void host_end(Window *w);
