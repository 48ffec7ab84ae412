/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Out of memory, at each place where it can happen: a scene is played over and over, and the first, the second, the
 * third ... allocation fails, until there are no more. Whatever happens then, nothing crashes, leaks or hangs: a call
 * tells, or settles with an error, and what follows works.
 *
 * Who uses this is linked with the library's objects, so that the linker can wrap what they allocate with.
 */

#include <stdio.h>

#include "fixture-renderer.h"

/* ---- allocations ---- */

/* Begins or goes on with a series, in which those of the library fail or, if not, those of jansson. */
void memory_fail_next(bool by_library, unsigned *n);

/* They succeed again; the answer is whether one has failed. */
bool memory_recover(void);

/* ---- the stage: nothing on it allocates while a scene is played, but what is under test ---- */

typedef struct Stage {
    Fixture *fixture;
    bool has_lanes; /* its renderers do */
    Client *a;
    Client *b; /* the guest of a */
    Client *foreign;
    ipc_webview *webview;
    json_t *args;
    int lines; /* of one who watches: what is told is told whole, or missing */
} Stage;

typedef void (*Scene)(Stage *s);

typedef struct NamedScene {
    const char *name;
    Scene scene;
    bool has_json; /* jansson allocates in it */
} NamedScene;

/* Each becomes a test, or two: one of the library's allocations, and one of jansson's. */
void add_scenes(const char *path, const NamedScene *scenes, size_t n_scenes, bool has_lanes);

/* To be called first. Each allocation of each scene would take hours under valgrind: then the answer is false. */
bool memory_init(int *argc, char ***argv);

/* ---- for scenes ---- */

/* A renderer that has registered, and one that has not begun to. */
Client *stage_new_renderer(const Stage *s);
Client *stage_make_renderer(const Stage *s);

/* How a call ended. */
typedef struct Ending {
    unsigned n;
    bool is_timeout;
} Ending;

void on_end(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *ending);
void await_end(Stage *s, const Ending *ending);

/* Done, or refused for want of memory. */
bool is_done(int r);

/* More than the text layer has room for without allocating. */
json_t *long_args(void);

/* The handlers of the stage: "echo", "fail", "drop". */
int on_echo(ipc_invocation *invocation, json_t *args, void *userdata);
