/* SPDX-License-Identifier: MIT */
#pragma once

/* What a terminal can do for us, and whether its user wants that. */

#include <stdbool.h>
#include <stdio.h>

typedef enum Colour {
    COLOUR_TITLE, /* bold */
    COLOUR_ERROR, /* bold red */
    COLOUR_FAINT,
    COLOUR_IN,    /* cyan */
    COLOUR_OUT,   /* green */
} Colour;

/* A terminal on which a line can be drawn over. */
bool terminal_is_live(FILE *stream);

/* Text from here on; nothing in a pipe, nor where NO_COLOR is set to anything. */
void terminal_start(FILE *stream, Colour colour);
void terminal_end(FILE *stream);

/* Goes back to the beginning of the line and empties it. */
void terminal_clear_line(FILE *stream);

/* Draws a whole screen anew: begins in its first line; empties what is left of a line; empties what is below. */
void terminal_begin_screen(FILE *stream, bool is_first);
void terminal_end_line(FILE *stream);
void terminal_end_screen(FILE *stream);

/* Columns and lines; where nobody knows, 80 and 24. */
void terminal_get_size(FILE *stream, unsigned *ret_columns, unsigned *ret_lines);
