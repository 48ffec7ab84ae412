/* SPDX-License-Identifier: MIT */
#pragma once

/* What a fuzzer makes of its bytes: numbers and words, taken from the front until there are none left. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct Input {
    const uint8_t *data;
    size_t size;
} Input;

/* What libFuzzer calls. Whatever is wrong ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define check(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

/* 0 at the end. */
static inline uint8_t take_byte(Input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

/* Bytes as many as the first one says, with a NUL behind them; free() it. */
static inline char *take_bytes(Input *input, size_t *ret_size)
{
    size_t size = take_byte(input);
    char *bytes;

    if (size > input->size)
        size = input->size;
    bytes = malloc(size + 1);
    check(bytes);
    if (size > 0)
        memcpy(bytes, input->data, size);
    bytes[size] = '\0';
    input->data += size;
    input->size -= size;
    *ret_size = size;
    return bytes;
}

static inline char *take_word(Input *input)
{
    size_t size;

    return take_bytes(input, &size);
}
