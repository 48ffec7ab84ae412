/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What all users share has no fixed parts: a user may have three times as much as is left for others. So one alone gets
 * three quarters, of several each gets less, and whoever comes finds something.
 */

#include <stdbool.h>
#include <stddef.h>

static inline bool share_allows(size_t used_by_user, size_t used, size_t more, size_t max)
{
    return used <= max && more <= max - used && (used_by_user + more) / 3 <= max - used - more;
}
