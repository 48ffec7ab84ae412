/* SPDX-License-Identifier: MIT */
#include "emitter.h"

#include <assert.h>
#include <errno.h>
#include <search.h>
#include <string.h>

#include "ipc-names.h"
#include "macro.h"
#include "slot.h"

/*
 * Callbacks may do anything to the list that runs them. So while a channel emits, nothing leaves its list: a
 * listener that is removed only ends, and is swept when the last emission of the channel is over. A listener that
 * is added meanwhile has a later serial than the emission, which passes it over.
 */

typedef struct Channel Channel;

typedef struct Listener {
    ipc_slot slot;
    Channel *channel;
    TAILQ_ENTRY(Listener) link;
    uint64_t serial;
    EmitterFlags flags;
    EmitterFunction function;
    void *userdata;
} Listener;

struct Channel {
    Emitter *emitter;
    LIST_ENTRY(Channel) link;
    TAILQ_HEAD(, Listener) listeners;
    size_t n_listeners; /* those that have not ended */
    size_t n_texts;     /* of these, those with EMITTER_TEXT */
    unsigned n_emitting;
    bool swept; /* a listener ended during an emission */
    bool leak_told;
    char name[];
};

static int channel_compare(const void *a, const void *b)
{
    return strcmp(((const Channel *)a)->name, ((const Channel *)b)->name);
}

static int channel_compare_name(const void *name, const void *channel)
{
    return strcmp(name, ((const Channel *)channel)->name);
}

static Channel *channel_find(const Emitter *emitter, const char *name)
{
    Channel **node = tfind(name, &emitter->tree, channel_compare_name);

    return node ? *node : NULL;
}

static Channel *channel_new(Emitter *emitter, const char *name)
{
    _cleanup_free_ Channel *channel = NULL;
    size_t size = strlen(name) + 1;

    channel = calloc(1, sizeof(*channel) + size);
    if (!channel)
        return NULL;

    channel->emitter = emitter;
    TAILQ_INIT(&channel->listeners);
    memcpy(channel->name, name, size);
    if (!tsearch(channel, &emitter->tree, channel_compare))
        return NULL;
    LIST_INSERT_HEAD(&emitter->channels, channel, link);
    return TAKE_PTR(channel);
}

static void channel_free_if_unused(Channel *channel)
{
    if (channel->n_emitting > 0 || !TAILQ_EMPTY(&channel->listeners))
        return;
    LIST_REMOVE(channel, link);
    tdelete(channel, &channel->emitter->tree, channel_compare);
    free(channel);
}

static void listener_unlink(Listener *listener)
{
    TAILQ_REMOVE(&listener->channel->listeners, listener, link);
    slot_drop(&listener->slot);
}

/* The slot has ended already, or ends here. */
static void listener_remove(ipc_slot *slot)
{
    Listener *listener = (Listener *)slot;
    Channel *channel = listener->channel;

    slot_end(slot);
    channel->n_listeners--;
    if (listener->flags & EMITTER_TEXT) {
        channel->n_texts--;
        channel->emitter->n_texts--;
    }
    if (channel->n_emitting > 0) {
        channel->swept = true;
        return;
    }
    listener_unlink(listener);
    channel_free_if_unused(channel);
}

static void listener_destroy(ipc_slot *slot)
{
    free((Listener *)slot);
}

static void channel_sweep(Channel *channel)
{
    Listener *listener, *next;

    if (channel->n_emitting > 0)
        return;
    if (channel->swept)
        TAILQ_FOREACH_SAFE(listener, &channel->listeners, link, next)
            if (!slot_is_live(&listener->slot))
                listener_unlink(listener);
    channel->swept = false;
    channel_free_if_unused(channel);
}

static void channel_remove_all(Channel *channel)
{
    Listener *listener, *next;

    channel->n_emitting++;
    TAILQ_FOREACH_SAFE(listener, &channel->listeners, link, next)
        if (slot_is_live(&listener->slot))
            listener_remove(&listener->slot);
    channel->n_emitting--;
    channel_sweep(channel);
}

static void channel_guard(Channel *channel)
{
    Emitter *emitter = channel->emitter;

    if (channel->n_listeners <= IPC_LISTENERS_MAX || channel->leak_told || !emitter->leak)
        return;
    channel->leak_told = true;
    emitter->leak(channel->name, emitter->leak_userdata);
}

int emitter_add(Emitter *emitter, ipc_slot **ret_slot, const char *channel_name, EmitterFlags flags,
                EmitterFunction function, void *userdata)
{
    Listener *listener;
    Channel *channel;

    listener = calloc(1, sizeof(*listener));
    if (!listener)
        return -ENOMEM;

    channel = channel_find(emitter, channel_name);
    if (!channel)
        channel = channel_new(emitter, channel_name);
    if (!channel) {
        free(listener);
        return -ENOMEM;
    }

    listener->channel = channel;
    listener->serial = ++emitter->serial;
    listener->flags = flags;
    listener->function = function;
    listener->userdata = userdata;
    slot_init(&listener->slot, listener_remove, listener_destroy, ret_slot);
    if (flags & EMITTER_PREPEND)
        TAILQ_INSERT_HEAD(&channel->listeners, listener, link);
    else
        TAILQ_INSERT_TAIL(&channel->listeners, listener, link);
    channel->n_listeners++;
    if (flags & EMITTER_TEXT) {
        channel->n_texts++;
        emitter->n_texts++;
    }
    channel_guard(channel);
    return 0;
}

int emitter_remove(Emitter *emitter, const char *channel_name, EmitterFunction function, void *userdata)
{
    Channel *channel = channel_find(emitter, channel_name);
    Listener *listener, *last = NULL;

    if (!channel)
        return -ENOENT;
    TAILQ_FOREACH(listener, &channel->listeners, link)
        if (slot_is_live(&listener->slot) && listener->function == function && listener->userdata == userdata &&
            (!last || listener->serial > last->serial))
            last = listener;
    if (!last)
        return -ENOENT;
    listener_remove(&last->slot);
    return 0;
}

void emitter_remove_all(Emitter *emitter, const char *channel_name)
{
    Channel *channel, *next;

    if (channel_name) {
        channel = channel_find(emitter, channel_name);
        if (channel)
            channel_remove_all(channel);
        return;
    }
    LIST_FOREACH_SAFE(channel, &emitter->channels, link, next)
        channel_remove_all(channel);
}

void emitter_clear(Emitter *emitter)
{
    emitter_remove_all(emitter, NULL);
    assert(LIST_EMPTY(&emitter->channels));
}

size_t emitter_count(const Emitter *emitter, const char *channel_name)
{
    const Channel *channel = channel_find(emitter, channel_name);

    return channel ? channel->n_listeners : 0;
}

size_t emitter_count_texts(const Emitter *emitter, const char *channel_name)
{
    const Channel *channel = emitter->n_texts > 0 ? channel_find(emitter, channel_name) : NULL;

    return channel ? channel->n_texts : 0;
}

int emitter_get_first(const Emitter *emitter, const char *channel_name)
{
    const Channel *channel = channel_find(emitter, channel_name);
    const Listener *listener;

    if (channel)
        TAILQ_FOREACH(listener, &channel->listeners, link)
            if (slot_is_live(&listener->slot))
                return (int)listener->flags;
    return -ENOENT;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_free(char ***names)
{
    char **name;

    for (name = *names; name && *name; name++)
        free(*name);
    free(*names);
}

int emitter_channel_names(const Emitter *emitter, char ***ret_names)
{
    _cleanup_(names_free) char **names = NULL;
    const Channel *channel;
    size_t n = 0;

    LIST_FOREACH(channel, &emitter->channels, link)
        n++;
    names = calloc(n + 1, sizeof(*names));
    if (!names)
        return -ENOMEM;

    n = 0;
    LIST_FOREACH(channel, &emitter->channels, link) {
        if (channel->n_listeners == 0)
            continue;
        names[n] = strdup(channel->name);
        if (!names[n])
            return -ENOMEM;
        n++;
    }
    qsort(names, n, sizeof(*names), compare_names);
    *ret_names = TAKE_PTR(names);
    return (int)n;
}

static void listener_run(Listener *listener, EmitterCall call, void *context)
{
    EmitterFunction function = listener->function;
    void *userdata = listener->userdata;

    /* The registry's hold outlasts the callback, which may drop the slot. */
    if (listener->flags & EMITTER_ONCE)
        listener_remove(&listener->slot);
    call(function, userdata, context);
}

size_t emitter_emit_either(Emitter *emitter, const char *channel_name, EmitterCall call, EmitterCall call_text,
                           void *context)
{
    Channel *channel = channel_find(emitter, channel_name);
    uint64_t serial = emitter->serial;
    Listener *listener;
    size_t n = 0;

    if (!channel)
        return 0;

    channel->n_emitting++;
    TAILQ_FOREACH(listener, &channel->listeners, link) {
        if (!slot_is_live(&listener->slot) || listener->serial > serial)
            continue;
        listener_run(listener, listener->flags & EMITTER_TEXT ? call_text : call, context);
        n++;
    }
    channel->n_emitting--;
    channel_sweep(channel);
    return n;
}

size_t emitter_emit(Emitter *emitter, const char *channel_name, EmitterCall call, void *context)
{
    return emitter_emit_either(emitter, channel_name, call, call, context);
}
