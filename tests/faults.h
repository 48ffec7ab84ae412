/* SPDX-License-Identifier: MIT */
#pragma once

/* The processes of the fault harness, and what they share. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "fixture.h"

#define N_RENDERERS 4u
#define CALLS_MAX (1u << 20) /* of one line, and messages, in one run */

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

typedef struct Shared {
    char address[256]; /* of the bus */
    atomic_uint main_generation;
    atomic_uint n_sent;
    atomic_uint n_heard;
    atomic_uint n_heard_from_main;
    atomic_uint n_called;
    atomic_uint n_handled;
    atomic_uint n_settled;
    atomic_uint n_resolved;
    atomic_uint n_faults; /* of ours */
    Line lines[N_RENDERERS];
} Shared;

/* What a process does; it ends with the answer. */
typedef int (*FaultsRun)(Shared *shared, unsigned number);

int faults_serve(Shared *shared, unsigned number);
int faults_render(Shared *shared, unsigned number);

/* Connected and let in, or NULL: there is no bus any more. */
sd_bus *faults_connect(const Shared *shared);

unsigned faults_count_fds(void);

/* Says what is wrong, and ends the process badly. */
#define faults_check(shared, condition)                            \
    do {                                                           \
        if (!(condition)) {                                        \
            ++(shared)->n_faults;                                  \
            g_error("%s: does not hold: %s", G_STRLOC, #condition); \
        }                                                          \
    } while (0)
