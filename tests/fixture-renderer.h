/* SPDX-License-Identifier: MIT */
#pragma once

/* More verbs for the tests of renderers: what callbacks wrote down, calls that block, mains in other processes. */

#include "fixture.h"
#include "macro.h"
#include "must.h"
#include "text.h"

#define _cleanup_json_ _cleanup_(json_cleanup)
#define _cleanup_slot_ _cleanup_(ipc_slot_unrefp)

/* ---- the diary: callbacks write words into it, the story compares them; make it before the fixture ---- */

typedef struct Diary {
    GString *words; /* with a space before each */
    GPtrArray *notes;
} Diary;

/* What a callback writes down, and does then: the userdata of on_note() and the like. Borrowed from the diary. */
typedef struct Note Note;
struct Note {
    Diary *diary;
    char *word;
    void (*act)(Note *note); /* NULL: nothing */
    Client *client;          /* for act */
    ipc_slot *slot;          /* for act: of the registration; the note drops it */
};

Diary *diary_new(void);
void diary_free(Diary *d);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Diary, diary_free)

Note *note_new(Diary *d, const char *word);
Note *note_new_acting(Diary *d, const char *word, Client *c, void (*act)(Note *note));
void diary_write(Diary *d, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Waits until exactly these words are there, lets all settle, finds no more of them, and forgets them. */
#define expect_diary(f, d, words) fixture_expect_diary(G_STRLOC, f, d, words)
void fixture_expect_diary(const char *where, Fixture *f, Diary *d, const char *words);

/* The same for what happened without the loop. */
#define assert_diary(d, words) diary_assert(G_STRLOC, d, words)
void diary_assert(const char *where, Diary *d, const char *words);

/* A listener writes the word, a reply the word and how the call ended: "word:ok", "word:NoHandler". */
void on_note(ipc_event *event, json_t *args, void *note);
void on_note_reply(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *note);

/* A change of the state, and a warning, write the word. */
void on_note_state(ipc_renderer *renderer, ipc_renderer_state state, const ipc_error *error, void *note);
void on_note_warning(const char *message, void *note);

/* "connecting", "ready", "gone:MainGone", "closed:MainGone": each change of the state. */
void note_states(Diary *d, Client *c);

/* The last word of an error's name; "ok" without an error. */
const char *error_word(const ipc_error *error);

/* ---- calls ---- */

/* Blocks; main must be in another process. */
Outcome *send_sync(Client *c, const char *channel, const char *args);

/* Many invokes at once, with [0], [1], ... as their arguments. */
GPtrArray *invoke_many(Client *c, const char *channel, unsigned n);

/* Each has settled in the end: resolved, or rejected with that error. */
#define assert_all_resolved(outcomes, json) outcomes_assert_resolved(G_STRLOC, outcomes, json)
#define assert_all_rejected(outcomes, name) outcomes_assert_rejected(G_STRLOC, outcomes, name)
void outcomes_assert_resolved(const char *where, GPtrArray *outcomes, const char *json);
void outcomes_assert_rejected(const char *where, GPtrArray *outcomes, const char *name);
unsigned count_settled(const GPtrArray *outcomes);

/* ---- main ---- */

/* Settles the oldest invocation that keep() kept. */
#define resolve_kept(f, json) fixture_resolve_kept(G_STRLOC, f, json)
void fixture_resolve_kept(const char *where, Fixture *f, const char *json);

/* keep(), which writes down the channel, and "CHANNEL-cancelled" where nobody waits for it any more. */
void keep_and_note(Fixture *f, Diary *d, const char *channel);

/*
 * What a main in another process does, for callers that block: it hears the channels "one" and "two", answers "add",
 * and resolves "heard" with all that it has heard, in order, as ["one:[1]", "add:[2]", ...].
 */
void serve_memory(ipc_app *app);
