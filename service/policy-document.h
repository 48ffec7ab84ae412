/* SPDX-License-Identifier: MIT */
#pragma once

/* The text of a policy while it is checked: what is wrong with it is told with file, line and column. */

#include <jansson.h>
#include <systemd/sd-bus.h>

#include "json-place.h"

typedef struct PolicyDocument {
    const char *name; /* of the file */
    const char *text;
    size_t length;
    sd_bus_error *error;
} PolicyDocument;

/* One key of an object, and what takes its value; the target is what the object becomes. */
typedef struct PolicyKey {
    const char *name;
    int (*take)(const PolicyDocument *document, const JsonPlace *place, json_t *value, void *target);
} PolicyKey;

/* Sets the error, and answers -EBADMSG. The first is about a value, the second about its key. */
int policy_document_fail(const PolicyDocument *document, const JsonPlace *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int policy_document_fail_key(const PolicyDocument *document, const JsonPlace *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The value. -EBADMSG, -ENOMEM. */
int policy_document_load(const PolicyDocument *document, json_t **ret_root);

/* Takes the keys of an object, in the order of the text; what: "a policy", for errors. The list of keys ends empty. */
int policy_document_take_object(const PolicyDocument *document, const JsonPlace *place, json_t *value,
                                const char *what, const PolicyKey *keys, void *target);
