/* SPDX-License-Identifier: MIT */
#pragma once

/* A bus that the fuzzer plays, over a socket pair: whoever is tested has the other end of it. */

#include <systemd/sd-bus.h>

#include "fuzz.h"

/* The fuzzer's end, which takes no notice of what it is told beyond what the filter makes of it. */
sd_bus *fuzz_bus_new(sd_bus_message_handler_t filter, void *userdata, sd_bus **ret_tested);

/* One who has a name on the bus, or the bus itself. */
const char *take_peer(Input *input);

/* Arguments of these basic types, made of the input. */
void append_all(Input *input, sd_bus_message *message, const char *types);

/* Sends it as if it came from there; the caller still has it. */
void fuzz_bus_send(sd_bus *bus, sd_bus_message *message, const char *sender);

/* The same for bytes that may be a message or not. */
void fuzz_bus_send_raw(sd_bus *bus, Input *input);

static inline const char *take_one(Input *input, const char *const *words, size_t n)
{
    return words[take_byte(input) % n];
}

#define TAKE_ONE(input, ...)                           \
    ({                                                 \
        static const char *const words_[] = { __VA_ARGS__ }; \
        take_one(input, words_, ELEMENTSOF(words_));   \
    })
