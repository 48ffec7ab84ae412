/* SPDX-License-Identifier: MIT */
#pragma once

/* Whether a service that the bus starts for a command can still come. */

#include "ctl-client.h"

#define START_LOOK_USEC (1u * 1000 * 1000) /* us between two looks, while there is no answer */

/*
 * Whether there is use in looking again: not where the service is there, nor where nothing is known of it. If it will
 * not come, the failure is set, with STATUS_NO_SERVICE.
 */
bool start_look(Client *client, Failure *failure);

/* The bus says that it could not start the service. Whether the failure has been set, with the unit to blame. */
bool start_explain(Client *client, Failure *failure);
