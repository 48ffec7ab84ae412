/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_LINE_MAX 2048u /* bytes; a longer line is cut */

/* A priority in front is noise to a person, and systemd sets JOURNAL_STREAM for children that redirect stderr too. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;

    if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2 || fstat(STDERR_FILENO, &st) < 0)
        return false;
    return st.st_dev == device && st.st_ino == inode;
}

/* What a line quotes may come from anybody, and must not be able to fake a second line. */
static void keep_one_line(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
    }
}

__attribute__((format(printf, 3, 0))) static void log_linev(int priority, const char *tail, const char *format,
                                                            va_list ap)
{
    char text[LOG_LINE_MAX];

    vsnprintf(text, sizeof(text), format, ap);
    keep_one_line(text);
    if (stderr_is_journal())
        fprintf(stderr, "<%d>%s%s\n", priority, text, tail);
    else
        fprintf(stderr, "ipcbusd: %s%s\n", text, tail);
}

void log_line(int priority, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    log_linev(priority, "", format, ap);
    va_end(ap);
}

void log_errno(int priority, int r, const char *format, ...)
{
    char tail[256];
    va_list ap;

    snprintf(tail, sizeof(tail), ": %s", strerror(-r));
    va_start(ap, format);
    log_linev(priority, tail, format, ap);
    va_end(ap);
}
