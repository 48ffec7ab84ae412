/* SPDX-License-Identifier: MIT */
#include "emitter-story.h"
#include "ipc-names.h"

/* Slots, the leak guard, and whatever comes at random. */

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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    story_add_test("slot", test_slot);
    story_add_test("slot-of-a-removed-listener", test_slot_of_a_removed_listener);
    story_add_test("slot-outlives-its-emitter", test_slot_outlives_its_emitter);
    story_add_test("slot-dropped-by-another-listener", test_slot_dropped_by_another_listener);
    story_add_test("leak-guard", test_leak_guard);
    story_add_test("no-guard-for-those-that-come-and-go", test_no_guard_for_those_that_come_and_go);
    story_add_test("random", test_random);
    return g_test_run();
}
