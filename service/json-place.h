/* SPDX-License-Identifier: MIT */
#pragma once

/* Where in its text a JSON value is: jansson tells that of what it cannot read, but not of what it has read. */

#include <stdbool.h>
#include <stddef.h>

/* The way from the root to a value, as a chain on the stack. The root has no parent. */
typedef struct JsonPlace JsonPlace;
struct JsonPlace {
    const JsonPlace *parent;
    const char *key; /* in an object; NULL: in an array */
    size_t index;    /* in an array */
};

typedef struct JsonPosition {
    unsigned line;   /* from 1 up */
    unsigned column; /* in characters, from 1 up */
} JsonPosition;

/* Of a byte of the text. */
JsonPosition json_position(const char *text, const char *at);

/* The text is JSON without duplicate keys, and has the place. Of the key, or of the value. */
JsonPosition json_place_find(const JsonPlace *place, bool of_key, const char *text, size_t length);
