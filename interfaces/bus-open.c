/* SPDX-License-Identifier: MIT */
#include "bus-open.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "ipc-names.h"
#include "macro.h"

static int take_string(char *string, char **ret)
{
    if (!string)
        return -ENOMEM;
    *ret = string;
    return 0;
}

/* An address is a list of keys and values with separators of its own, so a value is escaped, as D-Bus specifies. */
static int address_of_path(const char *path, char **ret_address)
{
    static const char prefix[] = "unix:path=";
    char *address, *end;

    address = malloc(sizeof(prefix) + 3 * strlen(path));
    if (!address)
        return -ENOMEM;

    end = stpcpy(address, prefix);
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;

        if (isalnum(c) || strchr("-_/.\\*", c))
            *end++ = (char)c;
        else
            end += sprintf(end, "%%%02x", c);
    }
    *end = '\0';
    *ret_address = address;
    return 0;
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static int user_address(char **ret_address)
{
    const char *address = environment("DBUS_SESSION_BUS_ADDRESS");
    const char *folder = environment("XDG_RUNTIME_DIR");
    _cleanup_free_ char *path = NULL;
    int r;

    if (address)
        return take_string(strdup(address), ret_address);

    /* Without a session's environment, as under sudo or cron, the bus is still where logind puts it. */
    r = folder ? asprintf(&path, "%s/bus", folder) : asprintf(&path, "/run/user/%u/bus", (unsigned)getuid());
    if (r < 0) {
        path = NULL;
        return -ENOMEM;
    }
    return address_of_path(path, ret_address);
}

static int system_address(char **ret_address)
{
    const char *address = environment("DBUS_SYSTEM_BUS_ADDRESS");

    return take_string(strdup(address ? address : "unix:path=/run/dbus/system_bus_socket"), ret_address);
}

static int described_address(const char *kind, const char *where, char **ret_address)
{
    char *address;

    if (asprintf(&address, "%s:%s", kind, where) < 0)
        return -ENOMEM;
    *ret_address = address;
    return 0;
}

static int target_address(const BusTarget *target, char **ret_address)
{
    switch (target->kind) {
    case BUS_USER:
        return user_address(ret_address);
    case BUS_SYSTEM:
        return system_address(ret_address);
    case BUS_HOST:
        return described_address("ssh", target->where, ret_address);
    case BUS_MACHINE:
        return described_address("machine", target->where, ret_address);
    default:
        return take_string(strdup(target->where), ret_address);
    }
}

static int start_at(const char *address, sd_bus **ret_bus)
{
    _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
    int r;

    r = sd_bus_new(&bus);
    if (r < 0)
        return r;
    r = sd_bus_set_address(bus, address);
    if (r < 0)
        return r;
    r = sd_bus_set_bus_client(bus, true);
    if (r < 0)
        return r;
    r = sd_bus_start(bus);
    if (r < 0)
        return r;
    *ret_bus = TAKE_PTR(bus);
    return 0;
}

static int start(const BusTarget *target, const char *address, sd_bus **ret_bus)
{
    switch (target->kind) {
    case BUS_HOST:
        return sd_bus_open_system_remote(ret_bus, target->where);
    case BUS_MACHINE:
        /* As of machinectl, "USER@MACHINE" means a user there, and so that user's bus. */
        if (strchr(target->where, '@'))
            return sd_bus_open_user_machine(ret_bus, target->where);
        return sd_bus_open_system_machine(ret_bus, target->where);
    default:
        return start_at(address, ret_bus);
    }
}

/* A socket that takes connections and then says nothing must not hold us, nor look like a bus. */
static int wait_until_ready(sd_bus *bus, uint64_t until)
{
    for (;;) {
        uint64_t now;
        int r;

        r = sd_bus_is_ready(bus);
        if (r != 0)
            return r < 0 ? r : 0;
        r = sd_bus_process(bus, NULL);
        if (r < 0)
            return r;
        if (r > 0)
            continue;

        now = clock_now(CLOCK_MONOTONIC);
        if (now >= until)
            return -ETIMEDOUT;
        r = sd_bus_wait(bus, until - now);
        if (r < 0 && r != -EINTR)
            return r;
    }
}

int bus_open(const BusTarget *target, sd_bus **ret_bus, char **ret_tried)
{
    _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
    _cleanup_free_ char *address = NULL;
    int r;

    r = target_address(target, &address);
    if (r < 0)
        return r;
    r = start(target, address, &bus);
    if (r >= 0)
        /* ssh may ask a person for a passphrase: there, sd-bus's own limit of 90 s has to do. */
        r = wait_until_ready(bus, target->kind == BUS_HOST ? UINT64_MAX
                                                           : clock_now(CLOCK_MONOTONIC) + IPC_TIMEOUT_USEC);
    if (r < 0) {
        *ret_tried = TAKE_PTR(address);
        return r;
    }
    *ret_bus = TAKE_PTR(bus);
    return 0;
}
