/* SPDX-License-Identifier: MIT */
#pragma once

/* A line of JSON that tells watchers of one thing that went by. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "peer.h"
#include "text.h"

/* Text of unknown quality: it may be no JSON. data NULL: there is none. */
typedef struct LineText {
    const char *data;
    size_t length;
} LineText;

/* All is borrowed. What is zero is left out, but for the ids. */
typedef struct Line {
    uint64_t time;           /* us of CLOCK_REALTIME */
    const char *verb;
    Peer *peer;              /* who is at the other end than main */
    bool is_out;             /* it goes to the peer */
    bool is_refused;         /* nobody has read it, and nobody will */
    bool is_by_lane;
    uint32_t sender_id;      /* 0: main or, of what comes in, who is anonymous */
    uint32_t receiver_id;    /* of what comes in: the renderer that it is for; 0: it is for main */
    const char *channel;
    LineText args;
    LineText message;        /* one value instead of args */
    size_t n_ports, n_files; /* with the message */
    uint64_t serial;         /* of a call */
    bool is_pending;         /* it will have another line */
    bool has_ended;          /* it has the result or the error, and the latency */
    uint64_t latency;        /* us */
    LineText result;
    const char *error_name;
    const char *error_message;
    LineText detail;
    const ipc_web_contents *contents; /* that has just come */
} Line;

/* With a new line behind it. Clear the text, whatever the answer. -ENOMEM. */
int line_write(const ipc_app *app, const Line *line, Text *ret_text);
