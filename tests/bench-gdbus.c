/* SPDX-License-Identifier: MIT */

/* The same work with GDBus, in GLib's main loop, as a GNOME program would do it. */

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#include "bench-contender.h"

#define GDBUS_PATH "/org/ipcbus/Main"
#define GDBUS_INTERFACE "org.ipcbus.Main1"
#define CALL_TIMEOUT_MSEC 60000

static const char introspection[] = "<node><interface name='" GDBUS_INTERFACE "'>"
                                    "<method name='Invoke'><arg type='s' direction='in'/>"
                                    "<arg type='s' direction='out'/></method>"
                                    "<method name='Send'><arg type='s' direction='in'/></method>"
                                    "</interface></node>";

static int fail(GError *error)
{
    fprintf(stderr, "bench: GDBus: %s\n", error->message);
    g_error_free(error);
    return -EIO;
}

static int connect_to(const char *address, GDBusConnection **ret_connection)
{
    GDBusConnectionFlags flags =
        G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION;
    GError *error = NULL;

    *ret_connection = g_dbus_connection_new_for_address_sync(address, flags, NULL, NULL, &error);
    return *ret_connection ? 0 : fail(error);
}

/* ---- service ---- */

static void on_call(GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                    const char *method, GVariant *parameters, GDBusMethodInvocation *invocation, gpointer userdata)
{
    const Scene *scene = userdata;

    if (strcmp(method, "Invoke") == 0) {
        g_dbus_method_invocation_return_value(invocation, parameters);
    } else {
        tally_count(scene->tally);
        g_dbus_method_invocation_return_value(invocation, NULL);
    }
}

static int own_name(GDBusConnection *connection, const char *name)
{
    GError *error = NULL;
    GVariant *reply = g_dbus_connection_call_sync(connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                                  "org.freedesktop.DBus", "RequestName", g_variant_new("(su)", name, 0),
                                                  NULL, 0, CALL_TIMEOUT_MSEC, NULL, &error);

    if (!reply)
        return fail(error);
    g_variant_unref(reply);
    return 0;
}

static int serve(const Scene *scene)
{
    static const GDBusInterfaceVTable vtable = { .method_call = on_call };
    GDBusNodeInfo *node = g_dbus_node_info_new_for_xml(introspection, NULL);
    GDBusConnection *connection;
    GError *error = NULL;
    int r;

    r = connect_to(scene->address, &connection);
    if (r < 0)
        return r;
    if (g_dbus_connection_register_object(connection, GDBUS_PATH, node->interfaces[0], &vtable, (gpointer)scene, NULL,
                                          &error) == 0)
        return fail(error);
    r = own_name(connection, scene->bus_name);
    if (r >= 0)
        r = scene_ready(scene);
    if (r >= 0)
        g_main_loop_run(g_main_loop_new(NULL, FALSE));
    return r;
}

/* ---- client ---- */

typedef struct GdbusClient {
    const Scene *scene;
    GDBusConnection *connection;
    GMainLoop *loop;
    unsigned n_left;
    int r;
} GdbusClient;

static int check_reply(const GdbusClient *client, GVariant *reply)
{
    const char *text;
    int r;

    g_variant_get(reply, "(&s)", &text);
    r = strcmp(text, client->scene->payload) == 0 ? 0 : -EBADMSG;
    g_variant_unref(reply);
    return r;
}

static int call(void *userdata, unsigned n)
{
    GdbusClient *client = userdata;
    int r = 0;

    for (; n > 0 && r >= 0; n--) {
        GError *error = NULL;
        GVariant *reply = g_dbus_connection_call_sync(client->connection, client->scene->bus_name, GDBUS_PATH,
                                                      GDBUS_INTERFACE, "Invoke",
                                                      g_variant_new("(s)", client->scene->payload),
                                                      G_VARIANT_TYPE("(s)"), 0, CALL_TIMEOUT_MSEC, NULL, &error);

        r = reply ? check_reply(client, reply) : fail(error);
    }
    return r;
}

static void call_next(GdbusClient *client);

static void on_reply(GObject *source, GAsyncResult *result, gpointer userdata)
{
    GdbusClient *client = userdata;
    GError *error = NULL;
    GVariant *reply = g_dbus_connection_call_finish(client->connection, result, &error);

    client->r = reply ? check_reply(client, reply) : fail(error);
    if (client->r >= 0 && --client->n_left > 0)
        call_next(client);
    else
        g_main_loop_quit(client->loop);
}

static void call_next(GdbusClient *client)
{
    g_dbus_connection_call(client->connection, client->scene->bus_name, GDBUS_PATH, GDBUS_INTERFACE, "Invoke",
                           g_variant_new("(s)", client->scene->payload), G_VARIANT_TYPE("(s)"), 0, CALL_TIMEOUT_MSEC,
                           NULL, on_reply, client);
}

static int invoke(void *userdata, unsigned n)
{
    GdbusClient *client = userdata;

    client->n_left = n;
    call_next(client);
    g_main_loop_run(client->loop);
    return client->r;
}

static int send_many(void *userdata, unsigned n)
{
    GdbusClient *client = userdata;

    for (; n > 0; n--)
        g_dbus_connection_call(client->connection, client->scene->bus_name, GDBUS_PATH, GDBUS_INTERFACE, "Send",
                               g_variant_new("(s)", client->scene->payload), NULL, 0, CALL_TIMEOUT_MSEC, NULL, NULL,
                               NULL);
    return 0;
}

static const ActRun gdbus_runs[N_ACTS] = { [ACT_CALL] = call, [ACT_INVOKE] = invoke, [ACT_SEND] = send_many };

static int perform(const Scene *scene)
{
    GdbusClient client = { .scene = scene, .loop = g_main_loop_new(NULL, FALSE) };
    int r;

    r = connect_to(scene->address, &client.connection);
    return r < 0 ? r : scene_perform(scene, gdbus_runs, &client);
}

Contender gdbus_contender = { .bus_name = "org.ipcbus.BenchGDBus", .serve = serve, .perform = perform };
