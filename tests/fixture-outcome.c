/* SPDX-License-Identifier: MIT */
#include "fixture-outcome.h"

#include <string.h>

#include "fixture.h"

Outcome *outcome_new(Fixture *f)
{
    Outcome *o = g_new0(Outcome, 1);

    o->fixture = f;
    g_ptr_array_add(f->outcomes, o);
    return o;
}

void outcome_free(Outcome *o)
{
    sd_bus_slot_unref(o->bus_slot);
    ipc_slot_unref(o->slot);
    sd_bus_message_unref(o->reply);
    json_decref(o->result);
    ipc_error_clear(&o->error);
    g_free(o);
}

static void outcome_count(Outcome *o)
{
    if (o->n_settled++ == 0)
        o->order = ++o->fixture->n_settled;
    else
        g_error("A call has settled %u times", o->n_settled);
}

static char *copy(const char *string)
{
    char *copied = strdup(string);

    g_assert_nonnull(copied);
    return copied;
}

void outcome_settle(Outcome *o, json_t *result, const ipc_error *error)
{
    outcome_count(o);
    g_assert_true(!result != !error);
    o->result = json_incref(result);
    if (!error)
        return;
    g_assert_nonnull(error->name);
    g_assert_nonnull(error->message);
    o->error.name = copy(error->name);
    o->error.message = copy(error->message);
    o->error.detail = json_incref(error->detail);
}

static void read_error(Outcome *o, sd_bus_message *reply)
{
    const sd_bus_error *error = sd_bus_message_get_error(reply);
    const char *detail;

    o->error.name = copy(error->name);
    o->error.message = copy(error->message ? error->message : "");
    if (sd_bus_message_rewind(reply, true) < 0 || sd_bus_message_has_signature(reply, "ss") <= 0)
        return;
    g_assert_cmpint(sd_bus_message_read(reply, "ss", NULL, &detail), >=, 0);
    o->error.detail = json_from(detail);
}

void outcome_settle_reply(Outcome *o, sd_bus_message *reply, bool is_result)
{
    const char *text;

    outcome_count(o);
    if (sd_bus_message_is_method_error(reply, NULL)) {
        read_error(o, reply);
    } else if (is_result) {
        g_assert_cmpint(sd_bus_message_read(reply, "s", &text), >, 0);
        o->result = json_from(text);
    } else {
        o->reply = sd_bus_message_ref(reply);
    }
}

Outcome *outcome_await(const char *where, Outcome *o)
{
    Wait wait = wait_begin(where, "the call to settle");

    while (!is_settled(o))
        wait_step(o->fixture, &wait);
    return o;
}

static const char *error_or_none(const Outcome *o)
{
    return o->error.name ? o->error.name : "no error";
}

static bool json_is(json_t *value, const char *json)
{
    json_t *expected = json ? json_from(json) : NULL;
    bool is_equal = value && expected ? json_equal(value, expected) : value == expected;

    json_decref(expected);
    return is_equal;
}

void outcome_assert_resolved(const char *where, Outcome *o, const char *json)
{
    g_autofree char *text = NULL;

    outcome_await(where, o);
    if (!o->result)
        g_error("%s: expected the result %s, got %s: %s", where, json, error_or_none(o), o->error.message);
    text = json_text(o->result);
    if (!json_is(o->result, json))
        g_error("%s: expected the result %s, got %s", where, json, text);
}

void outcome_assert_rejected(const char *where, Outcome *o, const char *name, const char *message)
{
    outcome_await(where, o);
    if (!ipc_error_is(&o->error, name))
        g_error("%s: expected %s, got %s: %s", where, name, error_or_none(o), o->error.message);
    if (message && strcmp(message, o->error.message) != 0)
        g_error("%s: expected the message\n  %s\ngot\n  %s", where, message, o->error.message);
}

void outcome_assert_detail(const char *where, Outcome *o, const char *json)
{
    g_autofree char *text = NULL;

    outcome_await(where, o);
    text = o->error.detail ? json_text(o->error.detail) : g_strdup("nothing");
    if (!json_is(o->error.detail, json))
        g_error("%s: expected the detail %s, got %s", where, json ? json : "to be missing", text);
}

void outcome_assert_replied(const char *where, Outcome *o, const char *types, ...)
{
    va_list values;
    int r;

    outcome_await(where, o);
    if (!o->reply)
        g_error("%s: expected a reply, got %s: %s", where, error_or_none(o), o->error.message);
    if (sd_bus_message_rewind(o->reply, true) < 0 || sd_bus_message_has_signature(o->reply, types) <= 0)
        g_error("%s: expected a reply of '%s', got '%s'", where, types, sd_bus_message_get_signature(o->reply, true));
    if (!*types)
        return;
    va_start(values, types);
    r = sd_bus_message_readv(o->reply, types, values);
    va_end(values);
    g_assert_cmpint(r, >, 0);
}
