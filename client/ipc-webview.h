/* SPDX-License-Identifier: MIT */
#ifndef IPCBUS_IPC_WEBVIEW_H
#define IPCBUS_IPC_WEBVIEW_H

/*
 * A webview: the place that a renderer has for a guest, another renderer that it embeds. Included by ipc-renderer.h.
 */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc-renderer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ipc_webview ipc_webview;

/**
 * enum ipc_webview_state - how a webview stands
 * @IPC_WEBVIEW_PREPARING: main has not made its token yet
 * @IPC_WEBVIEW_WAITING: it has a token and waits for its guest
 * @IPC_WEBVIEW_ATTACHED: its guest is there
 * @IPC_WEBVIEW_DETACHED: its guest went, or main went or refused it: make another one
 */
typedef enum ipc_webview_state {
    IPC_WEBVIEW_PREPARING,
    IPC_WEBVIEW_WAITING,
    IPC_WEBVIEW_ATTACHED,
    IPC_WEBVIEW_DETACHED
} ipc_webview_state;

/**
 * ipc_webview_new - make room for one guest
 * @ret_webview: the webview; drop it with ipc_webview_unref()
 * @renderer: the host
 *
 * Electron: the <webview> tag.
 *
 * Return: as ipc_renderer_send().
 */
int ipc_webview_new(ipc_webview **ret_webview, ipc_renderer *renderer);

/** ipc_webview_ref - take another reference; Return: @webview, which may be NULL */
ipc_webview *ipc_webview_ref(ipc_webview *webview);

/**
 * ipc_webview_unref - drop a reference; with the last one its callbacks do not run any more
 * @webview: the webview, or NULL
 *
 * The guest stays a renderer like any other.
 *
 * Return: NULL.
 */
ipc_webview *ipc_webview_unref(ipc_webview *webview);

/** ipc_webview_get_state - how it stands; Return: the state; IPC_WEBVIEW_DETACHED if @webview is NULL */
ipc_webview_state ipc_webview_get_state(const ipc_webview *webview);

/**
 * ipc_webview_get_id - the id of the guest
 * @webview: the webview
 *
 * Electron: webview.getWebContentsId().
 *
 * Return: the id; 0 unless it is IPC_WEBVIEW_ATTACHED, or if @webview is NULL.
 */
uint32_t ipc_webview_get_id(const ipc_webview *webview);

/**
 * ipc_webview_get_token - what the guest registers with
 * @webview: the webview
 * @ret_token: the token, owned by @webview
 *
 * Return: 0, or -EINVAL, -EAGAIN (not made yet: wait for ipc_webview_on_state()), -ENOTCONN (main went or refused).
 */
int ipc_webview_get_token(const ipc_webview *webview, const char **ret_token);

/**
 * ipc_webview_state_t - what runs when the state of a webview changes
 * @webview: the webview
 * @state: what it became
 * @error: why, where main refused or went; else NULL
 * @userdata: as it was registered
 */
typedef void (*ipc_webview_state_t)(ipc_webview *webview, ipc_webview_state state, const ipc_error *error,
                                    void *userdata);

/**
 * ipc_webview_on_state - be told when the state changes
 * @webview: the webview
 * @ret_slot: the registration; NULL: as long as @webview
 * @callback: runs for each change
 * @userdata: for @callback
 *
 * Electron: webview.addEventListener('destroyed'), which is IPC_WEBVIEW_DETACHED.
 *
 * Return: 0, or -EINVAL, -ENOMEM.
 */
int ipc_webview_on_state(ipc_webview *webview, ipc_slot **ret_slot, ipc_webview_state_t callback, void *userdata);

/**
 * ipc_webview_on_message - hear what the guest sends to its host
 * @webview: the webview
 * @ret_slot: the registration; NULL: as long as @webview
 * @callback: ipc_event_get_channel() tells the channel, ipc_event_get_sender_id() the guest
 * @userdata: for @callback
 *
 * Electron: webview.addEventListener('ipc-message').
 *
 * Return: 0, or -EINVAL, -ENOMEM.
 */
int ipc_webview_on_message(ipc_webview *webview, ipc_slot **ret_slot, ipc_listener_t callback, void *userdata);

/** ipc_webview_on_message_text - as ipc_webview_on_message(), but for who wants the text: see ipc_renderer_on_text() */
int ipc_webview_on_message_text(ipc_webview *webview, ipc_slot **ret_slot, ipc_text_listener_t callback,
                                void *userdata);

/**
 * ipc_webview_send - send a message to the guest
 * @webview: the webview
 * @channel: 1 to 255 bytes of UTF-8
 * @args: a JSON array; NULL is []
 *
 * Electron: webview.send().
 *
 * Return: as ipc_renderer_send(); -ENOTCONN also while no guest is there.
 */
int ipc_webview_send(ipc_webview *webview, const char *channel, json_t *args);

/**
 * ipc_webview_sendf - ipc_webview_send() with arguments made by json_pack()
 * @webview: the webview
 * @channel: 1 to 255 bytes of UTF-8
 * @format: as of ipc_renderer_sendf()
 *
 * Electron: webview.send().
 *
 * Return: as ipc_renderer_sendf(); -ENOTCONN also while no guest is there.
 */
int ipc_webview_sendf(ipc_webview *webview, const char *channel, const char *format, ...);

/**
 * ipc_webview_send_text - ipc_webview_send() with the JSON text of the array
 * @webview: the webview
 * @channel: 1 to 255 bytes of UTF-8
 * @text: as of ipc_renderer_send_text()
 * @length: of @text in bytes; a NUL follows them
 *
 * Electron: webview.send().
 *
 * Return: as ipc_renderer_send_text(); -ENOTCONN also while no guest is there.
 */
int ipc_webview_send_text(ipc_webview *webview, const char *channel, const char *text, size_t length);

/* For __attribute__((cleanup)). */
static inline void ipc_webview_unrefp(ipc_webview **webview)
{
    if (*webview)
        ipc_webview_unref(*webview);
}

#ifdef __cplusplus
}
#endif

#endif
