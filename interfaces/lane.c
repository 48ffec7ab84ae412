/* SPDX-License-Identifier: MIT */
#include "lane.h"

#include <errno.h>
#include <string.h>

#include "error.h"
#include "macro.h"
#include "text.h"

int lane_join_error(const char *message, const char *detail, char **ret_text, size_t *ret_length)
{
    size_t message_size = strlen(message) + 1, detail_size = strlen(detail) + 1;
    char *text;

    text = malloc(message_size + detail_size);
    if (!text)
        return -ENOMEM;
    memcpy(text, message, message_size);
    memcpy(text + message_size, detail, detail_size);
    *ret_text = text;
    *ret_length = message_size + detail_size - 1;
    return 0;
}

int lane_read_error(const Packet *packet, ipc_error *error)
{
    const char *name = *packet->channel ? packet->channel : IPC_ERROR_HANDLER_FAILED;
    size_t message_length = strlen(packet->text);
    int r;

    /* The rules of interface names are those of error names. */
    if (sd_bus_interface_name_is_valid(name) <= 0)
        return -EBADMSG;
    /* Its author may have asked a C library of another locale for it. */
    r = error_setf(error, name, "%s", text_is_utf8(packet->text) ? packet->text : "The error's message is not UTF-8");
    if (r < 0)
        return r;
    /* A detail that is no JSON leaves an error without one. */
    if (message_length < packet->length)
        (void)text_decode_sized(packet->text + message_length + 1, packet->length - message_length - 1, "The detail",
                                &error->detail, NULL);
    return 0;
}
