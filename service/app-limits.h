/* SPDX-License-Identifier: MIT */
#pragma once

/* How much of the app one peer, one user and all together may use. */

#include <stdint.h>

#include "ipc-names.h"

typedef struct Limits {
    uint64_t renderers;               /* of all */
    uint64_t renderers_per_uid;
    uint64_t pending_invokes;         /* unsettled calls of one peer */
    uint64_t pending_invokes_per_uid;
    uint64_t queue_bytes;             /* that wait for one peer */
    uint64_t queue_bytes_per_uid;
    uint64_t args_bytes;              /* of JSON text in one message */
} Limits;

/* Those of a policy that says nothing of them. */
#define LIMITS_DEFAULT                                                  \
    {                                                                   \
        .renderers = IPC_RENDERERS_MAX,                                 \
        .renderers_per_uid = IPC_RENDERERS_PER_UID_MAX,                 \
        .pending_invokes = IPC_PENDING_INVOKES_MAX,                     \
        .pending_invokes_per_uid = IPC_PENDING_INVOKES_PER_UID_MAX,     \
        .queue_bytes = IPC_QUEUE_BYTES_MAX,                             \
        .queue_bytes_per_uid = IPC_QUEUE_BYTES_PER_UID_MAX,             \
        .args_bytes = UINT64_MAX, /* as much as the transport takes */  \
    }
