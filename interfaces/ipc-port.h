/* SPDX-License-Identifier: MIT */
#ifndef IPCBUS_IPC_PORT_H
#define IPCBUS_IPC_PORT_H

/*
 * A port is one end of a message channel of its own (Electron's MessagePortMain, the web's MessagePort): a socket that
 * can be handed to anyone, by main, by renderers and through other ports. Whoever holds the two ends talks directly.
 *
 * A port is used from one thread. Its callbacks run from ipc_port_process(), or from the loop that it is attached to;
 * never from a call that posts. JSON inputs are borrowed.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "ipc-event.h" /* struct ipc_port has its name there */
#include "ipc-slot.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct ipc_transfer - what goes along with a message
 * @ports: ports, which are dead to the sender afterwards: they can only be dropped
 * @n_ports: how many
 * @files: fds of any kind, which stay the sender's
 * @n_files: how many; with the ports, IPC_TRANSFERS_MAX at most
 *
 * The web: the transfer list of postMessage(). Where a call takes one, it answers, beside what else it says: -EINVAL (a
 * port is NULL), -EEXIST (a port is there twice), -ELOOP (a port would go through itself), -ESTALE (a port was
 * transferred before), -ENOTCONN (a port is closed), -EBUSY (a port has messages that are not written or not delivered
 * yet), -E2BIG (too many), -EBADF (a file is no open fd), -EMFILE. Then nothing is sent, and every port lives on.
 */
typedef struct ipc_transfer {
    ipc_port *const *ports;
    size_t n_ports;
    const int *files;
    size_t n_files;
} ipc_transfer;

/**
 * ipc_port_new_pair - make a message channel
 * @ret_one: one end; drop it with ipc_port_unref()
 * @ret_other: the other
 *
 * Electron: new MessageChannelMain().
 *
 * Return: 0, or -EINVAL, -EMFILE, -ENFILE, -ENOMEM.
 */
int ipc_port_new_pair(ipc_port **ret_one, ipc_port **ret_other);

/**
 * ipc_port_new_from_fd - make a port of a socket
 * @ret_port: the port; drop it with ipc_port_unref()
 * @fd: a connected socket (AF_UNIX, SOCK_SEQPACKET) whose other end is a port, such as one inherited from a parent;
 *      taken on success
 *
 * Return: 0, or -EINVAL (no such socket), -ENOMEM.
 */
int ipc_port_new_from_fd(ipc_port **ret_port, int fd);

/** ipc_port_ref - take another reference; Return: @port, which may be NULL */
ipc_port *ipc_port_ref(ipc_port *port);

/**
 * ipc_port_unref - drop a reference; with the last one the port is closed, as by ipc_port_close()
 * @port: the port, or NULL
 *
 * Return: NULL.
 */
ipc_port *ipc_port_unref(ipc_port *port);

/**
 * ipc_port_is_closed - tell whether nothing will come through a port any more
 * @port: the port, or NULL
 *
 * Return: true if it was closed on either side, or transferred, or is NULL.
 */
bool ipc_port_is_closed(const ipc_port *port);

/**
 * ipc_port_post_message - send a message to the other end
 * @port: the port; it need not be started
 * @message: any JSON value; NULL is null
 * @transfer: what goes along; NULL: nothing
 *
 * If the other end is closed the message is lost, which is no error. Electron: port.postMessage().
 *
 * Return: 0, or -EINVAL (too deep), -EMSGSIZE (over IPC_LANE_ARGS_MAX), -ENOBUFS (IPC_QUEUE_BYTES_MAX are unread or, in
 * main, IPC_QUEUE_BYTES_PER_UID_MAX in all ports of the user), -ENOTCONN (it was closed here), -ESTALE (it was
 * transferred), -ENOMEM, or as struct ipc_transfer says.
 */
int ipc_port_post_message(ipc_port *port, json_t *message, const ipc_transfer *transfer);

/**
 * ipc_port_post_messagef - ipc_port_post_message() with a message made by json_pack()
 * @port: the port
 * @transfer: what goes along; NULL: nothing
 * @format: one value in json_pack()'s format, such as "{s:i}"; NULL is null
 *
 * Electron: port.postMessage().
 *
 * Return: as ipc_port_post_message(); -EINVAL also for a bad format, NaN and infinity.
 */
int ipc_port_post_messagef(ipc_port *port, const ipc_transfer *transfer, const char *format, ...);

/**
 * ipc_port_post_text - ipc_port_post_message() with the JSON text of a value, which nobody parses on this side
 * @port: the port
 * @text: JSON; a port whose holder wants JSON closes if it is none
 * @length: of @text in bytes; a NUL follows them
 * @transfer: what goes along; NULL: nothing
 *
 * A large text that came by a port or a lane, and is passed on whole, is not copied.
 *
 * Electron: port.postMessage().
 *
 * Return: as ipc_port_post_message(); -EINVAL also where no NUL follows.
 */
int ipc_port_post_text(ipc_port *port, const char *text, size_t length, const ipc_transfer *transfer);

/**
 * ipc_port_start - let messages come; until then they queue
 * @port: the port
 *
 * Listen first: what comes and nobody hears is lost. Electron: port.start().
 *
 * Return: 0 (also when it was started before), or -EINVAL, -ENOTCONN (closed here), -ESTALE (transferred), -ENOMEM.
 */
int ipc_port_start(ipc_port *port);

/**
 * ipc_port_close - close the channel
 * @port: the port, or NULL
 *
 * No callback runs any more. The other end hears of it after everything that was posted before: what is not written yet
 * is written by the loop that the port is attached to, even if the port is dropped; without one, this blocks until it
 * is, for IPC_STOP_TIMEOUT_USEC at most. Electron: port.close().
 */
void ipc_port_close(ipc_port *port);

/**
 * ipc_port_message_t - what runs when a message comes
 * @port: the port
 * @event: what came along: ipc_event_get_ports(), ipc_event_get_files(). It has no channel, and no reply
 * @message: the JSON value; borrowed
 * @userdata: as it was registered
 */
typedef void (*ipc_port_message_t)(ipc_port *port, ipc_event *event, json_t *message, void *userdata);

/**
 * ipc_port_text_t - what runs when a message comes, for who wants the JSON text as it came
 * @port: the port
 * @event: as of ipc_port_message_t
 * @text: checked by nobody; NUL-terminated, and good until the callback returns
 * @length: of @text in bytes
 * @userdata: as it was registered
 */
typedef void (*ipc_port_text_t)(ipc_port *port, ipc_event *event, const char *text, size_t length, void *userdata);

/**
 * ipc_port_close_t - what runs when the other end is gone
 * @port: the port
 * @userdata: as it was registered
 */
typedef void (*ipc_port_close_t)(ipc_port *port, void *userdata);

/**
 * ipc_port_on_message - listen
 * @port: the port
 * @ret_slot: the registration; NULL: as long as @port
 * @callback: runs for each message once the port is started
 * @userdata: for @callback
 *
 * A message that is no JSON closes the port if anyone listens with ipc_port_on_message(). Electron: port.on('message').
 *
 * Return: 0, or -EINVAL, -ENOTCONN (closed here), -ESTALE (transferred), -ENOMEM.
 */
int ipc_port_on_message(ipc_port *port, ipc_slot **ret_slot, ipc_port_message_t callback, void *userdata);

/**
 * ipc_port_on_text - ipc_port_on_message() for who forwards or stores JSON, and does not parse it
 * @port: the port
 * @ret_slot: the registration; NULL: as long as @port
 * @callback: runs for each message once the port is started, before those of ipc_port_on_message()
 * @userdata: for @callback
 *
 * Electron: port.on('message').
 *
 * Return: as ipc_port_on_message().
 */
int ipc_port_on_text(ipc_port *port, ipc_slot **ret_slot, ipc_port_text_t callback, void *userdata);

/**
 * ipc_port_on_close - be told that the other end was closed, or broke the rules
 * @port: the port
 * @ret_slot: the registration; NULL: as long as @port
 * @callback: runs once, after all messages
 * @userdata: for @callback
 *
 * Only a port that is started hears of it; ipc_port_close() on this side is not told. Electron: port.on('close').
 *
 * Return: as ipc_port_on_message().
 */
int ipc_port_on_close(ipc_port *port, ipc_slot **ret_slot, ipc_port_close_t callback, void *userdata);

/* ---- loops ---- */

/**
 * ipc_port_attach_event - live in an sd-event loop
 * @port: the port
 * @event: the loop; NULL is the thread's default one
 * @priority: as of sd_event_source_set_priority()
 *
 * ipc_app_attach_port() and ipc_renderer_attach_port() put a port into whatever loop drives an app or a renderer.
 *
 * Return: 0, or -EINVAL, -EBUSY (attached already), -ENOTCONN (closed), -ESTALE (transferred), -EMFILE, -ENOMEM.
 */
int ipc_port_attach_event(ipc_port *port, sd_event *event, int64_t priority);

/**
 * ipc_port_detach_event - leave whatever drives the port: its loop, or the app or renderer that it is attached to
 * @port: the port
 *
 * Return: 0 (also when nothing drives it), or -EINVAL.
 */
int ipc_port_detach_event(ipc_port *port);

/*
 * For any other loop: poll get_fd() for get_events() until get_timeout(), then call process() until it returns 0; and
 * ask all three anew before each poll.
 */

/**
 * ipc_port_get_fd - what to poll
 * @port: the port
 *
 * Return: the fd, owned by the port, or -EINVAL, -EAGAIN (it is not started, and there is nothing to write), -ENOTCONN
 * (closed), -ESTALE (transferred).
 */
int ipc_port_get_fd(ipc_port *port);

/** ipc_port_get_events - what to poll for; Return: a set of POLLIN and POLLOUT, or a failure of ipc_port_get_fd() */
int ipc_port_get_events(ipc_port *port);

/**
 * ipc_port_get_timeout - until when to poll
 * @port: the port
 * @ret_usec: an absolute time of CLOCK_MONOTONIC in us; UINT64_MAX: none; 0: now
 *
 * Return: 0, or a failure of ipc_port_get_fd().
 */
int ipc_port_get_timeout(ipc_port *port, uint64_t *ret_usec);

/**
 * ipc_port_process - do one piece of work
 * @port: the port
 *
 * Return: 1 if something was done, 0 if there is nothing to do, or -EINVAL, -EBUSY (called from a callback of this
 * port), -ENOTCONN (closed, and every callback has run), -ESTALE (transferred).
 */
int ipc_port_process(ipc_port *port);

/**
 * ipc_port_wait - sleep until there is something to process
 * @port: the port
 * @timeout_usec: us at most, UINT64_MAX for ever
 *
 * Return: positive if there is, 0 if the time is over, or -EINVAL, -EAGAIN (it is not started, and there is nothing to
 * write), -ENOTCONN, -ESTALE, -EINTR.
 */
int ipc_port_wait(ipc_port *port, uint64_t timeout_usec);

/* For __attribute__((cleanup)). */
static inline void ipc_port_unrefp(ipc_port **port)
{
    if (*port)
        ipc_port_unref(*port);
}

#ifdef __cplusplus
}
#endif

#endif
