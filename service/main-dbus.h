/* SPDX-License-Identifier: MIT */
#pragma once

/* The D-Bus face of the app: vtables and thunks, and nothing else. */

#include "ipc-main.h"

/* Puts the objects on the bus of the app. */
int main_dbus_add(ipc_app *app);
void main_dbus_remove(ipc_app *app);

/* Whether a call gets to one of the methods of the app; sd-bus answers all others by itself. */
bool main_dbus_has_method(sd_bus_message *call);

/* Tells of a web contents that came, or is about to go. */
void main_dbus_object_added(ipc_web_contents *contents);
void main_dbus_object_removed(ipc_web_contents *contents);
