/* SPDX-License-Identifier: MIT */
#pragma once

/* The library over a lane, with texts and files. */

#include "bench-contender.h"

extern Contender lane_contender;
