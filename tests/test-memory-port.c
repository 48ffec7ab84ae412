/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "memory-story.h"
#include "port-story.h"

/* Out of memory in ports alone: what is posted is refused or heard, or else the port closes and tells that it does. */

typedef struct Pair {
    ipc_port *one;
    ipc_port *other;
    unsigned n_posted;
    unsigned n_heard;
    bool is_closed;
} Pair;

static void on_message(ipc_port *port, ipc_event *event, json_t *message, void *userdata)
{
    Pair *pair = userdata;
    int fd;

    (void)port, (void)message;
    fd = ipc_event_take_file(event, 0);
    if (fd >= 0)
        close(fd);
    pair->n_heard++;
}

static void on_close(ipc_port *port, void *userdata)
{
    Pair *pair = userdata;

    (void)port;
    pair->is_closed = true;
}

static void post_all(Pair *pair, json_t *args)
{
    g_autofree char *large = g_strnfill(IPC_INLINE_MAX + 100, ' ');
    int file = STDERR_FILENO;
    ipc_port *first, *second;

    large[0] = '1';
    pair->n_posted += is_done(ipc_port_post_message(pair->one, args, NULL));
    pair->n_posted += is_done(ipc_port_post_messagef(pair->one, NULL, "{s:[i]}", "key", 1));
    pair->n_posted += is_done(ipc_port_post_text(pair->one, large, IPC_INLINE_MAX + 100, NULL));
    if (!is_done(ipc_port_new_pair(&first, &second)))
        return;
    pair->n_posted += is_done(ipc_port_post_message(
        pair->one, args, &(ipc_transfer){ .ports = &first, .n_ports = 1, .files = &file, .n_files = 1 }));
    ipc_port_unref(first);
    ipc_port_unref(second);
}

static void hear_all(Pair *pair)
{
    while (!ipc_port_is_closed(pair->other) && must(ipc_port_process(pair->other)) > 0)
        ;
    g_assert_true(pair->is_closed || pair->n_heard == pair->n_posted);
    g_assert_cmpuint(pair->n_heard, <=, pair->n_posted);
}

static void scene_pair(json_t *args)
{
    Pair pair = { 0 };

    if (!is_done(ipc_port_new_pair(&pair.one, &pair.other)))
        return;
    if (is_done(ipc_port_on_message(pair.other, NULL, on_message, &pair)) &&
        is_done(ipc_port_on_close(pair.other, NULL, on_close, &pair)) && is_done(ipc_port_start(pair.other))) {
        post_all(&pair, args);
        hear_all(&pair);
    }
    ipc_port_unref(pair.one);
    ipc_port_unref(pair.other);
}

/* More than the socket takes waits in memory. */
static void scene_much(json_t *args)
{
    Pair pair = { 0 };
    unsigned i;

    if (!is_done(ipc_port_new_pair(&pair.one, &pair.other)))
        return;
    if (is_done(ipc_port_on_message(pair.other, NULL, on_message, &pair)) &&
        is_done(ipc_port_on_close(pair.other, NULL, on_close, &pair)) && is_done(ipc_port_start(pair.other))) {
        for (i = 0; i < 300; i++)
            pair.n_posted += is_done(ipc_port_post_message(pair.one, args, NULL));
        while (!pair.is_closed && pair.n_heard < pair.n_posted) {
            must(ipc_port_process(pair.one));
            must(ipc_port_process(pair.other));
        }
        g_assert_true(pair.is_closed || pair.n_heard == pair.n_posted);
    }
    ipc_port_unref(pair.other);
    ipc_port_unref(pair.one);
}

static void play_pair(void (*scene)(json_t *args), bool by_library)
{
    unsigned n = 0, n_fds = count_open_fds();
    json_t *args = long_args();

    do {
        memory_fail_next(by_library, &n);
        scene(args);
    } while (memory_recover());
    g_assert_cmpuint(n, >, 1);
    g_assert_cmpuint(count_open_fds(), ==, n_fds);
    json_decref(args);
}

static void test_pair_for_jansson(void)
{
    play_pair(scene_pair, false);
}

static void test_pair_for_library(void)
{
    play_pair(scene_pair, true);
}

static void test_much_for_library(void)
{
    play_pair(scene_much, true);
}

int main(int argc, char **argv)
{
    if (!memory_init(&argc, &argv))
        return 0;
    g_test_add_func("/memory-port/jansson/pair", test_pair_for_jansson);
    g_test_add_func("/memory-port/library/pair", test_pair_for_library);
    g_test_add_func("/memory-port/library/much", test_much_for_library);
    return g_test_run();
}
