/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ipc-names.h"
#include "macro.h"

void answer_init(Answer *answer, Peer *peer, sd_bus_message *call)
{
    answer->peer = peer_ref(peer);
    answer->call = sd_bus_message_ref(call);
}

void answer_clear(Answer *answer)
{
    answer->call = sd_bus_message_unref(answer->call);
    answer->peer = peer_unref(answer->peer);
}

/* Of a call, its sender and its serial are all that an answer needs. */
static int new_without_args(sd_bus_message *call, sd_bus_message **ret_call)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *bare = NULL;
    uint64_t cookie;
    int r;

    r = sd_bus_message_get_cookie(call, &cookie);
    if (r >= 0)
        r = sd_bus_message_new_method_call(sd_bus_message_get_bus(call), &bare, NULL, sd_bus_message_get_path(call),
                                           sd_bus_message_get_interface(call), sd_bus_message_get_member(call));
    if (r >= 0)
        r = sd_bus_message_set_sender(bare, sd_bus_message_get_sender(call));
    if (r >= 0)
        r = sd_bus_message_set_expect_reply(bare, sd_bus_message_get_expect_reply(call));
    if (r >= 0)
        r = sd_bus_message_seal(bare, cookie, 0);
    if (r < 0)
        return r;
    *ret_call = TAKE_PTR(bare);
    return 0;
}

void answer_forget_args(Answer *answer)
{
    sd_bus_message *bare;

    /* Without memory for it, the call stays as it is. */
    if (!answer->call || new_without_args(answer->call, &bare) < 0)
        return;
    sd_bus_message_unref(answer->call);
    answer->call = bare;
}

/* From here on nothing is owed, whether the message gets there or not. */
static int answer_send(Answer *answer, sd_bus_message *message, size_t size)
{
    int r = peer_answer(answer->peer, answer->call, message, size);

    answer->call = sd_bus_message_unref(answer->call);
    return r;
}

static int answer_too_large(Answer *answer)
{
    char message[128];
    int r;

    snprintf(message, sizeof(message), "The result is over %u bytes of JSON: send it in parts", IPC_ARGS_MAX);
    r = answer_error(answer, IPC_ERROR_TOO_LARGE, message, NULL);
    return r < 0 ? r : -EMSGSIZE;
}

int answer_value(Answer *answer, json_t *value)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    _cleanup_(text_clear) Text text;
    int r;

    r = text_encode(&text, value);
    if (r == -EMSGSIZE)
        return answer_too_large(answer);
    if (r < 0)
        return r;
    r = sd_bus_message_new_method_return(answer->call, &message);
    if (r >= 0)
        r = sd_bus_message_append_basic(message, 's', text.data);
    return r < 0 ? r : answer_send(answer, message, text.length);
}

static int append_detail(sd_bus_message *message, json_t *detail, size_t *size)
{
    _cleanup_(text_clear) Text text;
    int r;

    r = text_encode(&text, detail);
    if (r < 0)
        return r;
    *size += text.length;
    return sd_bus_message_append_basic(message, 's', text.data);
}

int answer_error(Answer *answer, const char *name, const char *message_text, json_t *detail)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    sd_bus_error error = { .name = name, .message = message_text };
    size_t size = strlen(message_text);
    int r;

    r = sd_bus_message_new_method_error(answer->call, &message, &error);
    if (r >= 0 && detail)
        r = append_detail(message, detail, &size);
    if (r == -EMSGSIZE)
        return answer_too_large(answer);
    return r < 0 ? r : answer_send(answer, message, size);
}
