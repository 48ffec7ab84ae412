/* SPDX-License-Identifier: MIT */
#pragma once

/* An app on a bus that the fuzzer plays. */

#include <stdbool.h>

#include "fuzz-bus.h"
#include "ipc-main.h"

#define FUZZ_KEPT_MAX 16u

typedef struct FuzzApp {
    ipc_app *app;
    sd_bus *bus; /* the fuzzer's end */
    ipc_invocation *kept[FUZZ_KEPT_MAX];
    unsigned n_kept;
    bool answers_pings;
    int lane; /* the other end of the lane that was opened last; -1: there is none */
} FuzzApp;

/* It handles "echo" and "keep", and hears "echo" and "port". */
void fuzz_app_open(FuzzApp *self);
void fuzz_app_close(FuzzApp *self);

/* Until nothing is under way. */
void fuzz_app_run(FuzzApp *self);

/* One of the invocations that "keep" has kept. */
void fuzz_app_settle_one(FuzzApp *self);

/* A call from a peer, which wants a reply. */
void fuzz_app_call(FuzzApp *self, const char *sender, const char *member, const char *types, ...);

/* A peer leaves. */
void fuzz_app_leave(FuzzApp *self, const char *sender);
