/* SPDX-License-Identifier: MIT */
#pragma once

/* What a message says: its text as it came and, from when somebody wants it, the value of that. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

typedef struct Args {
    const char *channel;
    const char *text; /* NUL-terminated; borrowed, as the channel is */
    size_t length;
    bool is_posted; /* the text is that of one value, the only argument, as in Electron */
    json_t *array;  /* NULL: not parsed yet */
} Args;

/* Once it has been parsed, this does nothing. On failure the error says where: -EINVAL, -ENOMEM. */
int args_parse(Args *args, sd_bus_error *error);

static inline void args_clear(Args *args)
{
    json_decref(args->array);
}
