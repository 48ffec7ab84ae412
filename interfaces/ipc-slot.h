/* SPDX-License-Identifier: MIT */
#ifndef IPCBUS_IPC_SLOT_H
#define IPCBUS_IPC_SLOT_H

/* A slot is the handle of one registration: a listener, a handler, an observer, a pending invoke. */

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ipc_slot ipc_slot;

/**
 * ipc_slot_ref - take another reference
 * @slot: the slot, or NULL
 *
 * Return: @slot.
 */
ipc_slot *ipc_slot_ref(ipc_slot *slot);

/**
 * ipc_slot_unref - drop a reference; with the last one the registration ends
 * @slot: the slot, or NULL
 *
 * The callback of a listener, handler or observer does not run any more. A pending invoke is cancelled in
 * main, and its callback does not run either: whoever drops the slot has said that nobody waits.
 *
 * A slot may outlive its object: then there is nothing left to end, and only memory is freed.
 *
 * Return: NULL.
 */
ipc_slot *ipc_slot_unref(ipc_slot *slot);

/* For __attribute__((cleanup)). */
static inline void ipc_slot_unrefp(ipc_slot **slot)
{
    if (*slot)
        ipc_slot_unref(*slot);
}

#ifdef __cplusplus
}
#endif

#endif
