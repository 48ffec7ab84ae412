/* SPDX-License-Identifier: MIT */
#include "credentials.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Whether it has none, or does not tell them, is not the same. */
static int read_groups(Peer *peer, sd_bus_message *message)
{
    const void *groups;
    size_t size;
    int r;

    r = sd_bus_message_enter_container(message, 'v', "au");
    if (r >= 0)
        r = sd_bus_message_read_array(message, 'u', &groups, &size);
    if (r < 0)
        return r;
    free(peer->groups);
    peer->groups = malloc(size > 0 ? size : 1);
    peer->has_groups = peer->groups != NULL;
    if (!peer->groups)
        return -ENOMEM;
    if (size > 0)
        memcpy(peer->groups, groups, size);
    peer->n_groups = size / sizeof(*peer->groups);
    return sd_bus_message_exit_container(message);
}

static int read_credential(Peer *peer, sd_bus_message *message)
{
    const char *key;
    int r;

    r = sd_bus_message_read_basic(message, 's', &key);
    if (r < 0)
        return r;
    if (strcmp(key, "UnixUserID") == 0) {
        r = sd_bus_message_read(message, "v", "u", &peer->uid);
        peer->has_uid = r >= 0;
    } else if (strcmp(key, "ProcessID") == 0) {
        r = sd_bus_message_read(message, "v", "u", &peer->pid);
        peer->has_pid = r >= 0;
    } else if (strcmp(key, "UnixGroupIDs") == 0) {
        r = read_groups(peer, message);
    } else {
        r = sd_bus_message_skip(message, "v");
    }
    return r;
}

int credentials_read(Peer *peer, sd_bus_message *message)
{
    int r;

    r = sd_bus_message_enter_container(message, 'a', "{sv}");
    while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
        r = read_credential(peer, message);
        if (r >= 0)
            r = sd_bus_message_exit_container(message);
    }
    return r;
}
