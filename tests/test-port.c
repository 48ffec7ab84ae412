/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "ipc-names.h"
#include "macro.h"
#include "port-story.h"

/* Ports by themselves: what the web says of a MessagePort. */

/* ---- messages ---- */

static void test_order(void)
{
    g_autoptr(PortStory) s = port_story_new();

    hear_port(s, s->b);
    post(s->a, "1");
    post(s->a, "{\"b\":[2]}");
    post(s->a, "\"three\"");
    post(s->a, "null");
    expect_log(s, "1 {\"b\":[2]} \"three\" null");
}

static void test_both_ways(void)
{
    g_autoptr(PortStory) s = port_story_new();

    hear_port(s, s->a);
    hear_port(s, s->b);
    post(s->a, "1");
    expect_log(s, "1");
    post(s->b, "2");
    expect_log(s, "2");
}

static void test_queues_until_start(void)
{
    g_autoptr(PortStory) s = port_story_new();

    listen_to_port(s, s->b);
    must(ipc_port_attach_event(s->b, s->event, SD_EVENT_PRIORITY_NORMAL));
    post(s->a, "1");
    post(s->a, "2");
    run_idle(s);
    expect_log(s, "");
    must(ipc_port_start(s->b));
    must(ipc_port_start(s->b));
    expect_log(s, "1 2");
}

/* More than the socket takes waits in memory, and nothing is lost. */
static void test_many_before_start(void)
{
    g_autoptr(PortStory) s = port_story_new();
    g_autoptr(GString) expected = g_string_new(NULL);
    unsigned i;

    must(ipc_port_attach_event(s->a, s->event, SD_EVENT_PRIORITY_NORMAL));
    for (i = 0; i < 20000; i++) {
        must(ipc_port_post_messagef(s->a, NULL, "i", i));
        g_string_append_printf(expected, "%s%u", i > 0 ? " " : "", i);
    }
    hear_port(s, s->b);
    expect_log(s, expected->str);
}

static void test_full(void)
{
    g_autoptr(PortStory) s = port_story_new();
    g_autofree char *text = g_strnfill(50000, '1');
    unsigned n = 0;
    int r;

    while ((r = ipc_port_post_text(s->a, text, 50000, NULL)) == 0)
        n++;
    g_assert_cmpint(r, ==, -ENOBUFS);
    g_assert_cmpuint(n * 50000, <=, IPC_QUEUE_BYTES_MAX + 1024 * 1024);
    g_assert_cmpuint(n * 50000, >=, IPC_QUEUE_BYTES_MAX - 1024 * 1024);
    ipc_port_unref(g_steal_pointer(&s->b)); /* else a would wait for b to read */
}

static void test_full_of_large_texts(void)
{
    g_autoptr(PortStory) s = port_story_new();
    size_t size = IPC_QUEUE_BYTES_MAX / 4;
    g_autofree char *text = g_strnfill(size, ' ');
    unsigned n = 0;

    text[0] = '1';
    while (ipc_port_post_text(s->a, text, size, NULL) == 0)
        n++;
    g_assert_cmpuint(n, ==, 3);
    must_fail(ipc_port_post_text(s->a, text, size, NULL), ENOBUFS);
    hear_port(s, s->b);
    expect_log(s, "1 1 1");
    must(ipc_port_post_text(s->a, text, size, NULL));
    expect_log(s, "1");
}

/* One that is larger than all that may wait goes by itself. */
static void test_largest(void)
{
    g_autoptr(PortStory) s = port_story_new();
    size_t max = IPC_LANE_ARGS_MAX, size = is_slow() ? IPC_QUEUE_BYTES_MAX + 1 : max;
    g_autofree char *text = g_malloc(max + 2);

    memset(text, ' ', max + 1);
    text[max + 1] = '\0';
    text[0] = '7';
    must_fail(ipc_port_post_text(s->a, text, max + 1, NULL), EMSGSIZE);
    text[size] = '\0';
    must(ipc_port_post_text(s->a, text, size, NULL));
    must_fail(ipc_port_post_text(s->a, text, size, NULL), ENOBUFS);
    hear_port(s, s->b);
    expect_log(s, "7");
}

static void on_count_text(ipc_port *port, ipc_event *event, const char *text, size_t length, void *userdata)
{
    (void)port, (void)event;
    g_assert_cmpuint(strlen(text), ==, length);
    *(size_t *)userdata += length;
}

/* Around the size where texts begin to travel in files. */
static void test_sizes(void)
{
    static const size_t sizes[] = { 1, 900, 1024, 4096, IPC_INLINE_MAX - 1, IPC_INLINE_MAX, IPC_INLINE_MAX + 1,
                                    1024 * 1024 };
    g_autoptr(PortStory) s = port_story_new();
    size_t i, n_heard = 0, n = 0;

    must(ipc_port_on_text(s->b, NULL, on_count_text, &n_heard));
    hear_port(s, s->b);
    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *text = g_strnfill(sizes[i], ' ');

        text[sizes[i] - 1] = '3';
        must(ipc_port_post_text(s->a, text, sizes[i], NULL));
        n += sizes[i];
        expect_log(s, "3");
        g_assert_cmpuint(n_heard, ==, n);
    }
}

/* Who hears texts only is not troubled by what they are; who hears JSON hears no more of such a port. */
static void test_text_is_no_json(void)
{
    g_autoptr(PortStory) s = port_story_new();
    size_t n_heard = 0;

    must(ipc_port_on_text(s->b, NULL, on_count_text, &n_heard));
    must(ipc_port_attach_event(s->b, s->event, SD_EVENT_PRIORITY_NORMAL));
    must(ipc_port_start(s->b));
    must(ipc_port_post_text(s->a, "}{", 2, NULL));
    port_story_until(s, n_heard == 2);
    listen_to_port(s, s->b);
    must(ipc_port_post_text(s->a, "}{", 2, NULL));
    expect_log(s, "close");
    must(ipc_port_post_text(s->a, "1", 1, NULL));
}

/* ---- the end ---- */

static void test_close_after_messages(void)
{
    g_autoptr(PortStory) s = port_story_new();

    hear_port(s, s->b);
    post(s->a, "1");
    post(s->a, "2");
    ipc_port_close(s->a);
    expect_log(s, "1 2 close");
    must_fail(ipc_port_post_messagef(s->a, NULL, "i", 1), ENOTCONN);
    must_fail(ipc_port_start(s->a), ENOTCONN);
    must(ipc_port_post_messagef(s->b, NULL, "i", 1)); /* lost */
    ipc_port_close(s->a);
}

static void test_dropped_closes(void)
{
    g_autoptr(PortStory) s = port_story_new();

    hear_port(s, s->b);
    post(s->b, "1"); /* which a never reads */
    s->a = ipc_port_unref(s->a);
    expect_log(s, "close");
    post(s->b, "2");
    expect_log(s, "");
}

/* More than the socket takes. */
static void post_much(PortStory *s)
{
    unsigned i;

    must(ipc_port_attach_event(s->a, s->event, SD_EVENT_PRIORITY_NORMAL));
    for (i = 0; i < 20000; i++)
        must(ipc_port_post_text(s->a, "\"text\"", 6, NULL));
}

/* What was accepted is written by the loop, when the port is long gone. */
static void test_dropped_with_much_to_write(void)
{
    g_autoptr(PortStory) s = port_story_new();
    size_t n_heard = 0;

    post_much(s);
    s->a = ipc_port_unref(s->a);
    must(ipc_port_on_text(s->b, NULL, on_count_text, &n_heard));
    must(ipc_port_attach_event(s->b, s->event, SD_EVENT_PRIORITY_NORMAL));
    must(ipc_port_start(s->b));
    port_story_until(s, ipc_port_is_closed(s->b));
    g_assert_cmpuint(n_heard, ==, 20000 * 6);
}

/* Nobody is left to write it: nothing of the port stays, as the end of each story finds. */
static void test_lingering_loop_goes(void)
{
    g_autoptr(PortStory) s = port_story_new();
    g_autoptr(PortStory) other = port_story_new();

    post_much(s);
    s->a = ipc_port_unref(s->a);
    s->event = sd_event_unref(s->event);

    post_much(other);
    other->event = sd_event_unref(other->event);
    ipc_port_close(other->a);
    g_assert_true(ipc_port_is_closed(other->a));
}

static void test_lingering_peer_goes(void)
{
    g_autoptr(PortStory) s = port_story_new();

    post_much(s);
    s->a = ipc_port_unref(s->a);
    s->b = ipc_port_unref(s->b);
    run_idle(s);
}

static void close_self(ipc_port *port, ipc_event *event, json_t *message, void *story)
{
    (void)event, (void)message, (void)story;
    ipc_port_close(port);
}

static void test_close_from_callback(void)
{
    g_autoptr(PortStory) s = port_story_new();

    must(ipc_port_on_message(s->b, NULL, close_self, s));
    hear_port(s, s->b);
    hear_port(s, s->a);
    post(s->a, "1");
    post(s->a, "2");
    expect_log(s, "close"); /* of a */
}

static void drop_self(ipc_port *port, ipc_event *event, json_t *message, void *story)
{
    PortStory *s = story;

    (void)port, (void)event, (void)message;
    s->b = ipc_port_unref(s->b);
}

static void test_drop_from_callback(void)
{
    g_autoptr(PortStory) s = port_story_new();

    must(ipc_port_on_message(s->b, NULL, drop_self, s));
    hear_port(s, s->b);
    hear_port(s, s->a);
    post(s->a, "1");
    expect_log(s, "1 close"); /* it lives until its callbacks have run */
    g_assert_null(s->b);
}

static void post_again(ipc_port *port, ipc_event *event, json_t *message, void *story)
{
    json_int_t n = json_integer_value(message);

    (void)event, (void)story;
    must_fail(ipc_port_process(port), EBUSY);
    if (n < 3)
        must(ipc_port_post_messagef(port, NULL, "I", n + 1));
}

static void test_post_from_callback(void)
{
    g_autoptr(PortStory) s = port_story_new();

    hear_port(s, s->a);
    hear_port(s, s->b);
    must(ipc_port_on_message(s->a, NULL, post_again, s));
    must(ipc_port_on_message(s->b, NULL, post_again, s));
    post(s->a, "0");
    expect_log(s, "0 1 2 3");
}

/* ---- loops ---- */

static void on_count(ipc_port *port, ipc_event *event, json_t *message, void *userdata)
{
    (void)port, (void)event, (void)message;
    ++*(unsigned *)userdata;
}

static void test_process_and_wait(void)
{
    g_autoptr(PortStory) s = port_story_new();
    unsigned n = 0, i;

    must(ipc_port_on_message(s->b, NULL, on_count, &n));
    must_fail(ipc_port_wait(s->b, 0), EAGAIN);
    must(ipc_port_start(s->b));
    g_assert_cmpint(ipc_port_wait(s->b, 0), ==, 0);
    g_assert_cmpint(ipc_port_process(s->b), ==, 0);
    for (i = 0; i < 5; i++)
        post(s->a, "1");
    g_assert_cmpint(ipc_port_wait(s->b, 1000), ==, 1);
    while (n < 5) {
        must(ipc_port_wait(s->b, UINT64_MAX));
        while (must(ipc_port_process(s->b)) > 0)
            ;
    }
    ipc_port_close(s->a);
    must(ipc_port_wait(s->b, UINT64_MAX));
    must(ipc_port_process(s->b));
    must_fail(ipc_port_wait(s->b, UINT64_MAX), ENOTCONN);
    must_fail(ipc_port_process(s->b), ENOTCONN);
}

static void poll_port(ipc_port *port)
{
    struct pollfd pollfd = { .fd = must(ipc_port_get_fd(port)), .events = (short)must(ipc_port_get_events(port)) };
    uint64_t until;

    must(ipc_port_get_timeout(port, &until));
    g_assert_cmpint(poll(&pollfd, 1, until == UINT64_MAX ? 60000 : 0), >=, 0);
    while (must(ipc_port_process(port)) > 0)
        ;
}

static void test_triple(void)
{
    g_autoptr(PortStory) s = port_story_new();
    unsigned n = 0, i;

    must(ipc_port_on_message(s->b, NULL, on_count, &n));
    must_fail(ipc_port_get_fd(s->b), EAGAIN);
    must(ipc_port_start(s->b));
    for (i = 0; i < 20000; i++)
        post(s->a, "1");
    g_assert_cmpint(ipc_port_get_events(s->a), ==, POLLOUT);
    while (n < 20000) {
        poll_port(s->b);
        if (ipc_port_get_fd(s->a) >= 0)
            poll_port(s->a);
    }
    g_assert_cmpint(ipc_port_get_fd(s->a), ==, -EAGAIN);
}

static void test_detach(void)
{
    g_autoptr(PortStory) s = port_story_new();

    hear_port(s, s->b);
    must_fail(ipc_port_attach_event(s->b, s->event, 0), EBUSY);
    must(ipc_port_detach_event(s->b));
    post(s->a, "1");
    run_idle(s);
    expect_log(s, "");
    must(ipc_port_attach_event(s->b, s->event, 0));
    expect_log(s, "1");
}

static void test_misuse(void)
{
    g_autoptr(PortStory) s = port_story_new();
    ipc_port *port = NULL;
    uint64_t until;

    must_fail(ipc_port_new_pair(NULL, &port), EINVAL);
    must_fail(ipc_port_new_from_fd(&port, STDERR_FILENO), EINVAL);
    must_fail(ipc_port_new_from_fd(&port, -1), EINVAL);
    must_fail(ipc_port_post_message(NULL, NULL, NULL), EINVAL);
    must_fail(ipc_port_post_text(s->a, NULL, 0, NULL), EINVAL);
    must_fail(ipc_port_post_text(s->a, "1x", 1, NULL), EINVAL);
    must_fail(ipc_port_start(NULL), EINVAL);
    must_fail(ipc_port_on_message(s->a, NULL, NULL, NULL), EINVAL);
    must_fail(ipc_port_get_timeout(s->a, NULL), EINVAL);
    must_fail(ipc_port_get_timeout(NULL, &until), EINVAL);
    must_fail(ipc_port_process(NULL), EINVAL);
    must_fail(ipc_port_detach_event(NULL), EINVAL);
    g_assert_null(ipc_port_unref(NULL));
    g_assert_true(ipc_port_is_closed(NULL));
    ipc_port_close(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/port/order", test_order);
    g_test_add_func("/port/both-ways", test_both_ways);
    g_test_add_func("/port/queues-until-start", test_queues_until_start);
    g_test_add_func("/port/many-before-start", test_many_before_start);
    g_test_add_func("/port/full", test_full);
    g_test_add_func("/port/full-of-large-texts", test_full_of_large_texts);
    g_test_add_func("/port/largest", test_largest);
    g_test_add_func("/port/sizes", test_sizes);
    g_test_add_func("/port/text-is-no-json", test_text_is_no_json);
    g_test_add_func("/port/close-after-messages", test_close_after_messages);
    g_test_add_func("/port/dropped-closes", test_dropped_closes);
    g_test_add_func("/port/dropped-with-much-to-write", test_dropped_with_much_to_write);
    g_test_add_func("/port/lingering-loop-goes", test_lingering_loop_goes);
    g_test_add_func("/port/lingering-peer-goes", test_lingering_peer_goes);
    g_test_add_func("/port/close-from-callback", test_close_from_callback);
    g_test_add_func("/port/drop-from-callback", test_drop_from_callback);
    g_test_add_func("/port/post-from-callback", test_post_from_callback);
    g_test_add_func("/port/process-and-wait", test_process_and_wait);
    g_test_add_func("/port/triple", test_triple);
    g_test_add_func("/port/detach", test_detach);
    g_test_add_func("/port/misuse", test_misuse);
    return g_test_run();
}
