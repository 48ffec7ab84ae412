/* SPDX-License-Identifier: MIT */
#include "text-cost.h"

#include <errno.h>
#include <string.h>

#include "ipc-names.h"

/*
 * About the bytes that jansson and malloc take for what a character begins or ends, on 64 bits. They are somewhat too
 * high rather than too low. Of what the text can be made of, "{}," costs most: no other takes more for each byte.
 */
#define COST_OBJECT 224u
#define COST_ARRAY 128u
#define COST_STRING 80u /* beside its bytes, which are no more than in the text */
#define COST_KEY 32u    /* beside the string that it is */
#define COST_NEXT 48u   /* a number, and its place in an array */
#define COST_PER_BYTE_MAX ((COST_OBJECT + COST_NEXT) / 3 + 1)

static const char *skip_string(const char *c, const char *end)
{
    while (c < end && *c != '"')
        c += *c == '\\' ? 2 : 1;
    return c;
}

static size_t cost_of(char c)
{
    switch (c) {
    case '{':
        return COST_OBJECT;
    case '[':
        return COST_ARRAY;
    case '"':
        return COST_STRING;
    case ':':
        return COST_KEY;
    case ',':
        return COST_NEXT;
    default:
        return 0;
    }
}

int text_check_cost(const char *text, size_t length)
{
    const char *c, *end = text + length;
    size_t cost = length;

    /* Most texts are too short to cost much, whatever is in them. */
    if (length <= IPC_VALUES_BYTES_MAX / COST_PER_BYTE_MAX)
        return 0;
    for (c = text; c < end && cost <= IPC_VALUES_BYTES_MAX; c++) {
        cost += cost_of(*c);
        if (*c == '"')
            c = skip_string(c + 1, end);
    }
    return cost > IPC_VALUES_BYTES_MAX ? -EMSGSIZE : 0;
}

int text_check_cost_of(const char *text, size_t length, const char *what, sd_bus_error *error)
{
    int r = text_check_cost(text, length);

    if (r < 0)
        sd_bus_error_setf(error, IPC_ERROR_TOO_LARGE,
                          "%s would take over %u MiB of memory: send fewer values at a time", what,
                          IPC_VALUES_BYTES_MAX / 1024 / 1024);
    return r;
}
