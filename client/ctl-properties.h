/* SPDX-License-Identifier: MIT */
#pragma once

/* D-Bus properties as JSON objects: the names in snake case, in the order in which they came. */

#include <jansson.h>
#include <systemd/sd-bus.h>

/*
 * Reads a{sv}. Strings, numbers, booleans and lists of strings are kept, other types are left out. A negative errno
 * if the message is not that, or there is no memory. The caller owns the object.
 */
int properties_read(sd_bus_message *message, json_t **ret_object);
