/* SPDX-License-Identifier: MIT */
#include <gio/gio.h>

#include "fixture-reader.h"

/* A reader by GDBus: it reads, and answers pings, in a thread of its own, and calls back in the main loop. */

static void on_message(GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                       const char *member, GVariant *parameters, gpointer tale)
{
    const char *args;

    (void)connection, (void)sender, (void)path, (void)interface, (void)member;
    g_variant_get(parameters, "(&s&su)", NULL, &args, NULL);
    tale_note_message(tale, args);
}

void read_by_gdbus(Tale *tale)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(GDBusConnection) connection = NULL;
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(GError) error = NULL;
    guint32 id;

    connection = g_dbus_connection_new_for_address_sync(
        tale->address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
        NULL, NULL, &error);
    g_assert_no_error(error);
    g_dbus_connection_signal_subscribe(connection, NULL, IPC_MAIN_INTERFACE, "Message", NULL, NULL,
                                       G_DBUS_SIGNAL_FLAGS_NO_MATCH_RULE, on_message, tale, NULL);
    reply = g_dbus_connection_call_sync(connection, FIXTURE_NAME, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "Register",
                                        g_variant_new("(a{sv})", NULL), G_VARIANT_TYPE("(u)"), 0, -1, NULL, &error);
    g_assert_no_error(error);
    g_variant_get(reply, "(u)", &id);
    tale_note_id(tale, id);
    g_main_loop_run(loop);
}
