/* SPDX-License-Identifier: MIT */
#include "ctl-terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ESCAPE "\x1b["

bool terminal_is_live(FILE *stream)
{
    const char *kind = getenv("TERM");

    return kind && *kind && strcmp(kind, "dumb") != 0 && isatty(fileno(stream));
}

/* https://no-color.org: set to anything but the empty string. */
static bool has_colour(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR");

    return (!no_colour || !*no_colour) && terminal_is_live(stream);
}

void terminal_start(FILE *stream, Colour colour)
{
    static const char *const starts[] = {
        [COLOUR_TITLE] = ESCAPE "1m",
        [COLOUR_ERROR] = ESCAPE "1;31m",
    };

    if (has_colour(stream))
        fputs(starts[colour], stream);
}

void terminal_end(FILE *stream)
{
    if (has_colour(stream))
        fputs(ESCAPE "0m", stream);
}

void terminal_clear_line(FILE *stream)
{
    fputs("\r" ESCAPE "K", stream);
}
