/* SPDX-License-Identifier: MIT */
#pragma once

/* The JSON text layer: values to text and back, with the limits of the contract. */

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

#define TEXT_FIXED_SIZE 512u /* bytes of text that need no allocation */

/* The text of a value. It points into itself while it is short, so it never moves. */
typedef struct Text {
    char *data; /* NUL-terminated */
    size_t length;
    size_t allocated;
    size_t max; /* bytes, beyond which encoding fails */
    int error;
    char fixed[TEXT_FIXED_SIZE];
} Text;

void text_clear(Text *text);

/*
 * Any value; NULL is null. -EINVAL: too deep, or not UTF-8. -EMSGSIZE: over IPC_ARGS_MAX. -ENOMEM.
 * The text is set up by the call, and cleared with text_clear() whatever the call answers.
 */
int text_encode(Text *text, json_t *value);

/* Arguments: an array, NULL is []. -EINVAL also where it is no array. */
int text_encode_args(Text *text, json_t *args);

/* The same with another limit than IPC_ARGS_MAX, in bytes. */
int text_encode_max(Text *text, json_t *value, size_t max);
int text_encode_args_max(Text *text, json_t *args, size_t max);

/* What json_pack() makes of the elements of an array, or of one value. NULL or "": [] and null. -EINVAL, -ENOMEM. */
int text_pack_args(json_t **ret_args, const char *format, va_list elements);
int text_pack_value(json_t **ret_value, const char *format, va_list elements);

/* The same from within a function whose variable arguments follow the format. */
#define TEXT_PACK(pack, ret, format)            \
    ({                                          \
        va_list elements_;                      \
        int packed_;                            \
                                                \
        va_start(elements_, format);            \
        packed_ = pack(ret, format, elements_); \
        va_end(elements_);                      \
        packed_;                                \
    })

/* On failure the error says where, and the answer is -EINVAL. */
int text_decode(const char *text, const char *what, json_t **ret_value, sd_bus_error *error);
int text_decode_args(const char *text, const char *channel, json_t **ret_args, sd_bus_error *error);

/* The same where the length is known, in bytes. */
int text_decode_sized(const char *text, size_t length, const char *what, json_t **ret_value, sd_bus_error *error);
int text_decode_args_sized(const char *text, size_t length, const char *channel, json_t **ret_args,
                           sd_bus_error *error);

/* For who has nobody to tell. */
int text_decode_value(const char *text, size_t length, json_t **ret_value);

/* What a caller gives as text, so many bytes and a NUL; what it says is for who reads it to judge. */
static inline bool text_is_terminated(const char *text, size_t length)
{
    return text && text[length] == '\0';
}

bool text_is_utf8(const char *text);
bool text_is_channel(const char *name);

/* Sets the error InvalidChannel. */
int text_check_channel(const char *name, sd_bus_error *error);

static inline void json_cleanup(json_t **json)
{
    json_decref(*json);
}
