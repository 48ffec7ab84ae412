/* SPDX-License-Identifier: MIT */
#include "verb.h"

#include <errno.h>
#include <string.h>

#include "macro.h"

static const struct {
    const char *name;
    bool has_channel;
} verbs[] = {
    [VERB_REGISTER] = { "register", false },
    [VERB_SEND] = { "send", true },
    [VERB_INVOKE] = { "invoke", true },
    [VERB_SEND_SYNC] = { "send-sync", true },
    [VERB_SEND_TO] = { "send-to", true },
    [VERB_SEND_TO_HOST] = { "send-to-host", true },
    [VERB_POST_MESSAGE] = { "post-message", true },
    [VERB_OPEN_LANE] = { "open-lane", false },
    [VERB_MONITOR] = { "monitor", false },
};

/* The methods, the ones that are no verbs too. */
static const struct {
    const char *member;
    const char *name;
} members[] = {
    { "Register", "register" },
    { "Send", "send" },
    { "Invoke", "invoke" },
    { "SendSync", "send-sync" },
    { "SendTo", "send-to" },
    { "SendToHost", "send-to-host" },
    { "PostMessage", "post-message" },
    { "OpenLane", "open-lane" },
    { "Watch", "monitor" },
    { "Cancel", "cancel" },
    { "CreateWebview", "create-webview" },
};

const char *verb_name(Verb verb)
{
    return verbs[verb].name;
}

bool verb_has_channel(Verb verb)
{
    return verbs[verb].has_channel;
}

const char *verb_name_of_member(const char *member)
{
    size_t i;

    for (i = 0; i < ELEMENTSOF(members); i++)
        if (strcmp(members[i].member, member) == 0)
            return members[i].name;
    return "call";
}

int verb_from_name(const char *name)
{
    int verb;

    for (verb = 0; verb < VERBS_MAX; verb++)
        if (strcmp(verbs[verb].name, name) == 0)
            return verb;
    return -EINVAL;
}
