/* SPDX-License-Identifier: MIT */
#include "fixture-client.h"

#include <string.h>
#include <sys/socket.h>

#include "fixture.h"

/* ---- hearing ---- */

Heard *heard_new(const char *member, const char *channel, json_t *args, uint32_t id)
{
    Heard *heard = g_new0(Heard, 1);

    heard->member = g_strdup(member);
    heard->channel = g_strdup(channel);
    heard->args = json_incref(args);
    heard->id = id;
    return heard;
}

void heard_free(Heard *heard)
{
    g_free(heard->member);
    g_free(heard->channel);
    json_decref(heard->args);
    g_free(heard);
}

static void on_renderer_message(ipc_event *event, json_t *args, void *userdata)
{
    Client *c = userdata;

    g_queue_push_tail(&c->heard, heard_new("Message", ipc_event_get_channel(event), args,
                                           ipc_event_get_sender_id(event)));
}

static Heard *read_signal(sd_bus_message *signal)
{
    const char *member = sd_bus_message_get_member(signal), *channel = NULL, *text = NULL;
    Heard *heard;
    uint32_t id = 0;

    if (strcmp(member, "WebviewMessage") == 0)
        must(sd_bus_message_read(signal, "uss", &id, &channel, &text));
    else if (strcmp(member, "WebviewAttached") == 0)
        must(sd_bus_message_read(signal, "su", &channel, &id));
    else if (strcmp(member, "WebviewDetached") == 0)
        must(sd_bus_message_read(signal, "u", &id));
    else
        must(sd_bus_message_read(signal, "ssu", &channel, &text, &id));
    heard = heard_new(member, channel, NULL, id);
    heard->args = text ? json_from(text) : NULL;
    return heard;
}

static int on_foreign_signal(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Client *c = userdata;

    (void)error;
    if (sd_bus_message_is_signal(message, IPC_MAIN_INTERFACE, NULL) > 0)
        g_queue_push_tail(&c->heard, read_signal(message));
    return 0;
}

void heard_compare(const char *where, const Heard *heard, const char *member, const char *channel, const char *args,
                   uint32_t id)
{
    g_autofree char *text = heard->args ? json_text(heard->args) : NULL;
    json_t *expected = args ? json_from(args) : NULL;

    if (strcmp(heard->member, member) != 0 || heard->id != id ||
        (channel && g_strcmp0(heard->channel, channel) != 0) || (expected && !json_equal(heard->args, expected)))
        g_error("%s: expected %s %s %s %u, heard %s %s %s %u", where, member, channel, args, id, heard->member,
                heard->channel, text, heard->id);
    json_decref(expected);
}

void client_expect(const char *where, Client *c, const char *member, const char *channel, const char *args,
                   uint32_t id)
{
    Wait wait = wait_begin(where, channel ? channel : member);
    Heard *heard;

    while (g_queue_is_empty(&c->heard))
        wait_step(c->fixture, &wait);
    heard = g_queue_pop_head(&c->heard);
    heard_compare(where, heard, member, channel, args, id);
    heard_free(heard);
}

void client_expect_silence(const char *where, Client *c)
{
    const Heard *heard;

    fixture_settle(where, c->fixture);
    heard = g_queue_peek_head(&c->heard);
    if (heard)
        g_error("%s: expected silence, heard %s %s", where, heard->member, heard->channel);
}

/* ---- coming and going ---- */

static Client *client_new(Fixture *f, sd_bus *bus)
{
    Client *c = g_new0(Client, 1);

    c->fixture = f;
    c->bus = bus;
    g_queue_init(&c->heard);
    g_ptr_array_add(f->clients, c);
    return c;
}

void client_free(Client *c)
{
    leave(c);
    g_queue_clear_full(&c->heard, (GDestroyNotify)heard_free);
    g_free(c);
}

static Client *renderer_make_deaf(Fixture *f)
{
    Client *c = client_new(f, bus_connect(f->bus));

    must(ipc_renderer_new(&c->renderer, c->bus, FIXTURE_NAME));
    if (is_over_lanes())
        must(ipc_renderer_set_flags(c->renderer, IPC_RENDERER_LANE));
    must(ipc_renderer_attach_event(c->renderer, f->event, SD_EVENT_PRIORITY_NORMAL));
    return c;
}

Client *renderer_make(Fixture *f)
{
    Client *c = renderer_make_deaf(f);

    must(ipc_renderer_on_any(c->renderer, NULL, on_renderer_message, c));
    return c;
}

Client *renderer_new_deaf(Fixture *f)
{
    Client *c = renderer_make_deaf(f);

    await_state(c, IPC_RENDERER_READY);
    return c;
}

Client *renderer_new(Fixture *f)
{
    Client *c = renderer_make(f);

    await_state(c, IPC_RENDERER_READY);
    return c;
}

unsigned in_flight_max(void)
{
    return is_over_lanes() ? IPC_LANE_IN_FLIGHT_MAX : IPC_IN_FLIGHT_MAX;
}

static Client *foreign_make(Fixture *f, sd_bus *bus)
{
    Client *c = client_new(f, bus);

    c->is_foreign = true;
    must(sd_bus_add_filter(c->bus, &c->filter, on_foreign_signal, c));
    must(sd_bus_attach_event(c->bus, f->event, SD_EVENT_PRIORITY_NORMAL));
    wait_until(f, sd_bus_is_ready(c->bus) != 0);
    must(sd_bus_is_ready(c->bus));
    return c;
}

Client *foreign_new(Fixture *f)
{
    return foreign_make(f, bus_connect(f->bus));
}

Client *foreign_new_as(Fixture *f, uid_t uid)
{
    return foreign_make(f, bus_connect_as(f->bus, uid));
}

Client *foreign_new_registered(Fixture *f)
{
    Client *c = foreign_new(f);

    client_id(c);
    return c;
}

uint32_t client_id(Client *c)
{
    uint32_t id;

    if (!c->is_foreign)
        return ipc_renderer_get_id(c->renderer);
    assert_replied(call(c, "Register", "a{sv}", 0), "u", &id);
    return id;
}

const char *client_name(Client *c)
{
    const char *name;

    must(sd_bus_get_unique_name(c->bus, &name));
    return name;
}

void leave(Client *c)
{
    c->renderer = ipc_renderer_unref(c->renderer);
    c->filter = sd_bus_slot_unref(c->filter);
    if (c->bus)
        sd_bus_detach_event(c->bus);
    c->bus = sd_bus_flush_close_unref(c->bus);
}

void vanish(Client *c)
{
    int fd = sd_bus_get_fd(c->bus);

    must(fd);
    g_assert_cmpint(shutdown(fd, SHUT_RDWR), ==, 0);
    leave(c);
}

void freeze(Client *c)
{
    must(c->is_foreign ? sd_bus_detach_event(c->bus) : ipc_renderer_detach_event(c->renderer));
    c->is_frozen = true;
}

void thaw(Client *c)
{
    if (c->is_foreign)
        must(sd_bus_attach_event(c->bus, c->fixture->event, SD_EVENT_PRIORITY_NORMAL));
    else
        must(ipc_renderer_attach_event(c->renderer, c->fixture->event, SD_EVENT_PRIORITY_NORMAL));
    c->is_frozen = false;
}

/* ---- calls of foreign clients ---- */

static int on_result(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    (void)error;
    outcome_settle_reply(userdata, reply, true);
    return 0;
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    (void)error;
    outcome_settle_reply(userdata, reply, false);
    return 0;
}

static sd_bus_message *new_call(Client *c, const char *path, const char *interface, const char *member,
                                const char *types, va_list values)
{
    sd_bus_message *message;

    must(sd_bus_message_new_method_call(c->bus, &message, FIXTURE_NAME, path, interface, member));
    must(sd_bus_message_appendv(message, types, values));
    return message;
}

static Outcome *start(Client *c, sd_bus_message *message, sd_bus_message_handler_t handler)
{
    Outcome *o = outcome_new(c->fixture);

    must(sd_bus_call_async(c->bus, &o->bus_slot, message, handler, o, (uint64_t)patience()));
    must(sd_bus_message_get_cookie(message, &o->serial));
    sd_bus_message_unref(message);
    return o;
}

#define NEW_CALL(c, path, interface, member, types)                               \
    ({                                                                            \
        sd_bus_message *message_;                                                 \
        va_list values_;                                                          \
                                                                                  \
        va_start(values_, types);                                                 \
        message_ = new_call(c, path, interface, member, types, values_);          \
        va_end(values_);                                                          \
        message_;                                                                 \
    })

Outcome *call(Client *c, const char *member, const char *types, ...)
{
    return await(start(c, NEW_CALL(c, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member, types), on_reply));
}

Outcome *call_start(Client *c, const char *member, const char *types, ...)
{
    return start(c, NEW_CALL(c, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member, types), on_reply);
}

Outcome *call_object(Client *c, const char *path, const char *interface, const char *member, const char *types, ...)
{
    return await(start(c, NEW_CALL(c, path, interface, member, types), on_reply));
}

Outcome *call_message(Client *c, sd_bus_message *message)
{
    return await(start(c, message, on_reply));
}

void call_no_reply(Client *c, const char *member, const char *types, ...)
{
    sd_bus_message *message = NEW_CALL(c, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member, types);

    must(sd_bus_message_set_expect_reply(message, false));
    must(sd_bus_send(c->bus, message, NULL));
    sd_bus_message_unref(message);
}

static Outcome *start_for_result(Client *c, const char *member, const char *types, ...)
{
    return start(c, NEW_CALL(c, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member, types), on_result);
}

Outcome *send_sync_start(Client *c, const char *channel, const char *args)
{
    g_assert_true(c->is_foreign);
    return start_for_result(c, "SendSync", "ss", channel, args);
}

Outcome *get_property(Client *c, const char *path, const char *interface, const char *name)
{
    return call_object(c, path, "org.freedesktop.DBus.Properties", "Get", "ss", interface, name);
}

/* ---- what either kind does ---- */

void send_message(Client *c, const char *channel, const char *args)
{
    json_t *json;

    if (c->is_foreign) {
        call_no_reply(c, "Send", "ss", channel, args);
        return;
    }
    json = json_from(args);
    must(ipc_renderer_send(c->renderer, channel, json));
    json_decref(json);
}

void send_to(Client *c, uint32_t id, const char *channel, const char *args)
{
    json_t *json;

    if (c->is_foreign) {
        call_no_reply(c, "SendTo", "uss", id, channel, args);
        return;
    }
    json = json_from(args);
    must(ipc_renderer_send_to(c->renderer, id, channel, json));
    json_decref(json);
}

static void on_invoked(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata)
{
    (void)renderer;
    outcome_settle(userdata, result, error);
}

Outcome *invoke_start(Client *c, const char *channel, const char *args)
{
    json_t *json;
    Outcome *o;

    if (c->is_foreign)
        return start_for_result(c, "Invoke", "ss", channel, args);
    json = json_from(args);
    o = outcome_new(c->fixture);
    must(ipc_renderer_invoke(c->renderer, &o->slot, channel, json, on_invoked, o));
    json_decref(json);
    return o;
}

Outcome *invoke(Client *c, const char *channel, const char *args)
{
    return await(invoke_start(c, channel, args));
}
