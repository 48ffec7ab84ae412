/* SPDX-License-Identifier: MIT */
#include "ctl-quantity.h"

#include <stddef.h>
#include <stdio.h>

#include "macro.h"

typedef struct Unit {
    const char *name;
    double size;
} Unit;

/* In the largest unit that it has one of; the first unit is the smallest. */
static void write_in_units(char ret[QUANTITY_SIZE], double value, const Unit *units, size_t n_units)
{
    size_t i = n_units - 1;
    double number;

    while (i > 0 && value < units[i].size)
        i--;
    number = value / units[i].size;
    snprintf(ret, QUANTITY_SIZE, "%.*f%s", i > 0 && number < 100, number, units[i].name);
}

void quantity_of_number(char ret[QUANTITY_SIZE], double number)
{
    static const Unit units[] = { { "", 1 }, { "k", 1e3 }, { "M", 1e6 }, { "G", 1e9 }, { "T", 1e12 } };

    if (number < 10000)
        snprintf(ret, QUANTITY_SIZE, "%.0f", number);
    else
        write_in_units(ret, number, units, ELEMENTSOF(units));
}

void quantity_of_time(char ret[QUANTITY_SIZE], uint64_t nsec)
{
    static const Unit units[] = { { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 } };

    write_in_units(ret, (double)nsec, units, ELEMENTSOF(units));
}
