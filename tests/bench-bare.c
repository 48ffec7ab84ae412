/* SPDX-License-Identifier: MIT */

/*
 * The measure of all: the same work with sd-bus alone, as one would write it by hand to be fast. The messages have the
 * size of those of the library: the same path, interface and destination, names of the same length, and one string
 * that is as long as the channel and the JSON text are together.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "bench-bus.h"
#include "bench-contender.h"
#include "macro.h"

#define BARE_PATH "/org/ipcbus/Main"
#define BARE_INTERFACE "org.ipcbus.Main1"
#define BARE_CALL "Invoke"
#define BARE_SEND "Send"

/* A string's length takes 4 bytes, is aligned to 4, and its text ends with a NUL: "echo" and the next length. */
#define BARE_TEXT "12 bytes +  [\"%s\"]"

/* Messages that wait in the connection before the client lets it write: its queue is slow when it is long. */
#define UNWRITTEN_MAX 64

/* ---- service ---- */

static int method_call(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    const char *text;
    int r;

    (void)userdata, (void)error;
    r = sd_bus_message_read_basic(call, 's', &text);
    return r < 0 ? r : sd_bus_reply_method_return(call, "s", text);
}

static int method_send(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    const char *text;
    int r;

    (void)error;
    r = sd_bus_message_read_basic(call, 's', &text);
    if (r < 0)
        return r;
    tally_count(userdata);
    return 1; /* nobody expects an answer */
}

static const sd_bus_vtable bare_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD(BARE_CALL, "s", "s", method_call, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD(BARE_SEND, "s", NULL, method_send, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static int open_service(const Scene *scene, sd_bus **bus)
{
    int r;

    r = bus_open(scene->address, bus);
    if (r >= 0)
        r = sd_bus_add_object_vtable(*bus, NULL, BARE_PATH, BARE_INTERFACE, bare_vtable, scene->tally);
    if (r >= 0)
        r = sd_bus_request_name(*bus, scene->bus_name, 0);
    return r < 0 ? r : scene_ready(scene);
}

static int serve(const Scene *scene)
{
    sd_bus *bus = NULL;
    int r;

    r = open_service(scene, &bus);
    while (r >= 0) {
        r = sd_bus_process(bus, NULL);
        if (r == 0)
            r = sd_bus_wait(bus, UINT64_MAX);
    }
    return r;
}

static int serve_by_event(const Scene *scene)
{
    sd_event *event = NULL;
    sd_bus *bus = NULL;
    int r;

    r = open_service(scene, &bus);
    if (r >= 0)
        r = sd_event_new(&event);
    if (r >= 0)
        r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
    return r < 0 ? r : sd_event_loop(event);
}

/* ---- client ---- */

typedef struct BareClient {
    sd_bus *bus;
    sd_event *event; /* NULL: none */
    char *text;
    char owner[64]; /* of the service; what is sent there finds it quicker */
    unsigned n_left;
    int r;
} BareClient;

static int new_message(BareClient *client, const char *member, sd_bus_message **ret_message)
{
    int r;

    r = sd_bus_message_new_method_call(client->bus, ret_message, client->owner, BARE_PATH, BARE_INTERFACE, member);
    return r < 0 ? r : sd_bus_message_append_basic(*ret_message, 's', client->text);
}

static int check_reply(const BareClient *client, sd_bus_message *reply)
{
    const char *text;
    int r;

    if (sd_bus_message_is_method_error(reply, NULL))
        return -sd_bus_message_get_errno(reply);
    r = sd_bus_message_read_basic(reply, 's', &text);
    if (r < 0)
        return r;
    return strcmp(text, client->text) == 0 ? 0 : -EBADMSG;
}

static int call(void *userdata, unsigned n)
{
    BareClient *client = userdata;
    int r = 0;

    for (; n > 0 && r >= 0; n--) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;

        r = new_message(client, BARE_CALL, &message);
        if (r >= 0)
            r = sd_bus_call(client->bus, message, 0, NULL, &reply);
        if (r >= 0)
            r = check_reply(client, reply);
    }
    return r;
}

static int invoke_next(BareClient *client);

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    BareClient *client = userdata;

    (void)error;
    client->r = check_reply(client, reply);
    if (client->r >= 0 && --client->n_left > 0)
        client->r = invoke_next(client);
    return 0;
}

static int invoke_next(BareClient *client)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    int r;

    r = new_message(client, BARE_CALL, &message);
    return r < 0 ? r : sd_bus_call_async(client->bus, NULL, message, on_reply, client, 0);
}

static int step(BareClient *client)
{
    int r;

    if (client->event)
        return sd_event_run(client->event, UINT64_MAX);
    r = sd_bus_process(client->bus, NULL);
    return r == 0 ? sd_bus_wait(client->bus, UINT64_MAX) : r;
}

static int invoke(void *userdata, unsigned n)
{
    BareClient *client = userdata;
    int r;

    client->n_left = n;
    client->r = 0;
    r = invoke_next(client);
    while (r >= 0 && client->r >= 0 && client->n_left > 0)
        r = step(client);
    return r < 0 ? r : client->r;
}

static int send_one(BareClient *client)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    uint64_t n_unwritten = 0;
    int r;

    r = new_message(client, BARE_SEND, &message);
    if (r >= 0)
        r = sd_bus_send(client->bus, message, NULL);
    if (r >= 0)
        r = sd_bus_get_n_queued_write(client->bus, &n_unwritten);
    return r >= 0 && n_unwritten >= UNWRITTEN_MAX ? sd_bus_flush(client->bus) : r;
}

static int send_many(void *userdata, unsigned n)
{
    BareClient *client = userdata;
    int r = 0;

    for (; n > 0 && r >= 0; n--)
        r = send_one(client);
    return r < 0 ? r : sd_bus_flush(client->bus);
}

static const ActRun bare_runs[N_ACTS] = { [ACT_CALL] = call, [ACT_INVOKE] = invoke, [ACT_SEND] = send_many };

static int open_client(const Scene *scene, BareClient *client)
{
    _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *credentials = NULL;
    const char *owner;
    int r;

    if (asprintf(&client->text, BARE_TEXT, scene->payload) < 0)
        return -ENOMEM;
    r = bus_open(scene->address, &client->bus);
    if (r >= 0)
        r = sd_bus_get_name_creds(client->bus, scene->bus_name, SD_BUS_CREDS_UNIQUE_NAME, &credentials);
    if (r >= 0)
        r = sd_bus_creds_get_unique_name(credentials, &owner);
    if (r >= 0)
        stpncpy(client->owner, owner, sizeof(client->owner) - 1);
    return r;
}

static int perform(const Scene *scene)
{
    BareClient client = { 0 };
    int r;

    r = open_client(scene, &client);
    return r < 0 ? r : scene_perform(scene, bare_runs, &client);
}

static int perform_by_event(const Scene *scene)
{
    BareClient client = { 0 };
    int r;

    r = open_client(scene, &client);
    if (r >= 0)
        r = sd_event_new(&client.event);
    if (r >= 0)
        r = sd_bus_attach_event(client.bus, client.event, SD_EVENT_PRIORITY_NORMAL);
    return r < 0 ? r : scene_perform(scene, bare_runs, &client);
}

Contender bare_contender = { .bus_name = "org.ipcbus.BenchBare", .serve = serve, .perform = perform };

Contender bare_event_contender = {
    .bus_name = "org.ipcbus.BenchBareEvent",
    .serve = serve_by_event,
    .perform = perform_by_event,
};
