/* SPDX-License-Identifier: MIT */
#pragma once

/* A renderer whose bus and main the fuzzer plays. What it has called settles once, whatever they do. */

#include <stdbool.h>

#include "fuzz-bus.h"
#include "fuzz-packet.h"
#include "ipc-renderer.h"

#define FUZZ_NAME "org.example.Fuzz"
#define FUZZ_MAIN ":1.1"
#define FUZZ_QUESTIONS_MAX 16u
#define FUZZ_CALLS_MAX 32u
#define FUZZ_WEBVIEWS_MAX 4u

/* What a callback does. */
typedef enum FuzzMood {
    FUZZ_LISTEN,
    FUZZ_REPLY,
    FUZZ_INVOKE,
    FUZZ_BLOCK,
    FUZZ_STOP_LISTENING,
    FUZZ_DROP_WEBVIEWS,
    FUZZ_CLOSE,
    N_FUZZ_MOODS,
} FuzzMood;

/* One that was accepted. */
typedef struct FuzzCall {
    unsigned n_settled;
    bool is_dropped; /* by its slot, so nobody is told */
    ipc_slot *slot;
} FuzzCall;

typedef struct FuzzClient {
    ipc_renderer *renderer;
    sd_bus *bus; /* the fuzzer's end */
    Ends ends;   /* main's ends of its lanes, and ports that it was given */
    bool is_honest; /* questions are answered at once, as a good main would */
    unsigned n_registered;
    sd_bus_message *questions[FUZZ_QUESTIONS_MAX]; /* that it has asked bus or main, the last ones */
    unsigned n_questions;
    FuzzCall calls[FUZZ_CALLS_MAX];
    unsigned n_calls;
    ipc_webview *webviews[FUZZ_WEBVIEWS_MAX];
    unsigned n_webviews;
    FuzzMood mood;
} FuzzClient;

/* It is ready when this returns, and main is honest. */
void fuzz_client_open(FuzzClient *self, ipc_renderer_flags flags);
void fuzz_client_close(FuzzClient *self);

/* Until nothing is under way. */
void fuzz_client_run(FuzzClient *self);

/* What the program does that has the renderer. */
void fuzz_client_act(FuzzClient *self, Input *input);

/* What main writes into the lane: any verb that a renderer is sent. */
void fuzz_client_send_packet(FuzzClient *self, Input *input);

/* The last question is answered as it should be. */
void fuzz_client_answer(FuzzClient *self, sd_bus_message *question);
