/* SPDX-License-Identifier: MIT */
#include "ctl-output.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl-utf8.h"
#include "macro.h"

#define INDENT 2u /* columns */
#define DIGITS 6  /* of a figure */

static void write_unit(FILE *stream, uint32_t unit)
{
    fprintf(stream, "\\u%04x", (unsigned)unit);
}

static void write_escape(FILE *stream, uint32_t character)
{
    if (character < 0x10000) {
        write_unit(stream, character);
    } else {
        write_unit(stream, 0xd800 + ((character - 0x10000) >> 10));
        write_unit(stream, 0xdc00 + ((character - 0x10000) & 0x3ff));
    }
}

/* One character of a string, or what a backslash makes of two; answers where the next one begins. */
static const char *write_character(FILE *stream, const char *p)
{
    uint32_t character = 0;
    size_t length;

    if (p[0] == '\\' && p[1] > ' ' && p[1] < 0x7f) {
        fwrite(p, 1, 2, stream);
        return p + 2;
    }
    length = utf8_decode(p, &character);
    if (length == 0 || utf8_is_control(character) || utf8_is_noncharacter(character))
        write_escape(stream, length == 0 ? 0xfffd : character);
    else
        fwrite(p, 1, length, stream);
    return p + (length == 0 ? 1 : length);
}

static const char *write_string(FILE *stream, const char *p)
{
    putc(*p++, stream);
    while (*p && *p != '"')
        p = write_character(stream, p);
    if (*p)
        putc(*p++, stream);
    return p;
}

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static void write_break(FILE *stream, Style style, unsigned depth)
{
    if (style == STYLE_PRETTY)
        fprintf(stream, "\n%*s", (int)(depth * INDENT), "");
}

static void write_comma(FILE *stream, Style style, unsigned depth)
{
    putc(',', stream);
    if (style == STYLE_SPACED)
        putc(' ', stream);
    write_break(stream, style, depth);
}

static const char *write_open(FILE *stream, const char *p, Style style, unsigned *depth)
{
    putc(*p, stream);
    p = skip_space(p + 1);
    if (*p == ']' || *p == '}') {
        putc(*p, stream);
        return p + 1;
    }
    write_break(stream, style, ++*depth);
    return p;
}

static void write_close(FILE *stream, char c, Style style, unsigned *depth)
{
    if (*depth > 0)
        --*depth;
    write_break(stream, style, *depth);
    putc(c, stream);
}

void output_json(FILE *stream, const char *text, Style style)
{
    const char *p = skip_space(text);
    unsigned depth = 0;

    while (*p) {
        if (*p == '"') {
            p = write_string(stream, p);
        } else if (*p == '[' || *p == '{') {
            p = write_open(stream, p, style, &depth);
        } else {
            if (*p == ']' || *p == '}')
                write_close(stream, *p, style, &depth);
            else if (*p == ',')
                write_comma(stream, style, depth);
            else if (*p == ':')
                fputs(style == STYLE_SPACED || style == STYLE_PRETTY ? ": " : ":", stream);
            else if (*p < 0x7f && *p > ' ')
                putc(*p, stream);
            else
                fputc('?', stream); /* that is no JSON */
            p++;
        }
        p = skip_space(p);
    }
}

bool output_is_json(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

    json_decref(value);
    return value != NULL;
}

static int dump(FILE *stream, json_t *value, Style style, size_t flags)
{
    _cleanup_free_ char *text = NULL;

    text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | flags);
    if (!text)
        return -ENOMEM;
    output_json(stream, text, style);
    putc('\n', stream);
    return 0;
}

int output_value(FILE *stream, json_t *value, Style style)
{
    return dump(stream, value, style, 0);
}

int output_figures(FILE *stream, json_t *value, Style style)
{
    return dump(stream, value, style, JSON_REAL_PRECISION(DIGITS));
}

static void write_escaped_character(FILE *stream, uint32_t character)
{
    if (character == '\n')
        fputs("\\n", stream);
    else if (character == '\t')
        fputs("\\t", stream);
    else
        fprintf(stream, character < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)character);
}

void output_escaped(FILE *stream, const char *text)
{
    while (*text) {
        uint32_t character = (unsigned char)*text;
        size_t length = utf8_decode(text, &character);

        if (length == 0 || utf8_is_control(character))
            write_escaped_character(stream, character);
        else
            fwrite(text, 1, length, stream);
        text += length == 0 ? 1 : length;
    }
}

char *output_escape(const char *text)
{
    char *escaped = NULL;
    size_t size;
    FILE *stream;

    stream = open_memstream(&escaped, &size);
    if (!stream)
        return NULL;
    output_escaped(stream, text);
    if (fclose(stream) == 0)
        return escaped;
    free(escaped);
    return NULL;
}

size_t output_cut(FILE *stream, const char *text, size_t width)
{
    size_t n = utf8_width(text), i = 0;
    uint32_t character;

    if (n <= width) {
        fputs(text, stream);
        return n;
    }
    for (n = 0; n + 3 < width; n++) {
        size_t length = utf8_decode(text + i, &character);

        i += length > 0 ? length : 1;
    }
    fwrite(text, 1, i, stream);
    fputs("...", stream);
    return n + 3;
}

void output_cell(FILE *stream, const char *text, size_t width)
{
    size_t n = output_cut(stream, text, width);

    fprintf(stream, "%*s", (int)(width - n), "");
}

ExitStatus output_finish(Failure *failure)
{
    static bool reader_has_left;

    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return STATUS_OK;
    if (errno == EPIPE)
        reader_has_left = true;
    if (reader_has_left)
        return STATUS_OK;
    return failure_set(failure, STATUS_FAILED, NULL, "Failed to write the output: %s",
                       errno ? strerror(errno) : "an earlier write failed");
}
