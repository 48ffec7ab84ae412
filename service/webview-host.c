/* SPDX-License-Identifier: MIT */
#include "webview-host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "app.h"
#include "macro.h"
#include "peer-lane.h"
#include "peer.h"
#include "traffic.h"
#include "web-contents.h"

struct Token {
    LIST_ENTRY(Token) link;
    ipc_web_contents *host; /* borrowed: a token does not outlive its host */
    char text[TOKEN_SIZE];
};

static void token_free(Token *token)
{
    token->host->n_tokens--;
    token->host->peer->user->n_tokens--;
    LIST_REMOVE(token, link);
    free(token);
}

static int make_text(char text[TOKEN_SIZE])
{
    unsigned char bits[(TOKEN_SIZE - 1) / 2];
    size_t i;

    if (getrandom(bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
        return -errno;
    for (i = 0; i < sizeof(bits); i++)
        snprintf(text + 2 * i, 3, "%02x", bits[i]);
    return 0;
}

int webview_host_create(ipc_web_contents *host, char ret_token[TOKEN_SIZE], sd_bus_error *error)
{
    TokenSet *set = &host->peer->app->tokens;
    Token *token;
    int r;

    r = quota_check_token(host, error);
    if (r < 0)
        return r;
    token = calloc(1, sizeof(*token));
    if (!token)
        return -ENOMEM;
    r = make_text(token->text);
    if (r < 0) {
        free(token);
        return r;
    }
    token->host = host;
    host->n_tokens++;
    host->peer->user->n_tokens++;
    LIST_INSERT_HEAD(&set->list, token, link);
    memcpy(ret_token, token->text, TOKEN_SIZE);
    return 0;
}

int webview_host_redeem(ipc_app *app, const char *text, ipc_web_contents **ret_host, sd_bus_error *error)
{
    Token *token;

    LIST_FOREACH(token, &app->tokens.list, link)
        if (strcmp(token->text, text) == 0)
            break;
    if (!token)
        return sd_bus_error_setf(error, IPC_ERROR_INVALID_TOKEN,
                                 "This guest token was never made, was used, or its host is gone: "
                                 "ask the host for a new one");
    *ret_host = token->host;
    token_free(token);
    return 0;
}

static int send_attached(Peer *host, uint32_t guest_id, const char *token)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    int r;

    if (host->lane)
        return peer_lane_send(host, &(Packet){ .verb = LANE_WEBVIEW_ATTACHED, .id = guest_id, .text = token,
                                               .length = strlen(token), .text_fd = -1 });
    r = peer_new_signal(host, "WebviewAttached", &message);
    if (r >= 0)
        r = sd_bus_message_append(message, "su", token, guest_id);
    return r < 0 ? r : peer_send(host, message, 0);
}

/* The token is between the two of them. */
static void tell_watchers(Peer *host, const char *verb, uint32_t guest_id)
{
    traffic_sent(host, &(Outgoing){ .verb = verb, .sender_id = guest_id });
}

void webview_host_attached(ipc_web_contents *guest, const char *token)
{
    Peer *host = guest->host->peer;

    if (send_attached(host, guest->id, token) >= 0)
        tell_watchers(host, "webview-attached", guest->id);
}

static int send_detached(Peer *host, uint32_t guest_id)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    int r;

    if (host->lane)
        return peer_lane_send(host, &(Packet){ .verb = LANE_WEBVIEW_DETACHED, .id = guest_id, .text_fd = -1 });
    r = peer_new_signal(host, "WebviewDetached", &message);
    if (r >= 0)
        r = sd_bus_message_append(message, "u", guest_id);
    return r < 0 ? r : peer_send(host, message, 0);
}

static void tell_detached(ipc_web_contents *guest)
{
    Peer *host = guest->host->peer;

    if (send_detached(host, guest->id) >= 0)
        tell_watchers(host, "webview-detached", guest->id);
}

void webview_host_forget(ipc_web_contents *contents)
{
    TokenSet *set = &contents->peer->app->tokens;
    Token *token, *next;

    LIST_FOREACH_SAFE(token, &set->list, link, next)
        if (token->host == contents)
            token_free(token);
    if (contents->host)
        tell_detached(contents);
}

static int send_message(const ipc_web_contents *guest, Peer *host, const Request *request)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    int r;

    if (request->length > peer_get_max(host))
        return -EMSGSIZE;
    if (host->lane)
        return peer_lane_send(host, &(Packet){ .verb = LANE_WEBVIEW_MESSAGE, .id = guest->id,
                                               .channel = request->channel, .text = request->text,
                                               .length = request->length, .text_fd = -1 });
    r = peer_new_signal(host, "WebviewMessage", &message);
    if (r >= 0)
        r = sd_bus_message_append(message, "uss", guest->id, request->channel, request->text);
    return r < 0 ? r : peer_send(host, message, request->length);
}

int webview_host_send_message(ipc_web_contents *guest, const Request *request)
{
    Peer *host = guest->host->peer;
    int r = send_message(guest, host, request);

    if (r >= 0)
        traffic_sent(host, &(Outgoing){ .verb = "webview-message", .sender_id = guest->id, .channel = request->channel,
                                        .text = request->text, .length = request->length });
    return r;
}
