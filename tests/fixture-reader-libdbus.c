/* SPDX-License-Identifier: MIT */
#include "fixture-reader.h"

#if HAVE_LIBDBUS

#include <dbus/dbus.h>

/* A reader by libdbus, which answers pings when it dispatches. */

static DBusHandlerResult on_message(DBusConnection *connection, DBusMessage *message, void *tale)
{
    const char *channel, *args;

    (void)connection;
    if (!dbus_message_is_signal(message, IPC_MAIN_INTERFACE, "Message"))
        return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
    g_assert_true(dbus_message_get_args(message, NULL, DBUS_TYPE_STRING, &channel, DBUS_TYPE_STRING, &args,
                                        DBUS_TYPE_INVALID));
    tale_note_message(tale, args);
    return DBUS_HANDLER_RESULT_HANDLED;
}

static DBusConnection *connect_to(const char *address)
{
    DBusConnection *connection = dbus_connection_open_private(address, NULL);

    g_assert_nonnull(connection);
    dbus_connection_set_exit_on_disconnect(connection, FALSE);
    g_assert_true(dbus_bus_register(connection, NULL));
    return connection;
}

static DBusMessage *new_register(void)
{
    DBusMessage *call = dbus_message_new_method_call(FIXTURE_NAME, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "Register");
    DBusMessageIter body, options;

    dbus_message_iter_init_append(call, &body);
    g_assert_true(dbus_message_iter_open_container(&body, DBUS_TYPE_ARRAY, "{sv}", &options));
    g_assert_true(dbus_message_iter_close_container(&body, &options));
    return call;
}

static void read_messages(Tale *tale)
{
    DBusConnection *connection = connect_to(tale->address);
    DBusMessage *call = new_register(), *reply;
    dbus_uint32_t id;

    g_assert_true(dbus_connection_add_filter(connection, on_message, tale, NULL));
    reply = dbus_connection_send_with_reply_and_block(connection, call, (int)(patience() / 1000), NULL);
    g_assert_nonnull(reply);
    g_assert_true(dbus_message_get_args(reply, NULL, DBUS_TYPE_UINT32, &id, DBUS_TYPE_INVALID));
    tale_note_id(tale, id);
    while (dbus_connection_read_write_dispatch(connection, -1))
        ;
}

const ReaderRun read_by_libdbus = read_messages;

#else

const ReaderRun read_by_libdbus = NULL;

#endif
