/* SPDX-License-Identifier: MIT */
#include "ctl-channels.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "ctl-client.h"
#include "ctl-output.h"
#include "ctl-properties.h"
#include "ctl-table.h"
#include "ipc-names.h"
#include "macro.h"

/* Where there is no more name, every other one comes first. */
static int compare_names(const char *left, const char *right)
{
    if (!left || !right)
        return !left - !right;
    return strcmp(left, right);
}

/* Both lists are sorted. A row has those of the two keys that hold. */
static int merge_channels(json_t *rows, const json_t *listeners, const json_t *handlers)
{
    size_t i = 0, j = 0;

    for (;;) {
        const char *listener = json_string_value(json_array_get(listeners, i));
        const char *handler = json_string_value(json_array_get(handlers, j));
        int order = compare_names(listener, handler);
        json_t *row;

        if (!listener && !handler)
            return 0;
        row = json_pack("{s:s, s:o*, s:o*}", "channel", order <= 0 ? listener : handler, "listener",
                        order <= 0 ? json_true() : NULL, "handler", order >= 0 ? json_true() : NULL);
        if (json_array_append_new(rows, row) < 0)
            return -ENOMEM;
        i += order <= 0;
        j += order >= 0;
    }
}

static int print_table(const json_t *listeners, const json_t *handlers)
{
    static const Column columns[] = {
        { "CHANNEL", "channel" }, { "LISTENER", "listener" }, { "HANDLER", "handler" },
    };
    _cleanup_(json_decrefp) json_t *rows = json_array();
    int r;

    if (!rows)
        return -ENOMEM;
    r = merge_channels(rows, listeners, handlers);
    return r < 0 ? r : table_print(stdout, rows, columns, ELEMENTSOF(columns));
}

static int print_channels(const json_t *properties, Style style)
{
    _cleanup_(json_decrefp) json_t *channels = NULL;
    json_t *listeners = json_object_get(properties, "listeners"), *handlers = json_object_get(properties, "handlers");

    if (!json_is_array(listeners) || !json_is_array(handlers))
        return -EBADMSG;
    if (style == STYLE_TEXT)
        return print_table(listeners, handlers);
    channels = json_pack("{s:O, s:O}", "listeners", listeners, "handlers", handlers);
    return channels ? output_value(stdout, channels, style) : -ENOMEM;
}

ExitStatus channels_command(const Options *options, char **operands, Failure *failure)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
    _cleanup_(json_decrefp) json_t *properties = NULL;
    _cleanup_(client_close) Client client = { 0 };
    ExitStatus status;
    int r;

    (void)operands;
    status = client_open(&client, options, failure);
    if (status == STATUS_OK)
        status = client_get_properties(&client, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, &answer, failure);
    if (status != STATUS_OK)
        return status;
    r = properties_read(answer, &properties);
    if (r >= 0)
        r = print_channels(properties, options->style);
    return r < 0 ? client_fail(&client, r, failure) : STATUS_OK;
}
