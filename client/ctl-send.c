/* SPDX-License-Identifier: MIT */
#include "ctl-send.h"

#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#include "ctl-args.h"
#include "ctl-client.h"
#include "ctl-lane.h"
#include "ctl-output.h"
#include "ipc-names.h"
#include "macro.h"

typedef struct Message {
    const char *channel;
    char *args; /* JSON text */
} Message;

static void message_clear(Message *message)
{
    free(message->args);
}

/* operands: CHANNEL [ARG...] */
static ExitStatus message_read(Message *message, char **operands, Failure *failure)
{
    ExitStatus status;

    message->channel = operands[0];
    status = args_check_channel(message->channel, failure);
    return status == STATUS_OK ? args_from_words(operands + 1, &message->args, failure) : status;
}

static ExitStatus new_call(Client *client, sd_bus_message **ret_call, const char *member, Failure *failure)
{
    int r;

    r = client_new_call(client, ret_call, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member);
    return r < 0 ? client_fail(client, r, failure) : STATUS_OK;
}

/* The result is JSON whatever the style, since only JSON can say all that it may be. */
static ExitStatus print_text(const Options *options, const char *result, Failure *failure)
{
    if (!output_is_json(result))
        return failure_set(failure, STATUS_FAILED, NULL, "%s answered with something that is not JSON", options->name);
    output_json(stdout, result, options->style);
    putchar('\n');
    return STATUS_OK;
}

static ExitStatus print_result(Client *client, sd_bus_message *answer, Failure *failure)
{
    const char *result;
    int r;

    r = sd_bus_message_read(answer, "s", &result);
    return r < 0 ? client_fail(client, r, failure) : print_text(client->options, result, failure);
}

/* The caller does not register: it is an anonymous one, for which main need not make an object. */
static ExitStatus send_message(const Options *options, const char *member, char **operands,
                               sd_bus_message **ret_answer, Client *client, Failure *failure)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
    _cleanup_(message_clear) Message message = { 0 };
    ExitStatus status;
    int r;

    status = message_read(&message, operands, failure);
    if (status == STATUS_OK)
        status = client_open(client, options, failure);
    if (status == STATUS_OK)
        status = new_call(client, &call, member, failure);
    if (status != STATUS_OK)
        return status;
    r = sd_bus_message_append(call, "ss", message.channel, message.args);
    if (r < 0)
        return client_fail(client, r, failure);

    status = client_call(client, call, ret_answer, failure);
    if (status == STATUS_TIMED_OUT)
        client_cancel(client, call);
    return status;
}

static ExitStatus send_by_lane(const Options *options, char **operands, Failure *failure)
{
    _cleanup_(message_clear) Message message = { 0 };
    ExitStatus status;

    status = message_read(&message, operands, failure);
    return status == STATUS_OK ? lane_send(options, message.channel, message.args, failure) : status;
}

ExitStatus send_command(const Options *options, char **operands, Failure *failure)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
    _cleanup_(client_close) Client client = { 0 };

    if (options->by_lane)
        return send_by_lane(options, operands, failure);
    /* There is no result, but a refusal must be seen, and that the message has arrived. */
    return send_message(options, "Send", operands, &answer, &client, failure);
}

typedef ExitStatus (*LaneCall)(const Options *options, const char *channel, const char *args, char **ret_result,
                               Failure *failure);

static ExitStatus call_by_lane_and_print(const Options *options, LaneCall call, char **operands, Failure *failure)
{
    _cleanup_(message_clear) Message message = { 0 };
    _cleanup_free_ char *result = NULL;
    ExitStatus status;

    status = message_read(&message, operands, failure);
    if (status == STATUS_OK)
        status = call(options, message.channel, message.args, &result, failure);
    return status == STATUS_OK ? print_text(options, result, failure) : status;
}

static ExitStatus send_and_print(const Options *options, const char *member, char **operands, Failure *failure)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
    _cleanup_(client_close) Client client = { 0 };
    ExitStatus status;

    status = send_message(options, member, operands, &answer, &client, failure);
    return status == STATUS_OK ? print_result(&client, answer, failure) : status;
}

ExitStatus send_invoke_command(const Options *options, char **operands, Failure *failure)
{
    if (options->by_lane)
        return call_by_lane_and_print(options, lane_invoke, operands, failure);
    return send_and_print(options, "Invoke", operands, failure);
}

ExitStatus send_sync_command(const Options *options, char **operands, Failure *failure)
{
    if (options->by_lane)
        return call_by_lane_and_print(options, lane_send_sync, operands, failure);
    return send_and_print(options, "SendSync", operands, failure);
}

/* Only a renderer may send to another one. */
static ExitStatus register_renderer(Client *client, Failure *failure)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *answer = NULL;
    ExitStatus status;
    int r;

    status = new_call(client, &call, "Register", failure);
    if (status != STATUS_OK)
        return status;
    r = sd_bus_message_append(call, "a{sv}", 1, "title", "s", "ipcbusctl send-to");
    if (r < 0)
        return client_fail(client, r, failure);
    return client_call(client, call, &answer, failure);
}

static ExitStatus send_to(Client *client, uint32_t id, const Message *message, Failure *failure)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *answer = NULL;
    ExitStatus status;
    int r;

    status = new_call(client, &call, "SendTo", failure);
    if (status != STATUS_OK)
        return status;
    r = sd_bus_message_append(call, "uss", id, message->channel, message->args);
    if (r < 0)
        return client_fail(client, r, failure);
    return client_call(client, call, &answer, failure);
}

ExitStatus send_to_command(const Options *options, char **operands, Failure *failure)
{
    _cleanup_(client_close) Client client = { 0 };
    _cleanup_(message_clear) Message message = { 0 };
    ExitStatus status;
    uint32_t id;

    status = args_read_id(operands[0], &id, failure);
    if (status == STATUS_OK)
        status = message_read(&message, operands + 1, failure);
    if (status == STATUS_OK && options->by_lane)
        return lane_send_to(options, id, message.channel, message.args, failure);
    if (status == STATUS_OK)
        status = client_open(&client, options, failure);
    if (status == STATUS_OK)
        status = register_renderer(&client, failure);
    return status == STATUS_OK ? send_to(&client, id, &message, failure) : status;
}
