/* SPDX-License-Identifier: MIT */

/* A service of bare sd-bus, which echoes a string: what the activation of ours is measured beside. */

#include <stdlib.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

static int method_echo(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *text;
    int r;

    r = sd_bus_message_read(message, "s", &text);
    return r < 0 ? r : sd_bus_reply_method_return(message, "s", text);
}

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Echo", "s", "s", method_echo, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static int serve(sd_bus *bus)
{
    sd_event *event = NULL;
    int r;

    r = sd_bus_add_object_vtable(bus, NULL, "/bare", "org.ipcbus.Bare", vtable, NULL);
    if (r >= 0)
        r = sd_bus_request_name(bus, "org.ipcbus.Bare", 0);
    if (r >= 0)
        r = sd_event_default(&event);
    if (r >= 0)
        r = sd_bus_attach_event(bus, event, 0);
    if (r >= 0)
        r = sd_event_loop(event);
    sd_event_unref(event);
    return r;
}

/* machine-bare user|system */
int main(int argc, char **argv)
{
    sd_bus *bus = NULL;
    int r;

    r = argc > 1 && *argv[1] == 's' ? sd_bus_open_system(&bus) : sd_bus_open_user(&bus);
    if (r >= 0)
        r = serve(bus);
    sd_bus_flush_close_unref(bus);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
