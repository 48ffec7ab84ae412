/* SPDX-License-Identifier: MIT */
#include "args.h"

#include <errno.h>
#include <stdio.h>

#include "ipc-names.h"
#include "macro.h"
#include "text.h"

static int parse_posted(Args *args, sd_bus_error *error)
{
    _cleanup_(json_cleanup) json_t *value = NULL, *array = NULL;
    char what[IPC_CHANNEL_MAX + sizeof("The message on ''")];
    int r;

    snprintf(what, sizeof(what), "The message on '%s'", args->channel);
    r = text_decode_sized(args->text, args->length, what, &value, error);
    if (r < 0)
        return r;
    array = json_array();
    if (!array || json_array_append(array, value) < 0)
        return -ENOMEM;
    args->array = TAKE_PTR(array);
    return 0;
}

int args_parse(Args *args, sd_bus_error *error)
{
    if (args->array)
        return 0;
    if (args->is_posted)
        return parse_posted(args, error);
    return text_decode_args_sized(args->text, args->length, args->channel, &args->array, error);
}
