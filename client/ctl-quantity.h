/* SPDX-License-Identifier: MIT */
#pragma once

/* Quantities in a few columns, for people: 12.3k, 850us. */

#include <stdint.h>

#define QUANTITY_SIZE 16u /* bytes; they take up to seven columns */

void quantity_of_number(char ret[QUANTITY_SIZE], double number);
void quantity_of_time(char ret[QUANTITY_SIZE], uint64_t nsec);
