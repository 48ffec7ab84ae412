/* SPDX-License-Identifier: MIT */
#pragma once

/* A story about ports: two ends, a loop, and a log of what they heard; no bus. */

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "ipc-port.h"
#include "must.h"

typedef struct PortStory {
    sd_event *event;
    ipc_port *a;
    ipc_port *b;
    GString *log;      /* with a space before each */
    GPtrArray *ports;  /* of ipc_port: that came along with messages */
    GArray *files;     /* of int: the same */
} PortStory;

PortStory *port_story_new(void);

/* Drops all; the last story that ends finds that no fd is left. */
void port_story_free(PortStory *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PortStory, port_story_free)

/* Logs "message" as JSON, and "close"; keeps what comes along; starts it in the loop. */
void hear_port(PortStory *s, ipc_port *port);

/* The same, neither attached nor started. */
void listen_to_port(PortStory *s, ipc_port *port);

void post(ipc_port *port, const char *json);

/* Posts with ports, up to the first NULL. The answer is that of the call. */
int post_with_ports(ipc_port *through, const char *json, ipc_port *first, ipc_port *second);
int post_with_file(ipc_port *through, const char *json, int fd);

/* Runs the loop until the log has these words, finds no more of them, and forgets them. */
#define expect_log(s, words) port_story_expect(G_STRLOC, s, words)
void port_story_expect(const char *where, PortStory *s, const char *words);

/* Runs the loop until an expression is true. */
#define port_story_until(s, condition)                                        \
    do {                                                                      \
        gint64 deadline_ = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;      \
        while (!(condition)) {                                                \
            if (g_get_monotonic_time() > deadline_)                           \
                g_error("%s: gave up waiting for: %s", G_STRLOC, #condition); \
            must(sd_event_run((s)->event, G_USEC_PER_SEC));                   \
        }                                                                     \
    } while (0)

/* Everything that is ready. */
void run_idle(PortStory *s);

unsigned count_open_fds(void);
