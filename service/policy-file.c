/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app.h"
#include "error.h"
#include "macro.h"
#include "policy-parse.h"

#define FILE_MAX (1024u * 1024) /* bytes */

static void fclosep(FILE **file)
{
    if (*file)
        fclose(*file);
}

/* A pipe without a writer must not keep the app waiting. */
static int open_file(const char *path, FILE **ret_file)
{
    struct stat status;
    FILE *file;
    int fd;

    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    file = fdopen(fd, "r");
    if (!file) {
        close(fd);
        return -ENOMEM;
    }
    *ret_file = file;
    if (fstat(fd, &status) < 0)
        return -errno;
    return S_ISDIR(status.st_mode) ? -EISDIR : S_ISREG(status.st_mode) ? 0 : -ENOTSUP;
}

/* text: FILE_MAX + 1 bytes. What is read is no string: it may have NULs, which the parser tells of. */
static int read_file(const char *path, char *text, size_t *ret_length)
{
    _cleanup_(fclosep) FILE *file = NULL;
    size_t length;
    int r;

    r = open_file(path, &file);
    if (r < 0)
        return r;
    length = fread(text, 1, FILE_MAX + 1, file);
    if (ferror(file))
        return -EIO;
    if (length > FILE_MAX)
        return -EFBIG;
    *ret_length = length;
    return 0;
}

static const char *describe(int r)
{
    return r == -ENOTSUP ? "It is no regular file" : r == -EFBIG ? "A policy has a MiB at most" : strerror(-r);
}

static int load(ipc_app *app, const char *path, sd_bus_error *error)
{
    _cleanup_free_ char *text = malloc(FILE_MAX + 1);
    size_t length;
    int r;

    r = text ? read_file(path, text, &length) : -ENOMEM;
    if (r < 0) {
        sd_bus_error_set_errnof(error, r, "%s: %s", path, describe(r));
        return r;
    }
    r = policy_parse(path, text, length, &app->policy, error);
    if (r == -ENOMEM)
        sd_bus_error_set_errnof(error, r, "%s: %s", path, describe(r));
    return r;
}

int ipc_app_load_policy(ipc_app *app, const char *path, ipc_error *error)
{
    _cleanup_(sd_bus_error_free) sd_bus_error failure = SD_BUS_ERROR_NULL;
    int r;

    if (!app || !path)
        return -EINVAL;
    r = load(app, path, &failure);
    if (r >= 0) {
        quota_limits_changed(app);
        monitor_judge(app);
    }
    if (r < 0 && error && sd_bus_error_is_set(&failure))
        (void)error_setf(error, failure.name, "%s", failure.message ? failure.message : strerror(-r));
    return r;
}
