/* SPDX-License-Identifier: MIT */
#pragma once

/* The processes of the fault harness, and what they share. */

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "fixture.h"

#define N_RENDERERS 4u
#define N_HOSTS 2u /* of them, the first: one on the bus, one on a lane */
#define N_WINDOWS (N_RENDERERS + N_HOSTS) /* the others are guests, one for each host */
#define CALLS_MAX (1u << 22) /* of one line, and messages, in one run */
#define PORTS_MAX (1u << 18) /* ports that are given away in one run */

/* Every other one has a lane. */
#define HAS_LANE(number) ((number) % 2 == 1)

typedef enum Fault {
    KILL_MAIN,
    END_MAIN,
    STOP_MAIN,
    KILL_RENDERER,
    END_RENDERER,
    STOP_RENDERER,
    KILL_BUS,
    N_FAULTS,
} Fault;

/* What one renderer sends. It goes on when the process that has it is replaced. */
typedef struct Line {
    atomic_uint next_message;        /* that it sends */
    atomic_uint next_call;
    atomic_uchar n_runs[CALLS_MAX];  /* of the handler, by call */
    atomic_uchar n_heard[CALLS_MAX]; /* by message */
    atomic_bool is_failed[CALLS_MAX]; /* messages whose sender was told that they may be lost */
} Line;

/* A port that a renderer gave away, by its number. */
typedef struct Passage {
    atomic_uint n_posted;       /* by who made it */
    atomic_bool is_closed_well; /* after those, and all of them were read, or lie in the socket */
} Passage;

/* Where a host leaves the token for its guest. */
typedef struct Doormat {
    char token[64];
    atomic_bool is_there;
} Doormat;

typedef struct Shared {
    char address[256]; /* of the bus */
    guint32 seed;
    unsigned n_starts[N_WINDOWS]; /* of processes */
    atomic_uint next_epoch; /* in which neighbours are numbered */
    atomic_uint main_generation;
    atomic_uint n_sent;
    atomic_uint n_heard;
    atomic_uint n_heard_from_main;
    atomic_uint n_called;
    atomic_uint n_handled;
    atomic_uint n_settled;
    atomic_uint n_resolved;
    atomic_uint n_neighbours;     /* messages of one renderer to another that were heard */
    atomic_uint n_passages;       /* ports that were given away */
    atomic_uint n_passages_whole; /* of them, those that were heard to the end */
    atomic_uint n_passed;         /* messages that were heard from them */
    atomic_uint n_returned;       /* and that came back */
    atomic_uint n_guests;         /* that came */
    atomic_uint n_guests_went;
    atomic_uint n_heard_from_guests;
    atomic_uint n_heard_from_hosts;
    atomic_uint n_faults; /* of ours */
    Line lines[N_RENDERERS];
    Passage passages[PORTS_MAX];
    Doormat doormats[N_HOSTS];
} Shared;

/* What a process does; it ends with the answer. */
typedef int (*FaultsRun)(Shared *shared, unsigned number);

int faults_serve(Shared *shared, unsigned number);
int faults_render(Shared *shared, unsigned number);
int faults_visit(Shared *shared, unsigned number);

/* Connected and let in, or NULL: there is no bus any more. */
sd_bus *faults_connect(const Shared *shared);

/* What a window does by chance, the same each time. */
GRand *faults_new_rand(const Shared *shared, unsigned number);

/* Processes and waits for a moment; negative: the connection is closed. */
int faults_run_once(ipc_renderer *renderer);

/* SIGTERM ends a window in good order. */
extern volatile sig_atomic_t faults_is_over;
void faults_take_term(void);

/* A member of a message that is an array. */
static inline unsigned faults_number(json_t *args, size_t index)
{
    return (unsigned)json_integer_value(json_array_get(args, index));
}

unsigned faults_count_fds(void);

/* Says what is wrong, and ends the process badly. */
#define faults_check(shared, condition)                            \
    do {                                                           \
        if (!(condition)) {                                        \
            ++(shared)->n_faults;                                  \
            g_error("%s: does not hold: %s", G_STRLOC, #condition); \
        }                                                          \
    } while (0)
