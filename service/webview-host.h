/* SPDX-License-Identifier: MIT */
#pragma once

/* Webview hosting: the tokens that turn who registers with them into guests, and what host and guest are told. */

#include <sys/queue.h>

#include "ipc-main.h"
#include "request.h"

typedef struct Token Token;

typedef struct TokenSet {
    LIST_HEAD(, Token) list;
} TokenSet;

#define TOKEN_SIZE 33u /* 128 bits in hex, and NUL */

/* Makes a token of a host. LimitsExceeded: too many of its tokens are unused. */
int webview_host_create(ipc_web_contents *host, char ret_token[TOKEN_SIZE], sd_bus_error *error);

/* Uses a token up. InvalidToken: there is none like it. */
int webview_host_redeem(ipc_app *app, const char *token, ipc_web_contents **ret_host, sd_bus_error *error);

/* Tells the host that a guest came with a token. */
void webview_host_attached(ipc_web_contents *guest, const char *token);

/* A renderer goes: its tokens with it, and its host is told. */
void webview_host_forget(ipc_web_contents *contents);

/* What a guest says to its host. */
int webview_host_send_message(ipc_web_contents *guest, const Request *request);
