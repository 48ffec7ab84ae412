/* SPDX-License-Identifier: MIT */
#include "main-event.h"

#include <errno.h>
#include <stdio.h>

#include "ipc-names.h"
#include "macro.h"

static int main_event_reply(ipc_event *event, const char *channel, const char *text, size_t length)
{
    return peer_send_message(((MainEvent *)event)->answer.peer, channel, text, length, 0);
}

static size_t main_event_get_reply_max(const ipc_event *event)
{
    return peer_get_max(((const MainEvent *)event)->answer.peer);
}

/* Nobody waits for it any more. */
static void main_event_settled(MainEvent *self, int ended)
{
    Peer *peer = self->answer.peer;

    if (!self->event.is_sync)
        return;
    self->event.is_sync = false;
    self->event.ended = ended;
    TAILQ_REMOVE(&peer->syncs, self, link);
    quota_remove_pending(peer);
    traffic_abandoned(&self->answer.traffic, peer);
}

static int main_event_answered(ipc_event *event, int r)
{
    MainEvent *self = (MainEvent *)event;

    if (!answer_is_owed(&self->answer))
        main_event_settled(self, -EALREADY);
    return r;
}

static int main_event_answer(ipc_event *event, json_t *value)
{
    return main_event_answered(event, answer_value(&((MainEvent *)event)->answer, value));
}

static int main_event_answer_text(ipc_event *event, const char *text, size_t length)
{
    return main_event_answered(event, answer_text(&((MainEvent *)event)->answer, text, length));
}

void main_event_fail(ipc_event *event, const char *error_name, const char *message)
{
    MainEvent *self = (MainEvent *)event;

    if (!event->is_sync)
        return;
    (void)answer_error(&self->answer, error_name, message, NULL);
    main_event_settled(self, -ENOTCONN);
}

static ipc_sender *main_event_get_sender(const ipc_event *event)
{
    return ((const MainEvent *)event)->answer.peer;
}

static void main_event_destroy(ipc_event *event)
{
    MainEvent *self = (MainEvent *)event;
    char message[512];

    if (event->is_sync) {
        snprintf(message, sizeof(message), "No listener of '%s' returned anything", event->channel);
        main_event_fail(event, IPC_ERROR_REPLY_NEVER_SENT, message);
    }
    answer_clear(&self->answer);
    event_done(event);
    free(self);
}

static const EventOps main_event_ops = {
    .reply = main_event_reply,
    .get_reply_max = main_event_get_reply_max,
    .answer = main_event_answer,
    .answer_text = main_event_answer_text,
    .get_sender = main_event_get_sender,
    .destroy = main_event_destroy,
};

int main_event_new(Peer *peer, Request *request, bool is_sync, ipc_event **ret_event)
{
    MainEvent *self;
    int r;

    self = calloc(1, sizeof(*self));
    if (!self)
        return -ENOMEM;
    r = event_init(&self->event, &main_event_ops, request->channel, ipc_sender_get_id(peer), is_sync);
    if (r < 0) {
        free(self);
        return r;
    }
    self->event.transfers = TAKE_PTR(request->transfers);
    answer_init(&self->answer, peer, is_sync ? request : NULL);
    if (is_sync) {
        TAILQ_INSERT_TAIL(&peer->syncs, self, link);
        quota_add_pending(peer);
    }
    *ret_event = &self->event;
    return 0;
}

void main_event_cancel_all(Peer *peer)
{
    MainEvent *self;

    while ((self = TAILQ_FIRST(&peer->syncs)))
        main_event_settled(self, -ENOTCONN);
}

void main_event_reject_all(Peer *peer)
{
    MainEvent *self;

    while ((self = TAILQ_FIRST(&peer->syncs)))
        main_event_fail(&self->event, IPC_ERROR_MAIN_GONE, "The service stops: call again when it is back");
}
