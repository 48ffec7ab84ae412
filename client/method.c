/* SPDX-License-Identifier: MIT */
#include "method.h"

#include <errno.h>
#include <string.h>

#include "lane.h"
#include "macro.h"
#include "renderer.h"
#include "transfer.h"

static const struct {
    const char *member;
    bool has_id;
    bool has_text;
    bool has_transfers;
} methods[] = {
    [LANE_SEND] = { "Send", .has_text = true },
    [LANE_INVOKE] = { "Invoke", .has_text = true },
    [LANE_SEND_SYNC] = { "SendSync", .has_text = true },
    [LANE_SEND_TO] = { "SendTo", .has_id = true, .has_text = true },
    [LANE_SEND_TO_HOST] = { "SendToHost", .has_text = true },
    [LANE_POST_MESSAGE] = { "PostMessage", .has_text = true, .has_transfers = true },
    [LANE_CREATE_WEBVIEW] = { .member = "CreateWebview" },
};

int method_new(ipc_renderer *renderer, const Packet *packet, sd_bus_message **ret_message)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    int r;

    r = sd_bus_message_new_method_call(renderer->bus, &message, NULL, IPC_MAIN_PATH, IPC_MAIN_INTERFACE,
                                       methods[packet->verb].member);
    if (r >= 0 && methods[packet->verb].has_id)
        r = sd_bus_message_append_basic(message, 'u', &packet->id);
    /* The bus has no text with a NUL in it, and sd-bus would cut it short there. */
    if (r >= 0 && methods[packet->verb].has_text && strlen(packet->text) != packet->length)
        r = -EINVAL;
    if (r >= 0 && methods[packet->verb].has_text)
        r = sd_bus_message_append(message, "ss", packet->channel, packet->text);
    if (r >= 0 && methods[packet->verb].has_transfers)
        r = transfer_append(packet, message);
    if (r < 0)
        return r;
    *ret_message = TAKE_PTR(message);
    return 0;
}
