/* SPDX-License-Identifier: MIT */
#pragma once

/* The glue between GLib's main loop and anything that a poll loop could drive. */

#include <glib.h>

#include "loop.h"

typedef struct GlibSourceOps {
    const char *name; /* of the source, for who debugs the loop */
    LoopOps loop;
    int (*attach)(void *object, void (*on_detached)(void *userdata), void *userdata);
    int (*detach)(void *object);
} GlibSourceOps;

/* Without a hold on the object, which tells when it goes. context NULL: the thread's default one. */
int glib_source_attach(const GlibSourceOps *ops, void *object, GMainContext *context);

/* Defines source_ops for a public type that has get_fd(), get_events() and so on. */
#define GLIB_SOURCE_OPS(type)                                                                          \
    static int source_get_fd(void *object)                                                             \
    {                                                                                                  \
        return type##_get_fd(object);                                                                  \
    }                                                                                                  \
    static int source_get_events(void *object)                                                         \
    {                                                                                                  \
        return type##_get_events(object);                                                              \
    }                                                                                                  \
    static int source_get_timeout(void *object, uint64_t *ret_usec)                                    \
    {                                                                                                  \
        return type##_get_timeout(object, ret_usec);                                                   \
    }                                                                                                  \
    static int source_process(void *object)                                                            \
    {                                                                                                  \
        return type##_process(object);                                                                 \
    }                                                                                                  \
    static int source_attach(void *object, void (*on_detached)(void *userdata), void *userdata)        \
    {                                                                                                  \
        return type##_attach_loop(object, on_detached, userdata);                                      \
    }                                                                                                  \
    static int source_detach(void *object)                                                             \
    {                                                                                                  \
        return type##_detach_loop(object);                                                             \
    }                                                                                                  \
    static const GlibSourceOps source_ops = {                                                          \
        .name = #type,                                                                                 \
        .loop = {                                                                                      \
            .get_fd = source_get_fd,                                                                   \
            .get_events = source_get_events,                                                           \
            .get_timeout = source_get_timeout,                                                         \
            .process = source_process,                                                                 \
        },                                                                                             \
        .attach = source_attach,                                                                       \
        .detach = source_detach,                                                                       \
    }
