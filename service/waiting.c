/* SPDX-License-Identifier: MIT */
#include "waiting.h"

#include <errno.h>
#include <string.h>

#include "ipc-names.h"
#include "macro.h"
#include "quota.h"

struct Waiting {
    TAILQ_ENTRY(Waiting) link;
    sd_bus_message *message;
    PeerRun run;
    size_t size; /* bytes that the quota counts */
};

/* ---- how large a message is, which sd-bus does not tell ---- */

static int measure_all(sd_bus_message *message, size_t *size);

static int measure_container(sd_bus_message *message, char type, const char *contents, size_t *size)
{
    static const char fixed[] = "ynqiuxtd";
    const void *data;
    size_t length;
    int r;

    /* What is looked at byte by byte takes longer than to send it. */
    if (type == SD_BUS_TYPE_ARRAY && contents[1] == '\0' && strchr(fixed, contents[0])) {
        r = sd_bus_message_read_array(message, contents[0], &data, &length);
        *size += r < 0 ? 0 : length;
        return r;
    }
    r = sd_bus_message_enter_container(message, type, contents);
    if (r >= 0)
        r = measure_all(message, size);
    return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int measure_basic(sd_bus_message *message, char type, size_t *size)
{
    union {
        const char *string;
        uint64_t number;
    } value;
    int r;

    r = sd_bus_message_read_basic(message, type, &value);
    if (r >= 0)
        *size += strchr("sog", type) ? strlen(value.string) + 1 : sizeof(value);
    return r;
}

static int measure_all(sd_bus_message *message, size_t *size)
{
    const char *contents;
    char type;
    int r;

    while ((r = sd_bus_message_peek_type(message, &type, &contents)) > 0) {
        r = contents ? measure_container(message, type, contents, size) : measure_basic(message, type, size);
        if (r < 0)
            return r;
    }
    return r;
}

/* What of it cannot be read, nobody will read. */
static size_t measure(sd_bus_message *message)
{
    size_t size = IPC_MESSAGE_OVERHEAD;

    (void)measure_all(message, &size);
    (void)sd_bus_message_rewind(message, true);
    return size;
}

/* ---- the list ---- */

int waiting_push(Peer *peer, sd_bus_message *message, PeerRun run, sd_bus_error *error)
{
    size_t size = measure(message);
    Waiting *waiting;

    /* One alone may be larger than what may wait for a peer to read. */
    if (!quota_has_room(peer, size) && !(TAILQ_EMPTY(&peer->waiting) && quota_user_has_room(peer, size))) {
        sd_bus_error_setf(error, IPC_ERROR_BUSY, "The bus has not told yet who you are, and %zu bytes of yours wait",
                          peer->queue.bytes);
        return -EBUSY;
    }
    waiting = calloc(1, sizeof(*waiting));
    if (!waiting)
        return -ENOMEM;
    waiting->message = sd_bus_message_ref(message);
    waiting->run = run;
    waiting->size = size;
    quota_add_bytes(peer, size);
    TAILQ_INSERT_TAIL(&peer->waiting, waiting, link);
    return 0;
}

sd_bus_message *waiting_pop(Peer *peer, PeerRun *ret_run)
{
    Waiting *waiting = TAILQ_FIRST(&peer->waiting);
    sd_bus_message *message;

    if (!waiting)
        return NULL;
    message = waiting->message;
    *ret_run = waiting->run;
    quota_remove_bytes(peer, waiting->size);
    TAILQ_REMOVE(&peer->waiting, waiting, link);
    free(waiting);
    return message;
}

void waiting_clear(Peer *peer)
{
    PeerRun run;
    sd_bus_message *message;

    while ((message = waiting_pop(peer, &run)))
        sd_bus_message_unref(message);
}
