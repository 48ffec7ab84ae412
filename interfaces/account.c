/* SPDX-License-Identifier: MIT */
#include "account.h"

#include "file.h"
#include "share.h"

/*
 * A port is bounded by itself, and whoever can have many of them is not: so all that one user brought into a program,
 * and the other ends of those that it was given, are counted together, and its lanes with them.
 *
 * Texts in files that were read are known to be read when somebody asks the socket. As long as there is room, nobody
 * does; then, a few wires at a time are asked, so that a message which is refused costs little, whatever the user has
 * opened.
 *
 * The kernel counts the files that a user has under way in sockets, and takes no more than a process may open: then
 * nobody gets any. So they have a bound that users share, as far below that.
 */

#define ASKED_MAX 64u

void account_init(Account *account, AccountTotal *total, void (*on_unused)(Account *account))
{
    *account = (Account){ .total = total, .on_unused = on_unused };
    TAILQ_INIT(&account->asked);
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

/* What the wire has from here on. */
static void count(Wire *wire, size_t bytes, size_t n_files, bool is_asked)
{
    Account *account = wire->account;

    account->bytes += bytes - wire->counted_bytes;
    account->n_files += n_files - wire->counted_files;
    if (account->total)
        account->total->n_files += n_files - wire->counted_files;
    wire->counted_bytes = bytes;
    wire->counted_files = n_files;
    if (is_asked && !wire->is_asked)
        TAILQ_INSERT_TAIL(&account->asked, wire, link);
    else if (!is_asked && wire->is_asked)
        TAILQ_REMOVE(&account->asked, wire, link);
    wire->is_asked = is_asked;
}

void account_leave(Wire *wire)
{
    Account *account = wire->account;

    if (!account)
        return;
    count(wire, 0, 0, false);
    wire->account = NULL;
    if (--account->n_wires == 0)
        account->on_unused(account);
}

void account_count(Wire *wire)
{
    if (wire->account)
        count(wire, wire->bytes + wire->large_bytes, wire->n_files + wire->n_sent_files, wire->n_sent_files > 0);
}

static bool fits(const Account *account, size_t bytes, size_t n_files)
{
    size_t n_all = account->total ? account->total->n_files : account->n_files;

    if (account->bytes > account->max || bytes > account->max - account->bytes)
        return false;
    return n_files == 0 || share_allows(account->n_files, n_all, n_files, file_get_max() / 2);
}

bool account_has_room(Account *account, size_t bytes, size_t n_files)
{
    unsigned n_asked = 0;
    Wire *wire;

    while (!fits(account, bytes, n_files) && n_asked++ < ASKED_MAX && (wire = TAILQ_FIRST(&account->asked))) {
        TAILQ_REMOVE(&account->asked, wire, link);
        TAILQ_INSERT_TAIL(&account->asked, wire, link);
        (void)wire_get_unread(wire);
    }
    return fits(account, bytes, n_files);
}
