/* SPDX-License-Identifier: MIT */
#pragma once

/* A lane: the socket between one renderer and its main, whose packets carry a verb and, for calls, a serial. */

#include "ipc-error.h"
#include "packet.h"

/* What a packet means. Of the members of a packet that it does not name, none is used. */
typedef enum LaneVerb {
    /* to main */
    LANE_SEND = 16,      /* channel, text */
    LANE_INVOKE,         /* serial, channel, text */
    LANE_SEND_SYNC,      /* the same */
    LANE_SEND_TO,        /* id, channel, text */
    LANE_SEND_TO_HOST,   /* channel, text */
    LANE_POST_MESSAGE,   /* channel, text, fds */
    LANE_CANCEL,         /* serial: of the invoke */
    LANE_CREATE_WEBVIEW, /* serial; the result is the token */
    /* to the renderer */
    LANE_MESSAGE,          /* id, channel, text */
    LANE_PORT_MESSAGE,     /* id, channel, text, fds */
    LANE_WEBVIEW_MESSAGE,  /* id, channel, text */
    LANE_WEBVIEW_ATTACHED, /* id, text: the token */
    LANE_WEBVIEW_DETACHED, /* id */
    LANE_RESULT,           /* serial, text */
    LANE_ERROR,            /* serial, channel: the error's name, text: its message and, after a NUL, its detail */
} LaneVerb;

/* The text of an error that has a detail; that of others is the message. -ENOMEM. */
int lane_join_error(const char *message, const char *detail, char **ret_text, size_t *ret_length);

/*
 * From a packet of LANE_ERROR. -EBADMSG: its name is none, which the bus would not let pass: whoever shows it, or goes
 * by it, need not expect that of a lane. -ENOMEM.
 */
int lane_read_error(const Packet *packet, ipc_error *error);
