/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ipc-names.h"
#include "macro.h"
#include "text-cost.h"

void text_clear(Text *text)
{
    if (text->data != text->fixed)
        free(text->data);
    text->data = text->fixed;
    text->length = 0;
}

static int text_reserve(Text *text, size_t length)
{
    size_t allocated = text->allocated * 2 > length + 1 ? text->allocated * 2 : length + 1;
    bool is_fixed = text->data == text->fixed;
    char *data;

    data = realloc(is_fixed ? NULL : text->data, allocated);
    if (!data)
        return -ENOMEM;
    if (is_fixed)
        memcpy(data, text->fixed, text->length);
    text->data = data;
    text->allocated = allocated;
    return 0;
}

static int text_append(Text *text, const char *piece, size_t size)
{
    size_t length = text->length + size;

    if (length > text->max)
        text->error = -EMSGSIZE;
    else if (length + 1 > text->allocated)
        text->error = text_reserve(text, length);
    if (text->error < 0)
        return text->error;
    memcpy(text->data + text->length, piece, size);
    text->length = length;
    return 0;
}

/* ---- the quick way ---- */

/*
 * jansson remembers every container that it is in, in a table by their printed addresses, lest it never ends: that is
 * most of what a short text costs. Depth is counted here anyway, so most texts are written without its help: those of
 * ASCII, and without reals. -EAGAIN: this one is not so.
 */

static int write_escape(Text *text, unsigned char c)
{
    static const char shorts[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
                                   ['"'] = '"',  ['\\'] = '\\' };
    char escape[8] = { '\\', shorts[c] };

    if (escape[1])
        return text_append(text, escape, 2);
    snprintf(escape, sizeof(escape), "\\u%04X", c);
    return text_append(text, escape, 6);
}

static int write_string(Text *text, const char *string, size_t length)
{
    size_t i, begin = 0;
    int r;

    r = text_append(text, "\"", 1);
    for (i = 0; i < length && r >= 0; i++) {
        unsigned char c = (unsigned char)string[i];

        if (c >= 0x80)
            return -EAGAIN;
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        r = text_append(text, string + begin, i - begin);
        if (r >= 0)
            r = write_escape(text, c);
        begin = i + 1;
    }
    if (r >= 0)
        r = text_append(text, string + begin, length - begin);
    return r < 0 ? r : text_append(text, "\"", 1);
}

static int write_integer(Text *text, json_int_t integer)
{
    char digits[32], *digit = digits + sizeof(digits);
    unsigned long long left = integer < 0 ? 0 - (unsigned long long)integer : (unsigned long long)integer;

    do
        *--digit = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (integer < 0)
        *--digit = '-';
    return text_append(text, digit, (size_t)(digits + sizeof(digits) - digit));
}

static int write_value(Text *text, json_t *value, unsigned depth);

static int write_array(Text *text, json_t *array, unsigned depth)
{
    json_t *child;
    size_t i;
    int r;

    r = text_append(text, "[", 1);
    json_array_foreach(array, i, child) {
        if (r >= 0 && i > 0)
            r = text_append(text, ",", 1);
        if (r >= 0)
            r = write_value(text, child, depth + 1);
        if (r < 0)
            return r;
    }
    return r < 0 ? r : text_append(text, "]", 1);
}

#if JANSSON_VERSION_HEX >= 0x020e00
#define KEY_LENGTH(iter, key) json_object_iter_key_len(iter)
#else
#define KEY_LENGTH(iter, key) strlen(key)
#endif

static int write_object(Text *text, json_t *object, unsigned depth)
{
    const char *key;
    bool is_first = true;
    void *iter;
    int r;

    r = text_append(text, "{", 1);
    for (iter = json_object_iter(object); iter && r >= 0; iter = json_object_iter_next(object, iter)) {
        if (!is_first)
            r = text_append(text, ",", 1);
        is_first = false;
        key = json_object_iter_key(iter);
        if (r >= 0)
            r = write_string(text, key, KEY_LENGTH(iter, key));
        if (r >= 0)
            r = text_append(text, ":", 1);
        if (r >= 0)
            r = write_value(text, json_object_iter_value(iter), depth + 1);
    }
    return r < 0 ? r : text_append(text, "}", 1);
}

/* The receiver's parser stops at the same depth, and counts each value. Values that contain themselves end here. */
static int write_value(Text *text, json_t *value, unsigned depth)
{
    if (depth == IPC_DEPTH_MAX)
        return -EINVAL;
    switch (json_typeof(value)) {
    case JSON_ARRAY:
        return write_array(text, value, depth);
    case JSON_OBJECT:
        return write_object(text, value, depth);
    case JSON_STRING:
        return write_string(text, json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        return write_integer(text, json_integer_value(value));
    case JSON_TRUE:
        return text_append(text, "true", 4);
    case JSON_FALSE:
        return text_append(text, "false", 5);
    case JSON_NULL:
        return text_append(text, "null", 4);
    default:
        return -EAGAIN;
    }
}

static int text_write(Text *text, json_t *value)
{
    int r;

    r = write_value(text, value, 0);
    if (r >= 0)
        text->data[text->length] = '\0';
    return r;
}

/* ---- with jansson's help ---- */

/* The receiver's parser stops at the same depth, as above. */
static bool depth_is_legal(json_t *value, unsigned depth)
{
    const char *key;
    json_t *child;
    size_t i;

    if (depth == IPC_DEPTH_MAX)
        return false;
    json_array_foreach(value, i, child)
        if (!depth_is_legal(child, depth + 1))
            return false;
    json_object_foreach(value, key, child)
        if (!depth_is_legal(child, depth + 1))
            return false;
    return true;
}

/* Runs for each piece that jansson writes. */
static int on_piece(const char *piece, size_t size, void *text)
{
    return text_append(text, piece, size);
}

/*
 * Whether there are noncharacters (U+FDD0 to U+FDEF, and the last two of each plane): Unicode and JSON allow them in
 * strings, sd-bus does not. They are legal as escapes.
 */
static bool has_noncharacters(const Text *text)
{
    const unsigned char *c = (const unsigned char *)text->data, *end = c + text->length;

    for (; c < end; c++) {
        if (*c < 0xef)
            continue;
        if (*c == 0xef && c[1] == 0xb7 && c[2] >= 0x90 && c[2] <= 0xaf)
            return true;
        if (*c == 0xef && c[1] == 0xbf && c[2] >= 0xbe)
            return true;
        if (*c > 0xef && (c[1] & 0x0f) == 0x0f && c[2] == 0xbf && c[3] >= 0xbe)
            return true;
    }
    return false;
}

static int text_dump(Text *text, json_t *value, size_t flags)
{
    text->length = 0;
    if (json_dump_callback(value, on_piece, text, JSON_COMPACT | JSON_ENCODE_ANY | flags) < 0)
        return text->error < 0 ? text->error : -EINVAL;
    text->data[text->length] = '\0';
    return 0;
}

static void text_init(Text *text, size_t max)
{
    text->data = text->fixed;
    text->length = 0;
    text->allocated = sizeof(text->fixed);
    text->max = max;
    text->error = 0;
}

int text_encode_max(Text *text, json_t *value, size_t max)
{
    int r;

    text_init(text, max);
    if (!value)
        value = json_null(); /* a constant, which nobody owns */
    r = text_write(text, value);
    if (r != -EAGAIN)
        return r;
    if (!depth_is_legal(value, 0))
        return -EINVAL;
    r = text_dump(text, value, 0);
    if (r >= 0 && has_noncharacters(text))
        r = text_dump(text, value, JSON_ENSURE_ASCII);
    return r;
}

int text_encode_args_max(Text *text, json_t *args, size_t max)
{
    _cleanup_(json_cleanup) json_t *empty = NULL;

    text_init(text, max);
    if (!args)
        args = empty = json_array();
    if (!args)
        return -ENOMEM;
    return json_is_array(args) ? text_encode_max(text, args, max) : -EINVAL;
}

int text_encode(Text *text, json_t *value)
{
    return text_encode_max(text, value, IPC_ARGS_MAX);
}

int text_encode_args(Text *text, json_t *args)
{
    return text_encode_args_max(text, args, IPC_ARGS_MAX);
}

/* jansson does not say why it failed where it could not even begin, for want of memory. */
static void error_begin(json_error_t *error)
{
    error->text[0] = '\0';
    error->text[JSON_ERROR_TEXT_LENGTH - 1] = json_error_unknown;
}

static bool is_out_of_memory(const json_error_t *error)
{
    return json_error_code(error) == json_error_out_of_memory || !error->text[0];
}

int text_pack_value(json_t **ret_value, const char *format, va_list elements)
{
    json_error_t error;
    json_t *value;

    if (!format || !*format) {
        *ret_value = json_null();
        return 0;
    }
    error_begin(&error);
    value = json_vpack_ex(&error, 0, format, elements);
    if (!value)
        return is_out_of_memory(&error) ? -ENOMEM : -EINVAL;
    *ret_value = value;
    return 0;
}

int text_pack_args(json_t **ret_args, const char *format, va_list elements)
{
    _cleanup_free_ char *array = NULL;

    if (asprintf(&array, "[%s]", format ? format : "") < 0) {
        array = NULL;
        return -ENOMEM;
    }
    return text_pack_value(ret_args, array, elements);
}

static const char *type_name(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a string",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a number",  [JSON_TRUE] = "a boolean",
        [JSON_FALSE] = "a boolean",  [JSON_NULL] = "null",
    };

    return names[json_typeof(value)];
}

static json_t *text_load(const char *text, size_t length, json_error_t *where)
{
    error_begin(where);
    return json_loadb(text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, where);
}

static int load_error(json_error_t *where, const char *what, sd_bus_error *error)
{
    if (is_out_of_memory(where))
        return sd_bus_error_setf(error, IPC_ERROR_NO_MEMORY, "Out of memory while reading %s", what);

    /* jansson quotes the text, and may cut a character in two; the bus would throw out who sends that. */
    if (!text_is_utf8(where->text))
        snprintf(where->text, sizeof(where->text), "invalid text");
    sd_bus_error_setf(error, IPC_ERROR_INVALID_ARGS, "%s cannot be read as JSON: line %d, column %d (byte %d): %s", what,
                      where->line, where->column, where->position, where->text);
    return -EINVAL;
}

int text_decode_value(const char *text, size_t length, json_t **ret_value)
{
    json_error_t where;
    json_t *value;
    int r;

    r = text_check_cost(text, length);
    if (r < 0)
        return r;
    value = text_load(text, length, &where);
    if (!value)
        return is_out_of_memory(&where) ? -ENOMEM : -EINVAL;
    *ret_value = value;
    return 0;
}

int text_decode_sized(const char *text, size_t length, const char *what, json_t **ret_value, sd_bus_error *error)
{
    json_error_t where;
    json_t *value;
    int r;

    r = text_check_cost_of(text, length, what, error);
    if (r < 0)
        return r;
    value = text_load(text, length, &where);
    if (!value)
        return load_error(&where, what, error);
    *ret_value = value;
    return 0;
}

int text_decode(const char *text, const char *what, json_t **ret_value, sd_bus_error *error)
{
    return text_decode_sized(text, strlen(text), what, ret_value, error);
}

int text_decode_args_sized(const char *text, size_t length, const char *channel, json_t **ret_args, sd_bus_error *error)
{
    char what[IPC_CHANNEL_MAX + sizeof("The args of ''")];
    json_error_t where;
    int r = text_check_cost(text, length);
    json_t *args = r < 0 ? NULL : text_load(text, length, &where);

    if (json_is_array(args)) {
        *ret_args = args;
        return 0;
    }
    snprintf(what, sizeof(what), "The args of '%s'", channel);
    if (r < 0)
        return text_check_cost_of(text, length, what, error);
    if (!args)
        return load_error(&where, what, error);
    sd_bus_error_setf(error, IPC_ERROR_INVALID_ARGS, "%s must be a JSON array: line 1, column 1 begins %s", what,
                      type_name(args));
    json_decref(args);
    return -EINVAL;
}

int text_decode_args(const char *text, const char *channel, json_t **ret_args, sd_bus_error *error)
{
    return text_decode_args_sized(text, strlen(text), channel, ret_args, error);
}

bool text_is_utf8(const char *text)
{
    _cleanup_(json_cleanup) json_t *string = NULL;
    const unsigned char *c;

    for (c = (const unsigned char *)text; *c && *c < 0x80; c++)
        ;
    if (!*c)
        return true;
    string = json_string(text);
    return string != NULL;
}

bool text_is_channel(const char *name)
{
    size_t length = name ? strnlen(name, IPC_CHANNEL_MAX + 1) : 0;

    return length > 0 && length <= IPC_CHANNEL_MAX && text_is_utf8(name);
}

int text_check_channel(const char *name, sd_bus_error *error)
{
    if (text_is_channel(name))
        return 0;
    sd_bus_error_setf(error, IPC_ERROR_INVALID_CHANNEL,
                      "A channel is 1 to %u bytes of UTF-8; this one has %zu", IPC_CHANNEL_MAX, strlen(name));
    return -EINVAL;
}
