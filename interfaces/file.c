/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc-names.h"
#include "macro.h"
#include "share.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

/*
 * A sealed memfd is memory that everyone may read and nobody can change or cut short. So its receiver may use it in
 * place: without the seals the sender could change it under the eyes of a parser, or truncate it under a mapping, which
 * kills who reads there.
 */

void file_closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static int write_all(int fd, const char *data, size_t size)
{
    ssize_t n;

    while (size > 0) {
        n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ENOSPC;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

size_t file_get_max(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX ? INT_MAX : (size_t)limit.rlim_cur;
}

/* But for the reserve. */
static size_t count_usable(void)
{
    size_t max = file_get_max();

    return max - (max / 4 < IPC_FDS_RESERVE ? max / 4 : IPC_FDS_RESERVE);
}

/* The kernel gives out the lowest number that is free, so there are as many as it says. */
bool file_is_scarce(int fd)
{
    return (size_t)fd >= count_usable();
}

bool file_is_scarce_for(int fd, size_t n_taken)
{
    return !share_allows(n_taken, (size_t)fd, 1, count_usable());
}

bool file_next_is_scarce(void)
{
    _cleanup_(file_closep) int fd = eventfd(0, EFD_CLOEXEC);

    return fd < 0 || file_is_scarce(fd);
}

int file_new_sealed(const char *name, const void *data, size_t size, const void *tail, size_t tail_size)
{
    _cleanup_(file_closep) int fd = -1;
    int r;

    fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    r = write_all(fd, data, size);
    if (r >= 0)
        r = write_all(fd, tail, tail_size);
    if (r < 0)
        return r;
    if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
        return -errno;
    return file_take(&fd);
}

int file_map_sealed(int fd, const void **ret_data, size_t *ret_size)
{
    struct stat status;
    int seals;
    void *data;

    /* The size is only to be believed once it cannot change. */
    seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0)
        return errno == EBADF ? -EBADF : -EPERM;
    if ((seals & SEALS) != SEALS)
        return -EPERM;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (status.st_size == 0) {
        *ret_data = NULL;
        *ret_size = 0;
        return 0;
    }
    data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return -errno;
    *ret_data = data;
    *ret_size = (size_t)status.st_size;
    return 0;
}

int ipc_file_new_from_buffer(const void *data, size_t size)
{
    if (!data && size > 0)
        return -EINVAL;
    return file_new_sealed("ipcbus-file", data, size, NULL, 0);
}

int ipc_file_map(int fd, const void **ret_data, size_t *ret_size)
{
    if (!ret_data || !ret_size)
        return -EINVAL;
    return file_map_sealed(fd, ret_data, ret_size);
}

void ipc_file_unmap(const void *data, size_t size)
{
    if (data && size > 0)
        munmap((void *)data, size);
}
