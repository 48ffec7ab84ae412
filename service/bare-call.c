/* SPDX-License-Identifier: MIT */
#include "bare-call.h"

#include <stdbool.h>
#include <string.h>

#include "macro.h"

/* As if it had come from the bus. */
static int seal(sd_bus_message *bare, sd_bus_message *call)
{
    uint64_t cookie;
    int r;

    r = sd_bus_message_get_cookie(call, &cookie);
    if (r >= 0)
        r = sd_bus_message_set_sender(bare, sd_bus_message_get_sender(call));
    if (r >= 0)
        r = sd_bus_message_set_expect_reply(bare, sd_bus_message_get_expect_reply(call));
    return r < 0 ? r : sd_bus_message_seal(bare, cookie, 0);
}

int bare_call_new(sd_bus_message *call, sd_bus_message **ret_bare)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *bare = NULL;
    int r;

    r = sd_bus_message_new(sd_bus_message_get_bus(call), &bare, SD_BUS_MESSAGE_METHOD_CALL);
    if (r >= 0)
        r = seal(bare, call);
    if (r < 0)
        return r;
    *ret_bare = TAKE_PTR(bare);
    return 0;
}

static int copy_strings(sd_bus_message *call, sd_bus_message *bare, size_t *size)
{
    const char *string;
    char type;
    int r;

    while ((r = sd_bus_message_peek_type(call, &type, NULL)) > 0 && type == SD_BUS_TYPE_STRING) {
        r = sd_bus_message_read_basic(call, type, &string);
        if (r >= 0)
            r = sd_bus_message_append_basic(bare, type, string);
        if (r < 0)
            return r;
        *size += strlen(string);
    }
    return r < 0 ? r : sd_bus_message_rewind(call, true);
}

int bare_call_new_with_strings(sd_bus_message *call, sd_bus_message **ret_bare, size_t *ret_size)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *bare = NULL;
    size_t size = 0;
    int r;

    r = sd_bus_message_new_method_call(sd_bus_message_get_bus(call), &bare, sd_bus_message_get_destination(call),
                                       sd_bus_message_get_path(call), sd_bus_message_get_interface(call),
                                       sd_bus_message_get_member(call));
    if (r >= 0)
        r = copy_strings(call, bare, &size);
    if (r >= 0)
        r = seal(bare, call);
    if (r >= 0)
        r = sd_bus_message_rewind(bare, true);
    if (r < 0)
        return r;
    *ret_bare = TAKE_PTR(bare);
    *ret_size = size;
    return 0;
}
