/* SPDX-License-Identifier: MIT */
#pragma once

/* Ownership at a glance: cleanup variables, and the one spot where an owner hands over. */

#include <stddef.h>
#include <stdlib.h>
#include <sys/queue.h>

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _cleanup_free_ _cleanup_(freep)
#define _unused_ __attribute__((unused))

#define ELEMENTSOF(array) (sizeof(array) / sizeof((array)[0]))

#define TAKE_PTR(pointer)                            \
    ({                                               \
        __typeof__(pointer) *_owner_ = &(pointer);   \
        __typeof__(pointer) _taken_ = *_owner_;      \
        *_owner_ = NULL;                             \
        _taken_;                                     \
    })

#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))

/* The next one is read before the body runs, so the body may unlink the current one, and only that one. */
#ifndef TAILQ_FOREACH_SAFE
#define TAILQ_FOREACH_SAFE(var, head, field, next) \
    for ((var) = TAILQ_FIRST(head); (var) && ((next) = TAILQ_NEXT(var, field), 1); (var) = (next))
#endif

#ifndef LIST_FOREACH_SAFE
#define LIST_FOREACH_SAFE(var, head, field, next) \
    for ((var) = LIST_FIRST(head); (var) && ((next) = LIST_NEXT(var, field), 1); (var) = (next))
#endif

static inline void freep(void *pointer)
{
    free(*(void **)pointer);
}
