/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "error.h"
#include "ipc-names.h"
#include "macro.h"
#include "must.h"
#include "text-cost.h"
#include "text.h"

/* What the values of a text cost in memory, and that nobody makes main take more than it should. */

/* An array of as many as fit into the longest text of the bus. */
static char *fill(const char *value)
{
    size_t n = strlen(value) + 1, i;
    char *text = g_malloc(IPC_ARGS_MAX + 1);

    text[0] = '[';
    for (i = 1; i + n < IPC_ARGS_MAX; i += n) {
        memcpy(text + i, value, n - 1);
        text[i + n - 1] = ',';
    }
    strcpy(text + i - 1, "]");
    return text;
}

static int check(const char *value)
{
    g_autofree char *text = fill(value);

    return text_check_cost(text, strlen(text));
}

/* All that somebody may have to say who has no bad intentions. */
static void test_usual(void)
{
    must(check("1"));
    must(check("-1.5e10"));
    must(check("null"));
    must(check("\"\""));
    must(check("{\"x\":1,\"y\":2}"));
    must(check("{\"id\":1,\"name\":\"Ada\"}"));
    must(check("[1,2,3]"));
}

static void test_too_costly(void)
{
    must_fail(check("{}"), EMSGSIZE);
    must_fail(check("[{}]"), EMSGSIZE);
    must_fail(check("{\"\":{}}"), EMSGSIZE);
}

/* What is in a string is no value, wherever that ends. */
static void test_strings(void)
{
    g_autofree char *braces = g_strnfill(IPC_ARGS_MAX, '{'), *text = g_strconcat("[\"", braces, "\"]", NULL);
    g_autofree char *escaped = g_strconcat("[\"\\\"", braces, "\"]", NULL);
    g_autofree char *open = g_strconcat("[\"", braces, "\\", NULL);

    must(text_check_cost(text, strlen(text)));
    must(text_check_cost(escaped, strlen(escaped)));
    must(text_check_cost(open, strlen(open)));
    must_fail(text_check_cost(braces, IPC_ARGS_MAX), EMSGSIZE);
}

static void test_refusal(void)
{
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    g_autofree char *text = fill("{}");
    json_t *args = NULL;

    must_fail(text_decode_args(text, "x", &args, &error), EMSGSIZE);
    g_assert_cmpstr(error.name, ==, IPC_ERROR_TOO_LARGE);
    g_assert_cmpstr(error.message, ==,
                    "The args of 'x' would take over 1024 MiB of memory: send fewer values at a time");
    sd_bus_error_free(&error);
    must_fail(text_decode(text, "The text", &args, &error), EMSGSIZE);
    g_assert_cmpstr(error.name, ==, IPC_ERROR_TOO_LARGE);
    must_fail(text_decode_value(text, strlen(text), &args), EMSGSIZE);
    g_assert_null(args);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text-cost/usual", test_usual);
    g_test_add_func("/text-cost/too-costly", test_too_costly);
    g_test_add_func("/text-cost/strings", test_strings);
    g_test_add_func("/text-cost/refusal", test_refusal);
    return g_test_run();
}
