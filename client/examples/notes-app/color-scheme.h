/* SPDX-License-Identifier: MIT */
#pragma once

/* Light or dark, as the user has told the desktop. */

#include <gio/gio.h>

/* bus NULL: there is none, and it stays light. */
void color_scheme_follow(GDBusConnection *bus);
