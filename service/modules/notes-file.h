/* SPDX-License-Identifier: MIT */
#pragma once

/* The file of the notes: held by one process at a time, read whole, and replaced whole or not at all. */

#include <stddef.h>

typedef struct NotesFile NotesFile;

/*
 * Makes the folder and what leads to it, follows the file if that is a link, takes the lock, and cleans up after a crash. A failure is logged here:
 * -EBUSY if another process has the lock, or the errno of what failed.
 */
int notes_file_open(NotesFile **ret_file, const char *folder);
NotesFile *notes_file_close(NotesFile *file);

const char *notes_file_get_path(const NotesFile *file); /* for messages; owned by file */

/* The caller frees the data. -ENOENT: there is none yet; else the errno of what failed. */
int notes_file_read(NotesFile *file, char **ret_data, size_t *ret_size);

/* When it answers 0, the data outlives a power cut. When it fails with an errno, the old file is as it was. */
int notes_file_write(NotesFile *file, const char *data, size_t size);

/* What such an errno means, for a person; the caller frees it. NULL: no memory. */
char *notes_file_explain(const NotesFile *file, int r);

/* Moves a damaged file out of the way, under a name that no other has; the caller frees that. */
int notes_file_set_aside(NotesFile *file, char **ret_path);
