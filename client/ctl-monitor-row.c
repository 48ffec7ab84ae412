/* SPDX-License-Identifier: MIT */
#include "ctl-monitor-row.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl-output.h"
#include "ctl-quantity.h"
#include "ctl-terminal.h"
#include "macro.h"

/* Columns of the terminal; what is sent has the rest. */
#define TIME_WIDTH 12
#define WHO_WIDTH 10
#define VERB_WIDTH 12
#define CHANNEL_WIDTH 16
#define TOOK_WIDTH 6
#define LEFT_WIDTH (TIME_WIDTH + WHO_WIDTH + VERB_WIDTH + CHANNEL_WIDTH + TOOK_WIDTH + 6)
#define LEAST_WIDTH 20 /* of what is sent; a terminal that has no room for it breaks the row */

void monitor_row_print_titles(FILE *stream)
{
    terminal_start(stream, COLOUR_TITLE);
    fprintf(stream, "%-*s %-*s %-*s %-*s %*s  %s", TIME_WIDTH, "TIME", WHO_WIDTH, "RENDERER", VERB_WIDTH, "VERB",
            CHANNEL_WIDTH, "CHANNEL", TOOK_WIDTH, "TOOK", "WHAT");
    terminal_end(stream);
    putc('\n', stream);
}

/* ---- the columns ---- */

static void print_time(FILE *stream, json_int_t usec)
{
    time_t seconds = (time_t)(usec / 1000000);
    char text[16];
    struct tm when;

    if (!localtime_r(&seconds, &when) || strftime(text, sizeof(text), "%H:%M:%S", &when) == 0)
        text[0] = '\0';
    terminal_start(stream, COLOUR_FAINT);
    fprintf(stream, "%8s.%03" PRId64 " ", text, (int64_t)(usec % 1000000 / 1000));
    terminal_end(stream);
}

/* An anonymous caller has no id that would tell it from others. */
static void name_end(const json_t *line, const char *id_key, const char *name_key, char ret[32])
{
    json_int_t id = json_integer_value(json_object_get(line, id_key));
    const char *name = json_string_value(json_object_get(line, name_key));
    _cleanup_free_ char *text = id <= 0 && name ? output_escape(name) : NULL;

    if (text)
        snprintf(ret, 32, "%s", text);
    else
        snprintf(ret, 32, "%" JSON_INTEGER_FORMAT, id);
}

static void print_who(FILE *stream, const json_t *line, bool is_out)
{
    bool has_receiver = json_object_get(line, "receiver_id");
    char from[32], to[32], who[80];

    name_end(line, "sender_id", "sender", from);
    name_end(line, "receiver_id", "receiver", to);
    if (!is_out)
        snprintf(who, sizeof(who), has_receiver ? "%s -> %s" : "%s ->", from, to);
    else if (json_integer_value(json_object_get(line, "sender_id")) > 0)
        snprintf(who, sizeof(who), "%s <- %s", to, from);
    else
        snprintf(who, sizeof(who), "%s <-", to);
    terminal_start(stream, is_out ? COLOUR_OUT : COLOUR_IN);
    output_cell(stream, who, WHO_WIDTH);
    putc(' ', stream);
    terminal_end(stream);
}

static void print_channel(FILE *stream, const json_t *line)
{
    const char *channel = json_string_value(json_object_get(line, "channel"));
    _cleanup_free_ char *text = output_escape(channel ? channel : "");

    output_cell(stream, text ? text : "", CHANNEL_WIDTH);
    putc(' ', stream);
}

static void print_took(FILE *stream, const json_t *line)
{
    const json_t *latency = json_object_get(line, "latency_us");
    char text[QUANTITY_SIZE] = "";

    if (json_integer_value(latency) > 0)
        quantity_of_time(text, (uint64_t)json_integer_value(latency) * 1000);
    else if (latency)
        snprintf(text, sizeof(text), "<1us");
    fprintf(stream, "%*s  ", TOOK_WIDTH, text);
}

/* ---- what was sent, and what came of it ---- */

static void write_value(FILE *stream, const json_t *line, const char *key)
{
    const json_t *value = json_object_get(line, key);
    char name[32];
    char *text;

    snprintf(name, sizeof(name), "%s_begin", key);
    if (json_object_get(line, name)) {
        output_escaped(stream, json_string_value(json_object_get(line, name)));
        fputs("...", stream);
        return;
    }
    text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (text)
        output_json(stream, text, STYLE_SPACED);
    free(text);
}

static const char *or_empty(const char *string)
{
    return string ? string : "";
}

static void write_error(FILE *stream, const json_t *error)
{
    fputs("! ", stream);
    output_escaped(stream, or_empty(json_string_value(json_object_get(error, "message"))));
    fputs(" (", stream);
    output_escaped(stream, or_empty(json_string_value(json_object_get(error, "name"))));
    fputs(")", stream);
    if (json_object_get(error, "detail")) {
        putc(' ', stream);
        write_value(stream, error, "detail");
    }
}

static void write_end(FILE *stream, const json_t *line)
{
    if (json_object_get(line, "result")) {
        fputs(" = ", stream);
        write_value(stream, line, "result");
    } else if (json_object_get(line, "pending")) {
        fputs(" ...", stream);
    }
}

static void write_start(FILE *stream, const json_t *line)
{
    const char *title = json_string_value(json_object_get(line, "title"));

    if (title) {
        output_escaped(stream, title);
        fprintf(stream, " (process %" JSON_INTEGER_FORMAT ", user %" JSON_INTEGER_FORMAT ")",
                json_integer_value(json_object_get(line, "process_id")),
                json_integer_value(json_object_get(line, "user_id")));
    }
    if (json_object_get(line, "message"))
        write_value(stream, line, "message");
    else if (json_object_get(line, "args"))
        write_value(stream, line, "args");
    else if (json_object_get(line, "latency_us"))
        fputs("...", stream); /* the first line of the call has them */
}

/* Where there is no room for all, why it failed is what one wants to see. */
static void print_what(FILE *stream, const json_t *line, size_t width)
{
    const json_t *error = json_object_get(line, "error");
    _cleanup_free_ char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);

    if (!memory)
        return;
    if (error) {
        write_error(memory, error);
        putc(' ', memory);
    }
    write_start(memory, line);
    if (!error)
        write_end(memory, line);
    if (fclose(memory) != 0)
        return;
    if (error)
        terminal_start(stream, COLOUR_ERROR);
    output_cut(stream, text, width);
    if (error)
        terminal_end(stream);
}

/* Where no terminal is, nothing is too long. */
static size_t room_for_what(FILE *stream)
{
    unsigned columns, lines;

    if (!isatty(fileno(stream)))
        return SIZE_MAX;
    terminal_get_size(stream, &columns, &lines);
    return columns > LEFT_WIDTH + LEAST_WIDTH ? columns - LEFT_WIDTH : LEAST_WIDTH;
}

static void print_row(FILE *stream, const json_t *line, const char *verb)
{
    const char *direction = json_string_value(json_object_get(line, "direction"));
    _cleanup_free_ char *escaped = output_escape(verb);

    print_time(stream, json_integer_value(json_object_get(line, "time")));
    print_who(stream, line, direction && strcmp(direction, "out") == 0);
    output_cell(stream, escaped ? escaped : "", VERB_WIDTH);
    putc(' ', stream);
    print_channel(stream, line);
    print_took(stream, line);
    print_what(stream, line, room_for_what(stream));
    putc('\n', stream);
}

static void print_dropped(FILE *stream, json_int_t n)
{
    terminal_start(stream, COLOUR_ERROR);
    fprintf(stream, "%" JSON_INTEGER_FORMAT " lines were dropped here: they came faster than they were read", n);
    terminal_end(stream);
    putc('\n', stream);
}

bool monitor_row_print(FILE *stream, const char *text)
{
    json_t *line = json_loads(text, JSON_ALLOW_NUL, NULL);
    const json_t *dropped = json_object_get(line, "dropped");
    const char *verb = json_string_value(json_object_get(line, "verb"));

    if (dropped)
        print_dropped(stream, json_integer_value(dropped));
    else if (verb)
        print_row(stream, line, verb);
    json_decref(line);
    return dropped || verb;
}
