/* SPDX-License-Identifier: MIT */
#pragma once

/* Characters of UTF-8. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many bytes the next character has, and which it is; 0: the bytes are not UTF-8, or the text ends here. */
size_t utf8_decode(const char *text, uint32_t *ret_character);

bool utf8_is_valid(const char *text);

/* How many columns the text takes, as far as one a character is right. */
size_t utf8_width(const char *text);

/* What moves a cursor, turns the writing round or otherwise does not show as itself. */
bool utf8_is_control(uint32_t character);

/* Code points that Unicode will never assign: sd-bus takes no text that has one. */
bool utf8_is_noncharacter(uint32_t character);
