/* SPDX-License-Identifier: MIT */
#include "account.h"

/*
 * A port is bounded by itself, and whoever can have many of them is not: so all that one user brought into a program,
 * and the other ends of those that it was given, are counted together. The text in a file that was read is known to be
 * read when somebody asks the socket. As long as there is room, nobody does; then, a few wires at a time are asked, so
 * that a message which is refused costs little, whatever the user has opened.
 */

#define ASKED_MAX 64u

void account_init(Account *account, void (*on_unused)(Account *account))
{
    *account = (Account){ .on_unused = on_unused };
    TAILQ_INIT(&account->large);
}

void account_join(Account *account, Wire *wire)
{
    if (!account || account == wire->account)
        return;
    account_leave(wire);
    wire->account = account;
    account->n_wires++;
    account_count(wire);
}

void account_leave(Wire *wire)
{
    Account *account = wire->account;

    if (!account)
        return;
    if (wire->is_counted_large)
        TAILQ_REMOVE(&account->large, wire, link);
    account->bytes -= wire->n_counted;
    wire->account = NULL;
    wire->n_counted = 0;
    wire->is_counted_large = false;
    if (--account->n_wires == 0)
        account->on_unused(account);
}

void account_count(Wire *wire)
{
    Account *account = wire->account;
    size_t n = wire->bytes + wire->large_bytes;

    account->bytes += n - wire->n_counted;
    wire->n_counted = n;
    if (wire->is_counted_large == (wire->large_bytes > 0))
        return;
    wire->is_counted_large = !wire->is_counted_large;
    if (wire->is_counted_large)
        TAILQ_INSERT_TAIL(&account->large, wire, link);
    else
        TAILQ_REMOVE(&account->large, wire, link);
}

static bool fits(const Account *account, size_t bytes)
{
    return account->bytes <= account->max && bytes <= account->max - account->bytes;
}

bool account_has_room(Account *account, size_t bytes)
{
    unsigned n_asked = 0;
    Wire *wire;

    while (!fits(account, bytes) && n_asked++ < ASKED_MAX && (wire = TAILQ_FIRST(&account->large))) {
        TAILQ_REMOVE(&account->large, wire, link);
        TAILQ_INSERT_TAIL(&account->large, wire, link);
        (void)wire_get_unread(wire);
    }
    return fits(account, bytes);
}
