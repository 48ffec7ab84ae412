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
