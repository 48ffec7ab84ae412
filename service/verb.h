/* SPDX-License-Identifier: MIT */
#pragma once

/* The verbs: what a peer may ask for, as policies and errors call it. */

#include <stdbool.h>

typedef enum Verb {
    VERB_REGISTER,
    VERB_SEND,
    VERB_INVOKE,
    VERB_SEND_SYNC,
    VERB_SEND_TO,
    VERB_SEND_TO_HOST,
    VERB_POST_MESSAGE,
    VERB_OPEN_LANE,
    VERB_MONITOR,
    VERBS_MAX,
} Verb;

const char *verb_name(Verb verb);
bool verb_has_channel(Verb verb);

/* What a method of the app is called: as the verb that it stands for, or by a name of its own. */
const char *verb_name_of_member(const char *member);

/* -EINVAL: there is none with this name. */
int verb_from_name(const char *name);
