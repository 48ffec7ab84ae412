/* SPDX-License-Identifier: MIT */
#include "reply.h"

#include <errno.h>
#include <string.h>

#include "ipc-names.h"
#include "lane.h"
#include "macro.h"
#include "renderer.h"

/* Where a bus lets messages through by the names of who gets them, one that has given up its name gets none. */
static bool has_left(const Call *call)
{
    const ipc_renderer *renderer = call->renderer;

    return renderer->has_lost_owner || !renderer->owner || strcmp(call->answerer, renderer->owner) != 0;
}

/* The bus says that main is gone in several ways, and none of them is the word of main. */
static void call_take_bus_error(Call *call, sd_bus_message *reply)
{
    const sd_bus_error *error = sd_bus_message_get_error(reply);

    if (call->answerer && (sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) ||
                           sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
                           sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
                           sd_bus_error_has_name(error, SD_BUS_ERROR_DISCONNECTED) ||
                           (sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED) && has_left(call))))
        (void)error_setf(&call->error, IPC_ERROR_MAIN_GONE, "The main process went away before it answered");
    else
        (void)error_from_message(&call->error, reply);
}

void reply_take_message(Call *call, sd_bus_message *reply, bool is_from_bus)
{
    if (!sd_bus_message_is_method_error(reply, NULL))
        call->reply = sd_bus_message_ref(reply);
    else if (is_from_bus)
        call_take_bus_error(call, reply);
    else
        (void)error_from_message(&call->error, reply);
}

int reply_take_packet(Call *call, Packet *packet)
{
    if (packet->verb == LANE_ERROR)
        return lane_read_error(packet, &call->error);
    return parcel_take(packet, &call->parcel);
}

int call_read_text(Call *call, const char **ret_text, size_t *ret_length)
{
    int r;

    if (call->parcel) {
        *ret_text = call->parcel->packet.text;
        *ret_length = call->parcel->packet.length;
        return 0;
    }
    if (!call->reply)
        return -EBADMSG;
    r = sd_bus_message_read_basic(call->reply, 's', ret_text);
    if (r <= 0)
        return r < 0 ? r : -EBADMSG;
    *ret_length = strlen(*ret_text);
    return 0;
}

void call_drop_reply(Call *call)
{
    call->reply = sd_bus_message_unref(call->reply);
    call->parcel = parcel_free(call->parcel);
}
