/* SPDX-License-Identifier: MIT */
#include "notice.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "app.h"
#include "clock.h"
#include "macro.h"

#define NOTICE_LINE_MAX 1024u /* bytes; a longer line is cut */

#define DENIALS_MAX 20u /* lines, in so many us */
#define DENIALS_USEC (5u * 1000 * 1000)

typedef struct Notice {
    int priority;
    const char *message;
    const char *channel;
    uint32_t renderer_id;
} Notice;

static void warning_call(EmitterFunction function, void *userdata, void *context)
{
    ((ipc_warning_t)function)(((const Notice *)context)->message, userdata);
}

static void notice_call(EmitterFunction function, void *userdata, void *context)
{
    const Notice *notice = context;

    ((ipc_notice_t)function)(notice->priority, notice->message, notice->channel, notice->renderer_id, userdata);
}

void notice_warn(ipc_app *app, const char *channel, uint32_t renderer_id, const char *format, ...)
{
    _cleanup_(ipc_app_unrefp) ipc_app *held = ipc_app_ref(app);
    char message[NOTICE_LINE_MAX];
    Notice notice = { .priority = LOG_WARNING, .message = message, .channel = channel, .renderer_id = renderer_id };
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    emitter_emit(&held->observers, APP_WARNING, warning_call, &notice);
    emitter_emit(&held->observers, APP_NOTICE, notice_call, &notice);
}

/* All methods that name a channel have it first, but for the renderer that SendTo names before it. */
static const char *channel_of(sd_bus_message *call)
{
    const char *signature = sd_bus_message_get_signature(call, true), *channel;
    bool has_id = strncmp(signature, "uss", 3) == 0;

    if (!has_id && strncmp(signature, "ss", 2) != 0)
        return NULL;
    if (sd_bus_message_rewind(call, true) < 0 || (has_id && sd_bus_message_skip(call, "u") < 0))
        return NULL;
    return sd_bus_message_read(call, "s", &channel) > 0 ? channel : NULL;
}

static bool is_news(const ipc_sender *peer, const sd_bus_error *error)
{
    return !peer->is_denial_told && sd_bus_error_has_name(error, IPC_ERROR_ACCESS_DENIED);
}

/* Whether there is room for one more. If so, how many found none before. */
static bool may_tell(Denials *denials, unsigned *ret_n_untold)
{
    uint64_t now = clock_now(CLOCK_MONOTONIC);

    *ret_n_untold = 0;
    if (now - denials->since >= DENIALS_USEC) {
        *ret_n_untold = denials->n > DENIALS_MAX ? denials->n - DENIALS_MAX : 0;
        *denials = (Denials){ .since = now };
    }
    return denials->n++ < DENIALS_MAX;
}

void notice_refusal(ipc_sender *peer, const char *channel, const sd_bus_error *error)
{
    _cleanup_(ipc_app_unrefp) ipc_app *held = ipc_app_ref(peer->app);
    char message[NOTICE_LINE_MAX], user[32] = "", untold[64] = "";
    unsigned n_untold;
    Notice notice = { .priority = LOG_NOTICE, .message = message, .channel = channel,
                      .renderer_id = ipc_sender_get_id(peer) };

    if (!held || !is_news(peer, error) || !may_tell(&held->denials, &n_untold))
        return;
    peer->is_denial_told = true;
    if (peer->has_uid)
        snprintf(user, sizeof(user), " of user %u", peer->uid);
    if (n_untold > 0)
        snprintf(untold, sizeof(untold), "; before that, %u more were not told", n_untold);
    snprintf(message, sizeof(message), "Denied %s%s: %.512s%s", peer->unique_name, user, error->message, untold);
    emitter_emit(&held->observers, APP_NOTICE, notice_call, &notice);
}

void notice_error(ipc_sender *peer, sd_bus_message *call, const sd_bus_error *error)
{
    if (is_news(peer, error))
        notice_refusal(peer, channel_of(call), error);
}
