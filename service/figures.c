/* SPDX-License-Identifier: MIT */
#include "figures.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "ipc-names.h"
#include "macro.h"

/*
 * Who sends decides what his channels are called, and must not fill main's memory with their names: only channels that
 * the program listens to, handles or sends on have figures of their own, and of them not more than so many. A channel
 * that needs some then takes the place of the one that has been quiet longest, whose figures go to those of all others.
 * So the sum over all is right, whatever happens.
 *
 * Times fade: a service that has run for months tells how long a call takes these days.
 */

#define TIMES_MAX (1u << 16) /* as many, or the last of them and half of those before, and so on */

static int compare_channels(const void *a, const void *b)
{
    return strcmp(((const Figures *)a)->channel, ((const Figures *)b)->channel);
}

static int compare_name(const void *channel, const void *figures)
{
    return strcmp(channel, ((const Figures *)figures)->channel);
}

void figures_set_init(FiguresSet *set)
{
    *set = (FiguresSet){ .others.channel = "" };
    TAILQ_INIT(&set->list);
}

static void figures_free(FiguresSet *set, Figures *figures)
{
    tdelete(figures, &set->tree, compare_channels);
    TAILQ_REMOVE(&set->list, figures, link);
    set->n--;
    free(figures);
}

void figures_set_clear(FiguresSet *set)
{
    Figures *figures;

    while ((figures = TAILQ_FIRST(&set->list))) {
        assert(figures->pending == 0);
        figures_free(set, figures);
    }
}

/* The times of a channel are of little use among those of others, but for the longest. */
static void add_to_others(FiguresSet *set, const Figures *figures)
{
    Figures *others = &set->others;

    others->calls += figures->calls;
    others->messages += figures->messages;
    others->sent += figures->sent;
    others->errors += figures->errors;
    others->bytes += figures->bytes;
    if (figures->times.max > others->times.max)
        others->times.max = figures->times.max;
}

/* Calls know the figures of their channel by address. */
static bool make_room(FiguresSet *set)
{
    Figures *figures = TAILQ_LAST(&set->list, FiguresList);

    if (set->n < IPC_FIGURES_MAX)
        return true;
    while (figures && figures->pending > 0)
        figures = TAILQ_PREV(figures, FiguresList, link);
    if (!figures)
        return false;
    add_to_others(set, figures);
    figures_free(set, figures);
    return true;
}

static Figures *figures_new(FiguresSet *set, const char *channel)
{
    size_t size = strlen(channel) + 1;
    Figures *figures;

    if (!make_room(set))
        return NULL;
    figures = calloc(1, sizeof(*figures) + size);
    if (!figures)
        return NULL;
    figures->channel = memcpy(figures + 1, channel, size);
    if (!tsearch(figures, &set->tree, compare_channels)) {
        free(figures);
        return NULL;
    }
    TAILQ_INSERT_HEAD(&set->list, figures, link);
    set->n++;
    return figures;
}

Figures *figures_find(FiguresSet *set, const char *channel, bool is_own)
{
    Figures **node = tfind(channel, &set->tree, compare_name), *figures;

    if (node) {
        figures = *node;
        TAILQ_REMOVE(&set->list, figures, link);
        TAILQ_INSERT_HEAD(&set->list, figures, link);
        return figures;
    }
    figures = is_own ? figures_new(set, channel) : NULL;
    return figures ? figures : &set->others;
}

void figures_add_time(Figures *figures, uint64_t nsec)
{
    if (figures->times.n >= TIMES_MAX)
        histogram_fade(&figures->times);
    histogram_add(&figures->times, nsec);
}
