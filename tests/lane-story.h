/* SPDX-License-Identifier: MIT */
#pragma once

/* Verbs for stories about lanes. */

#include "fixture.h"

/* A renderer that talks by a lane; registered, or not processed yet. */
Client *lane_renderer_new(Fixture *f);
Client *lane_renderer_make(Fixture *f);

/* Main's end of the one lane that there is, in this process. */
int lane_fd_of_main(void);
