/* SPDX-License-Identifier: MIT */
#include "ctl-terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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
        [COLOUR_FAINT] = ESCAPE "2m",
        [COLOUR_IN] = ESCAPE "36m",
        [COLOUR_OUT] = ESCAPE "32m",
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

void terminal_begin_screen(FILE *stream, bool is_first)
{
    fputs(is_first ? ESCAPE "H" ESCAPE "2J" : ESCAPE "H", stream);
}

void terminal_end_line(FILE *stream)
{
    fputs(ESCAPE "K\n", stream);
}

void terminal_end_screen(FILE *stream)
{
    fputs(ESCAPE "J", stream);
}

void terminal_get_size(FILE *stream, unsigned *ret_columns, unsigned *ret_lines)
{
    struct winsize size;

    *ret_columns = 80;
    *ret_lines = 24;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || size.ws_row == 0)
        return;
    *ret_columns = size.ws_col;
    *ret_lines = size.ws_row;
}
