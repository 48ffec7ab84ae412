/* SPDX-License-Identifier: MIT */
#include "port-story.h"

#include <string.h>
#include <unistd.h>

static json_t *json_of(const char *text)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

    g_assert_nonnull(json);
    return json;
}

unsigned count_open_fds(void)
{
    GDir *folder = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned n = 0;

    g_assert_nonnull(folder);
    while (g_dir_read_name(folder))
        n++;
    g_dir_close(folder);
    return n;
}

/* Stories share what is transferred between them, so fds are counted when the last one ends. */
static unsigned n_stories, n_fds_before;

static void drop_port(gpointer port)
{
    ipc_port_unref(port);
}

PortStory *port_story_new(void)
{
    PortStory *s = g_new0(PortStory, 1);

    if (n_stories++ == 0)
        n_fds_before = count_open_fds();
    s->log = g_string_new(NULL);
    s->ports = g_ptr_array_new_with_free_func(drop_port);
    s->files = g_array_new(FALSE, FALSE, sizeof(int));
    must(sd_event_new(&s->event));
    must(ipc_port_new_pair(&s->a, &s->b));
    return s;
}

void port_story_free(PortStory *s)
{
    unsigned i;

    ipc_port_unref(s->a);
    ipc_port_unref(s->b);
    g_ptr_array_unref(s->ports);
    for (i = 0; i < s->files->len; i++)
        close(g_array_index(s->files, int, i));
    g_array_unref(s->files);
    sd_event_unref(s->event);
    if (--n_stories == 0)
        g_assert_cmpuint(count_open_fds(), ==, n_fds_before);
    g_string_free(s->log, TRUE);
    g_free(s);
}

static void write_word(PortStory *s, const char *word)
{
    if (s->log->len > 0)
        g_string_append_c(s->log, ' ');
    g_string_append(s->log, word);
}

static void on_message(ipc_port *port, ipc_event *event, json_t *message, void *story)
{
    char *text = json_dumps(message, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    PortStory *s = story;
    ipc_port *const *ports;
    size_t i, n;
    int fd;

    (void)port;
    write_word(s, text);
    free(text);
    ports = ipc_event_get_ports(event, &n);
    for (i = 0; i < n; i++)
        g_ptr_array_add(s->ports, ipc_port_ref(ports[i]));
    (void)ipc_event_get_files(event, &n);
    for (i = 0; i < n; i++) {
        fd = must(ipc_event_take_file(event, i));
        g_array_append_val(s->files, fd);
    }
}

static void on_close(ipc_port *port, void *story)
{
    g_assert_true(ipc_port_is_closed(port));
    write_word(story, "close");
}

void listen_to_port(PortStory *s, ipc_port *port)
{
    must(ipc_port_on_message(port, NULL, on_message, s));
    must(ipc_port_on_close(port, NULL, on_close, s));
}

void hear_port(PortStory *s, ipc_port *port)
{
    listen_to_port(s, port);
    must(ipc_port_attach_event(port, s->event, SD_EVENT_PRIORITY_NORMAL));
    must(ipc_port_start(port));
}

static int post_with(ipc_port *port, const char *json, const ipc_transfer *transfer)
{
    json_t *message = json_of(json);
    int r = ipc_port_post_message(port, message, transfer);

    json_decref(message);
    return r;
}

void post(ipc_port *port, const char *json)
{
    must(post_with(port, json, NULL));
}

int post_with_ports(ipc_port *through, const char *json, ipc_port *first, ipc_port *second)
{
    ipc_port *ports[] = { first, second };

    return post_with(through, json, &(ipc_transfer){ .ports = ports, .n_ports = second ? 2 : 1 });
}

int post_with_file(ipc_port *through, const char *json, int fd)
{
    return post_with(through, json, &(ipc_transfer){ .files = &fd, .n_files = 1 });
}

void run_idle(PortStory *s)
{
    while (must(sd_event_run(s->event, 0)) > 0)
        ;
}

void port_story_expect(const char *where, PortStory *s, const char *words)
{
    port_story_until(s, s->log->len >= strlen(words));
    run_idle(s);
    if (strcmp(s->log->str, words) != 0)
        g_error("%s: expected\n  %s\nin the log, found\n  %s", where, words, s->log->str);
    g_string_truncate(s->log, 0);
}
