/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A reader: a foreign client in a process of its own, which can be stopped as a whole and goes on later. It tells what
 * has become of it by memory that it shares with the test. The fixture owns it.
 *
 * Messages to it are numbered: [0, ...], [1, ...] and so on.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fixture.h"

typedef struct Tale {
    char address[256];       /* of the bus */
    int wake_fd;             /* an eventfd that wakes the loop of the test */
    atomic_uint id;          /* of the renderer; 0: it has not registered yet */
    atomic_uint n_messages;  /* that arrived */
    atomic_uint n_answers;   /* to its calls, results */
    atomic_uint n_errors;    /* the same, errors */
    atomic_uint n_pings;
    atomic_uint n_called;    /* calls that it has made */
    atomic_bool is_disorder; /* a message did not have the next number */
} Tale;

/* What the process does; it ends with it. */
typedef void (*ReaderRun)(Tale *tale);

typedef struct Reader {
    Fixture *fixture;
    pid_t pid;
    Tale *tale;
    sd_event_source *wake_source;
} Reader;

Reader *reader_start(Fixture *f, ReaderRun run);
void reader_free(Reader *reader);

/* One that has registered. */
Reader *reader_new(Fixture *f, ReaderRun run);
ipc_web_contents *contents_of_reader(Reader *reader);

/* SIGSTOP, until it has stopped; SIGCONT; SIGKILL, until it is gone. */
void reader_stop(Reader *reader);
void reader_continue(Reader *reader);
void reader_kill(Reader *reader);

/* ---- what they do ---- */

/* It registers, then reads and counts, by three libraries. The last one is NULL where there is no libdbus. */
void read_by_sd_bus(Tale *tale);
void read_by_gdbus(Tale *tale);
extern const ReaderRun read_by_libdbus;

/* For those who write one: a connection of sd-bus, and a call of the main interface on it. */
sd_bus *reader_connect(const Tale *tale);
sd_bus_message *reader_new_call(sd_bus *bus, const char *member, const char *types, ...);
void reader_register(Tale *tale, sd_bus *bus);

/* It has registered. */
void tale_note_id(Tale *tale, uint32_t id);

/* A message came with this text. */
void tale_note_message(Tale *tale, const char *args);

/* Something else has happened. */
void tale_note(Tale *tale, atomic_uint *counter);
