/* SPDX-License-Identifier: MIT */
#pragma once

/* Scenes that are the same by the bus and by lanes. */

#include "memory-story.h"

#define N_MEMORY_SCENES 12

extern const NamedScene memory_scenes[N_MEMORY_SCENES];

/* A renderer that blocks, with a main in another process. */
void add_sync_scenes(const char *path, bool has_lanes);
