/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * GLib's main loop for tests: a context that counts how often it sleeps. The fixture runs it instead of its sd-event
 * loop, and app and clients move in, so all verbs do there what they do elsewhere.
 */

#include "fixture-renderer.h"
#include "ipc-glib.h"

/* The fixture, with its app if it has one; f->context is no thread's default one. */
Fixture *glib_fixture_new(void);
Fixture *glib_fixture_new_with(const FixtureOptions *options);

/* How often such contexts have slept. */
extern unsigned glib_n_polls;

/* The app moves to the context of its fixture, and so does a client. */
void move_main(Fixture *f);
void move(Client *c);

/* A registered renderer. */
Client *glib_renderer_new(Fixture *f);
