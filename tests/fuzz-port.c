/* SPDX-License-Identifier: MIT */

/*
 * Ports whose other ends do not keep the rules. The bytes are a play: each step writes a packet, or has one of the ports
 * do something. Ports that come along are ports like the first one, and so are those that are made.
 */

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "fuzz-packet.h"
#include "macro.h"
#include "port.h"

#define STEPS_MAX 100u
#define PORTS_MAX 8u
#define POSTS_MAX 64u /* what a socket surely takes */

/* What a callback does with what it hears. */
typedef enum Mood {
    KEEP,
    SEND_BACK,
    TAKE_FILES,
    CLOSE,
    DROP,
    PASS_ON, /* the port that it hears, through another one */
    N_MOODS,
} Mood;

typedef struct Play {
    Ends ends;
    sd_event *event; /* NULL: nobody has wanted it */
    ipc_port *ports[PORTS_MAX]; /* each with a reference, or NULL */
    unsigned n_posts;
    Mood mood;
} Play;

static bool may_post(Play *play)
{
    return play->n_posts++ < POSTS_MAX;
}

static void forget(Play *play, const ipc_port *port)
{
    unsigned i;

    for (i = 0; i < PORTS_MAX; i++)
        if (play->ports[i] == port)
            play->ports[i] = ipc_port_unref(play->ports[i]);
}

static ipc_port *other_than(Play *play, const ipc_port *port)
{
    unsigned i;

    for (i = 0; i < PORTS_MAX; i++)
        if (play->ports[i] && play->ports[i] != port)
            return play->ports[i];
    return NULL;
}

static void add(Play *play, ipc_port *port);

static void keep_ports(Play *play, ipc_event *event)
{
    ipc_port *const *ports;
    size_t i, n;

    ports = ipc_event_get_ports(event, &n);
    for (i = 0; i < n; i++)
        add(play, ipc_port_ref(ports[i]));
}

static void take_files(ipc_event *event)
{
    size_t i, n;
    int fd;

    (void)ipc_event_get_files(event, &n);
    for (i = 0; i < n; i++) {
        fd = ipc_event_take_file(event, i);
        check(fd >= 0);
        close(fd);
        check(ipc_event_take_file(event, i) < 0);
    }
}

static void send_back(Play *play, ipc_port *port, ipc_event *event, json_t *message)
{
    ipc_transfer transfer = { 0 };

    transfer.ports = ipc_event_get_ports(event, &transfer.n_ports);
    transfer.files = ipc_event_get_files(event, &transfer.n_files);
    if (may_post(play))
        (void)ipc_port_post_message(port, message, &transfer);
}

static void pass_on(Play *play, ipc_port *port)
{
    ipc_port *through = other_than(play, port);

    if (through && may_post(play))
        (void)ipc_port_post_messagef(through, &(ipc_transfer){ .ports = &port, .n_ports = 1 }, "s", "passed on");
}

static void on_message(ipc_port *port, ipc_event *event, json_t *message, void *userdata)
{
    Play *play = userdata;

    check(message);
    switch (play->mood) {
    case KEEP:
        keep_ports(play, event);
        break;
    case SEND_BACK:
        send_back(play, port, event, message);
        break;
    case TAKE_FILES:
        take_files(event);
        break;
    case CLOSE:
        ipc_port_close(port);
        break;
    case DROP:
        forget(play, port);
        break;
    case PASS_ON:
        pass_on(play, port);
        break;
    case N_MOODS:
        abort();
    }
}

static void on_text(ipc_port *port, ipc_event *event, const char *text, size_t length, void *userdata)
{
    (void)port, (void)event, (void)userdata;
    check(text[length] == '\0');
}

static void on_close(ipc_port *port, void *userdata)
{
    check(ipc_port_is_closed(port));
    forget(userdata, port);
}

/* Takes the reference. */
static void add(Play *play, ipc_port *port)
{
    unsigned i;

    for (i = 0; i < PORTS_MAX && play->ports[i]; i++)
        ;
    if (i == PORTS_MAX || ipc_port_on_message(port, NULL, on_message, play) < 0) {
        ipc_port_unref(port);
        return;
    }
    check(ipc_port_on_text(port, NULL, on_text, play) >= 0);
    check(ipc_port_on_close(port, NULL, on_close, play) >= 0);
    play->ports[i] = port;
}

/* ---- steps ---- */

/* With a small buffer there is something to write: that takes a loop, or closing would wait for it. */
static void attach(Play *play, ipc_port *port)
{
    int small = 4096;

    if (!play->event)
        check(sd_event_new(&play->event) >= 0);
    if (ipc_port_attach_event(port, play->event, 0) >= 0)
        (void)setsockopt(port->wire.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
}

static void post_large(ipc_port *port)
{
    static char text[IPC_INLINE_MAX + 2];

    memset(text, ' ', sizeof(text) - 1);
    text[0] = '1';
    (void)ipc_port_post_text(port, text, sizeof(text) - 1, NULL);
}

static void post_with_pair(Play *play, ipc_port *through)
{
    ipc_port *one, *other;
    int file = 0;

    check(ipc_port_new_pair(&one, &other) >= 0);
    (void)ipc_port_post_messagef(through, &(ipc_transfer){ .ports = &one, .n_ports = 1, .files = &file, .n_files = 1 },
                                 "{s:i}", "number", 1);
    ipc_port_unref(one);
    add(play, other);
}

static void act(Play *play, ipc_port *port, unsigned what)
{
    switch (what) {
    case 0:
        (void)ipc_port_start(port);
        break;
    case 1:
        (void)ipc_port_process(port);
        break;
    case 2:
        (void)ipc_port_wait(port, 0);
        break;
    case 3:
        attach(play, port);
        break;
    case 4:
        if (may_post(play))
            (void)ipc_port_post_messagef(port, NULL, "s", "small");
        break;
    case 5:
        if (may_post(play))
            post_large(port);
        break;
    case 6:
        if (may_post(play))
            post_with_pair(play, port);
        break;
    case 7:
        pass_on(play, port);
        break;
    case 8:
        ipc_port_close(port);
        break;
    default:
        forget(play, port);
    }
}

static void run_loop(Play *play)
{
    unsigned i;

    for (i = 0; play->event && i < 100 && sd_event_run(play->event, 0) > 0; i++)
        ;
}

static void step(Play *play, Input *input)
{
    static const uint8_t verbs[] = { PORT_VERB, PORT_VERB, PORT_VERB, PORT_VERB, PORT_VERB, PORT_VERB, 0, 16 };
    unsigned number = take_byte(input), what = number % 16;
    ipc_port *port = play->ports[number / 16 % PORTS_MAX];

    if (what < 10 && port)
        act(play, port, what);
    else if (what == 10)
        run_loop(play);
    else if (what == 11)
        ends_drain(&play->ends);
    else if (what == 12)
        ends_close_one(&play->ends, input);
    else if (what == 13)
        play->mood = (Mood)(number / 16 % N_MOODS);
    else
        ends_send(&play->ends, input, verbs, ELEMENTSOF(verbs));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input = { data, size };
    uint64_t before = fds_that_are_open();
    Play play = { .mood = KEEP };
    ipc_port *first;
    unsigned i;

    check(ipc_port_new_from_fd(&first, ends_make_pair(&play.ends)) >= 0);
    add(&play, first);
    check(ipc_port_start(first) >= 0);
    for (i = 0; i < STEPS_MAX && input.size > 0; i++)
        step(&play, &input);
    run_loop(&play);
    ends_drain(&play.ends);
    for (i = 0; i < PORTS_MAX; i++)
        ipc_port_unref(play.ports[i]);
    sd_event_unref(play.event);
    ends_clear(&play.ends);
    check(fds_that_are_open() == before);
    return 0;
}
