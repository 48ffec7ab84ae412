/* SPDX-License-Identifier: MIT */
#include "emitter-story.h"

static void call_listener(EmitterFunction function, void *userdata, void *context)
{
    ((Listener)function)(context, userdata);
}

static void on_leak(const char *channel, void *userdata)
{
    Story *s = userdata;

    s->n_leaks++;
    g_free(s->leaky);
    s->leaky = g_strdup(channel);
}

static void set_up(Story *s, gconstpointer data)
{
    (void)data;
    s->diary = g_string_new(NULL);
    s->emitter.leak = on_leak;
    s->emitter.leak_userdata = s;
}

static void tear_down(Story *s, gconstpointer data)
{
    (void)data;
    emitter_clear(&s->emitter);
    g_string_free(s->diary, TRUE);
    g_free(s->leaky);
}

void on_write(Story *s, const char *name)
{
    g_string_append(s->diary, name);
}

void add_as(Story *s, EmitterFlags flags, const char *name, Listener listener)
{
    must(emitter_add(&s->emitter, NULL, "x", flags, (EmitterFunction)listener, (void *)name));
}

void add(Story *s, const char *name)
{
    add_as(s, 0, name, on_write);
}

ipc_slot *add_slot(Story *s, const char *name)
{
    ipc_slot *slot;

    must(emitter_add(&s->emitter, &slot, "x", 0, (EmitterFunction)on_write, (void *)name));
    return slot;
}

int off(Story *s, const char *name)
{
    return emitter_remove(&s->emitter, "x", (EmitterFunction)on_write, (void *)name);
}

void assert_emits(Story *s, const char *diary)
{
    size_t n;

    g_string_truncate(s->diary, 0);
    n = emitter_emit(&s->emitter, "x", call_listener, s);
    g_assert_cmpstr(s->diary->str, ==, diary);
    /* Every name has one letter. */
    if (!s->is_nested)
        g_assert_cmpuint(n, ==, strlen(diary));
}

void assert_count(Story *s, size_t n)
{
    g_assert_cmpuint(emitter_count(&s->emitter, "x"), ==, n);
}

void assert_channels(Story *s, const char *expected)
{
    char **names = NULL;
    int n, i;

    n = must(emitter_channel_names(&s->emitter, &names));
    g_autofree char *joined = g_strjoinv(" ", names);
    g_assert_cmpstr(joined, ==, expected);
    g_assert_null(names[n]);
    for (i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

void on_drop(Story *s, const char *name)
{
    on_write(s, name);
    s->slot = ipc_slot_unref(s->slot);
}

void emit(Story *s)
{
    emitter_emit(&s->emitter, "x", call_listener, s);
}

void story_add_test(const char *name, StoryTest test)
{
    g_autofree char *path = g_strconcat("/emitter/", name, NULL);

    g_test_add(path, Story, NULL, set_up, test, tear_down);
}
