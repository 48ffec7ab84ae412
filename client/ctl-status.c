/* SPDX-License-Identifier: MIT */
#include "ctl-status.h"

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "ctl-args.h"
#include "ctl-client.h"
#include "ctl-list.h"
#include "ctl-output.h"
#include "ctl-properties.h"
#include "ctl-table.h"
#include "ipc-names.h"
#include "macro.h"

static int print_members(json_t *object, Style style)
{
    return style == STYLE_TEXT ? table_print_members(stdout, object) : output_value(stdout, object, style);
}

static ExitStatus show_renderer(Client *client, uint32_t id, Failure *failure)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
    _cleanup_(json_decrefp) json_t *renderer = NULL;
    char path[sizeof(IPC_WEB_CONTENTS_PATH) + sizeof("/4294967295")];
    ExitStatus status;
    int r;

    snprintf(path, sizeof(path), IPC_WEB_CONTENTS_PATH "/%u", id);
    status = client_get_properties(client, path, IPC_WEB_CONTENTS_INTERFACE, &answer, failure);
    if (failure->name && strcmp(failure->name, SD_BUS_ERROR_UNKNOWN_OBJECT) == 0)
        return failure_set(failure, status, IPC_ERROR_NO_SUCH_WEB_CONTENTS, "There is no renderer %u", id);
    if (status != STATUS_OK)
        return status;
    r = properties_read(answer, &renderer);
    if (r >= 0)
        r = print_members(renderer, client->options->style);
    return r < 0 ? client_fail(client, r, failure) : STATUS_OK;
}

/* Of the service's process the bus knows more than the service could say. */
static ExitStatus get_credentials(Client *client, const char *unique_name, json_t **ret_credentials, Failure *failure)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *answer = NULL;
    ExitStatus status;
    int r;

    r = sd_bus_message_new_method_call(client->bus, &call, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                       "org.freedesktop.DBus", "GetConnectionCredentials");
    if (r >= 0)
        r = sd_bus_message_append(call, "s", unique_name);
    if (r < 0)
        return client_fail(client, r, failure);
    status = client_call(client, call, &answer, failure);
    if (status != STATUS_OK)
        return status;
    r = properties_read(answer, ret_credentials);
    return r < 0 ? client_fail(client, r, failure) : STATUS_OK;
}

static ExitStatus get_app(Client *client, json_t **ret_app, Failure *failure)
{
    _cleanup_(json_decrefp) json_t *properties = NULL, *credentials = NULL, *renderers = NULL;
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
    const char *unique_name;
    ExitStatus status;
    int r;

    status = client_get_properties(client, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, &answer, failure);
    if (status != STATUS_OK)
        return status;
    unique_name = sd_bus_message_get_sender(answer);
    r = unique_name ? properties_read(answer, &properties) : -EBADMSG;
    if (r < 0)
        return client_fail(client, r, failure);
    status = get_credentials(client, unique_name, &credentials, failure);
    if (status == STATUS_OK)
        status = list_get_renderers(client, &renderers, failure);
    if (status != STATUS_OK)
        return status;

    *ret_app = json_pack("{s:s, s:s, s:O?, s:O?, s:O?, s:I}", "name", client->options->name, "unique_name",
                         unique_name, "process_id", json_object_get(credentials, "process_id"), "user_id",
                         json_object_get(credentials, "unix_user_id"), "version",
                         json_object_get(properties, "version"), "renderers",
                         (json_int_t)json_array_size(renderers));
    return *ret_app ? STATUS_OK : failure_out_of_memory(failure);
}

static ExitStatus show_app(Client *client, Failure *failure)
{
    _cleanup_(json_decrefp) json_t *app = NULL;
    ExitStatus status;

    status = get_app(client, &app, failure);
    if (status != STATUS_OK)
        return status;
    return print_members(app, client->options->style) < 0 ? failure_out_of_memory(failure) : STATUS_OK;
}

ExitStatus status_command(const Options *options, char **operands, Failure *failure)
{
    _cleanup_(client_close) Client client = { 0 };
    ExitStatus status = STATUS_OK;
    uint32_t id = 0;

    if (operands[0])
        status = args_read_id(operands[0], &id, failure);
    if (status == STATUS_OK)
        status = client_open(&client, options, failure);
    if (status != STATUS_OK)
        return status;
    return operands[0] ? show_renderer(&client, id, failure) : show_app(&client, failure);
}
