/* SPDX-License-Identifier: MIT */
#pragma once

/* Which notes contain a text. */

#include <jansson.h>

/*
 * Case does not count: both sides are compared in lower case, code point by code point, by Unicode's simple mapping
 * ("straße" is not "STRASSE"), whatever the locale of the process. Nothing else is folded: "e" is not "é".
 *
 * notes is an array of objects with the strings title and text. Answers 0 and a new array, or -ENOMEM.
 */
int notes_search(json_t *notes, json_t *text, json_t **ret_found);
