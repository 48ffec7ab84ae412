/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "fixture-renderer.h"

/* JSON that is passed on as text. */

static int on_text(ipc_invocation *invocation, const char *text, size_t length, void *userdata)
{
    (void)userdata;
    return ipc_invocation_resolve_text(invocation, text, length);
}

static int on_bad_text(ipc_invocation *invocation, const char *text, size_t length, void *userdata)
{
    (void)text, (void)length, (void)userdata;
    must_fail(ipc_invocation_resolve_text(invocation, NULL, 0), EINVAL);
    must_fail(ipc_invocation_resolve_text(invocation, "1x", 1), EINVAL);
    must(ipc_invocation_resolve_text(invocation, "}{", 2));
    must_fail(ipc_invocation_resolve_text(invocation, "1", 1), EALREADY);
    return 0;
}

static void on_reply_text(ipc_renderer *renderer, const char *text, size_t length, const ipc_error *error,
                          void *userdata)
{
    GString *string = userdata;

    (void)renderer;
    g_string_append(string, error ? error_word(error) : text);
    g_assert_cmpuint(length, ==, text ? strlen(text) : 0);
}

static void expect_reply_text(Client *c, const char *channel, const char *text, const char *expected)
{
    g_autoptr(GString) string = g_string_new(NULL);

    must(ipc_renderer_invoke_text(c->renderer, NULL, channel, text, strlen(text), on_reply_text, string));
    wait_until(c->fixture, string->len > 0);
    g_assert_cmpstr(string->str, ==, expected);
}

static void test_texts(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *r = renderer_new(f);
    g_autofree char *large = g_strnfill(1024 * 1024, ' ');

    memcpy(large, "[1]", 3);
    must(ipc_main_handle_text(f->main, NULL, "text", on_text, NULL));
    must_fail(ipc_main_handle_text(f->main, NULL, "text", on_text, NULL), EEXIST);
    must_fail(ipc_main_handle_text(f->main, NULL, "text", NULL, NULL), EINVAL);
    must(ipc_main_handle_text(f->main, NULL, "bad", on_bad_text, NULL));
    answer(f, "json", "[ 1, 2 ]");
    hear(f, "x");
    expect_reply_text(r, "text", "[ 1 ]", "[ 1 ]");
    expect_reply_text(r, "text", "{ no JSON", "{ no JSON");
    expect_reply_text(r, "text", large, large);
    expect_reply_text(r, "bad", "[]", "}{");
    expect_reply_text(r, "json", "[]", "[1,2]");
    expect_reply_text(r, "json", "{ no JSON", "InvalidArgs");
    expect_reply_text(r, "none", "[]", "NoHandler");
    assert_resolved(invoke(r, "text", "[1,{\"a\":2}]"), "[1,{\"a\":2}]");
    assert_rejected(invoke(r, "bad", "[]"), IPC_ERROR_INVALID_ARGS, NULL);
    must(ipc_renderer_send_text(r->renderer, "x", "[ 7 ]", 5));
    expect_heard(f, "x", "[7]", client_id(r));
    must(ipc_web_contents_send_text(contents_of(r), "x", "[ 8 ]", 5));
    expect_message(r, "x", "[8]", 0);
    must_fail(ipc_renderer_send_text(r->renderer, "x", "[]x", 2), EINVAL);
    must_fail(ipc_renderer_invoke_text(r->renderer, NULL, "", "[]", 2, NULL, NULL), EINVAL);
    must_fail(ipc_web_contents_send_text(contents_of(r), "x", NULL, 0), EINVAL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/texts", test_texts);
    return g_test_run();
}
