/* SPDX-License-Identifier: MIT */
#include "ctl-properties.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "macro.h"

/* "ProcessId" to "process_id", "UnixUserID" to "unix_user_id". */
static char *snake_case(const char *name)
{
    char *snake = malloc(2 * strlen(name) + 1);
    char *end = snake;

    if (!snake)
        return NULL;
    for (size_t i = 0; name[i]; i++) {
        if (i > 0 && isupper((unsigned char)name[i]) && !isupper((unsigned char)name[i - 1]))
            *end++ = '_';
        *end++ = (char)tolower((unsigned char)name[i]);
    }
    *end = '\0';
    return snake;
}

static json_t *json_unsigned(uint64_t number)
{
    return number > INT64_MAX ? json_real((double)number) : json_integer((json_int_t)number);
}

static json_t *json_of_basic(char type, const void *data)
{
    switch (type) {
    case SD_BUS_TYPE_BOOLEAN:
        return json_boolean(*(const int *)data);
    case SD_BUS_TYPE_BYTE:
        return json_integer(*(const uint8_t *)data);
    case SD_BUS_TYPE_INT16:
        return json_integer(*(const int16_t *)data);
    case SD_BUS_TYPE_UINT16:
        return json_integer(*(const uint16_t *)data);
    case SD_BUS_TYPE_INT32:
        return json_integer(*(const int32_t *)data);
    case SD_BUS_TYPE_UINT32:
        return json_integer(*(const uint32_t *)data);
    case SD_BUS_TYPE_INT64:
        return json_integer(*(const int64_t *)data);
    case SD_BUS_TYPE_UINT64:
        return json_unsigned(*(const uint64_t *)data);
    case SD_BUS_TYPE_DOUBLE:
        return json_real(*(const double *)data);
    default:
        return json_string(*(const char *const *)data);
    }
}

static int read_basic(sd_bus_message *message, char type, json_t **ret_value)
{
    union {
        uint64_t number;
        double real;
        const char *string;
    } data;
    int r;

    r = sd_bus_message_read_basic(message, type, &data);
    if (r < 0)
        return r;
    if (type == SD_BUS_TYPE_DOUBLE && !isfinite(data.real))
        return -EDOM;
    *ret_value = json_of_basic(type, &data);
    return *ret_value ? 0 : -ENOMEM;
}

static int read_strings(sd_bus_message *message, json_t **ret_value)
{
    _cleanup_(json_decrefp) json_t *strings = json_array();
    const char *string;
    int r;

    r = sd_bus_message_enter_container(message, 'a', "s");
    if (r < 0)
        return r;
    while ((r = sd_bus_message_read_basic(message, 's', &string)) > 0)
        if (json_array_append_new(strings, json_string(string)) < 0)
            return -ENOMEM;
    if (r < 0)
        return r;
    *ret_value = TAKE_PTR(strings);
    return sd_bus_message_exit_container(message);
}

/* Leaves *ret_value alone where the type is none that is kept. */
static int read_variant(sd_bus_message *message, json_t **ret_value)
{
    const char *type;
    int r;

    r = sd_bus_message_peek_type(message, NULL, &type);
    if (r < 0)
        return r;
    if (strcmp(type, "as") != 0 && !(strchr("ybnqiuxtdso", type[0]) && !type[1]))
        return sd_bus_message_skip(message, "v");

    r = sd_bus_message_enter_container(message, 'v', type);
    if (r < 0)
        return r;
    r = type[0] == 'a' ? read_strings(message, ret_value) : read_basic(message, type[0], ret_value);
    return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_property(sd_bus_message *message, json_t *object)
{
    _cleanup_(json_decrefp) json_t *value = NULL;
    _cleanup_free_ char *key = NULL;
    const char *name;
    int r;

    r = sd_bus_message_read_basic(message, 's', &name);
    if (r < 0)
        return r;
    r = read_variant(message, &value);
    if (r < 0 || !value)
        return r;
    key = snake_case(name);
    return key && json_object_set(object, key, value) == 0 ? 0 : -ENOMEM;
}

int properties_read(sd_bus_message *message, json_t **ret_object)
{
    _cleanup_(json_decrefp) json_t *object = json_object();
    int r;

    if (!object)
        return -ENOMEM;
    r = sd_bus_message_enter_container(message, 'a', "{sv}");
    if (r < 0)
        return r;
    while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
        r = read_property(message, object);
        if (r < 0)
            return r;
        r = sd_bus_message_exit_container(message);
        if (r < 0)
            return r;
    }
    if (r < 0)
        return r;
    *ret_object = TAKE_PTR(object);
    return sd_bus_message_exit_container(message);
}
