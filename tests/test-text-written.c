/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "macro.h"
#include "must.h"
#include "text.h"

/* Most texts are written by text.c itself: they are the same to the byte as those that jansson writes. */

static void assert_written_alike(json_t *value)
{
    char *expected = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    Text text;

    g_assert_nonnull(expected);
    must(text_encode(&text, value));
    g_assert_cmpstr(text.data, ==, expected);
    g_assert_cmpuint(text.length, ==, strlen(expected));
    text_clear(&text);
    free(expected);
}

static json_t *random_string(bool is_ascii)
{
    char bytes[24];
    size_t i, length = (size_t)g_test_rand_int_range(0, sizeof(bytes));

    for (i = 0; i < length; i++)
        bytes[i] = (char)g_test_rand_int_range(0, 0x80);
    if (!is_ascii && length >= 2)
        memcpy(bytes, "\xc3\xa9", 2);
    return json_stringn(bytes, length);
}

static json_t *random_integer(void)
{
    guint64 bits = (guint64)(guint32)g_test_rand_int() << 32 | (guint32)g_test_rand_int();

    return json_integer((json_int_t)(bits >> g_test_rand_int_range(0, 64)));
}

static json_t *random_value(unsigned depth, bool is_ascii);

static json_t *random_container(unsigned depth, bool is_ascii, bool is_object)
{
    json_t *container = is_object ? json_object() : json_array();
    int i, n = g_test_rand_int_range(0, 5);
    char key[16];

    for (i = 0; i < n; i++) {
        snprintf(key, sizeof(key), "%c\n\"%d", g_test_rand_int_range(1, 0x80), i);
        if (is_object)
            json_object_set_new(container, key, random_value(depth + 1, is_ascii));
        else
            json_array_append_new(container, random_value(depth + 1, is_ascii));
    }
    return container;
}

static json_t *random_value(unsigned depth, bool is_ascii)
{
    int kind = g_test_rand_int_range(depth < 4 ? 0 : 2, 8);

    if (kind < 2)
        return random_container(depth, is_ascii, kind == 0);
    if (kind < 4)
        return random_string(is_ascii);
    if (kind == 4)
        return random_integer();
    if (kind == 5)
        return json_null();
    return kind == 6 || is_ascii ? json_boolean(g_test_rand_bit()) : json_real(g_test_rand_double());
}

static void test_random(void)
{
    unsigned i;

    for (i = 0; i < 3000; i++) {
        json_t *value = random_value(0, i % 2);

        assert_written_alike(value);
        json_decref(value);
    }
}

static void test_integers(void)
{
    static const json_int_t integers[] = { 0, 1, -1, 9, 10, -10, INT64_MAX, INT64_MIN, INT64_MIN + 1 };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(integers); i++) {
        json_t *value = json_integer(integers[i]);

        assert_written_alike(value);
        json_decref(value);
    }
}

static void test_each_character(void)
{
    char byte;

    for (byte = 0; byte >= 0 && byte < 0x7f; byte++) {
        json_t *value = json_stringn(&byte, 1);

        assert_written_alike(value);
        json_decref(value);
    }
}

static void test_longer_than_the_first_buffer(void)
{
    g_autofree char *word = g_strnfill(3 * TEXT_FIXED_SIZE, 'x');
    json_t *value = json_pack("[s, {s:s}]", word, word, word);

    assert_written_alike(value);
    json_decref(value);
}

static void test_limit(void)
{
    json_t *value = json_pack("[s, i]", "12345", 7);
    Text text;

    must(text_encode_max(&text, value, strlen("[\"12345\",7]")));
    text_clear(&text);
    must_fail(text_encode_max(&text, value, strlen("[\"12345\",7]") - 1), EMSGSIZE);
    text_clear(&text);
    json_decref(value);
}

/* Half of it was written before it turned out to be for jansson. */
static void test_late_turn(void)
{
    json_t *value = json_pack("[s, s, f]", "ascii", "\xc3\xa9", 0.5);

    assert_written_alike(value);
    json_decref(value);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text-written/random", test_random);
    g_test_add_func("/text-written/integers", test_integers);
    g_test_add_func("/text-written/each-character", test_each_character);
    g_test_add_func("/text-written/longer-than-the-first-buffer", test_longer_than_the_first_buffer);
    g_test_add_func("/text-written/limit", test_limit);
    g_test_add_func("/text-written/late-turn", test_late_turn);
    return g_test_run();
}
