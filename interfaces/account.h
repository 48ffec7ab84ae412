/* SPDX-License-Identifier: MIT */
#pragma once

/* An account: what waits, in a program that serves several users, for one of them to read it from ports. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "wire.h"

typedef struct Account Account;

struct Account {
    size_t n_wires;
    size_t bytes; /* unread of all of them */
    uint64_t max;
    TAILQ_HEAD(, Wire) large; /* those that may have large texts unread, of which nobody tells when they are read */
    void (*on_unused)(Account *account); /* the last wire has left */
};

void account_init(Account *account, void (*on_unused)(Account *account));

/* From here on until it is closed, or joins another. NULL: nobody's; so it stays. */
void account_join(Account *account, Wire *wire);
void account_leave(Wire *wire);

/* What is unread on the wire has changed. */
void account_count(Wire *wire);

/* Whether so many bytes more may wait. */
bool account_has_room(Account *account, size_t bytes);
