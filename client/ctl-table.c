/* SPDX-License-Identifier: MIT */
#include "ctl-table.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ctl-output.h"
#include "ctl-terminal.h"
#include "ctl-utf8.h"
#include "macro.h"

#define COLUMNS_MAX 16u
#define GAP 2 /* columns of the terminal between two of the table */

static void write_cell(FILE *stream, const json_t *value)
{
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        output_escaped(stream, json_string_value(value));
        break;
    case JSON_INTEGER:
        fprintf(stream, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_TRUE:
        fputs("yes", stream);
        break;
    default:
        fputs("-", stream);
    }
}

static char *cell_new(const json_t *value)
{
    char *text = NULL;
    size_t size;
    FILE *stream;

    stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    write_cell(stream, value);
    if (fclose(stream) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static void cells_free(char **cells, size_t n_cells)
{
    for (size_t i = 0; i < n_cells; i++)
        free(cells[i]);
    free(cells);
}

/* Row by row. */
static char **cells_new(json_t *rows, const Column *columns, size_t n_columns)
{
    size_t n_rows = json_array_size(rows);
    char **cells;

    cells = calloc(n_rows * n_columns + 1, sizeof(*cells));
    if (!cells)
        return NULL;
    for (size_t i = 0; i < n_rows * n_columns; i++) {
        cells[i] = cell_new(json_object_get(json_array_get(rows, i / n_columns), columns[i % n_columns].key));
        if (!cells[i]) {
            cells_free(cells, i);
            return NULL;
        }
    }
    return cells;
}

static size_t width_of(char **cells, size_t n_cells, const Column *columns, size_t n_columns, size_t column)
{
    size_t width = strlen(columns[column].title);

    for (size_t i = column; i < n_cells; i += n_columns) {
        size_t cell = utf8_width(cells[i]);

        if (cell > width)
            width = cell;
    }
    return width;
}

/* The last column is left ragged. */
static void print_cell(FILE *stream, const char *text, size_t width, bool is_last)
{
    fputs(text, stream);
    if (is_last)
        putc('\n', stream);
    else
        fprintf(stream, "%*s", (int)(width - utf8_width(text)) + GAP, "");
}

int table_print(FILE *stream, json_t *rows, const Column *columns, size_t n_columns)
{
    size_t n_cells = json_array_size(rows) * n_columns;
    size_t widths[COLUMNS_MAX];
    char **cells;

    assert(n_columns <= COLUMNS_MAX);
    cells = cells_new(rows, columns, n_columns);
    if (!cells)
        return -ENOMEM;
    for (size_t i = 0; i < n_columns; i++)
        widths[i] = width_of(cells, n_cells, columns, n_columns, i);
    terminal_start(stream, COLOUR_TITLE);
    for (size_t i = 0; i < n_columns; i++)
        print_cell(stream, columns[i].title, widths[i], i + 1 == n_columns);
    terminal_end(stream);
    for (size_t i = 0; i < n_cells; i++)
        print_cell(stream, cells[i], widths[i % n_columns], (i + 1) % n_columns == 0);
    cells_free(cells, n_cells);
    return 0;
}

int table_print_members(FILE *stream, json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value) {
        _cleanup_free_ char *cell = cell_new(value);

        if (!cell)
            return -ENOMEM;
        fprintf(stream, "%s: %s\n", key, cell);
    }
    return 0;
}
