/* SPDX-License-Identifier: MIT */
#pragma once

/* The daemon's log: lines on stderr, for a person or for the journal. */

#include <errno.h>
#include <stdint.h>
#include <syslog.h>

/* One line without its newline; printf's formats and %m. The priority is one of LOG_ERR, LOG_WARNING and so on. */
void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with a colon and the text of a negative errno behind it. */
void log_errno(int priority, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * One line about a channel, unless it is NULL, and a renderer, unless it is 0. In the journal they are fields of the
 * entry, IPCBUS_CHANNEL= and IPCBUS_RENDERER=, so that one can ask for them.
 */
void log_about(int priority, const char *channel, uint32_t renderer_id, const char *message);

#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)

static inline int log_oom(void)
{
    log_error("Out of memory");
    return -ENOMEM;
}
