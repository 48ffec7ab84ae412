/* SPDX-License-Identifier: MIT */
#pragma once

/* An account: what waits, in a program that serves several users, for one of them to read it from ports and lanes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "wire.h"

typedef struct Account Account;

/* Of all accounts of the program. */
typedef struct AccountTotal {
    size_t n_files;
} AccountTotal;

struct Account {
    AccountTotal *total; /* borrowed; NULL: there are no others any more */
    size_t n_wires;
    size_t bytes;   /* unread of all of them */
    size_t n_files; /* the same: large texts, and what was transferred */
    uint64_t max;   /* bytes */
    TAILQ_HEAD(, Wire) asked; /* those that may have files unread in their socket: nobody tells when they are read */
    void (*on_unused)(Account *account); /* the last wire has left */
};

void account_init(Account *account, AccountTotal *total, void (*on_unused)(Account *account));

/* From here on until it is closed, or joins another. NULL: nobody's; so it stays. */
void account_join(Account *account, Wire *wire);
void account_leave(Wire *wire);

/* What is unread on the wire has changed; of one that is in no account, nobody needs to know. */
void account_count(Wire *wire);

/* Whether so many bytes more may wait, and so many files. */
bool account_has_room(Account *account, size_t bytes, size_t n_files);
