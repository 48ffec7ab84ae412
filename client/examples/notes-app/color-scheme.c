/* SPDX-License-Identifier: MIT */
#include "color-scheme.h"

#include <gtk/gtk.h>

#define PORTAL_NAME "org.freedesktop.portal.Desktop"
#define PORTAL_PATH "/org/freedesktop/portal/desktop"
#define PORTAL_INTERFACE "org.freedesktop.portal.Settings"
#define APPEARANCE "org.freedesktop.appearance"
#define COLOR_SCHEME "color-scheme"

#define PREFER_DARK 1

static void apply(GVariant *value)
{
    gboolean is_dark = g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32) && g_variant_get_uint32(value) == PREFER_DARK;

    g_object_set(gtk_settings_get_default(), "gtk-application-prefer-dark-theme", is_dark, NULL);
}

static void on_changed(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                       const char *signal, GVariant *parameters, gpointer userdata)
{
    g_autoptr(GVariant) value = NULL;
    const char *space, *key;

    if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(ssv)")))
        return;
    g_variant_get(parameters, "(&s&sv)", &space, &key, &value);
    if (g_str_equal(space, APPEARANCE) && g_str_equal(key, COLOR_SCHEME))
        apply(value);
}

/* The portal wraps the value twice. Without a portal there is no reply, and nothing to follow. */
static void on_read(GObject *bus, GAsyncResult *result, gpointer userdata)
{
    g_autoptr(GVariant) reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, NULL);
    g_autoptr(GVariant) outer = NULL, value = NULL;

    if (!reply)
        return;
    g_variant_get(reply, "(v)", &outer);
    value = g_variant_is_of_type(outer, G_VARIANT_TYPE_VARIANT) ? g_variant_get_variant(outer) : g_variant_ref(outer);
    apply(value);
}

void color_scheme_follow(GDBusConnection *bus)
{
    if (!bus)
        return;
    g_dbus_connection_signal_subscribe(bus, PORTAL_NAME, PORTAL_INTERFACE, "SettingChanged", PORTAL_PATH, APPEARANCE,
                                       G_DBUS_SIGNAL_FLAGS_NONE, on_changed, NULL, NULL);
    g_dbus_connection_call(bus, PORTAL_NAME, PORTAL_PATH, PORTAL_INTERFACE, "Read",
                           g_variant_new("(ss)", APPEARANCE, COLOR_SCHEME), G_VARIANT_TYPE("(v)"),
                           G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_read, NULL);
}
