/* SPDX-License-Identifier: MIT */
#pragma once

/* What goes to the terminal or into a pipe: JSON, and strangers' text made harmless. */

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "ctl-failure.h"

typedef enum Style {
    STYLE_TEXT,   /* for people; where the result is JSON, as STYLE_SHORT */
    STYLE_SHORT,  /* JSON, one line, no spaces */
    STYLE_SPACED, /* JSON, one line, a space after each comma and colon */
    STYLE_PRETTY, /* JSON, indented */
} Style;

/*
 * Writes the text of a JSON value in another style, without reading the value: numbers and escapes stay as they
 * are. What a terminal could take for a command, and what D-Bus would refuse, is escaped.
 */
void output_json(FILE *stream, const char *text, Style style);
bool output_is_json(const char *text);

/* The same of a value, and a new line. -ENOMEM. */
int output_value(FILE *stream, json_t *value, Style style);

/* The same of what was measured, which has more digits than it means. */
int output_figures(FILE *stream, json_t *value, Style style);

/* Text in one line, its control characters and invalid bytes as \n, \x1b and the like. */
void output_escaped(FILE *stream, const char *text);

/* The same as a string, which the caller frees. NULL: there is no memory for it. */
char *output_escape(const char *text);

/* Such a text in so many columns at most, its end as "..." if it has more. The answer is how many it took. */
size_t output_cut(FILE *stream, const char *text, size_t width);

/* The same in just as many. */
void output_cell(FILE *stream, const char *text, size_t width);

/* Writes out what standard output still holds. A reader that has left is no failure. */
ExitStatus output_finish(Failure *failure);
