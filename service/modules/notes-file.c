/* SPDX-License-Identifier: MIT */
#include "notes-file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "macro.h"

#define NAME "notes.json"
#define LOCK_NAME "notes.lock"

#define LOCK_TRIES 100u                    /* an instance that is on its way out still has the lock: 2 s at most */
#define LOCK_PAUSE_NSEC (20 * 1000 * 1000) /* between two tries */

/*
 * Users link the file to where they want it. The link is followed once, and what is at its end is the file; the folder,
 * the temporary file and the lock are those there, so that two links to one file are one.
 */
struct NotesFile {
    char *path;          /* where it is looked for */
    char link[PATH_MAX]; /* what the link there says; empty: it is none */
    char *target;        /* where it is: the path, unless that is a link */
    char *folder_path;
    char *temporary; /* one is enough: who writes it has the lock */
    char *lock_path;
    int folder;
    int lock;
};

static void closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static char *join(const char *first, const char *second)
{
    char *joined;

    return asprintf(&joined, "%s%s", first, second) < 0 ? NULL : joined;
}

/* There are file systems that cannot sync a folder, and say so. */
static int sync_folder(int fd)
{
    return fsync(fd) == 0 || errno == EINVAL ? 0 : -errno;
}

/* ---- the folder ---- */

/* A new folder is an entry in the one above it, and as little worth as that one before it is on the disk. */
static int sync_parent(char *path)
{
    _cleanup_(closep) int parent = -1;
    char *slash = strrchr(path, '/');

    *slash = '\0';
    parent = open(slash == path ? "/" : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *slash = '/';
    if (parent < 0)
        return errno == EACCES ? 0 : -errno; /* it may be written to, and not read: then nothing more can be done */
    return sync_folder(parent);
}

/* As mkdir -p. What exists and is no folder shows when the folder is opened. */
static int make_folder(char *path)
{
    char *slash = strrchr(path, '/');
    int r;

    if (mkdir(path, 0700) == 0)
        return sync_parent(path);
    if (errno == EEXIST)
        return 0;
    if (errno != ENOENT || slash == path)
        return -errno;

    *slash = '\0';
    r = make_folder(path);
    *slash = '/';
    if (r < 0)
        return r;
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return -errno;
    return sync_parent(path);
}

static int make_folders(const char *folder)
{
    _cleanup_free_ char *path = strdup(folder);
    int r;

    if (!path)
        return log_oom();
    r = make_folder(path);
    if (r < 0)
        log_errno(LOG_ERR, r, "notes: cannot use the folder %s", folder);
    return r;
}

static int open_folder(NotesFile *file)
{
    int r;

    file->folder = open(file->folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->folder >= 0)
        return 0;
    r = -errno;
    log_errno(LOG_ERR, r, "notes: cannot use the folder %s", file->folder_path);
    return r;
}

/* ---- the place ---- */

static void read_link(const char *path, char link[static PATH_MAX])
{
    ssize_t n = readlink(path, link, PATH_MAX - 1);

    link[n > 0 ? n : 0] = '\0';
}

/* A link to nothing may be one to a disk that is not there yet: to start empty would hide the notes on it. */
static int follow_link(NotesFile *file)
{
    int r;

    read_link(file->path, file->link);
    file->target = file->link[0] ? realpath(file->path, NULL) : strdup(file->path);
    if (file->target)
        return 0;
    if (errno == ENOMEM)
        return log_oom();
    r = -errno;
    log_errno(LOG_ERR, r, "notes: cannot follow %s, which is a link to %s", file->path, file->link);
    return r;
}

static int name_files(NotesFile *file)
{
    const char *slash = strrchr(file->target, '/');

    file->folder_path = slash == file->target ? strdup("/") : strndup(file->target, (size_t)(slash - file->target));
    file->temporary = join(file->target, ".tmp");
    file->lock_path = file->folder_path ? join(file->folder_path, "/" LOCK_NAME) : NULL;
    return file->folder_path && file->temporary && file->lock_path ? 0 : log_oom();
}

/* What cannot be looked at is told of when it is read. */
static int check_kind(const NotesFile *file)
{
    struct stat st;

    if (stat(file->target, &st) < 0 || S_ISREG(st.st_mode))
        return 0;
    log_error("notes: cannot read %s: it is no regular file", file->path);
    return -EINVAL;
}

static int find_place(NotesFile *file, const char *folder)
{
    int r;

    file->path = join(folder, "/" NAME);
    if (!file->path)
        return log_oom();
    r = make_folders(folder);
    if (r < 0)
        return r;
    r = follow_link(file);
    if (r < 0)
        return r;
    r = name_files(file);
    return r < 0 ? r : check_kind(file);
}

/* ---- the lock ---- */

static int wait_for_lock(int lock)
{
    for (unsigned i = 0; i < LOCK_TRIES; i++) {
        if (flock(lock, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -errno;
        nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_NSEC }, NULL);
    }
    return -EBUSY;
}

static int take_lock(NotesFile *file)
{
    int r;

    file->lock = open(file->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    r = file->lock < 0 ? -errno : wait_for_lock(file->lock);
    if (r == -EBUSY)
        log_error("notes: another process uses the notes in %s", file->folder_path);
    else if (r < 0)
        log_errno(LOG_ERR, r, "notes: cannot lock %s", file->lock_path);
    return r;
}

/*
 * A lock binds only those who find it. When somebody has removed it, the next process makes one of its own; when the
 * folder was moved, or the link changed, a restart does not find what is written there. So each ends the writing.
 */
static int check_place(const NotesFile *file)
{
    struct stat ours, found;
    char link[PATH_MAX];

    read_link(file->path, link);
    if (strcmp(link, file->link) != 0)
        return -ENOLINK;
    if (fstat(file->lock, &ours) < 0 || lstat(file->lock_path, &found) < 0)
        return -ESTALE;
    return found.st_ino == ours.st_ino && found.st_dev == ours.st_dev ? 0 : -ESTALE;
}

/* ---- the file ---- */

static void notes_file_closep(NotesFile **file)
{
    notes_file_close(*file);
}

int notes_file_open(NotesFile **ret_file, const char *folder)
{
    _cleanup_(notes_file_closep) NotesFile *file = NULL;
    int r;

    file = calloc(1, sizeof(*file));
    if (!file)
        return log_oom();
    file->folder = file->lock = -1;
    r = find_place(file, folder);
    if (r < 0)
        return r;
    r = open_folder(file);
    if (r < 0)
        return r;
    r = take_lock(file);
    if (r < 0)
        return r;
    if (unlink(file->temporary) < 0 && errno != ENOENT) {
        r = -errno;
        log_errno(LOG_ERR, r, "notes: cannot remove %s", file->temporary);
        return r;
    }
    *ret_file = TAKE_PTR(file);
    return 0;
}

NotesFile *notes_file_close(NotesFile *file)
{
    if (!file)
        return NULL;
    closep(&file->lock);
    closep(&file->folder);
    free(file->lock_path);
    free(file->temporary);
    free(file->folder_path);
    free(file->target);
    free(file->path);
    free(file);
    return NULL;
}

const char *notes_file_get_path(const NotesFile *file)
{
    return file->path;
}

/* Answers how many bytes there were; fewer than asked for only at the end of the file. */
static ssize_t read_all(int fd, char *data, size_t size)
{
    size_t done = 0;
    ssize_t n;

    while (done < size) {
        n = read(fd, data + done, size - done);
        if (n == 0)
            break;
        if (n > 0)
            done += (size_t)n;
        else if (errno != EINTR)
            return -errno;
    }
    return (ssize_t)done;
}

int notes_file_read(NotesFile *file, char **ret_data, size_t *ret_size)
{
    _cleanup_(closep) int fd = -1;
    _cleanup_free_ char *data = NULL;
    struct stat st;
    ssize_t size;

    fd = open(file->target, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;

    data = malloc((size_t)st.st_size + 1);
    if (!data)
        return -ENOMEM;
    size = read_all(fd, data, (size_t)st.st_size);
    if (size < 0)
        return (int)size;
    *ret_data = TAKE_PTR(data);
    *ret_size = (size_t)size;
    return 0;
}

static int write_all(int fd, const char *data, size_t size)
{
    size_t done = 0;
    ssize_t n;

    while (done < size) {
        n = write(fd, data + done, size - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            return -errno;
    }
    return 0;
}

/*
 * The lock is looked at as late as can be. Whoever takes another one after that first removes our temporary file, so
 * that we fail, or comes after the rename, and reads what we wrote.
 */
static int replace(NotesFile *file, const char *data, size_t size)
{
    _cleanup_(closep) int fd = -1;
    int r;

    fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == ENOENT ? -ESTALE : -errno; /* the folder is not there any more */
    r = write_all(fd, data, size);
    if (r >= 0 && fsync(fd) < 0)
        r = -errno;
    if (r >= 0)
        r = check_place(file);
    if (r >= 0 && rename(file->temporary, file->target) < 0)
        r = -errno;
    if (r < 0)
        unlink(file->temporary);
    return r;
}

int notes_file_write(NotesFile *file, const char *data, size_t size)
{
    int r;

    r = replace(file, data, size);
    if (r < 0)
        return r;
    /*
     * If this fails, the new file is in place and may not stay. There is no way back; the caller is told that nothing
     * was saved, and the next write puts the file right.
     */
    return sync_folder(file->folder);
}

char *notes_file_explain(const NotesFile *file, int r)
{
    char *text;
    int n;

    if (r == -ESTALE)
        n = asprintf(&text,
                     "%s is no longer the lock of this process (it or its folder was removed or moved): restart the "
                     "service",
                     file->lock_path);
    else if (r == -ENOLINK)
        n = asprintf(&text,
                     "the link %s was made, changed or removed since the start: put it back, or restart the service",
                     file->path);
    else if (r == -EEXIST)
        n = asprintf(&text, "%s is in the way: remove it", file->temporary);
    else
        n = asprintf(&text, "%s cannot be written: %s", file->target, strerror(-r));
    return n < 0 ? NULL : text;
}

int notes_file_set_aside(NotesFile *file, char **ret_path)
{
    _cleanup_free_ char *path = NULL;
    int r;

    for (unsigned i = 1;; i++) {
        free(path);
        if (asprintf(&path, "%s.damaged-%u", file->target, i) < 0) {
            path = NULL;
            return -ENOMEM;
        }
        if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
            break;
    }
    if (errno != ENOENT)
        return -errno;
    if (rename(file->target, path) < 0)
        return -errno;
    r = sync_folder(file->folder);
    if (r < 0)
        return r;
    *ret_path = TAKE_PTR(path);
    return 0;
}
