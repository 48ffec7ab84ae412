/* SPDX-License-Identifier: MIT */
#include "notes-search.h"

#include <errno.h>
#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "macro.h"

/* A text in lower case. UTF-8 is never found in the middle of a character, so that bytes can be searched. */
typedef struct Folded {
    char *data;
    size_t length;
} Folded;

typedef struct Search {
    locale_t locale; /* (locale_t)0: only ASCII is folded */
    Folded needle;
} Search;

static void folded_clear(Folded *folded)
{
    free(folded->data);
}

static void search_clear(Search *search)
{
    folded_clear(&search->needle);
    if (search->locale)
        freelocale(search->locale);
}

/* jansson lets nothing in but valid UTF-8. */
static wint_t decode(const char **cursor)
{
    static const unsigned char value_mask[] = { 0x7f, 0x1f, 0x0f, 0x07 };
    const unsigned char *bytes = (const unsigned char *)*cursor;
    unsigned more = bytes[0] < 0x80 ? 0 : bytes[0] < 0xe0 ? 1 : bytes[0] < 0xf0 ? 2 : 3;
    wint_t c = bytes[0] & value_mask[more];

    for (unsigned i = 1; i <= more; i++)
        c = c << 6 | (bytes[i] & 0x3f);
    *cursor += more + 1;
    return c;
}

static char *encode(char *out, wint_t c)
{
    static const unsigned char lead[] = { 0x00, 0xc0, 0xe0, 0xf0 };
    unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

    *out++ = (char)(lead[more] | c >> (6 * more));
    while (more-- > 0)
        *out++ = (char)(0x80 | (c >> (6 * more) & 0x3f));
    return out;
}

static wint_t fold_one(wint_t c, locale_t locale)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    return locale ? towlower_l(c, locale) : c;
}

static int fold(Folded *ret, const json_t *text, locale_t locale)
{
    const char *cursor = json_string_value(text);
    const char *end = cursor + json_string_length(text);
    char *data, *out;

    /* A few letters of two bytes have a lower case of three. */
    data = malloc(2 * json_string_length(text) + 1);
    if (!data)
        return -ENOMEM;
    for (out = data; cursor < end;)
        out = encode(out, fold_one(decode(&cursor), locale));
    *ret = (Folded){ data, (size_t)(out - data) };
    return 0;
}

/* Answers 1 if the text contains what is looked for, else 0. */
static int search_text(const Search *search, const json_t *text)
{
    _cleanup_(folded_clear) Folded folded = { 0 };
    int r;

    r = fold(&folded, text, search->locale);
    if (r < 0)
        return r;
    return memmem(folded.data, folded.length, search->needle.data, search->needle.length) != NULL;
}

static int search_note(const Search *search, const json_t *note)
{
    int r;

    r = search_text(search, json_object_get(note, "title"));
    return r == 0 ? search_text(search, json_object_get(note, "text")) : r;
}

int notes_search(json_t *notes, json_t *text, json_t **ret_found)
{
    _cleanup_(search_clear) Search search = { 0 };
    json_t *found, *note;
    size_t i;
    int r;

    search.locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    r = fold(&search.needle, text, search.locale);
    if (r < 0)
        return r;

    found = json_array();
    json_array_foreach(notes, i, note) {
        r = search_note(&search, note);
        if (r > 0)
            r = json_array_append(found, note) < 0 ? -ENOMEM : 0;
        if (r < 0)
            break;
    }
    if (r < 0 || !found) {
        json_decref(found);
        return -ENOMEM;
    }
    *ret_found = found;
    return 0;
}
