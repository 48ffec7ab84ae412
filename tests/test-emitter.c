/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "emitter.h"
#include "ipc-names.h"
#include "must.h"

/* The emitter, heard through a diary: each listener writes its name, which is its userdata. */

typedef struct Story {
    Emitter emitter;
    GString *diary;
    ipc_slot *slot;        /* of the listener that on_drop() drops */
    const char *subject;   /* of the listener that on_off(), on_add() and on_prepend() mean */
    unsigned depth;        /* of emissions within each other, for on_nest() */
    gboolean is_nested;    /* more is written than one emission counts */
    unsigned n_leaks;
    char *leaky;
} Story;

typedef void (*Listener)(Story *s, const char *name);

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

/* ---- verbs ---- */

static void on_write(Story *s, const char *name)
{
    g_string_append(s->diary, name);
}

static void add_as(Story *s, EmitterFlags flags, const char *name, Listener listener)
{
    must(emitter_add(&s->emitter, NULL, "x", flags, (EmitterFunction)listener, (void *)name));
}

static void add(Story *s, const char *name)
{
    add_as(s, 0, name, on_write);
}

static ipc_slot *add_slot(Story *s, const char *name)
{
    ipc_slot *slot;

    must(emitter_add(&s->emitter, &slot, "x", 0, (EmitterFunction)on_write, (void *)name));
    return slot;
}

static int off(Story *s, const char *name)
{
    return emitter_remove(&s->emitter, "x", (EmitterFunction)on_write, (void *)name);
}

static void assert_emits(Story *s, const char *diary)
{
    size_t n;

    g_string_truncate(s->diary, 0);
    n = emitter_emit(&s->emitter, "x", call_listener, s);
    g_assert_cmpstr(s->diary->str, ==, diary);
    /* Every name has one letter. */
    if (!s->is_nested)
        g_assert_cmpuint(n, ==, strlen(diary));
}

static void assert_count(Story *s, size_t n)
{
    g_assert_cmpuint(emitter_count(&s->emitter, "x"), ==, n);
}

static void assert_channels(Story *s, const char *expected)
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

/* ---- listeners that do things ---- */

static void on_off(Story *s, const char *name)
{
    on_write(s, name);
    (void)off(s, s->subject);
}

static void on_off_self(Story *s, const char *name)
{
    on_write(s, name);
    must(emitter_remove(&s->emitter, "x", (EmitterFunction)on_off_self, (void *)name));
}

static void on_drop(Story *s, const char *name)
{
    on_write(s, name);
    s->slot = ipc_slot_unref(s->slot);
}

static void on_add(Story *s, const char *name)
{
    on_write(s, name);
    add(s, s->subject);
}

static void on_prepend(Story *s, const char *name)
{
    on_write(s, name);
    add_as(s, EMITTER_PREPEND, s->subject, on_write);
}

static void on_remove_all(Story *s, const char *name)
{
    on_write(s, name);
    emitter_remove_all(&s->emitter, s->subject);
}

static void on_start_afresh(Story *s, const char *name)
{
    on_write(s, name);
    emitter_remove_all(&s->emitter, NULL);
    assert_count(s, 0);
    assert_channels(s, "");
    add(s, s->subject);
    assert_count(s, 1);
}

static void on_nest(Story *s, const char *name)
{
    on_write(s, name);
    if (s->depth == 0)
        return;
    s->depth--;
    emitter_emit(&s->emitter, "x", call_listener, s);
}

static void on_once(Story *s, const char *name)
{
    on_write(s, name);
    assert_count(s, 0);
    emitter_emit(&s->emitter, "x", call_listener, s);
}

/* ---- order ---- */

static void test_order(Story *s, gconstpointer data)
{
    (void)data;
    assert_emits(s, "");
    add(s, "a");
    add(s, "b");
    add(s, "c");
    assert_emits(s, "abc");
    assert_emits(s, "abc");
    assert_count(s, 3);
}

static void test_prepend(Story *s, gconstpointer data)
{
    (void)data;
    add(s, "a");
    add_as(s, EMITTER_PREPEND, "b", on_write);
    add_as(s, EMITTER_PREPEND | EMITTER_ONCE, "c", on_write);
    assert_emits(s, "cba");
    assert_emits(s, "ba");
}

static void test_once(Story *s, gconstpointer data)
{
    (void)data;
    /* It is gone before it runs, so an emission from within does not run it again. */
    add_as(s, EMITTER_ONCE, "a", on_once);
    assert_emits(s, "a");
    assert_emits(s, "");
    assert_channels(s, "");
}

static void test_once_dropped(Story *s, gconstpointer data)
{
    ipc_slot *slot;

    (void)data;
    must(emitter_add(&s->emitter, &slot, "x", EMITTER_ONCE, (EmitterFunction)on_write, (void *)"a"));
    assert_emits(s, "a");
    assert_emits(s, "");
    ipc_slot_unref(slot);
    must(emitter_add(&s->emitter, &s->slot, "x", EMITTER_ONCE, (EmitterFunction)on_drop, (void *)"b"));
    assert_emits(s, "b");
    g_assert_null(s->slot);
}

static void test_channels(Story *s, gconstpointer data)
{
    (void)data;
    assert_channels(s, "");
    must(emitter_add(&s->emitter, NULL, "z", 0, (EmitterFunction)on_write, (void *)"z"));
    must(emitter_add(&s->emitter, NULL, "\xc3\xa9", 0, (EmitterFunction)on_write, (void *)"e"));
    must(emitter_add(&s->emitter, NULL, "a", 0, (EmitterFunction)on_write, (void *)"a"));
    add(s, "x");
    assert_channels(s, "a x z \xc3\xa9");
    assert_emits(s, "x");
    g_assert_cmpuint(emitter_count(&s->emitter, "nobody"), ==, 0);
    emitter_remove_all(&s->emitter, "x");
    assert_channels(s, "a z \xc3\xa9");
}

/* ---- removing ---- */

static void test_off(Story *s, gconstpointer data)
{
    (void)data;
    must_fail(off(s, "a"), ENOENT);
    add(s, "a");
    add(s, "b");
    must_fail(off(s, "c"), ENOENT);
    must_fail(emitter_remove(&s->emitter, "x", (EmitterFunction)on_off, (void *)"a"), ENOENT);
    must_fail(emitter_remove(&s->emitter, "y", (EmitterFunction)on_write, (void *)"a"), ENOENT);
    must(off(s, "a"));
    assert_emits(s, "b");
    must(off(s, "b"));
    must_fail(off(s, "b"), ENOENT);
    assert_channels(s, "");
}

static void test_off_removes_the_last_added(Story *s, gconstpointer data)
{
    (void)data;
    add(s, "a");
    add(s, "b");
    add(s, "a");
    assert_emits(s, "aba");
    must(off(s, "a"));
    assert_emits(s, "ab");

    /* The last added is not the last in the list. */
    add_as(s, EMITTER_PREPEND, "b", on_write);
    assert_emits(s, "bab");
    must(off(s, "b"));
    assert_emits(s, "ab");
}

static void test_remove_all(Story *s, gconstpointer data)
{
    (void)data;
    emitter_remove_all(&s->emitter, "x");
    emitter_remove_all(&s->emitter, NULL);
    add(s, "a");
    add(s, "b");
    must(emitter_add(&s->emitter, NULL, "y", 0, (EmitterFunction)on_write, (void *)"y"));
    emitter_remove_all(&s->emitter, "x");
    assert_emits(s, "");
    assert_channels(s, "y");
    add(s, "a");
    emitter_remove_all(&s->emitter, NULL);
    assert_channels(s, "");
}

/* ---- during an emission ---- */

static void test_removed_meanwhile(Story *s, gconstpointer data)
{
    (void)data;
    /* Its userdata may be gone, so it does not run any more. */
    add(s, "a");
    add_as(s, 0, "b", on_off);
    add(s, "c");
    add(s, "d");
    s->subject = "c";
    assert_emits(s, "abd");
    s->subject = "a";
    assert_emits(s, "abd");
    assert_emits(s, "bd");
    assert_count(s, 2);
}

static void test_removes_itself(Story *s, gconstpointer data)
{
    (void)data;
    add_as(s, 0, "a", on_off_self);
    add(s, "b");
    assert_emits(s, "ab");
    assert_emits(s, "b");
}

static void test_drops_its_own_slot(Story *s, gconstpointer data)
{
    (void)data;
    must(emitter_add(&s->emitter, &s->slot, "x", 0, (EmitterFunction)on_drop, (void *)"a"));
    assert_emits(s, "a");
    g_assert_null(s->slot);
    assert_emits(s, "");
    assert_channels(s, "");
}

static void test_added_meanwhile(Story *s, gconstpointer data)
{
    (void)data;
    s->subject = "c";
    add_as(s, EMITTER_ONCE, "a", on_add);
    add_as(s, EMITTER_ONCE, "b", on_prepend);
    assert_emits(s, "ab");
    assert_emits(s, "cc");
}

static void test_removes_all_meanwhile(Story *s, gconstpointer data)
{
    (void)data;
    s->subject = "x";
    add(s, "a");
    add_as(s, 0, "b", on_remove_all);
    add(s, "c");
    assert_emits(s, "ab");
    assert_channels(s, "");

    /* Of every channel, and it begins again. */
    s->subject = "d";
    must(emitter_add(&s->emitter, NULL, "y", 0, (EmitterFunction)on_write, (void *)"y"));
    add_as(s, 0, "b", on_start_afresh);
    add(s, "c");
    assert_emits(s, "b");
    assert_emits(s, "d");
    assert_channels(s, "x");
}

static void test_nested(Story *s, gconstpointer data)
{
    (void)data;
    add(s, "a");
    add_as(s, 0, "b", on_nest);
    add(s, "c");
    s->is_nested = TRUE;
    s->depth = 2;
    assert_emits(s, "abababccc");
}

static void on_add_and_nest(Story *s, const char *name)
{
    on_add(s, name);
    emitter_emit(&s->emitter, "x", call_listener, s);
}

static void test_nested_runs_what_was_added(Story *s, gconstpointer data)
{
    (void)data;
    s->subject = "c";
    add_as(s, EMITTER_ONCE, "a", on_add_and_nest);
    add(s, "b");
    s->is_nested = TRUE;
    assert_emits(s, "abcb");
    s->is_nested = FALSE;
    assert_emits(s, "bc");
}

/* An inner emission must not free what an outer one still walks over. */
static void test_nested_removes(Story *s, gconstpointer data)
{
    (void)data;
    s->subject = "c";
    s->is_nested = TRUE;
    s->depth = 1;
    add_as(s, 0, "a", on_nest);
    add_as(s, 0, "b", on_off);
    add(s, "c");
    add(s, "d");
    assert_emits(s, "aabdbd");
    assert_count(s, 3);
}

/* ---- slots ---- */

static void test_slot(Story *s, gconstpointer data)
{
    ipc_slot *a = add_slot(s, "a"), *b = add_slot(s, "b");

    (void)data;
    g_assert_true(ipc_slot_ref(a) == a);
    g_assert_null(ipc_slot_unref(a));
    assert_emits(s, "ab");
    g_assert_null(ipc_slot_unref(a));
    assert_emits(s, "b");
    ipc_slot_unref(b);
    assert_channels(s, "");
    g_assert_null(ipc_slot_ref(NULL));
    g_assert_null(ipc_slot_unref(NULL));
}

static void test_slot_of_a_removed_listener(Story *s, gconstpointer data)
{
    ipc_slot *a = add_slot(s, "a");

    (void)data;
    add(s, "b");
    must(off(s, "a"));
    assert_emits(s, "b");
    add(s, "a");
    /* It leads nowhere, and so not to the other "a". */
    ipc_slot_unref(a);
    assert_emits(s, "ba");
}

static void test_slot_outlives_its_emitter(Story *s, gconstpointer data)
{
    ipc_slot *a = add_slot(s, "a"), *b = add_slot(s, "b");

    (void)data;
    emitter_clear(&s->emitter);
    ipc_slot_ref(a);
    ipc_slot_unref(a);
    ipc_slot_unref(a);
    ipc_slot_unref(b);
    assert_emits(s, "");
}

static void test_slot_dropped_by_another_listener(Story *s, gconstpointer data)
{
    (void)data;
    add_as(s, 0, "a", on_drop);
    s->slot = add_slot(s, "b");
    add(s, "c");
    assert_emits(s, "ac");
    assert_emits(s, "ac");
}

/* ---- the leak guard ---- */

static void test_leak_guard(Story *s, gconstpointer data)
{
    unsigned i;

    (void)data;
    for (i = 0; i < IPC_LISTENERS_MAX; i++)
        add(s, "a");
    g_assert_cmpuint(s->n_leaks, ==, 0);
    add(s, "a");
    g_assert_cmpuint(s->n_leaks, ==, 1);
    g_assert_cmpstr(s->leaky, ==, "x");

    /* Once is enough, even if it shrinks and grows again. */
    add(s, "a");
    must(off(s, "a"));
    must(off(s, "a"));
    add(s, "a");
    g_assert_cmpuint(s->n_leaks, ==, 1);
    for (i = 0; i <= IPC_LISTENERS_MAX; i++)
        must(emitter_add(&s->emitter, NULL, "y", 0, (EmitterFunction)on_write, (void *)"y"));
    g_assert_cmpuint(s->n_leaks, ==, 2);
    g_assert_cmpstr(s->leaky, ==, "y");
}

static void test_no_guard_for_those_that_come_and_go(Story *s, gconstpointer data)
{
    unsigned i;

    (void)data;
    for (i = 0; i < 100; i++) {
        add_as(s, EMITTER_ONCE, "a", on_write);
        assert_emits(s, "a");
    }
    g_assert_cmpuint(s->n_leaks, ==, 0);
}

/* ---- at random, against a list that is easy to get right ---- */

static const char *const names[] = { "a", "b", "c", "d" };

static void model_off(GPtrArray *list, GArray *ages, guint last)
{
    if (last == G_MAXUINT)
        return;
    g_ptr_array_remove_index(list, last);
    g_array_remove_index(ages, last);
}

static guint model_find_last_added(GPtrArray *list, GArray *ages, const char *name)
{
    guint i, found = G_MAXUINT;

    for (i = 0; i < list->len; i++)
        if (list->pdata[i] == name &&
            (found == G_MAXUINT || g_array_index(ages, guint, i) > g_array_index(ages, guint, found)))
            found = i;
    return found;
}

static void test_random(Story *s, gconstpointer data)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    g_autoptr(GArray) ages = g_array_new(FALSE, FALSE, sizeof(guint));
    guint age, i;

    (void)data;
    for (age = 0; age < 2000; age++) {
        const char *name = names[g_test_rand_int_range(0, G_N_ELEMENTS(names))];
        gboolean is_prepended = g_test_rand_bit();
        g_autoptr(GString) expected = g_string_new(NULL);

        if (list->len < 20 && g_test_rand_bit()) {
            add_as(s, is_prepended ? EMITTER_PREPEND : 0, name, on_write);
            g_ptr_array_insert(list, is_prepended ? 0 : -1, (gpointer)name);
            g_array_insert_val(ages, is_prepended ? 0 : ages->len, age);
        } else {
            guint last = model_find_last_added(list, ages, name);

            g_assert_cmpint(off(s, name), ==, last == G_MAXUINT ? -ENOENT : 0);
            model_off(list, ages, last);
        }
        for (i = 0; i < list->len; i++)
            g_string_append(expected, list->pdata[i]);
        assert_emits(s, expected->str);
        assert_count(s, list->len);
    }
}

static void add_test(const char *name, void (*test)(Story *s, gconstpointer data))
{
    g_autofree char *path = g_strconcat("/emitter/", name, NULL);

    g_test_add(path, Story, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_test("order", test_order);
    add_test("prepend", test_prepend);
    add_test("once", test_once);
    add_test("once-dropped", test_once_dropped);
    add_test("channels", test_channels);
    add_test("off", test_off);
    add_test("off-removes-the-last-added", test_off_removes_the_last_added);
    add_test("remove-all", test_remove_all);
    add_test("removed-meanwhile", test_removed_meanwhile);
    add_test("removes-itself", test_removes_itself);
    add_test("drops-its-own-slot", test_drops_its_own_slot);
    add_test("added-meanwhile", test_added_meanwhile);
    add_test("removes-all-meanwhile", test_removes_all_meanwhile);
    add_test("nested", test_nested);
    add_test("nested-runs-what-was-added", test_nested_runs_what_was_added);
    add_test("nested-removes", test_nested_removes);
    add_test("slot", test_slot);
    add_test("slot-of-a-removed-listener", test_slot_of_a_removed_listener);
    add_test("slot-outlives-its-emitter", test_slot_outlives_its_emitter);
    add_test("slot-dropped-by-another-listener", test_slot_dropped_by_another_listener);
    add_test("leak-guard", test_leak_guard);
    add_test("no-guard-for-those-that-come-and-go", test_no_guard_for_those_that_come_and_go);
    add_test("random", test_random);
    return g_test_run();
}
