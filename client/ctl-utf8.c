/* SPDX-License-Identifier: MIT */
#include "ctl-utf8.h"

/* The first byte tells the length; the least code point of each length bars longer forms of what a shorter one says. */
static size_t length_of(unsigned char first, uint32_t *ret_bits, uint32_t *ret_least)
{
    if (first < 0x80) {
        *ret_bits = first;
        *ret_least = 1;
        return 1;
    }
    if ((first & 0xe0) == 0xc0) {
        *ret_bits = first & 0x1f;
        *ret_least = 0x80;
        return 2;
    }
    if ((first & 0xf0) == 0xe0) {
        *ret_bits = first & 0x0f;
        *ret_least = 0x800;
        return 3;
    }
    *ret_bits = first & 0x07;
    *ret_least = 0x10000;
    return (first & 0xf8) == 0xf0 ? 4 : 0;
}

size_t utf8_decode(const char *text, uint32_t *ret_character)
{
    const unsigned char *bytes = (const unsigned char *)text;
    uint32_t character, least;
    size_t length;

    length = length_of(bytes[0], &character, &least);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) /* the end of the text, too */
            return 0;
        character = character << 6 | (bytes[i] & 0x3f);
    }
    if (length == 0 || character < least || character > 0x10ffff || (character & 0xfffff800) == 0xd800)
        return 0;
    *ret_character = character;
    return length;
}

bool utf8_is_valid(const char *text)
{
    uint32_t character;
    size_t length;

    while (*text) {
        length = utf8_decode(text, &character);
        if (length == 0)
            return false;
        text += length;
    }
    return true;
}

size_t utf8_width(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        if (((unsigned char)*text & 0xc0) != 0x80)
            width++;
    return width;
}

bool utf8_is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character < 0xa0) ||
           (character >= 0x200e && character <= 0x200f) || (character >= 0x2028 && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069);
}

bool utf8_is_noncharacter(uint32_t character)
{
    return (character >= 0xfdd0 && character <= 0xfdef) || (character & 0xfffe) == 0xfffe;
}
