/* SPDX-License-Identifier: MIT */
#pragma once

/* A note as the service tells it. It does not change: an edited one is another Note with the same id. */

#include <gio/gio.h>
#include <jansson.h>

G_DECLARE_FINAL_TYPE(Note, note, NOTES, NOTE, GObject)

/* NULL: this is no note. */
Note *note_new_from_json(json_t *json);

/* One that the service does not know yet: its id is 0. */
Note *note_new_draft(void);

json_int_t note_get_id(Note *self);
const char *note_get_title(Note *self);
const char *note_get_text(Note *self);
json_int_t note_get_modified(Note *self); /* ms since 1970 */
