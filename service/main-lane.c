/* SPDX-License-Identifier: MIT */
#include "main-lane.h"

#include <errno.h>
#include <string.h>

#include "app.h"
#include "dispatch.h"
#include "invocation.h"
#include "macro.h"
#include "notice.h"
#include "peer-lane.h"

typedef int (*LaneRun)(Peer *peer, Packet *packet, Request *request, sd_bus_error *error);

static int run_send(Peer *peer, Packet *packet, Request *request, sd_bus_error *error)
{
    return dispatch_send(peer, request, error);
}

static int run_invoke(Peer *peer, Packet *packet, Request *request, sd_bus_error *error)
{
    return dispatch_invoke(peer, request, error);
}

static int run_send_sync(Peer *peer, Packet *packet, Request *request, sd_bus_error *error)
{
    return dispatch_send_sync(peer, request, error);
}

static int run_send_to(Peer *peer, Packet *packet, Request *request, sd_bus_error *error)
{
    return dispatch_send_to(peer, packet->id, request, error);
}

static int run_send_to_host(Peer *peer, Packet *packet, Request *request, sd_bus_error *error)
{
    return dispatch_send_to_host(peer, request, error);
}

static int run_post_message(Peer *peer, Packet *packet, Request *request, sd_bus_error *error)
{
    int r;

    r = transfers_from_packet(packet, &request->transfers);
    if (r >= 0)
        r = dispatch_post_message(peer, request, error);
    transfers_free(request->transfers);
    return r;
}

static int run_cancel(Peer *peer, Packet *packet, Request *request, sd_bus_error *error)
{
    invocation_cancel(peer, packet->serial, true);
    return 0;
}

static int run_create_webview(Peer *peer, Packet *packet, Request *request, sd_bus_error *error)
{
    char token[TOKEN_SIZE];
    int r;

    r = dispatch_create_webview(peer, token, error);
    if (r < 0)
        return r;
    return peer_lane_send(peer, &(Packet){ .verb = LANE_RESULT, .serial = packet->serial, .text = token,
                                           .length = strlen(token), .text_fd = -1 });
}

static const struct {
    const char *member; /* of the main interface, which does the same */
    LaneRun run;
    bool is_call; /* whose failure is answered */
    bool has_fds;
} verbs[] = {
    [LANE_SEND] = { "Send", .run = run_send },
    [LANE_INVOKE] = { "Invoke", .run = run_invoke, .is_call = true },
    [LANE_SEND_SYNC] = { "SendSync", .run = run_send_sync, .is_call = true },
    [LANE_SEND_TO] = { "SendTo", .run = run_send_to },
    [LANE_SEND_TO_HOST] = { "SendToHost", .run = run_send_to_host },
    [LANE_POST_MESSAGE] = { "PostMessage", .run = run_post_message, .has_fds = true },
    [LANE_CANCEL] = { "Cancel", .run = run_cancel },
    [LANE_CREATE_WEBVIEW] = { "CreateWebview", .run = run_create_webview, .is_call = true },
};

static void answer_failure(Peer *peer, const Request *request, const sd_bus_error *error)
{
    Answer answer;

    answer_init(&answer, peer, request);
    (void)answer_error(&answer, error->name, error->message ? error->message : error->name, NULL);
    answer_clear(&answer);
}

static void fail(Peer *peer, const Packet *packet, const Request *request, const sd_bus_error *error)
{
    notice_refusal(peer, request->channel, error);
    if (verbs[packet->verb].is_call)
        answer_failure(peer, request, error);
    traffic_refused(peer,
                    &(Refusal){
                        .verb = verb_name_of_member(verbs[packet->verb].member),
                        .receiver_id = packet->verb == LANE_SEND_TO ? packet->id : 0,
                        .channel = request->channel,
                        .text = request->text,
                        .length = request->length,
                        .is_by_lane = true,
                    },
                    error);
}

int main_lane_run(Peer *peer, Packet *packet)
{
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    Request request = {
        .channel = packet->channel,
        .text = packet->text,
        .length = packet->length,
        .is_by_lane = true,
        .serial = packet->serial,
    };
    int r;

    if (packet->verb >= ELEMENTSOF(verbs) || !verbs[packet->verb].run ||
        (packet->n_fds > 0 && !verbs[packet->verb].has_fds))
        return -EBADMSG;
    peer->n_received++;
    if (peer->app->is_stopping)
        r = sd_bus_error_setf(&error, IPC_ERROR_MAIN_GONE, "The service stops: call again when it is back");
    else
        r = verbs[packet->verb].run(peer, packet, &request, &error);
    if (r < 0 && !sd_bus_error_is_set(&error))
        sd_bus_error_set_errno(&error, r);
    if (sd_bus_error_is_set(&error))
        fail(peer, packet, &request, &error);
    return 0;
}
