/* SPDX-License-Identifier: MIT */
#pragma once

/* A call that must succeed: its answer, or the end of the test with its errno. */

#include <glib.h>

#define must(call)                                                            \
    ({                                                                        \
        int must_ = (call);                                                   \
                                                                              \
        if (must_ < 0)                                                        \
            g_error("%s: %s: %s", G_STRLOC, #call, g_strerror(-must_));       \
        must_;                                                                \
    })

/* The errno that a call must answer. */
#define must_fail(call, number) g_assert_cmpint(call, ==, -(number))
