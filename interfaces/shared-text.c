/* SPDX-License-Identifier: MIT */
#include "shared-text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>

/*
 * A program that passes a text on has nothing but a pointer to it, and the text may have come by a lane, and leave by a
 * port. So what is known of a text is kept here, by its address, for the whole process. It is exact: another length is
 * another text, and one that begins in its middle, too.
 *
 * The file is as good for the third one as one of our own: it was checked when it came, and its seals last. Only large
 * texts come here, each of which costs far more than the lock and the tree do.
 */

typedef struct SharedText {
    const char *text; /* first, for what looks for it */
    size_t length;
    int fd;
} SharedText;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *texts; /* a tree */

static int compare(const void *a, const void *b)
{
    const char *one = ((const SharedText *)a)->text, *other = ((const SharedText *)b)->text;

    return (one > other) - (one < other);
}

static SharedText *find(const char *text)
{
    SharedText **found = tfind(&(SharedText){ .text = text }, &texts, compare);

    return found ? *found : NULL;
}

bool shared_text_add(const char *text, size_t length, int fd)
{
    SharedText *shared = malloc(sizeof(*shared)), **placed;
    bool is_new;

    if (!shared)
        return false;
    *shared = (SharedText){ .text = text, .length = length, .fd = fd };
    pthread_mutex_lock(&lock);
    placed = tsearch(shared, &texts, compare);
    pthread_mutex_unlock(&lock);
    is_new = placed && *placed == shared;
    if (!is_new)
        free(shared);
    return is_new;
}

void shared_text_remove(const char *text)
{
    SharedText *shared;

    pthread_mutex_lock(&lock);
    shared = find(text);
    if (shared)
        (void)tdelete(shared, &texts, compare);
    pthread_mutex_unlock(&lock);
    free(shared);
}

int shared_text_open(const char *text, size_t length, int *ret_fd)
{
    const SharedText *shared;
    int fd, r = 0;

    pthread_mutex_lock(&lock);
    shared = find(text);
    if (shared && shared->length == length) {
        fd = fcntl(shared->fd, F_DUPFD_CLOEXEC, 3);
        r = fd < 0 ? -errno : 1;
    }
    pthread_mutex_unlock(&lock);
    if (r > 0)
        *ret_fd = fd;
    return r;
}
