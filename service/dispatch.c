/* SPDX-License-Identifier: MIT */
#include "dispatch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "invocation.h"
#include "macro.h"
#include "main-event.h"
#include "peer-lane.h"
#include "policy.h"
#include "quota.h"
#include "text.h"
#include "traffic.h"
#include "web-contents.h"

/* Who may not do a thing is not told more about it. */
static int check_call(Peer *peer, Verb verb, const char *channel, sd_bus_error *error)
{
    int r = text_check_channel(channel, error);

    return r < 0 ? r : policy_check(peer, verb, channel, error);
}

/* Cheap things first: nobody makes main parse what it may not send. */
static int check_size(const Peer *peer, const Request *request, sd_bus_error *error)
{
    uint64_t max = peer->app->policy.limits.args_bytes;

    if (max > request_get_max(request))
        max = request_get_max(request);
    if (request->length <= max)
        return 0;
    sd_bus_error_setf(error, IPC_ERROR_TOO_LARGE, "The args of '%s' have %zu bytes, at most %u are allowed",
                      request->channel, request->length, (unsigned)max);
    return -EMSGSIZE;
}

static int admit(Peer *peer, Verb verb, const Request *request, sd_bus_error *error)
{
    int r;

    r = check_call(peer, verb, request->channel, error);
    return r < 0 ? r : check_size(peer, request, error);
}

static int read_args(const Request *request, json_t **ret_args, sd_bus_error *error)
{
    return text_decode_args_sized(request->text, request->length, request->channel, ret_args, error);
}

static int check_registered(const Peer *peer, sd_bus_error *error)
{
    if (peer->contents)
        return 0;
    return sd_bus_error_setf(error, IPC_ERROR_NOT_REGISTERED, "Only a renderer may do this: call Register first");
}

/* The same for what only renderers do. */
static int admit_registered(Peer *peer, Verb verb, const Request *request, json_t **ret_args, sd_bus_error *error)
{
    int r;

    r = check_call(peer, verb, request->channel, error);
    if (r >= 0)
        r = check_registered(peer, error);
    if (r >= 0)
        r = check_size(peer, request, error);
    return r < 0 ? r : read_args(request, ret_args, error);
}

/* A message to a third one that does not read must not look like a fault of main. */
static int queue_error(int r, const ipc_web_contents *to, sd_bus_error *error)
{
    if (r == -ENOBUFS)
        sd_bus_error_setf(error, IPC_ERROR_QUEUE_FULL, "Renderer %u does not read: %zu bytes wait for it, as many as may",
                          to->id, to->peer->queue.bytes);
    if (r == -EDQUOT)
        sd_bus_error_setf(error, IPC_ERROR_QUEUE_FULL,
                          "%zu bytes wait for renderer %u, of what other users than its own may fill half",
                          to->peer->queue.bytes, to->id);
    if (r == -EMSGSIZE)
        sd_bus_error_setf(error, IPC_ERROR_TOO_LARGE, "Renderer %u is on the bus, where args have at most %u bytes",
                          to->id, IPC_ARGS_MAX);
    return r;
}

static int check_register(Peer *peer, const char *title, sd_bus_error *error)
{
    if (strlen(title) > IPC_TITLE_MAX) {
        sd_bus_error_setf(error, IPC_ERROR_INVALID_ARGS, "The title has %zu bytes, at most %u are allowed",
                          strlen(title), IPC_TITLE_MAX);
        return -EINVAL;
    }
    return policy_check(peer, VERB_REGISTER, NULL, error);
}

int dispatch_register(Peer *peer, const char *title, const char *guest_token, uint32_t *ret_id, bool *ret_is_new,
                      sd_bus_error *error)
{
    ipc_web_contents *contents = peer->contents, *host = NULL;
    bool is_new = !contents;
    int r;

    r = check_register(peer, title, error);
    /* First of all, so that who is not let in keeps its token. */
    if (r >= 0 && is_new)
        r = quota_check_renderer(peer, error);
    if (r >= 0 && is_new && guest_token)
        r = webview_host_redeem(peer->app, guest_token, &host, error);
    if (r >= 0 && is_new)
        r = web_contents_create(peer, title, host, &contents);
    if (r < 0)
        return r;
    *ret_id = contents->id;
    *ret_is_new = is_new;
    return 0;
}

void dispatch_registered(Peer *peer, const char *guest_token)
{
    ipc_web_contents *contents = peer->contents;

    traffic_happened(peer, verb_name(VERB_REGISTER), contents);
    if (contents->host)
        webview_host_attached(contents, guest_token);
    web_contents_announce(contents);
}

/* The order of Electron: the observers of the web contents, its own registry, that of the app. */
static size_t emit(Peer *peer, const char *observers, ipc_event *event, Args *args)
{
    _cleanup_(ipc_web_contents_unrefp) ipc_web_contents *contents = ipc_web_contents_ref(peer->contents);
    size_t n = 0;

    if (contents && contents->observers)
        event_emit(contents->observers, observers, event, args);
    if (contents && contents->main)
        n += event_emit(&contents->main->listeners, event->channel, event, args);
    return n + event_emit(&peer->app->main.listeners, event->channel, event, args);
}

typedef size_t (*Count)(const Emitter *emitter, const char *name);

static size_t count_listeners(const Peer *peer, const char *channel, Count count)
{
    const ipc_main *scoped = peer->contents ? peer->contents->main : NULL;

    return count(&peer->app->main.listeners, channel) + (scoped ? count(&scoped->listeners, channel) : 0);
}

static bool is_listened_to(const Peer *peer, const char *channel)
{
    return count_listeners(peer, channel, emitter_count) > 0;
}

/* How many will be called. */
static size_t count_heard(const Peer *peer, const char *observers, const char *channel, Count count)
{
    const ipc_web_contents *contents = peer->contents;

    return count_listeners(peer, channel, count) +
           (contents && contents->observers ? count(contents->observers, observers) : 0);
}

/* Nobody reads what listeners of text alone hear. All else is refused, if it is not sound, before anybody hears it. */
static int read_message(const Peer *peer, const char *observers, Args *args, sd_bus_error *error)
{
    size_t n_texts = count_heard(peer, observers, args->channel, emitter_count_texts);

    if (n_texts > 0 && n_texts == count_heard(peer, observers, args->channel, emitter_count))
        return 0;
    return args_parse(args, error);
}

static Args args_of(const Request *request)
{
    return (Args){ .channel = request->channel, .text = request->text, .length = request->length };
}

/* That of the web contents wins. NULL: there is none. */
static ipc_main *find_handler(const Peer *peer, const char *channel, HandlerKind *ret_kind)
{
    ipc_main *scoped = peer->contents ? peer->contents->main : NULL, *main = &peer->app->main;

    *ret_kind = scoped ? main_get_handler_kind(scoped, channel) : HANDLER_NONE;
    if (*ret_kind != HANDLER_NONE)
        return scoped;
    *ret_kind = main_get_handler_kind(main, channel);
    return *ret_kind != HANDLER_NONE ? main : NULL;
}

static bool is_handled(const Peer *peer, const char *channel)
{
    HandlerKind kind;

    return find_handler(peer, channel, &kind) != NULL;
}

static void emit_message(Peer *peer, Verb verb, const Request *request, ipc_event *event, Args *args)
{
    Passage passage;
    size_t n;

    traffic_enter(&passage, peer, verb, request, 0);
    if (event->transfers) {
        passage.line.n_ports = event->transfers->n_ports;
        passage.line.n_files = event->transfers->n_files;
    }
    n = emit(peer, WEB_CONTENTS_MESSAGE, event, args);
    traffic_leave(&passage, n > 0 || is_handled(peer, event->channel));
}

static int dispatch_one_way(Peer *peer, Verb verb, Request *request, sd_bus_error *error)
{
    _cleanup_(args_clear) Args args = args_of(request);
    _cleanup_(ipc_event_unrefp) ipc_event *event = NULL;
    int r;

    args.is_posted = verb == VERB_POST_MESSAGE;
    r = admit(peer, verb, request, error);
    if (r >= 0)
        r = read_message(peer, WEB_CONTENTS_MESSAGE, &args, error);
    if (r >= 0)
        r = main_event_new(peer, request, false, &event);
    if (r < 0)
        return r;
    event->is_posted = args.is_posted;
    emit_message(peer, verb, request, event, &args);
    return 0;
}

int dispatch_send(Peer *peer, Request *request, sd_bus_error *error)
{
    return dispatch_one_way(peer, VERB_SEND, request, error);
}

int dispatch_post_message(Peer *peer, Request *request, sd_bus_error *error)
{
    int r = quota_join_ports(peer, request->transfers, error);

    return r < 0 ? r : dispatch_one_way(peer, VERB_POST_MESSAGE, request, error);
}

/* An observer may answer as well, or keep the event to do so. */
static void emit_sync(Peer *peer, ipc_event *event, Args *args)
{
    char message[512];
    size_t n;

    n = emit(peer, WEB_CONTENTS_MESSAGE_SYNC, event, args);
    if (n > 0 || event->n_ref > 1)
        return;
    snprintf(message, sizeof(message), "No listener for '%s'", event->channel);
    main_event_fail(event, IPC_ERROR_NO_LISTENER, message);
}

int dispatch_send_sync(Peer *peer, Request *request, sd_bus_error *error)
{
    _cleanup_(traffic_leave_call) Passage passage = { 0 };
    _cleanup_(args_clear) Args args = args_of(request);
    _cleanup_(ipc_event_unrefp) ipc_event *event = NULL;
    Answer *answer;
    int r;

    r = admit(peer, VERB_SEND_SYNC, request, error);
    if (r >= 0)
        r = read_message(peer, WEB_CONTENTS_MESSAGE_SYNC, &args, error);
    if (r >= 0)
        r = quota_check_pending(peer, error);
    if (r >= 0)
        r = main_event_new(peer, request, true, &event);
    if (r < 0)
        return r;

    answer = &((MainEvent *)event)->answer;
    traffic_enter_call(&passage, &answer->traffic, peer, VERB_SEND_SYNC, request, event->channel,
                       is_listened_to(peer, event->channel) || is_handled(peer, event->channel));
    emit_sync(peer, event, &args);
    answer_wait(answer);
    return 0;
}

static void run_handler(Peer *peer, ipc_main *main, ipc_invocation *invocation, json_t *args, const Request *request)
{
    _cleanup_(ipc_web_contents_unrefp) _unused_ ipc_web_contents *contents = ipc_web_contents_ref(peer->contents);
    char message[512];
    int r;

    if (main) {
        r = main_run_handler(main, invocation, args, request->text, request->length);
        invocation_returned(invocation, r);
        return;
    }
    snprintf(message, sizeof(message), "No handler registered for '%s'", request->channel);
    (void)ipc_invocation_reject(invocation, IPC_ERROR_NO_HANDLER, message, NULL);
}

int dispatch_invoke(Peer *peer, Request *request, sd_bus_error *error)
{
    _cleanup_(traffic_leave_call) Passage passage = { 0 };
    _cleanup_(json_cleanup) json_t *args = NULL;
    _cleanup_(ipc_invocation_unrefp) ipc_invocation *invocation = NULL;
    HandlerKind kind = HANDLER_NONE;
    ipc_main *main = NULL;
    int r;

    r = admit(peer, VERB_INVOKE, request, error);
    if (r >= 0)
        main = find_handler(peer, request->channel, &kind);
    if (r >= 0 && kind != HANDLER_TEXT)
        r = read_args(request, &args, error);
    if (r >= 0)
        r = quota_check_pending(peer, error);
    if (r >= 0)
        r = invocation_new(peer, request, &invocation);
    if (r < 0)
        return r;
    traffic_enter_call(&passage, &invocation->answer.traffic, peer, VERB_INVOKE, request, invocation->channel,
                       main != NULL || is_listened_to(peer, invocation->channel));
    run_handler(peer, main, invocation, args, request);
    answer_wait(&invocation->answer);
    return 0;
}

/* The text goes on as it came, once it is known to be sound. */
static int pass_on(Peer *peer, Verb verb, ipc_web_contents *to, const Request *request)
{
    Passage passage;
    int r;

    if (!quota_has_room_from(to->peer, peer, request->length))
        return -EDQUOT;
    traffic_enter(&passage, peer, verb, request, to->id);
    if (verb == VERB_SEND_TO)
        r = peer_send_message(to->peer, request->channel, request->text, request->length, peer->contents->id);
    else
        r = webview_host_send_message(peer->contents, request);
    if (r < 0)
        traffic_turn_back(&passage);
    else
        traffic_leave(&passage, false);
    return r;
}

int dispatch_send_to(Peer *peer, uint32_t id, Request *request, sd_bus_error *error)
{
    _cleanup_(json_cleanup) json_t *args = NULL;
    ipc_web_contents *contents;
    int r;

    r = admit_registered(peer, VERB_SEND_TO, request, &args, error);
    if (r < 0)
        return r;
    contents = ipc_web_contents_from_id(peer->app, id);
    if (!contents)
        return sd_bus_error_setf(error, IPC_ERROR_NO_SUCH_WEB_CONTENTS, "There is no renderer %u", id);
    return queue_error(pass_on(peer, VERB_SEND_TO, contents, request), contents, error);
}

int dispatch_send_to_host(Peer *peer, Request *request, sd_bus_error *error)
{
    _cleanup_(json_cleanup) json_t *args = NULL;
    ipc_web_contents *guest = peer->contents;
    int r;

    r = admit_registered(peer, VERB_SEND_TO_HOST, request, &args, error);
    if (r < 0)
        return r;
    if (!guest->host)
        return sd_bus_error_setf(error, IPC_ERROR_NOT_A_GUEST,
                                 "Renderer %u has no host: it is no guest, or its host is gone", guest->id);
    return queue_error(pass_on(peer, VERB_SEND_TO_HOST, guest->host, request), guest->host, error);
}

int dispatch_create_webview(Peer *peer, char ret_token[TOKEN_SIZE], sd_bus_error *error)
{
    int r;

    /* Its guests come by registering, as it did. */
    r = policy_check(peer, VERB_REGISTER, NULL, error);
    if (r >= 0)
        r = check_registered(peer, error);
    return r < 0 ? r : webview_host_create(peer->contents, ret_token, error);
}

int dispatch_open_lane(Peer *peer, int *ret_fd, sd_bus_error *error)
{
    int r;

    r = policy_check(peer, VERB_OPEN_LANE, NULL, error);
    if (r >= 0)
        r = check_registered(peer, error);
    if (r < 0)
        return r;
    r = peer_lane_open(peer, ret_fd);
    if (r >= 0)
        traffic_happened(peer, verb_name(VERB_OPEN_LANE), NULL);
    if (r == -EALREADY)
        return sd_bus_error_setf(error, IPC_ERROR_LIMITS_EXCEEDED, "Renderer %u has a lane: it may have one",
                                 peer->contents->id);
    if (r == -EMFILE)
        return sd_bus_error_setf(error, IPC_ERROR_LIMITS_EXCEEDED, "Too many files are open here for one more lane");
    return r;
}
