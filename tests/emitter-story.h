/* SPDX-License-Identifier: MIT */
#pragma once

/* The emitter, heard through a diary: each listener writes its name, which is its userdata. */

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "emitter.h"
#include "must.h"

typedef struct Story {
    Emitter emitter;
    GString *diary;
    ipc_slot *slot;      /* of the listener that on_drop() drops */
    const char *subject; /* of listeners that do something to another one */
    unsigned depth;      /* of emissions within each other */
    gboolean is_nested;  /* more is written than one emission counts */
    unsigned n_leaks;
    char *leaky;
} Story;

typedef void (*Listener)(Story *s, const char *name);
typedef void (*StoryTest)(Story *s, gconstpointer data);

void story_add_test(const char *name, StoryTest test);

/* Listeners: one that writes its name, and one that drops a slot after that. */
void on_write(Story *s, const char *name);
void on_drop(Story *s, const char *name);

/* All is told of the channel "x". */
void add(Story *s, const char *name);
void add_as(Story *s, EmitterFlags flags, const char *name, Listener listener);
ipc_slot *add_slot(Story *s, const char *name);
int off(Story *s, const char *name);
void emit(Story *s);

/* What an emission writes. */
void assert_emits(Story *s, const char *diary);
void assert_count(Story *s, size_t n);

/* The names of all channels, with spaces between them. */
void assert_channels(Story *s, const char *expected);
