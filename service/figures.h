/* SPDX-License-Identifier: MIT */
#pragma once

/* The figures: how much has gone over each channel, and how long main took over it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "histogram.h"

typedef struct Figures {
    const char *channel;
    uint64_t calls;    /* invokes and sync messages that have come */
    uint64_t messages; /* others that have come, or passed from one renderer to another */
    uint64_t sent;     /* messages from main to renderers */
    uint64_t errors;   /* calls that ended with one, and messages that were refused */
    uint64_t bytes;    /* of JSON text, both ways */
    unsigned pending;  /* calls that have not ended */
    Histogram times;   /* ns: of a call until it is answered, of a message until its listeners have returned */
    TAILQ_ENTRY(Figures) link;
} Figures;

/* Those of an app. */
typedef struct FiguresSet {
    void *tree; /* by channel */
    TAILQ_HEAD(FiguresList, Figures) list; /* the one used last comes first */
    unsigned n;
    Figures others; /* of all channels that have none of their own; its channel is "" */
} FiguresSet;

void figures_set_init(FiguresSet *set);

/* Nothing is pending. */
void figures_set_clear(FiguresSet *set);

/*
 * Those of a channel, to be used at once; those of a call stay until it is no longer pending. is_own: the channel is
 * one that the program uses, and so is worth figures of its own.
 */
Figures *figures_find(FiguresSet *set, const char *channel, bool is_own);

/* Something took so many ns. */
void figures_add_time(Figures *figures, uint64_t nsec);
