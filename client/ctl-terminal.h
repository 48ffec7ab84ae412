/* SPDX-License-Identifier: MIT */
#pragma once

/* What a terminal can do for us, and whether its user wants that. */

#include <stdbool.h>
#include <stdio.h>

typedef enum Colour {
    COLOUR_TITLE, /* bold */
    COLOUR_ERROR, /* bold red */
} Colour;

/* A terminal on which a line can be drawn over. */
bool terminal_is_live(FILE *stream);

/* Text from here on; nothing in a pipe, nor where NO_COLOR is set to anything. */
void terminal_start(FILE *stream, Colour colour);
void terminal_end(FILE *stream);

/* Goes back to the beginning of the line and empties it. */
void terminal_clear_line(FILE *stream);
