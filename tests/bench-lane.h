/* SPDX-License-Identifier: MIT */
#pragma once

/* The library over a lane, and a port. */

#include "bench-contender.h"

extern Contender lane_contender;
