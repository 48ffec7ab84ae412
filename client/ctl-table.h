/* SPDX-License-Identifier: MIT */
#pragma once

/* JSON objects laid out for people. Each call answers 0 or -ENOMEM. */

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

typedef struct Column {
    const char *title;
    const char *key; /* of the objects that are the rows */
} Column;

/* A line for each object of an array, below a line of titles. */
int table_print(FILE *stream, json_t *rows, const Column *columns, size_t n_columns);

/* A line `key: value` for each member. */
int table_print_members(FILE *stream, json_t *object);
