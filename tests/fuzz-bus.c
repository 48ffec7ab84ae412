/* SPDX-License-Identifier: MIT */
#include "fuzz-bus.h"

#include <sys/socket.h>
#include <unistd.h>

#include "macro.h"

sd_bus *fuzz_bus_new(sd_bus_message_handler_t filter, void *userdata, sd_bus **ret_tested)
{
    sd_id128_t id = SD_ID128_MAKE(01, 02, 03, 04, 05, 06, 07, 08, 09, 0a, 0b, 0c, 0d, 0e, 0f, 10);
    sd_bus *bus, *tested;
    int pair[2];

    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    check(sd_bus_new(&tested) >= 0 && sd_bus_set_fd(tested, pair[0], pair[0]) >= 0);
    check(sd_bus_set_server(tested, true, id) >= 0 && sd_bus_start(tested) >= 0);
    check(sd_bus_new(&bus) >= 0 && sd_bus_set_fd(bus, pair[1], pair[1]) >= 0);
    check(sd_bus_start(bus) >= 0 && sd_bus_add_filter(bus, NULL, filter, userdata) >= 0);
    *ret_tested = tested;
    return bus;
}

const char *take_peer(Input *input)
{
    return TAKE_ONE(input, ":1.1", ":1.2", ":1.3", ":1.4", "org.freedesktop.DBus");
}

static void append_basic(Input *input, sd_bus_message *message, char type)
{
    _cleanup_free_ char *word = NULL;
    union {
        uint8_t byte;
        uint32_t number;
        uint64_t large;
    } value = { .large = 0 };

    if (type == 's') {
        word = take_word(input);
        (void)sd_bus_message_append_basic(message, 's', word);
        return;
    }
    value.number = take_byte(input);
    (void)sd_bus_message_append_basic(message, type, &value);
}

void append_all(Input *input, sd_bus_message *message, const char *types)
{
    for (; *types; types++)
        append_basic(input, message, *types);
}

void fuzz_bus_send(sd_bus *bus, sd_bus_message *message, const char *sender)
{
    if (sd_bus_message_set_sender(message, sender) >= 0)
        (void)sd_bus_send(bus, message, NULL);
}

void fuzz_bus_send_raw(sd_bus *bus, Input *input)
{
    size_t size;
    _cleanup_free_ char *bytes = take_bytes(input, &size);

    (void)!send(sd_bus_get_fd(bus), bytes, size, MSG_NOSIGNAL);
}
