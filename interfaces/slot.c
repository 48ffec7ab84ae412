/* SPDX-License-Identifier: MIT */
#include "slot.h"

#include <assert.h>
#include <stddef.h>

void slot_init(ipc_slot *slot, SlotFunction remove, SlotFunction destroy, ipc_slot **ret_slot)
{
    *slot = (ipc_slot){
        .n_ref = ret_slot ? 2 : 1,
        .n_user = ret_slot ? 1 : 0,
        .remove = remove,
        .destroy = destroy,
    };
    if (ret_slot)
        *ret_slot = slot;
}

void slot_end(ipc_slot *slot)
{
    slot->remove = NULL;
}

void slot_drop(ipc_slot *slot)
{
    assert(slot->n_ref > 0);
    slot_end(slot);
    if (--slot->n_ref == 0)
        slot->destroy(slot);
}

ipc_slot *ipc_slot_ref(ipc_slot *slot)
{
    if (slot) {
        slot->n_ref++;
        slot->n_user++;
    }
    return slot;
}

ipc_slot *ipc_slot_unref(ipc_slot *slot)
{
    SlotFunction remove;

    if (!slot)
        return NULL;

    assert(slot->n_user > 0);
    remove = slot->remove;
    if (--slot->n_user == 0 && remove) {
        slot_end(slot);
        remove(slot);
    }
    if (--slot->n_ref == 0)
        slot->destroy(slot);
    return NULL;
}
