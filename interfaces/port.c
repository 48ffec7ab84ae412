/* SPDX-License-Identifier: MIT */
#include "port.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event.h"
#include "macro.h"
#include "text.h"
#include "transfer.h"

/*
 * The life of a port: it is open, until its holder closes it, or transfers it, or the other end closes. An unstarted
 * one never reads, so what waits in its socket goes along when it is transferred. It reads one packet at a time, for
 * the same reason: a callback may transfer the port that it hears.
 */

/* ---- making ---- */

int port_new(int fd, ipc_port **ret_port)
{
    ipc_port *port;

    port = calloc(1, sizeof(*port));
    if (!port)
        return -ENOMEM;
    port->n_ref = 1;
    wire_init(&port->wire, fd);
    watch_set_init(&port->set);
    *ret_port = port;
    return 0;
}

int ipc_port_new_from_fd(ipc_port **ret_port, int fd)
{
    if (!ret_port || !packet_is_port_fd(fd))
        return -EINVAL;
    return port_new(fd, ret_port);
}

int ipc_port_new_pair(ipc_port **ret_one, ipc_port **ret_other)
{
    _cleanup_(ipc_port_unrefp) ipc_port *one = NULL;
    int fds[2], r;

    if (!ret_one || !ret_other)
        return -EINVAL;
    r = wire_make_pair(fds);
    if (r < 0)
        return r;
    r = port_new(fds[0], &one);
    if (r < 0)
        close(fds[0]);
    else
        r = port_new(fds[1], ret_other);
    if (r < 0) {
        close(fds[1]);
        return r;
    }
    one->twin = *ret_other;
    one->twin->twin = one;
    *ret_one = TAKE_PTR(one);
    return 0;
}

ipc_port *ipc_port_ref(ipc_port *port)
{
    if (port)
        port->n_ref++;
    return port;
}

ipc_port *ipc_port_unref(ipc_port *port)
{
    if (!port || --port->n_ref > 0)
        return NULL;
    /* It may hold itself while it writes what was posted. */
    port->n_ref = 1;
    ipc_port_close(port);
    if (--port->n_ref > 0)
        return NULL;
    assert(!port->watch.set);
    emitter_clear(&port->listeners);
    watch_set_clear(&port->set);
    sd_event_unref(port->event);
    free(port);
    return NULL;
}

bool ipc_port_is_closed(const ipc_port *port)
{
    return !port || port->is_closed || port->is_ended || port->is_transferred;
}

int port_check(const ipc_port *port)
{
    if (!port)
        return -EINVAL;
    if (port->is_transferred)
        return -ESTALE;
    return port->is_closed ? -ENOTCONN : 0;
}

int port_check_transferable(const ipc_port *port)
{
    int r = port_check(port);

    if (r < 0)
        return r;
    if (port->is_ended)
        return -ENOTCONN;
    return wire_has_unwritten(&port->wire) || port->has_ahead ? -EBUSY : 0;
}

/* ---- going ---- */

static void port_release(ipc_port *port)
{
    watch_remove(&port->watch);
    if (port->has_ahead)
        packet_clear(&port->ahead);
    port->has_ahead = false;
    if (port->twin)
        port->twin->twin = NULL;
    port->twin = NULL;
    wire_close(&port->wire);
}

void port_neuter(ipc_port *port, Account *account)
{
    port->is_transferred = true;
    if (port->twin)
        account_join(account, &port->twin->wire);
    port_release(port);
    emitter_remove_all(&port->listeners, NULL);
}

static void close_call(EmitterFunction function, void *userdata, void *context)
{
    ((ipc_port_close_t)function)(context, userdata);
}

/* The other end is gone, or nobody who keeps the rules. */
static void port_end(ipc_port *port)
{
    port->is_ended = true;
    port_release(port);
    emitter_emit(&port->listeners, PORT_CLOSE, close_call, port);
}

void port_linger_over(ipc_port *port)
{
    port->is_lingering = false;
    port_release(port);
    ipc_port_unref(port);
}

/* Something has to write what was accepted: the loop or, without one, the caller. */
static void port_linger(ipc_port *port)
{
    if (port->watch.set && watch_set_events(&port->watch, EPOLLOUT) >= 0) {
        port->is_lingering = true;
        ipc_port_ref(port);
        /* Else the loop would live as long as the port, and the port as long as nobody runs the loop. */
        port->event = sd_event_unref(port->event);
        watch_leave_to_loop(&port->watch);
        return;
    }
    (void)wire_flush_all(&port->wire, IPC_STOP_TIMEOUT_USEC);
    port_release(port);
}

void ipc_port_close(ipc_port *port)
{
    if (port_check(port) < 0)
        return;
    port->is_closed = true;
    emitter_remove_all(&port->listeners, NULL);
    if (!port->is_ended && wire_flush(&port->wire) >= 0 && wire_has_unwritten(&port->wire))
        port_linger(port);
    else
        port_release(port);
}

/* ---- out ---- */

uint32_t port_wanted_events(const ipc_port *port)
{
    uint32_t events = wire_has_unwritten(&port->wire) ? EPOLLOUT : 0;

    return events | (port->is_started && !port->is_lingering ? EPOLLIN : 0);
}

static int port_post(ipc_port *port, const char *text, size_t length, const ipc_transfer *transfer)
{
    Packet packet = { .verb = PORT_VERB, .text = text, .length = length, .text_fd = -1 };
    int r;

    r = port_check(port);
    if (r >= 0)
        r = transfer_check(transfer, port);
    if (r < 0)
        return r;
    transfer_fill(transfer, &packet);
    r = port->is_ended ? -EPIPE : wire_send(&port->wire, &packet);
    /* A message to nobody is lost, with all that is in it. */
    if (r >= 0 || r == -EPIPE)
        transfer_done(transfer, port->wire.account);
    if (r >= 0)
        (void)watch_set_events(&port->watch, port_wanted_events(port));
    return r == -EPIPE ? 0 : r;
}

int ipc_port_post_message(ipc_port *port, json_t *message, const ipc_transfer *transfer)
{
    _cleanup_(text_clear) Text text;
    int r;

    r = text_encode_max(&text, message, IPC_LANE_ARGS_MAX);
    if (!port)
        return -EINVAL;
    return r < 0 ? r : port_post(port, text.data, text.length, transfer);
}

int ipc_port_post_messagef(ipc_port *port, const ipc_transfer *transfer, const char *format, ...)
{
    _cleanup_(json_cleanup) json_t *message = NULL;
    int r = TEXT_PACK(text_pack_value, &message, format);

    return r < 0 ? r : ipc_port_post_message(port, message, transfer);
}

int ipc_port_post_text(ipc_port *port, const char *text, size_t length, const ipc_transfer *transfer)
{
    if (!port || !text_is_terminated(text, length))
        return -EINVAL;
    return port_post(port, text, length, transfer);
}

/* ---- in ---- */

static void event_destroy(ipc_event *event)
{
    event_done(event);
    free(event);
}

static const EventOps port_event_ops = { .destroy = event_destroy };

typedef struct Telling {
    ipc_port *port;
    ipc_event *event;
    json_t *message;
    const Packet *packet;
} Telling;

static void message_call(EmitterFunction function, void *userdata, void *context)
{
    const Telling *telling = context;

    ((ipc_port_message_t)function)(telling->port, telling->event, telling->message, userdata);
}

static void text_call(EmitterFunction function, void *userdata, void *context)
{
    const Telling *telling = context;

    ((ipc_port_text_t)function)(telling->port, telling->event, telling->packet->text, telling->packet->length,
                                userdata);
}

static int event_new(Packet *packet, Account *account, ipc_event **ret_event)
{
    ipc_event *event;
    int r;

    event = calloc(1, sizeof(*event));
    if (!event)
        return -ENOMEM;
    r = event_init(event, &port_event_ops, NULL, 0, false);
    event->is_posted = true;
    if (r >= 0)
        r = transfers_from_packet(packet, &event->transfers);
    if (r >= 0)
        r = transfers_join(event->transfers, account);
    if (r < 0) {
        event_destroy(event);
        return r;
    }
    *ret_event = event;
    return 0;
}

/* Runs the listeners of a packet. A negative answer ends the port. */
static int port_tell(ipc_port *port, Packet *packet)
{
    _cleanup_(json_cleanup) json_t *message = NULL;
    _cleanup_(ipc_event_unrefp) ipc_event *event = NULL;
    Telling telling = { .port = port, .packet = packet };
    int r = 0;

    if (packet->verb != PORT_VERB || *packet->channel)
        return -EBADMSG;
    if (emitter_count(&port->listeners, PORT_MESSAGE) > 0)
        r = text_decode_value(packet->text, packet->length, &message);
    if (r >= 0)
        r = event_new(packet, port->wire.account, &event);
    if (r < 0)
        return r;
    telling.event = event;
    telling.message = message;
    emitter_emit(&port->listeners, PORT_TEXT, text_call, &telling);
    if (message)
        emitter_emit(&port->listeners, PORT_MESSAGE, message_call, &telling);
    return 0;
}

/* 1: there is a packet, or an end; 0: there is neither. */
static int port_receive(ipc_port *port, int flags, Packet *ret_packet)
{
    if (port->ahead_error < 0)
        return port->ahead_error;
    if (!port->has_ahead)
        return wire_receive(&port->wire, flags, ret_packet);
    *ret_packet = port->ahead;
    port->has_ahead = false;
    return 1;
}

static int port_read(ipc_port *port)
{
    _cleanup_(packet_clear) Packet packet = PACKET_INIT;
    int r;

    r = port_receive(port, MSG_DONTWAIT, &packet);
    if (r == 0)
        return 0;
    if (r > 0)
        r = port_tell(port, &packet);
    if (r < 0 && port_check(port) >= 0)
        port_end(port);
    return 1;
}

int port_process(ipc_port *port)
{
    _cleanup_(ipc_port_unrefp) ipc_port *held = ipc_port_ref(port);
    int r = 0;

    held->is_processing = true;
    if (wire_has_unwritten(&held->wire))
        (void)wire_flush(&held->wire);
    if (held->is_started)
        r = port_read(held);
    held->is_processing = false;
    (void)watch_set_events(&held->watch, port_wanted_events(held));
    return r;
}

int ipc_port_start(ipc_port *port)
{
    int r = port_check(port);

    if (r < 0 || port->is_started || port->is_ended)
        return r;
    port->is_started = true;
    return watch_set_events(&port->watch, port_wanted_events(port));
}

static int port_listen(ipc_port *port, ipc_slot **ret_slot, const char *name, EmitterFunction callback, void *userdata)
{
    int r = callback ? port_check(port) : -EINVAL;

    return r < 0 ? r : emitter_add(&port->listeners, ret_slot, name, 0, callback, userdata);
}

int ipc_port_on_message(ipc_port *port, ipc_slot **ret_slot, ipc_port_message_t callback, void *userdata)
{
    return port_listen(port, ret_slot, PORT_MESSAGE, (EmitterFunction)callback, userdata);
}

int ipc_port_on_text(ipc_port *port, ipc_slot **ret_slot, ipc_port_text_t callback, void *userdata)
{
    return port_listen(port, ret_slot, PORT_TEXT, (EmitterFunction)callback, userdata);
}

int ipc_port_on_close(ipc_port *port, ipc_slot **ret_slot, ipc_port_close_t callback, void *userdata)
{
    return port_listen(port, ret_slot, PORT_CLOSE, (EmitterFunction)callback, userdata);
}
