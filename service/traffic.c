/* SPDX-License-Identifier: MIT */
#include "traffic.h"

#include <errno.h>
#include <string.h>

#include "app.h"
#include "clock.h"
#include "macro.h"
#include "transfer.h"

/*
 * This stands where messages come in and go out, so it costs everyone: two looks at the clock and one at the figures of
 * the channel. What a watcher wants to know is gathered only if there is one.
 */

static uint64_t now(void)
{
    return clock_now_nsec(CLOCK_MONOTONIC);
}

static bool is_watched(const ipc_app *app)
{
    return monitor_is_watched(&app->monitor);
}

/* ---- in ---- */

static void begin(Passage *passage, Peer *peer, const Request *request)
{
    passage->app = peer->app;
    passage->peer = peer;
    passage->request = request;
    passage->began = now();
    peer->n_bytes += request->length;
}

static void hold(Passage *passage, Verb verb, uint32_t receiver_id, uint64_t serial)
{
    const Request *request = passage->request;
    LineText text = { request->text, request->length };

    passage->line = (Line){
        .verb = verb_name(verb),
        .peer = passage->peer,
        .is_by_lane = request->is_by_lane,
        .sender_id = ipc_sender_get_id(passage->peer),
        .receiver_id = receiver_id,
        .channel = request->channel,
        .serial = serial,
    };
    if (verb == VERB_POST_MESSAGE)
        passage->line.message = text;
    else
        passage->line.args = text;
    monitor_hold(passage->app, &passage->line);
}

void traffic_enter(Passage *passage, Peer *peer, Verb verb, const Request *request, uint32_t receiver_id)
{
    begin(passage, peer, request);
    if (is_watched(passage->app))
        hold(passage, verb, receiver_id, 0);
}

void traffic_leave(Passage *passage, bool is_own)
{
    const Request *request = passage->request;
    Figures *figures = figures_find(&passage->app->figures, request->channel, is_own);

    figures->messages++;
    figures->bytes += request->length;
    figures_add_time(figures, now() - passage->began);
    monitor_release(passage->app, &passage->line);
}

void traffic_turn_back(Passage *passage)
{
    monitor_forget(passage->app);
}

void traffic_enter_call(Passage *passage, TrafficCall *call, Peer *peer, Verb verb, const Request *request,
                        const char *channel, bool is_own)
{
    ipc_app *app = peer->app;
    Figures *figures = figures_find(&app->figures, channel, is_own);

    begin(passage, peer, request);
    *call = (TrafficCall){
        .figures = figures,
        .serial = ++app->last_serial,
        .began = passage->began,
        .channel = channel,
        .verb = verb,
        .sender_id = ipc_sender_get_id(peer),
        .is_by_lane = request->is_by_lane,
    };
    figures->calls++;
    figures->pending++;
    figures->bytes += request->length;
    peer->n_calls++;
    if (is_watched(app))
        hold(passage, verb, 0, call->serial);
}

void traffic_leave_call(Passage *passage)
{
    if (passage->app)
        monitor_release(passage->app, &passage->line);
}

/* ---- the end of a call ---- */

static void end(TrafficCall *call, Peer *peer, Line *line)
{
    Figures *figures = TAKE_PTR(call->figures);
    uint64_t nsec = now() - call->began;

    figures->pending--;
    figures->errors += line->error_name != NULL;
    figures->bytes += line->result.length;
    figures_add_time(figures, nsec);
    peer->n_errors += line->error_name != NULL;
    peer->n_bytes += line->result.length;
    if (!is_watched(peer->app))
        return;
    line->verb = verb_name(call->verb);
    line->peer = peer;
    line->is_by_lane = call->is_by_lane;
    line->sender_id = call->sender_id;
    line->channel = call->channel;
    line->serial = call->serial;
    line->has_ended = true;
    line->latency = nsec / 1000;
    monitor_tell_end(peer->app, line);
}

static bool is_under_way(const TrafficCall *call, const Peer *peer)
{
    return call->figures && peer->app;
}

void traffic_resolved(TrafficCall *call, Peer *peer, const char *text, size_t length)
{
    if (is_under_way(call, peer))
        end(call, peer, &(Line){ .result = { text, length } });
}

void traffic_rejected(TrafficCall *call, Peer *peer, const char *name, const char *message, const Text *detail)
{
    Line line = { .error_name = name, .error_message = message };

    if (detail)
        line.detail = (LineText){ detail->data, detail->length };
    if (is_under_way(call, peer))
        end(call, peer, &line);
}

void traffic_abandoned(TrafficCall *call, Peer *peer)
{
    traffic_rejected(call, peer, IPC_ERROR_CANCELLED, "The caller is gone", NULL);
}

/* ---- out ---- */

void traffic_sent(Peer *peer, const Outgoing *outgoing)
{
    LineText text = { outgoing->text, outgoing->length };
    Figures *figures;
    Line line;

    peer->n_bytes += outgoing->length;
    if (outgoing->sender_id == 0 && outgoing->channel) {
        figures = figures_find(&peer->app->figures, outgoing->channel, true);
        figures->sent++;
        figures->bytes += outgoing->length;
    }
    if (!is_watched(peer->app))
        return;
    line = (Line){
        .verb = outgoing->verb,
        .peer = peer,
        .is_out = true,
        .is_by_lane = peer->lane != NULL,
        .sender_id = outgoing->sender_id,
        .channel = outgoing->channel,
        .n_ports = outgoing->transfer ? outgoing->transfer->n_ports : 0,
        .n_files = outgoing->transfer ? outgoing->transfer->n_files : 0,
    };
    if (outgoing->is_posted)
        line.message = text;
    else
        line.args = text;
    monitor_tell(peer->app, &line);
}

/* ---- refused, and other things ---- */

void traffic_refused(Peer *peer, const Refusal *refusal, const sd_bus_error *error)
{
    if (!peer->app)
        return;
    peer->n_errors++;
    figures_find(&peer->app->figures, refusal->channel ? refusal->channel : "", false)->errors++;
    if (!is_watched(peer->app))
        return;
    monitor_tell(peer->app, &(Line){
        .verb = refusal->verb,
        .peer = peer,
        .is_refused = true,
        .is_by_lane = refusal->is_by_lane,
        .sender_id = ipc_sender_get_id(peer),
        .receiver_id = refusal->receiver_id,
        .channel = refusal->channel,
        .args = { refusal->text, refusal->length },
        .error_name = error->name,
        .error_message = error->message,
    });
}

/* The arguments of most methods: a channel and a text, perhaps behind a renderer. What cannot be read is left out. */
static void read_arguments(sd_bus_message *message, Refusal *refusal)
{
    const char *signature = sd_bus_message_get_signature(message, true);
    bool has_id = strncmp(signature, "uss", 3) == 0;

    if (!has_id && strncmp(signature, "ss", 2) != 0)
        return;
    if (sd_bus_message_rewind(message, true) < 0 ||
        (has_id && sd_bus_message_read_basic(message, 'u', &refusal->receiver_id) < 0) ||
        sd_bus_message_read_basic(message, 's', &refusal->channel) < 0 ||
        sd_bus_message_read_basic(message, 's', &refusal->text) < 0)
        return;
    refusal->length = strlen(refusal->text);
}

void traffic_refused_message(Peer *peer, sd_bus_message *message, const sd_bus_error *error)
{
    Refusal refusal = { .verb = verb_name_of_member(sd_bus_message_get_member(message)) };

    read_arguments(message, &refusal);
    traffic_refused(peer, &refusal, error);
}

void traffic_happened(Peer *peer, const char *verb, const ipc_web_contents *contents)
{
    if (!peer->app || !is_watched(peer->app))
        return;
    monitor_tell(peer->app, &(Line){
        .verb = verb,
        .peer = peer,
        .is_by_lane = peer->lane != NULL,
        .sender_id = ipc_sender_get_id(peer),
        .contents = contents,
    });
}
