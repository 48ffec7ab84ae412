/* SPDX-License-Identifier: MIT */
#pragma once

/* An event in main: it knows its peer and, if the message was sync, owes it an answer. */

#include "answer.h"
#include "event.h"

typedef struct MainEvent {
    ipc_event event;
    Answer answer;
    TAILQ_ENTRY(MainEvent) link; /* of the peer's syncs, until it is answered */
} MainEvent;

/* What came along with the request leaves it. */
int main_event_new(Peer *peer, Request *request, bool is_sync, ipc_event **ret_event);

/* Answers for the listeners that did not. */
void main_event_fail(ipc_event *event, const char *error_name, const char *message);

/* The peer is gone, or the app stops. */
void main_event_cancel_all(Peer *peer);
void main_event_reject_all(Peer *peer);
