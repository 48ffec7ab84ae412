/* SPDX-License-Identifier: MIT */
#pragma once

/* A thread that acts as soon as the one that made it sleeps: what never sleeps, and spins instead, sees no act. */

typedef struct Sleeper Sleeper;

Sleeper *when_asleep(void (*act)(void *userdata), void *userdata);

/* The end of it; it must have acted. */
void sleeper_end(Sleeper *sleeper);
