/* SPDX-License-Identifier: MIT */
#include "json-place.h"

#include <jansson.h>
#include <string.h>

#include "macro.h"
#include "text.h"

/*
 * The text is read again, up to the place alone. It has been read without errors, so this needs no errors of its own;
 * yet it never leaves the text, whatever is in it.
 */

typedef struct Scanner {
    const char *at;
    const char *end;
} Scanner;

static bool scanner_sees(const Scanner *s, const char *set)
{
    return s->at < s->end && *s->at && strchr(set, *s->at);
}

static void skip_space(Scanner *s)
{
    while (scanner_sees(s, " \t\r\n"))
        s->at++;
}

static void skip_string(Scanner *s)
{
    s->at++;
    while (s->at < s->end && *s->at != '"')
        s->at += *s->at == '\\' && s->end - s->at > 1 ? 2 : 1;
    if (s->at < s->end)
        s->at++;
}

/* Nested values are skipped by counting brackets, so that depth costs no stack. */
static void skip_value(Scanner *s)
{
    size_t depth = 0;

    for (; s->at < s->end; s->at++) {
        while (scanner_sees(s, "\""))
            skip_string(s);
        if (depth == 0 && scanner_sees(s, ",]}"))
            return;
        if (scanner_sees(s, "[{"))
            depth++;
        else if (scanner_sees(s, "]}"))
            depth--;
    }
}

/* A key may be written with escapes. */
static bool key_is(const char *quoted, size_t size, const char *key)
{
    _cleanup_(json_cleanup) json_t *string = json_loadb(quoted, size, JSON_DECODE_ANY, NULL);

    return json_is_string(string) && strcmp(json_string_value(string), key) == 0;
}

/* From an object's bracket to the value of a key. */
static void enter_object(Scanner *s, const char *key, const char **ret_key_at)
{
    bool is_found = false;

    while (s->at < s->end && !is_found && !scanner_sees(s, "}")) {
        s->at++; /* the bracket, or a comma */
        skip_space(s);
        *ret_key_at = s->at;
        skip_string(s);
        is_found = key_is(*ret_key_at, (size_t)(s->at - *ret_key_at), key);
        skip_space(s);
        s->at += s->at < s->end; /* the colon */
        skip_space(s);
        if (!is_found)
            skip_value(s);
    }
}

/* From an array's bracket to an element. */
static void enter_array(Scanner *s, size_t index)
{
    s->at += s->at < s->end;
    skip_space(s);
    for (; index > 0 && s->at < s->end; index--) {
        skip_value(s);
        s->at += s->at < s->end; /* the comma */
        skip_space(s);
    }
}

static void find(Scanner *s, const JsonPlace *place, const char **ret_key_at)
{
    if (!place->parent) {
        skip_space(s);
        *ret_key_at = s->at;
        return;
    }
    find(s, place->parent, ret_key_at);
    if (place->key) {
        enter_object(s, place->key, ret_key_at);
    } else {
        enter_array(s, place->index);
        *ret_key_at = s->at;
    }
}

JsonPosition json_position(const char *text, const char *at)
{
    JsonPosition position = { 1, 1 };

    for (; text < at; text++) {
        if (*text == '\n')
            position = (JsonPosition){ position.line + 1, 1 };
        else if (((unsigned char)*text & 0xc0) != 0x80) /* not within a character of UTF-8 */
            position.column++;
    }
    return position;
}

JsonPosition json_place_find(const JsonPlace *place, bool of_key, const char *text, size_t length)
{
    Scanner s = { text, text + length };
    const char *key_at = text;

    find(&s, place, &key_at);
    return json_position(text, of_key ? key_at : s.at);
}
