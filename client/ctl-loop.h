/* SPDX-License-Identifier: MIT */
#pragma once

/* The event loop of a command that prints until it is told to end. */

#include <systemd/sd-event.h>

/* It ends in good order at SIGINT and SIGTERM, and when nobody reads standard output any more. A negative errno. */
int loop_add_endings(sd_event *event);

/*
 * What lies between the two may wait for a reader that does not read: there, either signal ends the command at once.
 */
void loop_begin_writing(void);
void loop_end_writing(void);
