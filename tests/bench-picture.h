/* SPDX-License-Identifier: MIT */
#pragma once

/* The picture: what was measured of all peers, and how it is shown. */

#include <stdio.h>

#include "bench-contender.h"
#include "bench-report.h"

#define N_SIZES 4
#define N_CROWDS 4

/* In the chart a colour is a library, and a dash is a way: none between two processes, dashes over a bus. */
#define DIRECT "lw 2 dt 1"
#define BY_DAEMON "lw 2 dt 2"
#define BY_BROKER "lw 2 dt 3"
#define IPCBUS "lc rgb '#0b5fff' "
#define STYLE_LANE IPCBUS DIRECT
#define STYLE_BUS IPCBUS BY_DAEMON

extern const unsigned picture_sizes[N_SIZES];   /* bytes of the argument */
extern const unsigned picture_crowds[N_CROWDS]; /* renderers */

typedef struct Peer {
    const char *key;   /* in JSON */
    const char *label; /* for people */
    const char *style; /* of its line in the chart, for gnuplot */
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
    Series fanout_lanes[N_CROWDS];
    Series cold, cold_bare;  /* ms */
    double bytes_per_renderer;
    double bytes_per_lane; /* of a renderer that has one */
} Picture;

void picture_print(const Picture *picture);
int picture_write_json(const Picture *picture, const char *path);

/* gnuplot makes it. -ENOENT: it is not installed. */
int picture_draw(const Picture *picture, const char *path);
