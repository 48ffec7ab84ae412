/* SPDX-License-Identifier: MIT */
#include "ctl-list.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "ctl-output.h"
#include "ctl-properties.h"
#include "ctl-table.h"
#include "ipc-names.h"
#include "macro.h"

/* One object of the reply: its path, then its interfaces, of which one is that of a renderer. */
static int read_object(sd_bus_message *answer, json_t *renderers)
{
    const char *interface;
    int r;

    r = sd_bus_message_skip(answer, "o");
    if (r < 0)
        return r;
    r = sd_bus_message_enter_container(answer, 'a', "{sa{sv}}");
    while (r >= 0 && (r = sd_bus_message_enter_container(answer, 'e', "sa{sv}")) > 0) {
        json_t *renderer = NULL;

        r = sd_bus_message_read_basic(answer, 's', &interface);
        if (r >= 0 && strcmp(interface, IPC_WEB_CONTENTS_INTERFACE) == 0)
            r = properties_read(answer, &renderer);
        else if (r >= 0)
            r = sd_bus_message_skip(answer, "a{sv}");
        if (r >= 0 && renderer && json_array_append_new(renderers, renderer) < 0)
            r = -ENOMEM;
        if (r >= 0)
            r = sd_bus_message_exit_container(answer);
    }
    return r < 0 ? r : sd_bus_message_exit_container(answer);
}

static int read_objects(sd_bus_message *answer, json_t *renderers)
{
    int r;

    r = sd_bus_message_enter_container(answer, 'a', "{oa{sa{sv}}}");
    while (r >= 0 && (r = sd_bus_message_enter_container(answer, 'e', "oa{sa{sv}}")) > 0) {
        r = read_object(answer, renderers);
        if (r >= 0)
            r = sd_bus_message_exit_container(answer);
    }
    return r;
}

ExitStatus list_get_renderers(Client *client, json_t **ret_renderers, Failure *failure)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *answer = NULL;
    _cleanup_(json_decrefp) json_t *renderers = json_array();
    ExitStatus status;
    int r;

    r = client_new_call(client, &call, IPC_MAIN_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
    if (r < 0)
        return client_fail(client, r, failure);
    status = client_call(client, call, &answer, failure);
    if (status != STATUS_OK)
        return status;
    r = renderers ? read_objects(answer, renderers) : -ENOMEM;
    if (r < 0)
        return client_fail(client, r, failure);
    *ret_renderers = TAKE_PTR(renderers);
    return STATUS_OK;
}

static json_int_t id_of(const json_t *renderer)
{
    return json_integer_value(json_object_get(renderer, "id"));
}

static int compare_ids(const void *a, const void *b)
{
    json_int_t left = id_of(*(json_t *const *)a), right = id_of(*(json_t *const *)b);

    return (left > right) - (left < right);
}

static int sort_by_id(json_t *renderers)
{
    size_t n = json_array_size(renderers);
    _cleanup_free_ json_t **sorted = NULL;

    sorted = calloc(n + 1, sizeof(*sorted));
    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        sorted[i] = json_incref(json_array_get(renderers, i));
    qsort(sorted, n, sizeof(*sorted), compare_ids);
    for (size_t i = 0; i < n; i++)
        json_array_set_new(renderers, i, sorted[i]);
    return 0;
}

static int print_renderers(json_t *renderers, Style style)
{
    static const Column columns[] = {
        { "ID", "id" },       { "NAME", "bus_name" },       { "PID", "process_id" },
        { "UID", "user_id" }, { "TRANSPORT", "transport" }, { "TITLE", "title" },
    };

    if (style == STYLE_TEXT)
        return table_print(stdout, renderers, columns, ELEMENTSOF(columns));
    return output_value(stdout, renderers, style);
}

ExitStatus list_command(const Options *options, char **operands, Failure *failure)
{
    _cleanup_(json_decrefp) json_t *renderers = NULL;
    _cleanup_(client_close) Client client = { 0 };
    ExitStatus status;
    int r;

    (void)operands;
    status = client_open(&client, options, failure);
    if (status == STATUS_OK)
        status = list_get_renderers(&client, &renderers, failure);
    if (status != STATUS_OK)
        return status;
    r = sort_by_id(renderers);
    if (r >= 0)
        r = print_renderers(renderers, options->style);
    return r < 0 ? client_fail(&client, r, failure) : STATUS_OK;
}
