/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bare-call.h"
#include "ipc-names.h"
#include "macro.h"
#include "peer-lane.h"

void answer_init(Answer *answer, Peer *peer, const Request *request)
{
    *answer = (Answer){ .peer = peer_ref(peer), .is_owed = request != NULL };
    if (!request)
        return;
    if (request->is_by_lane)
        answer->serial = request->serial;
    else
        answer->call = sd_bus_message_ref(request->call);
}

/* Who gets no answer must not wait for it: on a lane, its end is one. */
void answer_clear(Answer *answer)
{
    if (answer->is_owed && !answer->call && answer->peer->lane)
        peer_lane_break(answer->peer);
    answer->call = sd_bus_message_unref(answer->call);
    answer->peer = peer_unref(answer->peer);
}

void answer_wait(Answer *answer)
{
    sd_bus_message *bare;

    /* Without memory for it, the call stays as it is. */
    if (!answer->call || bare_call_new(answer->call, &bare) < 0)
        return;
    sd_bus_message_unref(answer->call);
    answer->call = bare;
}

static size_t answer_max(const Answer *answer)
{
    return answer->call ? IPC_ARGS_MAX : IPC_LANE_ARGS_MAX;
}

/* From here on nothing is owed, whether the message gets there or not. */
static void answer_given(Answer *answer)
{
    answer->is_owed = false;
    answer->call = sd_bus_message_unref(answer->call);
}

static int answer_too_large(Answer *answer)
{
    char message[128];
    int r;

    snprintf(message, sizeof(message), "The result is over %zu bytes of JSON: send it in parts", answer_max(answer));
    r = answer_error(answer, IPC_ERROR_TOO_LARGE, message, NULL);
    return r < 0 ? r : -EMSGSIZE;
}

/* Goes in place of an answer. There are as many as a peer may have calls pending, so these need no room. */
static const char no_room[] = "You did not read, and then there was no room for the answer";

/* The caller will never have it. */
static void tell_lost(Answer *answer, int r)
{
    traffic_rejected(&answer->traffic, answer->peer, r == -ENOBUFS ? IPC_ERROR_QUEUE_FULL : SD_BUS_ERROR_DISCONNECTED,
                     "The caller does not read, or is gone: the answer is lost", NULL);
}

/* ---- by the bus ---- */

static int send_by_bus(Answer *answer, sd_bus_message *message, size_t size)
{
    int r = peer_answer(answer->peer, answer->call, message, size);

    if (r == -ENOBUFS)
        peer_refuse_answer(answer->peer, answer->call, IPC_ERROR_QUEUE_FULL, no_room);
    answer_given(answer);
    return r;
}

static int text_by_bus(Answer *answer, const char *text, size_t length)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    int r;

    /* The bus has no text with a NUL in it, and sd-bus would cut it short there. */
    if (strlen(text) != length)
        return -EINVAL;
    r = sd_bus_message_new_method_return(answer->call, &message);
    if (r >= 0)
        r = sd_bus_message_append_basic(message, 's', text);
    return r < 0 ? r : send_by_bus(answer, message, length);
}

static int error_by_bus(Answer *answer, const sd_bus_error *error, const Text *detail)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    size_t size = strlen(error->message);
    int r;

    r = sd_bus_message_new_method_error(answer->call, &message, error);
    if (r >= 0 && detail)
        r = sd_bus_message_append_basic(message, 's', detail->data);
    return r < 0 ? r : send_by_bus(answer, message, size + (detail ? detail->length : 0));
}

/* ---- by the lane ---- */

static int send_by_lane(Answer *answer, const Packet *packet)
{
    int r = peer_lane_send(answer->peer, packet);

    if (r == -ENOBUFS)
        (void)peer_lane_send_anyway(answer->peer, &(Packet){ .verb = LANE_ERROR, .serial = answer->serial,
                                                             .channel = IPC_ERROR_QUEUE_FULL, .text = no_room,
                                                             .length = sizeof(no_room) - 1, .text_fd = -1 });
    if (r != -ENOMEM)
        answer_given(answer);
    return r;
}

static int error_by_lane(Answer *answer, const char *name, const char *text, size_t length)
{
    return send_by_lane(answer, &(Packet){ .verb = LANE_ERROR, .serial = answer->serial, .channel = name,
                                           .text = text, .length = length, .text_fd = -1 });
}

/* ---- either way ---- */

int answer_text(Answer *answer, const char *text, size_t length)
{
    int r;

    if (length > answer_max(answer))
        return answer_too_large(answer);
    if (answer->call)
        r = text_by_bus(answer, text, length);
    else
        r = send_by_lane(answer, &(Packet){ .verb = LANE_RESULT, .serial = answer->serial, .text = text,
                                            .length = length, .text_fd = -1 });
    if (r >= 0)
        traffic_resolved(&answer->traffic, answer->peer, text, length);
    else if (!answer->is_owed)
        tell_lost(answer, r);
    return r;
}

int answer_value(Answer *answer, json_t *value)
{
    _cleanup_(text_clear) Text text;
    int r;

    r = text_encode_max(&text, value, answer_max(answer));
    if (r == -EMSGSIZE)
        return answer_too_large(answer);
    return r < 0 ? r : answer_text(answer, text.data, text.length);
}

static int send_error(Answer *answer, const char *name, const char *message, const Text *detail)
{
    _cleanup_free_ char *text = NULL;
    size_t length;
    int r;

    if (answer->call)
        return error_by_bus(answer, &(sd_bus_error){ .name = name, .message = message }, detail);
    if (!detail)
        return error_by_lane(answer, name, message, strlen(message));
    r = lane_join_error(message, detail->data, &text, &length);
    return r < 0 ? r : error_by_lane(answer, name, text, length);
}

static int give_error(Answer *answer, const char *name, const char *message, const Text *detail)
{
    int r = send_error(answer, name, message, detail);

    if (r >= 0)
        traffic_rejected(&answer->traffic, answer->peer, name, message, detail);
    else if (!answer->is_owed)
        tell_lost(answer, r);
    return r;
}

int answer_error(Answer *answer, const char *name, const char *message, json_t *detail)
{
    _cleanup_(text_clear) Text text;
    int r;

    /* Memory may be out for a text that is not there. */
    if (!detail) {
        text.data = text.fixed;
        return give_error(answer, name, message, NULL);
    }
    r = text_encode_max(&text, detail, answer_max(answer));
    if (r == -EMSGSIZE)
        return answer_too_large(answer);
    return r < 0 ? r : give_error(answer, name, message, &text);
}
