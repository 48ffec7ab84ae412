/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <glib.h>
#include <math.h>
#include <string.h>

#include "error.h"
#include "ipc-names.h"
#include "macro.h"
#include "must.h"
#include "text.h"

/* The JSON text layer: values to text and back. */

/* ---- verbs ---- */

static json_t *decode(const char *text)
{
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    json_t *value = NULL;

    if (text_decode(text, "The text", &value, &error) < 0)
        g_error("'%s': %s", text, error.message);
    g_assert_false(sd_bus_error_is_set(&error));
    return value;
}

/* Takes the value. */
static void assert_encodes(json_t *value, const char *expected)
{
    _cleanup_(text_clear) Text text;

    must(text_encode(&text, value));
    g_assert_cmpstr(text.data, ==, expected);
    g_assert_cmpuint(text.length, ==, strlen(expected));
    json_decref(value);
}

static void assert_encode_fails(json_t *value, int number)
{
    _cleanup_(text_clear) Text text;

    must_fail(text_encode(&text, value), number);
    json_decref(value);
}

static void assert_survives(const char *text)
{
    assert_encodes(decode(text), text);
}

/* What is wrong is in jansson's words; where is the contract's. */
static void assert_refused(const char *text, const char *where)
{
    g_autofree char *begin = g_strdup_printf("The text cannot be read as JSON: %s: ", where);
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    json_t *value = NULL;

    must_fail(text_decode(text, "The text", &value, &error), EINVAL);
    g_assert_cmpstr(error.name, ==, IPC_ERROR_INVALID_ARGS);
    if (!g_str_has_prefix(error.message, begin) || strlen(error.message) == strlen(begin))
        g_error("'%s': expected '%s...', got '%s'", text, begin, error.message);
    g_assert_null(value);
}

static void assert_args_refused(const char *text, const char *message)
{
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    json_t *value = NULL;

    must_fail(text_decode_args(text, "x", &value, &error), EINVAL);
    g_assert_cmpstr(error.name, ==, IPC_ERROR_INVALID_ARGS);
    g_assert_cmpstr(error.message, ==, message);
    g_assert_null(value);
}

/* ---- values ---- */

static void test_every_type(void)
{
    assert_survives("null");
    assert_survives("true");
    assert_survives("false");
    assert_survives("0");
    assert_survives("-1");
    assert_survives("1.5");
    assert_survives("\"\"");
    assert_survives("\"word\"");
    assert_survives("[]");
    assert_survives("{}");
    assert_survives("[null,true,1,2.5,\"a\",[],{\"b\":[{}]}]");
    assert_encodes(NULL, "null");
}

static void test_integers_are_exact(void)
{
    assert_survives("9223372036854775807");
    assert_survives("-9223372036854775808");
    assert_survives("9007199254740993");
    assert_encodes(json_integer(INT64_MAX), "9223372036854775807");
    assert_encodes(json_integer(INT64_MIN), "-9223372036854775808");
    assert_refused("9223372036854775808", "line 1, column 19 (byte 19)");
}

static void test_reals(void)
{
    static const double values[] = { 0.1, 1e300, -1e-300, 5e-324, 1.7976931348623157e308, -0.0 };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(values); i++) {
        _cleanup_(text_clear) Text text;
        _cleanup_(json_cleanup) json_t *value = json_real(values[i]);
        _cleanup_(json_cleanup) json_t *back = NULL;
        double read;

        must(text_encode(&text, value));
        back = decode(text.data);
        read = json_real_value(back);
        g_assert_cmpmem(&read, sizeof(read), &values[i], sizeof(values[i]));
    }
    assert_refused("1e999", "line 1, column 5 (byte 5)");
}

static void test_strings(void)
{
    assert_survives("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa7\"");
    assert_survives("\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\"");
    assert_survives("\"a\\u0000b\"");
    assert_survives("[\"\\u0000\",{\"a\":\"\\u0000\"}]");
    assert_encodes(json_stringn("a\0b", 3), "\"a\\u0000b\"");
    assert_encodes(decode("\"\\ud83d\\udc27\""), "\"\xf0\x9f\x90\xa7\"");
    assert_refused("\"\\ud83d\"", "line 1, column 8 (byte 8)");
}

/* Unicode lets them into strings, sd-bus does not; so they travel as escapes. */
static void test_noncharacters_are_escaped(void)
{
    static const char *const noncharacters[] = {
        "\xef\xb7\x90", "\xef\xb7\xaf", "\xef\xbf\xbe", "\xef\xbf\xbf", "\xf0\x9f\xbf\xbe", "\xf4\x8f\xbf\xbf",
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(noncharacters); i++) {
        _cleanup_(text_clear) Text text;
        _cleanup_(json_cleanup) json_t *value = json_string(noncharacters[i]);
        _cleanup_(json_cleanup) json_t *back = NULL;

        must(text_encode(&text, value));
        g_assert_true(g_str_is_ascii(text.data));
        back = decode(text.data);
        g_assert_cmpstr(json_string_value(back), ==, noncharacters[i]);
    }
    /* Their neighbours are left alone. */
    assert_survives("\"\xef\xb7\x8f\xef\xb7\xb0\xef\xbf\xbd\xf0\x90\x80\x80\xf4\x8f\xbf\xbd\"");
}

static void test_not_a_number(void)
{
    /* jansson makes none, but lets a real become one. */
    json_t *infinity = json_real(1);

    g_assert_null(json_real(NAN));
    g_assert_null(json_real(INFINITY));
    g_assert_cmpint(json_real_set(infinity, INFINITY), ==, -1);
    json_decref(infinity);
    assert_refused("NaN", "line 1, column 3 (byte 3)");
    assert_refused("-Infinity", "line 1, column 1 (byte 1)");
}

static void test_the_last_of_duplicate_keys_wins(void)
{
    assert_encodes(decode("{\"a\":1,\"b\":2,\"a\":3}"), "{\"a\":3,\"b\":2}");
}

/* ---- depth ---- */

static char *nested_text(unsigned depth)
{
    g_autoptr(GString) text = g_string_new(NULL);
    unsigned i;

    for (i = 0; i < depth; i++)
        g_string_append(text, i % 2 == 0 ? "[" : i + 1 < depth ? "{\"a\":" : "{");
    while (i-- > 0)
        g_string_append_c(text, i % 2 == 0 ? ']' : '}');
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static json_t *nested_value(unsigned depth)
{
    json_t *value = json_array();

    while (--depth > 0)
        value = depth % 2 == 0 ? json_pack("[o]", value) : json_pack("{s:o}", "a", value);
    return value;
}

static void test_depth(void)
{
    g_autofree char *deep = nested_text(IPC_DEPTH_MAX), *deeper = nested_text(IPC_DEPTH_MAX + 1);
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    _cleanup_(text_clear) Text text;
    json_t *value;

    assert_survives(deep);
    must_fail(text_decode(deeper, "The text", &value, &error), EINVAL);
    g_assert_cmpstr(error.name, ==, IPC_ERROR_INVALID_ARGS);
    g_assert_nonnull(strstr(error.message, "line 1, column "));
    g_assert_nonnull(strstr(error.message, "maximum parsing depth reached"));

    value = nested_value(IPC_DEPTH_MAX);
    must(text_encode(&text, value));
    json_decref(value);
    json_decref(decode(text.data));
    assert_encode_fails(nested_value(IPC_DEPTH_MAX + 1), EINVAL);
}

static void test_a_value_within_itself(void)
{
    json_t *outer = json_array(), *inner = json_array();

    json_array_append(outer, inner);
    json_array_append(inner, outer);
    assert_encode_fails(json_incref(outer), EINVAL);
    json_array_clear(inner);
    json_decref(inner);
    json_decref(outer);
}

/* ---- bad text ---- */

static void test_errors_say_where(void)
{
    assert_refused("", "line 1, column 0 (byte 0)");
    assert_refused("[1,\n 2,\n  x]", "line 3, column 3 (byte 11)");
    assert_refused("{\"a\":1,}", "line 1, column 8 (byte 8)");
    assert_refused("[1] 2", "line 1, column 5 (byte 5)");
    assert_refused("'a'", "line 1, column 1 (byte 1)");
    assert_refused("[1", "line 1, column 2 (byte 2)");
}

static void test_invalid_utf8(void)
{
    static const char *const texts[] = { "\"\xff\"", "\"\xc3\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\xff",
                                         "\"\xf4\x90\x80\x80\"" };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(texts); i++) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        json_t *value;

        must_fail(text_decode(texts[i], "The text", &value, &error), EINVAL);
        g_assert_cmpstr(error.name, ==, IPC_ERROR_INVALID_ARGS);
        /* The bus throws out who sends anything else. */
        g_assert_true(g_utf8_validate(error.message, -1, NULL));
        g_assert_nonnull(strstr(error.message, "line 1, column "));
    }
}

/* jansson quotes the text near a fault, and cuts it where it likes. */
static void test_errors_are_utf8(void)
{
    unsigned i;

    for (i = 0; i < 200; i++) {
        g_autofree char *padding = g_strnfill(i, 'a');
        g_autofree char *text = g_strdup_printf("[\"%s\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\" x", padding);
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        json_t *value;

        must_fail(text_decode(text, "The text", &value, &error), EINVAL);
        g_assert_true(g_utf8_validate(error.message, -1, NULL));
    }
}

static void test_no_error_is_wanted(void)
{
    json_t *value = NULL;

    must_fail(text_decode("x", "The text", &value, NULL), EINVAL);
    must_fail(text_decode_args("1", "x", &value, NULL), EINVAL);
    g_assert_null(value);
}

/* ---- arguments ---- */

static void test_args_are_an_array(void)
{
    _cleanup_(text_clear) Text none, one, other;
    _cleanup_(json_cleanup) json_t *array = json_pack("[i]", 1), *object = json_object(), *args = NULL;

    must(text_encode_args(&none, NULL));
    g_assert_cmpstr(none.data, ==, "[]");
    must(text_encode_args(&one, array));
    g_assert_cmpstr(one.data, ==, "[1]");
    must_fail(text_encode_args(&other, object), EINVAL);

    must(text_decode_args(" [ 1 ] ", "x", &args, NULL));
    g_assert_true(json_equal(args, array));
    assert_args_refused("{}", "The args of 'x' must be a JSON array: line 1, column 1 begins an object");
    assert_args_refused("\"a\"", "The args of 'x' must be a JSON array: line 1, column 1 begins a string");
    assert_args_refused("1.5", "The args of 'x' must be a JSON array: line 1, column 1 begins a number");
    assert_args_refused("null", "The args of 'x' must be a JSON array: line 1, column 1 begins null");
    assert_args_refused("true", "The args of 'x' must be a JSON array: line 1, column 1 begins a boolean");
}

static int pack_args(json_t **ret, const char *format, ...)
{
    return TEXT_PACK(text_pack_args, ret, format);
}

static int pack_value(json_t **ret, const char *format, ...)
{
    return TEXT_PACK(text_pack_value, ret, format);
}

static void test_formats(void)
{
    json_t *value = NULL;

    must(pack_args(&value, "s, {s:i, s:i}, [b]", "milk", "count", 2, "price", 3, 1));
    assert_encodes(value, "[\"milk\",{\"count\":2,\"price\":3},[true]]");
    must(pack_args(&value, ""));
    assert_encodes(value, "[]");
    must(pack_args(&value, NULL));
    assert_encodes(value, "[]");
    must(pack_value(&value, NULL));
    assert_encodes(value, "null");
    must(pack_value(&value, ""));
    assert_encodes(value, "null");
    must(pack_value(&value, "s", "a"));
    assert_encodes(value, "\"a\"");
    must(pack_value(&value, "I", (json_int_t)INT64_MIN));
    assert_encodes(value, "-9223372036854775808");
}

static void test_bad_formats(void)
{
    json_t *value = NULL;

    must_fail(pack_args(&value, "q"), EINVAL);
    must_fail(pack_args(&value, "s", NULL), EINVAL);
    must_fail(pack_args(&value, "s", "\xff"), EINVAL);
    must_fail(pack_args(&value, "f", NAN), EINVAL);
    must_fail(pack_args(&value, "f", -INFINITY), EINVAL);
    must_fail(pack_args(&value, "i] [", 1), EINVAL);
    must_fail(pack_value(&value, "{s:f}", "a", INFINITY), EINVAL);
    must_fail(pack_value(&value, "ss", "a", "b"), EINVAL);
    must_fail(pack_value(&value, "{s", "a"), EINVAL);
    g_assert_null(value);
}

/* ---- size ---- */

static void test_the_largest_args(void)
{
    g_autofree char *filling = g_strnfill(IPC_ARGS_MAX, 'a');
    _cleanup_(text_clear) Text text;
    json_t *value = json_pack("[s%]", filling, (size_t)IPC_ARGS_MAX - 4);

    must(text_encode_args(&text, value));
    g_assert_cmpuint(text.length, ==, IPC_ARGS_MAX);
    g_assert_cmpuint(strlen(text.data), ==, IPC_ARGS_MAX);
    json_decref(value);
    assert_encode_fails(json_pack("[s%]", filling, (size_t)IPC_ARGS_MAX - 3), EMSGSIZE);
}

/* Around the size that needs no memory. */
static void test_sizes(void)
{
    size_t size;

    for (size = 0; size < 3 * TEXT_FIXED_SIZE; size++) {
        g_autofree char *filling = g_strnfill(size, 'a');
        g_autofree char *expected = g_strdup_printf("[\"%s\",%zu]", filling, size);

        assert_encodes(json_pack("[s, I]", filling, (json_int_t)size), expected);
    }
}

/* ---- channels ---- */

static void test_channels(void)
{
    g_autofree char *longest = g_strnfill(IPC_CHANNEL_MAX, 'a'), *longer = g_strnfill(IPC_CHANNEL_MAX + 1, 'a');
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

    g_assert_true(text_is_channel("x"));
    g_assert_true(text_is_channel(" todo:add/\xc3\xa9\n"));
    g_assert_true(text_is_channel(longest));
    g_assert_false(text_is_channel(longer));
    g_assert_false(text_is_channel(""));
    g_assert_false(text_is_channel(NULL));
    g_assert_false(text_is_channel("\xff"));
    g_assert_false(text_is_channel("a\xc3"));

    must(text_check_channel("x", &error));
    g_assert_false(sd_bus_error_is_set(&error));
    must_fail(text_check_channel(longer, &error), EINVAL);
    g_assert_cmpstr(error.name, ==, IPC_ERROR_INVALID_CHANNEL);
    g_assert_cmpstr(error.message, ==, "A channel is 1 to 255 bytes of UTF-8; this one has 256");
}

/* ---- when memory is out ---- */

static int n_allocations_left;

static void *failing_malloc(size_t size)
{
    return n_allocations_left-- > 0 ? malloc(size) : NULL;
}

/* Tries a thing with ever more memory until it succeeds; before that it may only fail. */
static void assert_minds_its_memory(int (*try_it)(void))
{
    int n, r = -ENOMEM;

    for (n = 0; r < 0; n++) {
        g_assert_cmpint(n, <, 1000);
        n_allocations_left = n;
        json_set_alloc_funcs(failing_malloc, free);
        r = try_it();
        json_set_alloc_funcs(malloc, free);
    }
    g_assert_cmpint(n, >, 1);
}

static int try_to_decode(void)
{
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    _cleanup_(json_cleanup) json_t *value = NULL;
    int r;

    r = text_decode_args("[\"a\\u00e9\",{\"b\":[1,2.5,true]},\"\xc3\xa9\"]", "x", &value, &error);
    if (r < 0) {
        g_assert_null(value);
        /* jansson's parser takes some failures for faults of the text. */
        g_assert_true(r == -ENOMEM ? sd_bus_error_has_name(&error, IPC_ERROR_NO_MEMORY)
                                   : sd_bus_error_has_name(&error, IPC_ERROR_INVALID_ARGS));
    }
    return r;
}

static int try_to_pack(void)
{
    _cleanup_(json_cleanup) json_t *value = NULL;
    int r;

    r = pack_args(&value, "s, {s:i}, [f]", "a", "b", 1, 2.5);
    if (r < 0) {
        g_assert_null(value);
        g_assert_cmpint(r, ==, -ENOMEM);
    }
    return r;
}

static int try_to_encode_nothing(void)
{
    _cleanup_(text_clear) Text text;

    return text_encode_args(&text, NULL);
}

static void test_memory(void)
{
    assert_minds_its_memory(try_to_decode);
    assert_minds_its_memory(try_to_pack);
    assert_minds_its_memory(try_to_encode_nothing);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text/every-type", test_every_type);
    g_test_add_func("/text/integers-are-exact", test_integers_are_exact);
    g_test_add_func("/text/reals", test_reals);
    g_test_add_func("/text/strings", test_strings);
    g_test_add_func("/text/noncharacters-are-escaped", test_noncharacters_are_escaped);
    g_test_add_func("/text/not-a-number", test_not_a_number);
    g_test_add_func("/text/the-last-of-duplicate-keys-wins", test_the_last_of_duplicate_keys_wins);
    g_test_add_func("/text/depth", test_depth);
    g_test_add_func("/text/a-value-within-itself", test_a_value_within_itself);
    g_test_add_func("/text/errors-say-where", test_errors_say_where);
    g_test_add_func("/text/invalid-utf8", test_invalid_utf8);
    g_test_add_func("/text/errors-are-utf8", test_errors_are_utf8);
    g_test_add_func("/text/no-error-is-wanted", test_no_error_is_wanted);
    g_test_add_func("/text/args-are-an-array", test_args_are_an_array);
    g_test_add_func("/text/formats", test_formats);
    g_test_add_func("/text/bad-formats", test_bad_formats);
    g_test_add_func("/text/the-largest-args", test_the_largest_args);
    g_test_add_func("/text/sizes", test_sizes);
    g_test_add_func("/text/channels", test_channels);
    g_test_add_func("/text/memory", test_memory);
    return g_test_run();
}
