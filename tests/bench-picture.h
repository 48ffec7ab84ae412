/* SPDX-License-Identifier: MIT */
#pragma once

/* The picture: what was measured of all peers, and how it is shown. */

#include <stdio.h>

#include "bench-contender.h"
#include "bench-report.h"

#define N_SIZES 4
#define N_CROWDS 4

extern const unsigned picture_sizes[N_SIZES];   /* bytes of the argument */
extern const unsigned picture_crowds[N_CROWDS]; /* renderers */

typedef struct Peer {
    const char *key;   /* in JSON */
    const char *label; /* for people */
    const Contender *model;
    bool is_on_broker;
    const char *missing; /* why it could not be measured; NULL: it was */
    Contender contender;
    Series latency[N_SIZES]; /* us */
    Series rate[N_SIZES];    /* messages a second */
} Peer;

typedef struct Picture {
    unsigned cpu;
    unsigned n_rounds;
    const char *machine;
    const char *date;
    Peer *peers;
    size_t n_peers;
    Series fanout[N_CROWDS]; /* us */
    Series cold, cold_bare;  /* ms */
    double bytes_per_renderer;
} Picture;

void picture_print(const Picture *picture);
int picture_write_json(const Picture *picture, const char *path);

/* gnuplot makes it. -ENOENT: it is not installed. */
int picture_draw(const Picture *picture, const char *path);
