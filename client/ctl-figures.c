/* SPDX-License-Identifier: MIT */
#include "ctl-figures.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "ctl-output.h"
#include "ctl-quantity.h"
#include "ctl-terminal.h"
#include "ctl-utf8.h"
#include "ipc-names.h"
#include "macro.h"

#define CHANNEL_STRUCT "stttttuttt"
#define RENDERER_STRUCT "uttt"

/* ---- asking ---- */

static double usec(uint64_t nsec)
{
    return (double)nsec / 1000;
}

static json_t *read_channel(sd_bus_message *answer)
{
    uint64_t calls, messages, sent, errors, bytes, p50, p99, max;
    const char *channel;
    uint32_t pending;

    if (sd_bus_message_read(answer, CHANNEL_STRUCT, &channel, &calls, &messages, &sent, &errors, &bytes, &pending, &p50,
                            &p99, &max) <= 0)
        return NULL;
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f}", "channel", channel, "calls",
                     (json_int_t)calls, "messages", (json_int_t)messages, "sent", (json_int_t)sent, "errors",
                     (json_int_t)errors, "bytes", (json_int_t)bytes, "pending", (json_int_t)pending, "p50_us",
                     usec(p50), "p99_us", usec(p99), "max_us", usec(max));
}

static json_t *read_renderer(sd_bus_message *answer)
{
    uint64_t calls, errors, bytes;
    uint32_t id;

    if (sd_bus_message_read(answer, RENDERER_STRUCT, &id, &calls, &errors, &bytes) <= 0)
        return NULL;
    return json_pack("{s:I, s:I, s:I, s:I}", "id", (json_int_t)id, "calls", (json_int_t)calls, "errors",
                     (json_int_t)errors, "bytes", (json_int_t)bytes);
}

typedef struct Property {
    const char *name;
    const char *type;
    const char *array_type; /* of its elements */
    const char *struct_type;
    json_t *(*read)(sd_bus_message *answer);
} Property;

static const Property channels_property = { "Channels", "a(" CHANNEL_STRUCT ")", "(" CHANNEL_STRUCT ")", CHANNEL_STRUCT,
                                            read_channel };
static const Property renderers_property = { "Renderers", "a(" RENDERER_STRUCT ")", "(" RENDERER_STRUCT ")",
                                             RENDERER_STRUCT, read_renderer };

static int read_rows(sd_bus_message *answer, const Property *property, json_t *rows)
{
    int r;

    r = sd_bus_message_enter_container(answer, 'v', property->type);
    if (r >= 0)
        r = sd_bus_message_enter_container(answer, 'a', property->array_type);
    while (r >= 0 && (r = sd_bus_message_enter_container(answer, 'r', property->struct_type)) > 0) {
        r = json_array_append_new(rows, property->read(answer)) < 0 ? -EBADMSG : 0;
        if (r >= 0)
            r = sd_bus_message_exit_container(answer);
    }
    return r;
}

static ExitStatus get(Client *client, const Property *property, json_t **ret_rows, Failure *failure)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *answer = NULL;
    _cleanup_(json_decrefp) json_t *rows = json_array();
    ExitStatus status;
    int r;

    r = client_new_call(client, &call, IPC_MAIN_PATH, "org.freedesktop.DBus.Properties", "Get");
    if (r >= 0)
        r = sd_bus_message_append(call, "ss", IPC_MONITOR_INTERFACE, property->name);
    if (r < 0)
        return client_fail(client, r, failure);
    status = client_call(client, call, &answer, failure);
    if (status != STATUS_OK)
        return status;
    r = rows ? read_rows(answer, property, rows) : -ENOMEM;
    if (r < 0)
        return client_fail(client, r, failure);
    *ret_rows = TAKE_PTR(rows);
    return STATUS_OK;
}

ExitStatus figures_get_channels(Client *client, json_t **ret_channels, Failure *failure)
{
    return get(client, &channels_property, ret_channels, failure);
}

ExitStatus figures_get_renderers(Client *client, json_t **ret_renderers, Failure *failure)
{
    return get(client, &renderers_property, ret_renderers, failure);
}

/* ---- printing ---- */

typedef struct Figure {
    const char *title;
    const char *key;
    bool is_time;
} Figure;

static const Figure figures[] = {
    { "RATE/S", "rate", false },     { "CALLS", "calls", false }, { "MSGS", "messages", false },
    { "SENT", "sent", false },       { "ERRS", "errors", false }, { "PEND", "pending", false },
    { "BYTES", "bytes", false },     { "P50", "p50_us", true },   { "P99", "p99_us", true },
    { "MAX", "max_us", true },
};

#define FIGURE_WIDTH 6
#define CHANNEL_MIN 10u

static json_int_t value_of(const json_t *channel, const char *key)
{
    return json_integer_value(json_object_get(channel, key));
}

json_int_t figures_total(const json_t *channel)
{
    return value_of(channel, "calls") + value_of(channel, "messages") + value_of(channel, "sent");
}

static void print_figure(FILE *stream, const json_t *channel, const Figure *figure)
{
    const json_t *value = json_object_get(channel, figure->key);
    char text[QUANTITY_SIZE] = "-";

    if (figure->is_time && json_number_value(value) > 0)
        quantity_of_time(text, (uint64_t)(json_number_value(value) * 1000));
    else if (value && !figure->is_time)
        quantity_of_number(text, json_number_value(value));
    fprintf(stream, " %*s", FIGURE_WIDTH, text);
}

static char *name_of(const json_t *channel)
{
    const char *name = json_string_value(json_object_get(channel, "channel"));

    return name && *name ? output_escape(name) : strdup("(others)");
}

static void print_channel(FILE *stream, const json_t *channel, size_t width)
{
    _cleanup_free_ char *name = name_of(channel);

    output_cell(stream, name ? name : "", width);
    for (size_t i = 0; i < ELEMENTSOF(figures); i++)
        print_figure(stream, channel, &figures[i]);
}

static size_t width_of_names(json_t *channels)
{
    size_t width = CHANNEL_MIN;
    json_t *channel;
    size_t i;

    json_array_foreach(channels, i, channel) {
        _cleanup_free_ char *name = name_of(channel);

        if (name && utf8_width(name) > width)
            width = utf8_width(name);
    }
    return width;
}

static void print_titles(FILE *stream, size_t width)
{
    terminal_start(stream, COLOUR_TITLE);
    fprintf(stream, "%-*s", (int)width, "CHANNEL");
    for (size_t i = 0; i < ELEMENTSOF(figures); i++)
        fprintf(stream, " %*s", FIGURE_WIDTH, figures[i].title);
    terminal_end(stream);
}

static void end_line(FILE *stream, bool is_live)
{
    if (is_live)
        terminal_end_line(stream);
    else
        putc('\n', stream);
}

void figures_print(FILE *stream, json_t *channels, unsigned columns, size_t n_rows, bool is_live)
{
    unsigned taken = ELEMENTSOF(figures) * (FIGURE_WIDTH + 1);
    size_t width = width_of_names(channels), room = columns > taken + CHANNEL_MIN ? columns - taken : CHANNEL_MIN;
    json_t *channel;
    size_t i;

    if (width > room)
        width = room;
    print_titles(stream, width);
    end_line(stream, is_live);
    json_array_foreach(channels, i, channel) {
        if (i >= n_rows)
            break;
        print_channel(stream, channel, width);
        end_line(stream, is_live);
    }
}
