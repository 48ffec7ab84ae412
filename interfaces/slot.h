/* SPDX-License-Identifier: MIT */
#pragma once

/* What every registration begins with: the part that the user may hold. */

#include <stdbool.h>
#include <stddef.h>

#include "ipc-slot.h"

typedef void (*SlotFunction)(ipc_slot *slot);

/*
 * A registration has two kinds of holder: its registry, from slot_init() to slot_drop(), and the user. The first
 * member of a registration is its slot, so that a cast leads from one to the other.
 */
struct ipc_slot {
    unsigned n_ref;      /* the user's references, and one of the registry */
    unsigned n_user;     /* the user's references alone */
    SlotFunction remove; /* ends the registration, and calls slot_drop() now or later; NULL once it has ended */
    SlotFunction destroy;
};

void slot_init(ipc_slot *slot, SlotFunction remove, SlotFunction destroy, ipc_slot **ret_slot);

/* The registration has ended: the user's references stay valid and lead nowhere. */
void slot_end(ipc_slot *slot);

/* The registry lets go of a slot that has ended. */
void slot_drop(ipc_slot *slot);

static inline bool slot_is_live(const ipc_slot *slot)
{
    return slot->remove != NULL;
}
