/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "macro.h"

#define LOG_LINE_MAX 2048u /* bytes; a longer line is cut */
#define JOURNAL_SOCKET "/run/systemd/journal/socket" /* of sd-journal, which does not tell that it is not there */

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

typedef struct Fields {
    struct iovec list[5];
    size_t n;
    char *texts[5]; /* the same, to be freed */
} Fields;

static void fields_clear(Fields *fields)
{
    for (size_t i = 0; i < fields->n; i++)
        free(fields->texts[i]);
}

__attribute__((format(printf, 2, 3))) static int fields_add(Fields *fields, const char *format, ...)
{
    va_list ap;
    char *text;
    int size;

    va_start(ap, format);
    size = vasprintf(&text, format, ap);
    va_end(ap);
    if (size < 0)
        return -ENOMEM;
    fields->texts[fields->n] = text;
    fields->list[fields->n++] = (struct iovec){ .iov_base = text, .iov_len = (size_t)size };
    return 0;
}

static int send_to_journal(int priority, const char *channel, uint32_t renderer_id, const char *message)
{
    _cleanup_(fields_clear) Fields fields = { 0 };
    int r;

    r = fields_add(&fields, "MESSAGE=%s", message);
    if (r >= 0)
        r = fields_add(&fields, "PRIORITY=%d", priority);
    if (r >= 0)
        r = fields_add(&fields, "SYSLOG_IDENTIFIER=%s", program_invocation_short_name);
    if (r >= 0 && channel)
        r = fields_add(&fields, "IPCBUS_CHANNEL=%s", channel);
    if (r >= 0 && renderer_id > 0)
        r = fields_add(&fields, "IPCBUS_RENDERER=%u", renderer_id);
    return r < 0 ? r : sd_journal_sendv(fields.list, (int)fields.n);
}

void log_about(int priority, const char *channel, uint32_t renderer_id, const char *message)
{
    bool has_journal = stderr_is_journal() && access(JOURNAL_SOCKET, W_OK) == 0;

    if (!has_journal || send_to_journal(priority, channel, renderer_id, message) < 0)
        log_line(priority, "%s", message);
}
