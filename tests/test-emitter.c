/* SPDX-License-Identifier: MIT */
#include "emitter-story.h"

/* Node's rules: the order of listeners, and what they may do to the list that runs them. */

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
    emit(s);
}

static void on_once(Story *s, const char *name)
{
    on_write(s, name);
    assert_count(s, 0);
    emit(s);
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
    emit(s);
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    story_add_test("order", test_order);
    story_add_test("prepend", test_prepend);
    story_add_test("once", test_once);
    story_add_test("once-dropped", test_once_dropped);
    story_add_test("channels", test_channels);
    story_add_test("off", test_off);
    story_add_test("off-removes-the-last-added", test_off_removes_the_last_added);
    story_add_test("remove-all", test_remove_all);
    story_add_test("removed-meanwhile", test_removed_meanwhile);
    story_add_test("removes-itself", test_removes_itself);
    story_add_test("drops-its-own-slot", test_drops_its_own_slot);
    story_add_test("added-meanwhile", test_added_meanwhile);
    story_add_test("removes-all-meanwhile", test_removes_all_meanwhile);
    story_add_test("nested", test_nested);
    story_add_test("nested-runs-what-was-added", test_nested_runs_what_was_added);
    story_add_test("nested-removes", test_nested_removes);
    return g_test_run();
}
