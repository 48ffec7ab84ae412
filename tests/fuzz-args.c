/* SPDX-License-Identifier: MIT */

/* The text of arguments: what is read is written as it was read, and what is not read is refused in words. */

#include "fuzz.h"
#include "ipc-names.h"
#include "text.h"

static void check_round_trip(json_t *value)
{
    json_t *again = NULL;
    Text text;

    check(text_encode(&text, value) == 0);
    check(text_decode(text.data, "It", &again, NULL) == 0);
    check(json_equal(value, again));
    json_decref(again);
    text_clear(&text);
}

static void check_value(const char *string)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    json_t *value = NULL;
    int r;

    r = text_decode(string, "It", &value, &error);
    check((r == 0) == (value != NULL));
    check((r < 0) == sd_bus_error_is_set(&error));
    check(r == 0 || text_is_utf8(error.message));
    if (value)
        check_round_trip(value);
    json_decref(value);
    sd_bus_error_free(&error);
}

static void check_args(const char *string)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    json_t *args = NULL;
    int r;

    r = text_decode_args(string, "channel", &args, &error);
    check((r == 0) == json_is_array(args));
    check(r == 0 || sd_bus_error_has_name(&error, IPC_ERROR_INVALID_ARGS));
    json_decref(args);
    sd_bus_error_free(&error);
}

static void check_channel(const char *string)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int r;

    r = text_check_channel(string, &error);
    check((r == 0) == text_is_channel(string));
    check(r == 0 || text_is_utf8(error.message));
    sd_bus_error_free(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *string = malloc(size + 1);

    check(string);
    if (size > 0)
        memcpy(string, data, size);
    string[size] = '\0';
    check_value(string);
    check_args(string);
    check_channel(string);
    free(string);
    return 0;
}
