/* SPDX-License-Identifier: MIT */
/*
 * A renderer that talks to another one by a port; ports-main.c joins them. Each line that is typed is a message.
 * cc ports-renderer.c $(pkg-config --cflags --libs ipcbus)
 */
#include <errno.h>
#include <error.h>
#include <ipcbus/ipc-renderer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

typedef struct Talk {
    ipc_renderer *renderer;
    sd_event *event;
    ipc_port *port;    /* NULL: main has not joined us to anybody */
    const char *other; /* the id of whom to talk to; NULL: we are called */
} Talk;

static void say(const char *format, const char *text)
{
    printf(format, text);
    putchar('\n');
    fflush(stdout);
}

/* ---- the port ---- */

static void on_message(ipc_port *port, ipc_event *event, json_t *message, void *talk)
{
    (void)port, (void)event, (void)talk;
    if (json_is_string(message))
        say("they say: %s", json_string_value(message));
}

static void on_close(ipc_port *port, void *talk)
{
    (void)port;
    sd_event_exit(((Talk *)talk)->event, 0);
}

static int on_typed(sd_event_source *source, int fd, uint32_t events, void *talk)
{
    ipc_port *port = ((Talk *)talk)->port;
    char line[1024];
    ssize_t n;

    (void)source, (void)events;
    n = read(fd, line, sizeof(line) - 1);
    if (n <= 0)
        return sd_event_exit(((Talk *)talk)->event, 0);
    line[n] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return ipc_port_post_messagef(port, NULL, "s", line);
}

/* Listen, attach, start: what comes before that waits. It stays open as long as we have a reference. */
static int use_port(Talk *talk, ipc_port *port)
{
    int r;

    talk->port = ipc_port_ref(port);
    r = ipc_port_on_message(port, NULL, on_message, talk);
    if (r >= 0)
        r = ipc_port_on_close(port, NULL, on_close, talk);
    if (r >= 0)
        r = ipc_renderer_attach_port(talk->renderer, port);
    if (r >= 0)
        r = ipc_port_start(port);
    if (r >= 0)
        r = sd_event_add_io(talk->event, NULL, STDIN_FILENO, EPOLLIN, on_typed, talk);
    return r;
}

static void on_port(ipc_event *event, json_t *args, void *userdata)
{
    ipc_port *const *ports = ipc_event_get_ports(event, NULL);
    Talk *talk = userdata;
    int r;

    if (!ports || talk->port)
        return;
    r = use_port(talk, ports[0]);
    if (r < 0)
        sd_event_exit(talk->event, r);
    printf("joined to %d\n", (int)json_integer_value(json_array_get(args, 0)));
    fflush(stdout);
}

/* ---- main, as long as it is needed ---- */

static void on_connected(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *talk)
{
    (void)renderer, (void)result;
    if (!error)
        return;
    say("%s", error->message);
    sd_event_exit(((Talk *)talk)->event, 1);
}

static void on_state(ipc_renderer *renderer, ipc_renderer_state state, const ipc_error *error, void *userdata)
{
    Talk *talk = userdata;

    if (state == IPC_RENDERER_READY) {
        printf("I am %u\n", ipc_renderer_get_id(renderer));
        fflush(stdout);
    } else if (error && talk->port) {
        say("%s; we go on", error->message);
    } else if (error) {
        say("%s", error->message);
        sd_event_exit(talk->event, 1);
    }
}

static int start(Talk *talk)
{
    int r;

    r = sd_event_default(&talk->event);
    if (r >= 0)
        r = ipc_renderer_new(&talk->renderer, NULL, "com.example.Ports");
    if (r >= 0)
        r = ipc_renderer_on_state(talk->renderer, NULL, on_state, talk);
    if (r >= 0)
        r = ipc_renderer_on(talk->renderer, NULL, "port", on_port, talk);
    if (r >= 0 && talk->other)
        r = ipc_renderer_invokef(talk->renderer, NULL, "connect", on_connected, talk, "i", atoi(talk->other));
    return r < 0 ? r : ipc_renderer_attach_event(talk->renderer, talk->event, SD_EVENT_PRIORITY_NORMAL);
}

int main(int argc, char **argv)
{
    Talk talk = { .other = argc > 1 ? argv[1] : NULL };
    int r;

    r = start(&talk);
    if (r >= 0)
        r = sd_event_loop(talk.event);
    ipc_port_unref(talk.port);
    ipc_renderer_unref(talk.renderer);
    sd_event_unref(talk.event);
    if (r < 0)
        error(1, -r, "Failed to talk");
    return r;
}
