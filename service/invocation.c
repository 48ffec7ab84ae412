/* SPDX-License-Identifier: MIT */
#include "invocation.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ipc-names.h"
#include "macro.h"

int invocation_new(Peer *peer, const Request *request, ipc_invocation **ret_invocation)
{
    size_t size = strlen(request->channel) + 1;
    ipc_invocation *invocation;

    invocation = calloc(1, sizeof(*invocation) + size);
    if (!invocation)
        return -ENOMEM;

    invocation->n_ref = 1;
    invocation->serial = request->serial;
    invocation->is_by_lane = request->is_by_lane;
    invocation->sender_id = ipc_sender_get_id(peer);
    memcpy(invocation->channel, request->channel, size);
    answer_init(&invocation->answer, peer, request);
    TAILQ_INSERT_TAIL(&peer->invocations, invocation, link);
    quota_add_pending(peer);
    *ret_invocation = invocation;
    return 0;
}

/* It has settled: nobody looks for it any more. */
static void invocation_unlink(ipc_invocation *invocation)
{
    Peer *peer = invocation->answer.peer;

    TAILQ_REMOVE(&peer->invocations, invocation, link);
    quota_remove_pending(peer);
    traffic_abandoned(&invocation->answer.traffic, peer);
    invocation->cancelled = NULL;
}

static int invocation_check(const ipc_invocation *invocation)
{
    if (!invocation)
        return -EINVAL;
    if (invocation->is_cancelled)
        return -ECANCELED;
    return answer_is_owed(&invocation->answer) ? 0 : -EALREADY;
}

static void invocation_settled(ipc_invocation *invocation)
{
    if (!answer_is_owed(&invocation->answer))
        invocation_unlink(invocation);
}

int ipc_invocation_resolve(ipc_invocation *invocation, json_t *result)
{
    int r;

    r = invocation_check(invocation);
    if (r < 0)
        return r;
    r = answer_value(&invocation->answer, result);
    invocation_settled(invocation);
    return r;
}

int ipc_invocation_resolve_text(ipc_invocation *invocation, const char *text, size_t length)
{
    int r;

    if (!text_is_terminated(text, length))
        return -EINVAL;
    r = invocation_check(invocation);
    if (r < 0)
        return r;
    r = answer_text(&invocation->answer, text, length);
    invocation_settled(invocation);
    return r;
}

int ipc_invocation_resolvef(ipc_invocation *invocation, const char *format, ...)
{
    _cleanup_(json_cleanup) json_t *result = NULL;
    int r = TEXT_PACK(text_pack_value, &result, format);

    return r < 0 ? r : ipc_invocation_resolve(invocation, result);
}

int ipc_invocation_reject(ipc_invocation *invocation, const char *name, const char *message, json_t *detail)
{
    int r;

    if (!name)
        name = IPC_ERROR_HANDLER_FAILED;
    /* An error has the syntax of an interface. */
    if (!message || !text_is_utf8(message) || sd_bus_interface_name_is_valid(name) <= 0)
        return -EINVAL;
    r = invocation_check(invocation);
    if (r < 0)
        return r;
    r = answer_error(&invocation->answer, name, message, detail);
    invocation_settled(invocation);
    return r;
}

int ipc_invocation_rejectf(ipc_invocation *invocation, const char *name, const char *message, const char *format, ...)
{
    _cleanup_(json_cleanup) json_t *detail = NULL;
    int r = format ? TEXT_PACK(text_pack_value, &detail, format) : 0;

    return r < 0 ? r : ipc_invocation_reject(invocation, name, message, detail);
}

void invocation_returned(ipc_invocation *invocation, int r)
{
    char message[512];

    if (r >= 0 || invocation_check(invocation) < 0)
        return;
    snprintf(message, sizeof(message), "The handler of '%s' failed: %s", invocation->channel, strerror(-r));
    (void)ipc_invocation_reject(invocation, IPC_ERROR_HANDLER_FAILED, message, NULL);
}

int ipc_invocation_on_cancelled(ipc_invocation *invocation, ipc_cancelled_t callback, void *userdata)
{
    int r;

    r = invocation_check(invocation);
    if (r < 0)
        return r;
    invocation->cancelled = callback;
    invocation->cancelled_userdata = userdata;
    return 0;
}

/* From here on a settle is a no-op. */
static void invocation_end(ipc_invocation *invocation, const char *error_name, const char *message)
{
    _cleanup_(ipc_invocation_unrefp) _unused_ ipc_invocation *held = ipc_invocation_ref(invocation);
    ipc_cancelled_t cancelled = invocation->cancelled;

    if (error_name)
        (void)answer_error(&invocation->answer, error_name, message, NULL);
    invocation->is_cancelled = true;
    invocation_unlink(invocation);
    if (cancelled)
        cancelled(invocation, invocation->cancelled_userdata);
}

void invocation_cancel(Peer *peer, uint32_t serial, bool is_by_lane)
{
    ipc_invocation *invocation;

    TAILQ_FOREACH(invocation, &peer->invocations, link)
        if (invocation->serial == serial && invocation->is_by_lane == is_by_lane)
            break;
    if (invocation)
        invocation_end(invocation, IPC_ERROR_CANCELLED, "The caller cancelled");
}

void invocation_cancel_all(Peer *peer)
{
    ipc_invocation *invocation;

    while ((invocation = TAILQ_FIRST(&peer->invocations)))
        invocation_end(invocation, NULL, NULL);
}

void invocation_reject_all(Peer *peer)
{
    ipc_invocation *invocation;

    while ((invocation = TAILQ_FIRST(&peer->invocations)))
        invocation_end(invocation, IPC_ERROR_MAIN_GONE, "The service stops: call again when it is back");
}

ipc_invocation *ipc_invocation_ref(ipc_invocation *invocation)
{
    if (invocation)
        invocation->n_ref++;
    return invocation;
}

static void invocation_answer_never_sent(ipc_invocation *invocation)
{
    char message[512];

    snprintf(message, sizeof(message), "The handler of '%s' dropped the call without an answer",
             invocation->channel);
    (void)answer_error(&invocation->answer, IPC_ERROR_REPLY_NEVER_SENT, message, NULL);
    invocation_unlink(invocation);
}

ipc_invocation *ipc_invocation_unref(ipc_invocation *invocation)
{
    if (!invocation)
        return NULL;
    assert(invocation->n_ref > 0);
    if (--invocation->n_ref > 0)
        return NULL;
    if (invocation_check(invocation) == 0)
        invocation_answer_never_sent(invocation);
    answer_clear(&invocation->answer);
    free(invocation);
    return NULL;
}

const char *ipc_invocation_get_channel(const ipc_invocation *invocation)
{
    return invocation ? invocation->channel : NULL;
}

ipc_sender *ipc_invocation_get_sender(const ipc_invocation *invocation)
{
    return invocation ? invocation->answer.peer : NULL;
}

uint32_t ipc_invocation_get_sender_id(const ipc_invocation *invocation)
{
    return invocation ? invocation->sender_id : 0;
}

ipc_app *ipc_invocation_get_app(const ipc_invocation *invocation)
{
    return invocation ? invocation->answer.peer->app : NULL;
}
