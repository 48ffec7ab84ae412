/* SPDX-License-Identifier: MIT */
#pragma once

/* A line of the monitor as a row of a table, for people: as much of it as the terminal is wide. */

#include <stdbool.h>
#include <stdio.h>

void monitor_row_print_titles(FILE *stream);

/* false: it is no such line. */
bool monitor_row_print(FILE *stream, const char *line);
