/* SPDX-License-Identifier: MIT */
#include "monitor-story.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define CHUNK 65536

static void take_line(Watching *w)
{
    g_queue_push_tail(&w->lines, json_from(w->text->str));
    g_string_truncate(w->text, 0);
}

static void take_text(Watching *w, const char *text, size_t length)
{
    const char *end = text + length, *stop;

    while ((stop = memchr(text, '\n', (size_t)(end - text)))) {
        g_string_append_len(w->text, text, stop - text);
        take_line(w);
        text = stop + 1;
    }
    g_string_append_len(w->text, text, end - text);
}

static int on_lines(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    Watching *w = userdata;
    char chunk[CHUNK];
    ssize_t n;

    (void)events;
    n = read(fd, chunk, sizeof(chunk));
    g_assert_cmpint(n, >=, 0);
    take_text(w, chunk, (size_t)n);
    w->has_ended = n == 0;
    return n > 0 ? 0 : sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

void stop_reading(Watching *w)
{
    w->source = sd_event_source_disable_unref(w->source);
}

void go_on_reading(Watching *w)
{
    must(sd_event_add_io(w->fixture->event, &w->source, w->fd, EPOLLIN, on_lines, w));
}

Outcome *watch_start(Client *c, const char *first, const char *second)
{
    unsigned n = second ? 2 : first ? 1 : 0;

    return call_object(c, IPC_MAIN_PATH, IPC_MONITOR_INTERFACE, "Watch", "as", n, first, second);
}

Outcome *watch_globs(Client *c, unsigned n)
{
    sd_bus_message *message;
    unsigned i;

    must(sd_bus_message_new_method_call(c->bus, &message, FIXTURE_NAME, IPC_MAIN_PATH, IPC_MONITOR_INTERFACE, "Watch"));
    must(sd_bus_message_open_container(message, 'a', "s"));
    for (i = 0; i < n; i++)
        must(sd_bus_message_append(message, "s", "x"));
    must(sd_bus_message_close_container(message));
    return call_message(c, message);
}

Watching *watch_as(Client *c, const char *first, const char *second)
{
    Watching *w = g_new0(Watching, 1);
    Outcome *o = watch_start(c, first, second);
    int fd;

    assert_replied(o, "h", &fd);
    w->fixture = c->fixture;
    w->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    g_assert_cmpint(w->fd, >=, 0);
    /* The reply has one, too, which would keep the pipe open. */
    o->reply = sd_bus_message_unref(o->reply);
    w->text = g_string_new(NULL);
    g_queue_init(&w->lines);
    go_on_reading(w);
    return w;
}

void close_eyes(Watching *w)
{
    stop_reading(w);
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
}

void watching_free(Watching *w)
{
    close_eyes(w);
    g_queue_clear_full(&w->lines, (GDestroyNotify)json_decref);
    g_string_free(w->text, TRUE);
    g_free(w);
}

static void compare(const char *where, const json_t *line, const char *members)
{
    g_autofree char *text = g_strdelimit(g_strdup(members), "'", '"'), *found = json_text(line);
    json_t *expected = json_from(text), *value;
    const char *key;

    json_object_foreach(expected, key, value)
        if (json_is_null(value) ? json_object_get(line, key) != NULL : !json_equal(json_object_get(line, key), value))
            g_error("%s: expected %s, was told %s", where, members, found);
    json_decref(expected);
}

json_t *watching_expect(const char *where, Watching *w, const char *members)
{
    static json_t *last;
    Wait wait = wait_begin(where, members);

    while (g_queue_is_empty(&w->lines))
        wait_step(w->fixture, &wait);
    json_decref(last);
    last = g_queue_pop_head(&w->lines);
    compare(where, last, members);
    return last;
}

void watching_expect_none(const char *where, Watching *w)
{
    fixture_settle(where, w->fixture);
    if (!g_queue_is_empty(&w->lines))
        g_error("%s: was told %s", where, json_text(g_queue_peek_head(&w->lines)));
}

void expect_end(Watching *w)
{
    wait_until(w->fixture, w->has_ended);
}

unsigned count_watchers(Client *c)
{
    uint32_t n;

    assert_replied(get_property(c, IPC_MAIN_PATH, IPC_MONITOR_INTERFACE, "Watchers"), "v", "u", &n);
    return n;
}

/* Each time it asks anew: what is waited for may happen while it asks, and then nothing else would. */
void watching_expect_count(const char *where, Client *c, unsigned n)
{
    gint64 deadline = g_get_monotonic_time() + patience();
    unsigned now;

    while ((now = count_watchers(c)) != n)
        if (g_get_monotonic_time() >= deadline)
            g_error("%s: %u watch, not %u", where, now, n);
}

const char *transport(void)
{
    return is_over_lanes() ? "lane" : "bus";
}

json_int_t integer_of(const json_t *line, const char *key)
{
    g_assert_true(json_is_integer(json_object_get(line, key)));
    return json_integer_value(json_object_get(line, key));
}

void assert_string(const json_t *line, const char *key, const char *expected)
{
    g_assert_cmpstr(json_string_value(json_object_get(line, key)), ==, expected);
}

Watching *watch_after(Fixture *f, Client **ret_renderer)
{
    *ret_renderer = renderer_new(f);
    settle(f);
    return watch(f);
}

void assert_error(const json_t *line, const char *name)
{
    assert_string(json_object_get(line, "error"), "name", name);
}
