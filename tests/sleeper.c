/* SPDX-License-Identifier: MIT */
#include "sleeper.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define LOOK_USEC 1000u /* us between two looks */

struct Sleeper {
    GThread *thread;
    char *stat; /* the file that tells what the maker does */
    void (*act)(void *userdata);
    void *userdata;
    int is_over;
    bool has_acted;
};

/* "PID (NAME) STATE ..." */
static bool is_asleep(const Sleeper *sleeper)
{
    g_autofree char *text = NULL;
    const char *end;

    if (!g_file_get_contents(sleeper->stat, &text, NULL, NULL))
        return false;
    end = strrchr(text, ')');
    return end && end[1] == ' ' && end[2] == 'S';
}

static gpointer run(gpointer userdata)
{
    Sleeper *sleeper = userdata;

    while (!g_atomic_int_get(&sleeper->is_over) && !is_asleep(sleeper))
        g_usleep(LOOK_USEC);
    if (g_atomic_int_get(&sleeper->is_over))
        return NULL;
    sleeper->has_acted = true;
    sleeper->act(sleeper->userdata);
    return NULL;
}

Sleeper *when_asleep(void (*act)(void *userdata), void *userdata)
{
    Sleeper *sleeper = g_new0(Sleeper, 1);

    sleeper->act = act;
    sleeper->userdata = userdata;
    sleeper->stat = g_strdup_printf("/proc/self/task/%d/stat", (int)gettid());
    sleeper->thread = g_thread_new("sleeper", run, sleeper);
    return sleeper;
}

void sleeper_end(Sleeper *sleeper)
{
    g_atomic_int_set(&sleeper->is_over, 1);
    g_thread_join(sleeper->thread);
    g_assert_true(sleeper->has_acted);
    g_free(sleeper->stat);
    g_free(sleeper);
}
