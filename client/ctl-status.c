/* SPDX-License-Identifier: MIT */
#include "ctl-status.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "ctl-args.h"
#include "ctl-client.h"
#include "ctl-figures.h"
#include "ctl-list.h"
#include "ctl-output.h"
#include "ctl-properties.h"
#include "ctl-table.h"
#include "ctl-terminal.h"
#include "ipc-names.h"
#include "macro.h"

/* ---- for people ---- */

static void write_age(char *ret, size_t size, double seconds)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = { { "days", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 } };
    size_t i = 0;

    /* Not before there are two. */
    while (i + 1 < ELEMENTSOF(units) && seconds < 2 * units[i].seconds)
        i++;
    snprintf(ret, size, "%.0f %s ago", seconds > 0 ? seconds / units[i].seconds : 0, units[i].name);
}

static int make_date_readable(json_t *object, const char *key)
{
    json_int_t usec = json_integer_value(json_object_get(object, key));
    time_t seconds = (time_t)(usec / 1000000);
    char date[32], age[32], text[80];
    struct tm when;

    if (usec <= 0 || !localtime_r(&seconds, &when) || strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &when) == 0)
        return 0;
    write_age(age, sizeof(age), ((double)clock_now(CLOCK_REALTIME) - (double)usec) / 1e6);
    snprintf(text, sizeof(text), "%s (%s)", date, age);
    return json_object_set_new(object, key, json_string(text)) < 0 ? -ENOMEM : 0;
}

/* An array of figures has no place among members. */
static int print_for_people(json_t *object)
{
    _cleanup_(json_decrefp) json_t *channels = json_incref(json_object_get(object, "channels"));
    unsigned columns, lines;
    int r;

    json_object_del(object, "channels");
    r = make_date_readable(object, "connected");
    if (r >= 0)
        r = table_print_members(stdout, object);
    if (r < 0 || !channels)
        return r;
    terminal_get_size(stdout, &columns, &lines);
    putchar('\n');
    figures_print(stdout, channels, isatty(STDOUT_FILENO) ? columns : UINT_MAX, SIZE_MAX, false);
    return 0;
}

static int print_members(json_t *object, Style style)
{
    return style == STYLE_TEXT ? print_for_people(object) : output_figures(stdout, object, style);
}

/* ---- figures ---- */

/* An app that is older than they are has none. */
static ExitStatus do_without_figures(ExitStatus status, Failure *failure)
{
    static const char *const names[] = { SD_BUS_ERROR_UNKNOWN_INTERFACE, SD_BUS_ERROR_UNKNOWN_PROPERTY,
                                         SD_BUS_ERROR_UNKNOWN_METHOD };

    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        if (!failure->name || strcmp(failure->name, names[i]) != 0)
            continue;
        failure_clear(failure);
        return STATUS_OK;
    }
    return status;
}

static ExitStatus add_figures(Client *client, json_t *renderer, Failure *failure)
{
    _cleanup_(json_decrefp) json_t *renderers = NULL;
    const json_t *id = json_object_get(renderer, "id");
    json_t *figures;
    ExitStatus status;
    size_t i;

    status = figures_get_renderers(client, &renderers, failure);
    if (status != STATUS_OK)
        return do_without_figures(status, failure);
    json_array_foreach(renderers, i, figures)
        if (json_equal(json_object_get(figures, "id"), id) && json_object_update_missing(renderer, figures) < 0)
            return failure_out_of_memory(failure);
    return STATUS_OK;
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
    if (r < 0)
        return client_fail(client, r, failure);
    status = add_figures(client, renderer, failure);
    if (status != STATUS_OK)
        return status;
    return print_members(renderer, client->options->style) < 0 ? failure_out_of_memory(failure) : STATUS_OK;
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
    _cleanup_(json_decrefp) json_t *properties = NULL, *credentials = NULL, *renderers = NULL, *channels = NULL;
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
    if (status == STATUS_OK)
        status = do_without_figures(figures_get_channels(client, &channels, failure), failure);
    if (status != STATUS_OK)
        return status;

    *ret_app = json_pack("{s:s, s:s, s:O?, s:O?, s:O?, s:O*, s:I}", "name", client->options->name, "unique_name",
                         unique_name, "process_id", json_object_get(credentials, "process_id"), "user_id",
                         json_object_get(credentials, "unix_user_id"), "version",
                         json_object_get(properties, "version"), "channels", channels, "renderers",
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
