/* SPDX-License-Identifier: MIT */
#pragma once

/* What an open file is, in the words of an error message. */

#include <sys/stat.h>

static inline const char *file_kind(int fd)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return "no open file";
    switch (status.st_mode & S_IFMT) {
    case S_IFREG:
        return "a regular file";
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a pipe";
    case S_IFSOCK:
        return "a socket of another kind";
    case S_IFCHR:
    case S_IFBLK:
        return "a device";
    default:
        return "a file of another kind";
    }
}
