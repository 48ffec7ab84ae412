/* SPDX-License-Identifier: MIT */
#include "main-dbus.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "dispatch.h"
#include "invocation.h"
#include "macro.h"
#include "monitor-dbus.h"
#include "peer-lane.h"
#include "transfer.h"
#include "webview-host.h"

/* ---- methods: each reads, calls, and answers ---- */

static int reply(Peer *peer, sd_bus_message *call, const char *types, ...)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    va_list values;
    int r;

    if (sd_bus_message_get_expect_reply(call) <= 0)
        return 0;
    r = sd_bus_message_new_method_return(call, &message);
    if (r < 0)
        return r;
    va_start(values, types);
    r = sd_bus_message_appendv(message, types, values);
    va_end(values);
    return r < 0 ? r : peer_answer(peer, call, message, 0);
}

static int read_string_option(sd_bus_message *message, const char *key, const char **ret_value, sd_bus_error *error)
{
    const char *type;
    int r;

    r = sd_bus_message_peek_type(message, NULL, &type);
    if (r < 0)
        return r;
    if (strcmp(type, "s") != 0) {
        sd_bus_error_setf(error, IPC_ERROR_INVALID_ARGS, "Option '%s' must be a string, not of type '%s'", key, type);
        return -EINVAL;
    }
    return sd_bus_message_read(message, "v", "s", ret_value);
}

static int read_option(sd_bus_message *message, const char **title, const char **token, sd_bus_error *error)
{
    const char *key;
    int r;

    r = sd_bus_message_read_basic(message, 's', &key);
    if (r < 0)
        return r;
    if (strcmp(key, "title") == 0)
        return read_string_option(message, key, title, error);
    if (strcmp(key, "guest-token") == 0)
        return read_string_option(message, key, token, error);
    return sd_bus_message_skip(message, "v");
}

static int run_register(Peer *peer, sd_bus_message *message, sd_bus_error *error)
{
    const char *title = "", *token = NULL;
    bool is_new = false;
    uint32_t id;
    int r;

    r = sd_bus_message_enter_container(message, 'a', "{sv}");
    while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
        r = read_option(message, &title, &token, error);
        if (r >= 0)
            r = sd_bus_message_exit_container(message);
    }
    if (r >= 0)
        r = dispatch_register(peer, title, token, &id, &is_new, error);
    if (r >= 0)
        r = reply(peer, message, "u", id);
    /* Whoever is told may send at once, and the renderer should know by then that it is one. */
    if (is_new)
        dispatch_registered(peer, token);
    return r;
}

static int read_request(sd_bus_message *message, Request *request)
{
    uint64_t serial;
    int r;

    r = sd_bus_message_read(message, "ss", &request->channel, &request->text);
    if (r >= 0)
        r = sd_bus_message_get_cookie(message, &serial);
    if (r < 0)
        return r;
    request->length = strlen(request->text);
    request->call = message;
    request->serial = (uint32_t)serial;
    return 0;
}

static int run_send(Peer *peer, sd_bus_message *message, sd_bus_error *error)
{
    Request request = { 0 };
    int r;

    r = read_request(message, &request);
    if (r >= 0)
        r = dispatch_send(peer, &request, error);
    return r < 0 ? r : reply(peer, message, "");
}

static int run_invoke(Peer *peer, sd_bus_message *message, sd_bus_error *error)
{
    Request request = { 0 };
    int r;

    r = read_request(message, &request);
    return r < 0 ? r : dispatch_invoke(peer, &request, error);
}

static int run_send_sync(Peer *peer, sd_bus_message *message, sd_bus_error *error)
{
    Request request = { 0 };
    int r;

    r = read_request(message, &request);
    return r < 0 ? r : dispatch_send_sync(peer, &request, error);
}

static int run_send_to(Peer *peer, sd_bus_message *message, sd_bus_error *error)
{
    Request request = { 0 };
    uint32_t id;
    int r;

    r = sd_bus_message_read_basic(message, 'u', &id);
    if (r >= 0)
        r = read_request(message, &request);
    if (r >= 0)
        r = dispatch_send_to(peer, id, &request, error);
    return r < 0 ? r : reply(peer, message, "");
}

static int run_send_to_host(Peer *peer, sd_bus_message *message, sd_bus_error *error)
{
    Request request = { 0 };
    int r;

    r = read_request(message, &request);
    if (r >= 0)
        r = dispatch_send_to_host(peer, &request, error);
    return r < 0 ? r : reply(peer, message, "");
}

static int run_post_message(Peer *peer, sd_bus_message *message, sd_bus_error *error)
{
    Request request = { 0 };
    int r;

    r = read_request(message, &request);
    if (r >= 0)
        r = transfers_from_message(message, &request.transfers, error);
    if (r >= 0)
        r = dispatch_post_message(peer, &request, error);
    transfers_free(request.transfers);
    return r < 0 ? r : reply(peer, message, "");
}

static int run_open_lane(Peer *peer, sd_bus_message *message, sd_bus_error *error)
{
    int fd, r;

    r = dispatch_open_lane(peer, &fd, error);
    if (r < 0)
        return r;
    r = reply(peer, message, "h", fd);
    close(fd);
    return r;
}

static int run_cancel(Peer *peer, sd_bus_message *message, sd_bus_error *error)
{
    uint32_t serial;
    int r;

    (void)error;
    r = sd_bus_message_read_basic(message, 'u', &serial);
    if (r < 0)
        return r;
    invocation_cancel(peer, serial, false);
    return reply(peer, message, "");
}

static int run_create_webview(Peer *peer, sd_bus_message *message, sd_bus_error *error)
{
    char token[TOKEN_SIZE];
    int r;

    r = dispatch_create_webview(peer, token, error);
    return r < 0 ? r : reply(peer, message, "s", token);
}

#define METHOD(member)                                                                              \
    static int method_##member(sd_bus_message *message, void *userdata, sd_bus_error *error)        \
    {                                                                                               \
        _cleanup_(ipc_app_unrefp) ipc_app *app = ipc_app_ref(userdata);                             \
                                                                                                    \
        (void)error;                                                                                \
        return peer_admit(app, message, run_##member);                                              \
    }

METHOD(register)
METHOD(send)
METHOD(invoke)
METHOD(send_sync)
METHOD(send_to)
METHOD(send_to_host)
METHOD(cancel)
METHOD(create_webview)
METHOD(post_message)
METHOD(open_lane)

/* ---- properties ---- */

#define PROPERTY_ARGUMENTS                                                                          \
    sd_bus *bus, const char *path, const char *interface, const char *property,                     \
        sd_bus_message *message, void *userdata, sd_bus_error *error
#define PROPERTY_UNUSED (void)bus, (void)path, (void)interface, (void)property, (void)error

static int get_version(PROPERTY_ARGUMENTS)
{
    PROPERTY_UNUSED, (void)userdata;
    return sd_bus_message_append_basic(message, 's', PACKAGE_VERSION);
}

static int append_names(sd_bus_message *message, const Emitter *emitter)
{
    char **names, **name;
    int r;

    r = emitter_channel_names(emitter, &names);
    if (r < 0)
        return r;
    r = sd_bus_message_append_strv(message, names);
    for (name = names; *name; name++)
        free(*name);
    free(names);
    return r;
}

static int get_listeners(PROPERTY_ARGUMENTS)
{
    PROPERTY_UNUSED;
    return append_names(message, &((ipc_app *)userdata)->main.listeners);
}

static int get_handlers(PROPERTY_ARGUMENTS)
{
    PROPERTY_UNUSED;
    return append_names(message, &((ipc_app *)userdata)->main.handlers);
}

#define WEB_CONTENTS_PROPERTY(name, type, value)                                                    \
    static int get_##name(PROPERTY_ARGUMENTS)                                                       \
    {                                                                                               \
        const ipc_web_contents *contents = userdata;                                                \
                                                                                                    \
        PROPERTY_UNUSED;                                                                            \
        return sd_bus_message_append(message, type, value);                                         \
    }

WEB_CONTENTS_PROPERTY(id, "u", contents->id)
WEB_CONTENTS_PROPERTY(bus_name, "s", contents->peer->unique_name)
WEB_CONTENTS_PROPERTY(process_id, "u", contents->peer->pid)
WEB_CONTENTS_PROPERTY(user_id, "u", contents->peer->uid)
WEB_CONTENTS_PROPERTY(host_id, "u", ipc_web_contents_get_id(contents->host))
WEB_CONTENTS_PROPERTY(title, "s", contents->title)
WEB_CONTENTS_PROPERTY(transport, "s", contents->peer->lane ? "lane" : "bus")
WEB_CONTENTS_PROPERTY(connected, "t", contents->connected)
WEB_CONTENTS_PROPERTY(messages_sent, "t", contents->peer->n_sent - contents->n_sent_before)
WEB_CONTENTS_PROPERTY(messages_received, "t", contents->peer->n_received - contents->n_received_before)
WEB_CONTENTS_PROPERTY(bytes_queued, "t", (peer_lane_recount(contents->peer), (uint64_t)contents->peer->queue.bytes))
WEB_CONTENTS_PROPERTY(pending_invokes, "u", contents->peer->n_pending)

/* ---- vtables ---- */

/* sd-bus would ask the bus, and wait, for the privileges of each caller of each call. The policy knows better. */
#define OPEN SD_BUS_VTABLE_UNPRIVILEGED
#define CONST SD_BUS_VTABLE_PROPERTY_CONST

static const sd_bus_vtable main_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Register", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("u", id), method_register, OPEN),
    SD_BUS_METHOD_WITH_ARGS("Send", SD_BUS_ARGS("s", channel, "s", args), SD_BUS_NO_RESULT, method_send, OPEN),
    SD_BUS_METHOD_WITH_ARGS("Invoke", SD_BUS_ARGS("s", channel, "s", args), SD_BUS_RESULT("s", result),
                            method_invoke, OPEN),
    SD_BUS_METHOD_WITH_ARGS("SendSync", SD_BUS_ARGS("s", channel, "s", args), SD_BUS_RESULT("s", result),
                            method_send_sync, OPEN),
    SD_BUS_METHOD_WITH_ARGS("SendTo", SD_BUS_ARGS("u", id, "s", channel, "s", args), SD_BUS_NO_RESULT,
                            method_send_to, OPEN),
    SD_BUS_METHOD_WITH_ARGS("SendToHost", SD_BUS_ARGS("s", channel, "s", args), SD_BUS_NO_RESULT,
                            method_send_to_host, OPEN),
    SD_BUS_METHOD_WITH_ARGS("PostMessage", SD_BUS_ARGS("s", channel, "s", message, "a(sh)", transfers),
                            SD_BUS_NO_RESULT, method_post_message, OPEN),
    SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_ARGS("u", serial), SD_BUS_NO_RESULT, method_cancel, OPEN),
    SD_BUS_METHOD_WITH_ARGS("CreateWebview", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", token), method_create_webview, OPEN),
    SD_BUS_METHOD_WITH_ARGS("OpenLane", SD_BUS_NO_ARGS, SD_BUS_RESULT("h", lane), method_open_lane, OPEN),
    SD_BUS_SIGNAL_WITH_ARGS("Message", SD_BUS_ARGS("s", channel, "s", args, "u", sender_id), 0),
    SD_BUS_SIGNAL_WITH_ARGS("PortMessage",
                            SD_BUS_ARGS("s", channel, "s", message, "a(sh)", transfers, "u", sender_id), 0),
    SD_BUS_SIGNAL_WITH_ARGS("WebviewMessage", SD_BUS_ARGS("u", guest_id, "s", channel, "s", args), 0),
    SD_BUS_SIGNAL_WITH_ARGS("WebviewAttached", SD_BUS_ARGS("s", token, "u", guest_id), 0),
    SD_BUS_SIGNAL_WITH_ARGS("WebviewDetached", SD_BUS_ARGS("u", guest_id), 0),
    SD_BUS_PROPERTY("Version", "s", get_version, 0, CONST),
    SD_BUS_PROPERTY("Listeners", "as", get_listeners, 0, 0),
    SD_BUS_PROPERTY("Handlers", "as", get_handlers, 0, 0),
    SD_BUS_VTABLE_END,
};

static const sd_bus_vtable web_contents_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Id", "u", get_id, 0, CONST),
    SD_BUS_PROPERTY("BusName", "s", get_bus_name, 0, CONST),
    SD_BUS_PROPERTY("ProcessId", "u", get_process_id, 0, CONST),
    SD_BUS_PROPERTY("UserId", "u", get_user_id, 0, CONST),
    SD_BUS_PROPERTY("HostId", "u", get_host_id, 0, 0),
    SD_BUS_PROPERTY("Title", "s", get_title, 0, CONST),
    SD_BUS_PROPERTY("Transport", "s", get_transport, 0, 0),
    SD_BUS_PROPERTY("Connected", "t", get_connected, 0, CONST),
    SD_BUS_PROPERTY("MessagesSent", "t", get_messages_sent, 0, 0),
    SD_BUS_PROPERTY("MessagesReceived", "t", get_messages_received, 0, 0),
    SD_BUS_PROPERTY("BytesQueued", "t", get_bytes_queued, 0, 0),
    SD_BUS_PROPERTY("PendingInvokes", "u", get_pending_invokes, 0, 0),
    SD_BUS_VTABLE_END,
};

static const sd_bus_vtable *find_method(const sd_bus_vtable *vtable, const char *member)
{
    const sd_bus_vtable *entry;

    for (entry = vtable; entry->type != _SD_BUS_VTABLE_END; entry++)
        if (entry->type == _SD_BUS_VTABLE_METHOD && strcmp(entry->x.method.member, member) == 0)
            return entry;
    return NULL;
}

/* Who calls a method without an interface means that of any. */
bool main_dbus_has_method(sd_bus_message *call)
{
    const char *member = sd_bus_message_get_member(call), *interface = sd_bus_message_get_interface(call);
    const sd_bus_vtable *method = NULL;

    if (!interface || strcmp(interface, IPC_MAIN_INTERFACE) == 0)
        method = find_method(main_vtable, member);
    if (!method && (!interface || strcmp(interface, IPC_MONITOR_INTERFACE) == 0))
        method = find_method(monitor_vtable, member);
    return method && strcmp(sd_bus_message_get_path(call), IPC_MAIN_PATH) == 0 &&
           sd_bus_message_has_signature(call, method->x.method.signature);
}

/* ---- objects ---- */

static char *object_path(const ipc_web_contents *contents)
{
    char *path = NULL;

    return asprintf(&path, "%s/%u", IPC_WEB_CONTENTS_PATH, contents->id) < 0 ? NULL : path;
}

static int find_web_contents(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                             sd_bus_error *error)
{
    _cleanup_free_ char *expected = NULL;
    ipc_web_contents *contents;
    const char *slash = strrchr(path, '/');

    (void)bus, (void)interface, (void)error;
    contents = ipc_web_contents_from_id(userdata, (uint32_t)strtoul(slash + 1, NULL, 10));
    if (!contents)
        return 0;
    /* One object has one path: no leading zeroes, no trailing words, no other spelling. */
    expected = object_path(contents);
    if (!expected)
        return -ENOMEM;
    if (strcmp(path, expected) != 0)
        return 0;
    *ret_found = contents;
    return 1;
}

static void free_paths(char ***paths)
{
    char **path;

    for (path = *paths; path && *path; path++)
        free(*path);
    free(*paths);
}

static int enumerate_web_contents(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                                  sd_bus_error *error)
{
    _cleanup_(free_paths) char **nodes = NULL;
    ipc_app *app = userdata;
    ipc_web_contents *contents;
    size_t n = 0;

    (void)bus, (void)prefix, (void)error;
    nodes = calloc(app->web_contents.n + 1, sizeof(*nodes));
    if (!nodes)
        return -ENOMEM;
    TAILQ_FOREACH(contents, &app->web_contents.list, link) {
        nodes[n] = object_path(contents);
        if (!nodes[n++])
            return -ENOMEM;
    }
    *ret_nodes = TAKE_PTR(nodes);
    return 1;
}

int main_dbus_add(ipc_app *app)
{
    sd_bus_slot **slots = app->objects_slots;
    int r;

    r = sd_bus_add_object_vtable(app->bus, &slots[0], IPC_MAIN_PATH, IPC_MAIN_INTERFACE, main_vtable, app);
    if (r >= 0)
        r = monitor_dbus_add(app, &slots[4]);
    if (r >= 0)
        r = sd_bus_add_fallback_vtable(app->bus, &slots[1], IPC_WEB_CONTENTS_PATH, IPC_WEB_CONTENTS_INTERFACE,
                                       web_contents_vtable, find_web_contents, app);
    if (r >= 0)
        r = sd_bus_add_node_enumerator(app->bus, &slots[2], IPC_WEB_CONTENTS_PATH, enumerate_web_contents, app);
    if (r >= 0)
        r = sd_bus_add_object_manager(app->bus, &slots[3], IPC_MAIN_PATH);
    return r;
}

void main_dbus_remove(ipc_app *app)
{
    size_t i;

    for (i = 0; i < ELEMENTSOF(app->objects_slots); i++)
        app->objects_slots[i] = sd_bus_slot_unref(app->objects_slots[i]);
}

void main_dbus_object_added(ipc_web_contents *contents)
{
    _cleanup_free_ char *path = object_path(contents);

    if (path)
        (void)sd_bus_emit_object_added(contents->peer->app->bus, path);
}

void main_dbus_object_removed(ipc_web_contents *contents)
{
    _cleanup_free_ char *path = object_path(contents);

    if (path)
        (void)sd_bus_emit_object_removed(contents->peer->app->bus, path);
}
