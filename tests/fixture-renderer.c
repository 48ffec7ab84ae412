/* SPDX-License-Identifier: MIT */
#include "fixture-renderer.h"

#include <string.h>

/* ---- the diary ---- */

static void note_free(void *note)
{
    ipc_slot_unref(((Note *)note)->slot);
    g_free(((Note *)note)->word);
    g_free(note);
}

Diary *diary_new(void)
{
    Diary *d = g_new0(Diary, 1);

    d->words = g_string_new(NULL);
    d->notes = g_ptr_array_new_with_free_func(note_free);
    return d;
}

void diary_free(Diary *d)
{
    g_string_free(d->words, TRUE);
    g_ptr_array_unref(d->notes);
    g_free(d);
}

Note *note_new(Diary *d, const char *word)
{
    Note *note = g_new0(Note, 1);

    note->diary = d;
    note->word = g_strdup(word);
    g_ptr_array_add(d->notes, note);
    return note;
}

Note *note_new_acting(Diary *d, const char *word, Client *c, void (*act)(Note *note))
{
    Note *note = note_new(d, word);

    note->client = c;
    note->act = act;
    return note;
}

void diary_write(Diary *d, const char *format, ...)
{
    va_list values;

    if (d->words->len > 0)
        g_string_append_c(d->words, ' ');
    va_start(values, format);
    g_string_append_vprintf(d->words, format, values);
    va_end(values);
}

void diary_assert(const char *where, Diary *d, const char *words)
{
    if (strcmp(d->words->str, words) != 0)
        g_error("%s: expected\n  %s\nin the diary, found\n  %s", where, words, d->words->str);
    g_string_truncate(d->words, 0);
}

void fixture_expect_diary(const char *where, Fixture *f, Diary *d, const char *words)
{
    g_autofree char *what = g_strdup_printf("the words %s", words);
    Wait wait = wait_begin(where, what);

    while (d->words->len < strlen(words))
        wait_step(f, &wait);
    fixture_settle(where, f);
    diary_assert(where, d, words);
}

static void note_act(Note *note)
{
    if (note->act)
        note->act(note);
}

void on_note(ipc_event *event, json_t *args, void *note)
{
    (void)event, (void)args;
    diary_write(((Note *)note)->diary, "%s", ((Note *)note)->word);
    note_act(note);
}

const char *error_word(const ipc_error *error)
{
    const char *dot = error ? strrchr(error->name, '.') : NULL;

    return dot ? dot + 1 : "ok";
}

void on_note_reply(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *note)
{
    (void)renderer;
    g_assert_true(!result != !error);
    diary_write(((Note *)note)->diary, "%s:%s", ((Note *)note)->word, error_word(error));
    note_act(note);
}

void on_note_state(ipc_renderer *renderer, ipc_renderer_state state, const ipc_error *error, void *note)
{
    (void)renderer, (void)state, (void)error;
    diary_write(((Note *)note)->diary, "%s", ((Note *)note)->word);
    note_act(note);
}

void on_note_warning(const char *message, void *note)
{
    (void)message;
    diary_write(((Note *)note)->diary, "%s", ((Note *)note)->word);
    note_act(note);
}

static void on_state(ipc_renderer *renderer, ipc_renderer_state state, const ipc_error *error, void *userdata)
{
    static const char *const words[] = { "connecting", "ready", "gone", "closed" };

    (void)renderer;
    if (error)
        diary_write(userdata, "%s:%s", words[state], error_word(error));
    else
        diary_write(userdata, "%s", words[state]);
}

void note_states(Diary *d, Client *c)
{
    must(ipc_renderer_on_state(c->renderer, NULL, on_state, d));
}

/* ---- calls ---- */

Outcome *send_sync(Client *c, const char *channel, const char *args)
{
    _cleanup_json_ json_t *json = json_from(args), *result = NULL;
    ipc_error error = IPC_ERROR_INIT;
    Outcome *o = outcome_new(c->fixture);
    int r;

    r = ipc_renderer_send_sync(c->renderer, channel, json, &result, &error);
    g_assert_cmpint(r, ==, -ipc_error_get_errno(&error));
    outcome_settle(o, result, r < 0 ? &error : NULL);
    ipc_error_clear(&error);
    return o;
}

GPtrArray *invoke_many(Client *c, const char *channel, unsigned n)
{
    GPtrArray *outcomes = g_ptr_array_new();
    unsigned i;

    for (i = 0; i < n; i++) {
        g_autofree char *args = g_strdup_printf("[%u]", i);

        g_ptr_array_add(outcomes, invoke_start(c, channel, args));
    }
    return outcomes;
}

void outcomes_assert_resolved(const char *where, GPtrArray *outcomes, const char *json)
{
    unsigned i;

    for (i = 0; i < outcomes->len; i++)
        outcome_assert_resolved(where, outcomes->pdata[i], json);
}

void outcomes_assert_rejected(const char *where, GPtrArray *outcomes, const char *name)
{
    unsigned i;

    for (i = 0; i < outcomes->len; i++)
        outcome_assert_rejected(where, outcomes->pdata[i], name, NULL);
}

unsigned count_settled(const GPtrArray *outcomes)
{
    unsigned i, n = 0;

    for (i = 0; i < outcomes->len; i++)
        n += is_settled(outcomes->pdata[i]);
    return n;
}

/* ---- main ---- */

void fixture_resolve_kept(const char *where, Fixture *f, const char *json)
{
    ipc_invocation *invocation = fixture_take_kept(where, f);
    _cleanup_json_ json_t *result = json_from(json);

    must(ipc_invocation_resolve(invocation, result));
    ipc_invocation_unref(invocation);
}

typedef struct Keeper {
    Note note; /* first: it is freed as one */
    Fixture *fixture;
} Keeper;

static void on_kept_cancelled(ipc_invocation *invocation, void *keeper)
{
    Keeper *k = keeper;

    (void)invocation;
    diary_write(k->note.diary, "%s-cancelled", k->note.word);
}

static int on_keep_and_note(ipc_invocation *invocation, json_t *args, void *keeper)
{
    Keeper *k = keeper;

    (void)args;
    diary_write(k->note.diary, "%s", k->note.word);
    g_queue_push_tail(&k->fixture->kept, ipc_invocation_ref(invocation));
    return ipc_invocation_on_cancelled(invocation, on_kept_cancelled, keeper);
}

void keep_and_note(Fixture *f, Diary *d, const char *channel)
{
    Keeper *k = g_new0(Keeper, 1);

    k->note.diary = d;
    k->note.word = g_strdup(channel);
    k->fixture = f;
    g_ptr_array_add(d->notes, k);
    must(ipc_main_handle(f->main, NULL, channel, on_keep_and_note, k));
}

/* ---- a main in another process: its memory is its own ---- */

static json_t *memory;

static void remember(const char *channel, const json_t *args)
{
    g_autofree char *text = json_text(args), *word = g_strdup_printf("%s:%s", channel, text);

    must(json_array_append_new(memory, json_string(word)));
}

static void on_remember(ipc_event *event, json_t *args, void *userdata)
{
    (void)userdata;
    remember(ipc_event_get_channel(event), args);
}

static int on_add(ipc_invocation *invocation, json_t *args, void *userdata)
{
    json_int_t sum = 0;
    json_t *number;
    size_t i;

    (void)userdata;
    remember("add", args);
    json_array_foreach(args, i, number)
        sum += json_integer_value(number);
    return ipc_invocation_resolvef(invocation, "I", sum);
}

static int on_heard(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)args, (void)userdata;
    return ipc_invocation_resolve(invocation, memory);
}

static void on_heard_sync(ipc_event *event, json_t *args, void *userdata)
{
    (void)args, (void)userdata;
    must(ipc_event_return(event, memory));
}

void serve_memory(ipc_app *app)
{
    ipc_main *m = ipc_app_get_main(app);

    memory = json_array();
    must(ipc_main_on(m, NULL, "one", on_remember, NULL));
    must(ipc_main_on(m, NULL, "two", on_remember, NULL));
    must(ipc_main_handle(m, NULL, "add", on_add, NULL));
    must(ipc_main_handle(m, NULL, "heard", on_heard, NULL));
    must(ipc_main_on(m, NULL, "heard", on_heard_sync, NULL));
}
