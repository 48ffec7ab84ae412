/* SPDX-License-Identifier: MIT */
#pragma once

/* The event emitter: lists of callbacks by channel, run in order, as Node's EventEmitter. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ipc-slot.h"

typedef void (*EmitterFunction)(void);

/* Knows the true type of the callbacks of an emitter, and calls one. */
typedef void (*EmitterCall)(EmitterFunction function, void *userdata, void *context);

/* The leak guard: called once for each channel that grows past IPC_LISTENERS_MAX. */
typedef void (*EmitterLeak)(const char *channel, void *userdata);

/* What it should say: IPC_LISTENERS_MAX, and the channel. */
#define EMITTER_LEAK_FORMAT "More than %u listeners on channel '%s': is each removed when it is no longer needed?"

typedef struct Emitter {
    void *tree;                     /* its channels, by name */
    LIST_HEAD(, Channel) channels;  /* the same, to walk over */
    uint64_t serial;                /* of the listener added last */
    size_t n_texts;                 /* listeners with EMITTER_TEXT, of all channels */
    EmitterLeak leak;
    void *leak_userdata;
} Emitter;

typedef enum EmitterFlags {
    EMITTER_ONCE = 1 << 0,    /* removed before it runs */
    EMITTER_PREPEND = 1 << 1, /* in front of those that are there */
    EMITTER_TEXT = 1 << 2,    /* of another type than the others: emitter_emit_either() */
} EmitterFlags;

/* An emitter begins as zeroes. Whoever owns it keeps it while it emits. */
void emitter_clear(Emitter *emitter);

int emitter_add(Emitter *emitter, ipc_slot **ret_slot, const char *channel, EmitterFlags flags,
                EmitterFunction function, void *userdata);
int emitter_remove(Emitter *emitter, const char *channel, EmitterFunction function, void *userdata);
void emitter_remove_all(Emitter *emitter, const char *channel);
size_t emitter_count(const Emitter *emitter, const char *channel);

/* Of these, those with EMITTER_TEXT. */
size_t emitter_count_texts(const Emitter *emitter, const char *channel);

/* The flags of the first listener of a channel; -ENOENT: there is none. */
int emitter_get_first(const Emitter *emitter, const char *channel);

/* The sorted names of the channels that have listeners; the answer is their number. */
int emitter_channel_names(const Emitter *emitter, char ***ret_names);

/* Runs the list as it stands; the answer is how many callbacks ran. */
size_t emitter_emit(Emitter *emitter, const char *channel, EmitterCall call, void *context);

/* The same where there may be callbacks of two types. */
size_t emitter_emit_either(Emitter *emitter, const char *channel, EmitterCall call, EmitterCall call_text,
                           void *context);
