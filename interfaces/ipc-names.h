/* SPDX-License-Identifier: MIT */
#ifndef IPCBUS_IPC_NAMES_H
#define IPCBUS_IPC_NAMES_H

/* The names, error names and limits that both sides, and foreign clients, agree on. */

#define IPC_MAIN_NAME "org.ipcbus.Main" /* what ipcbusd owns when it is told nothing else */
#define IPC_MAIN_PATH "/org/ipcbus/Main"
#define IPC_MAIN_INTERFACE "org.ipcbus.Main1"
#define IPC_MONITOR_INTERFACE "org.ipcbus.Monitor1" /* of the same object */
#define IPC_WEB_CONTENTS_PATH "/org/ipcbus/Main/web_contents"
#define IPC_WEB_CONTENTS_INTERFACE "org.ipcbus.WebContents1"

#define IPC_ERROR_NO_HANDLER "org.ipcbus.Error.NoHandler"
#define IPC_ERROR_NO_LISTENER "org.ipcbus.Error.NoListener"
#define IPC_ERROR_HANDLER_FAILED "org.ipcbus.Error.HandlerFailed"
#define IPC_ERROR_REPLY_NEVER_SENT "org.ipcbus.Error.ReplyNeverSent"
#define IPC_ERROR_CANCELLED "org.ipcbus.Error.Cancelled"
#define IPC_ERROR_INVALID_ARGS "org.ipcbus.Error.InvalidArgs"
#define IPC_ERROR_INVALID_CHANNEL "org.ipcbus.Error.InvalidChannel"
#define IPC_ERROR_NO_SUCH_WEB_CONTENTS "org.ipcbus.Error.NoSuchWebContents"
#define IPC_ERROR_NOT_A_GUEST "org.ipcbus.Error.NotAGuest"
#define IPC_ERROR_INVALID_TOKEN "org.ipcbus.Error.InvalidToken"
#define IPC_ERROR_NOT_REGISTERED "org.ipcbus.Error.NotRegistered"
#define IPC_ERROR_BUSY "org.ipcbus.Error.Busy"
#define IPC_ERROR_QUEUE_FULL "org.ipcbus.Error.QueueFull"
#define IPC_ERROR_TOO_LARGE "org.ipcbus.Error.TooLarge"
#define IPC_ERROR_MAIN_GONE "org.ipcbus.Error.MainGone"
#define IPC_ERROR_ACCESS_DENIED "org.freedesktop.DBus.Error.AccessDenied"
#define IPC_ERROR_LIMITS_EXCEEDED "org.freedesktop.DBus.Error.LimitsExceeded"
#define IPC_ERROR_NO_MEMORY "org.freedesktop.DBus.Error.NoMemory"
#define IPC_ERROR_INVALID_POLICY "org.ipcbus.Error.InvalidPolicy" /* made by ipc_app_load_policy() */
#define IPC_ERROR_TIMEOUT "org.freedesktop.DBus.Error.Timeout" /* made by the client library */

#define IPC_CHANNEL_MAX 255u                       /* bytes of a channel's name, without its NUL */
#define IPC_ARGS_MAX (16u * 1024 * 1024)           /* bytes of JSON text in one message on the bus */
#define IPC_LANE_ARGS_MAX (256u * 1024 * 1024)     /* the same on a lane or a port */
#define IPC_INLINE_MAX (64u * 1024)                /* bytes of text in a packet; longer ones travel in a sealed memfd */
#define IPC_TRANSFERS_MAX 16u                      /* ports and files of one message */
#define IPC_FDS_RESERVE 256u                       /* fds of a process that are left for what must go on */
#define IPC_VALUES_BYTES_MAX (1024u * 1024 * 1024) /* bytes of memory that the values of one text may take, about */
#define IPC_DEPTH_MAX 2048u                        /* values within each other */
#define IPC_TIMEOUT_USEC (25u * 1000 * 1000)       /* us until an unanswered call fails */
#define IPC_STOP_TIMEOUT_USEC (5u * 1000 * 1000)   /* us that a stopping app has to write what it accepted */
#define IPC_LISTENERS_MAX 10u                      /* listeners of one channel before a leak is suspected */
#define IPC_IN_FLIGHT_MAX 100u                     /* unanswered calls of one renderer on the bus */
#define IPC_LANE_IN_FLIGHT_MAX 1000u               /* the same on a lane: less than main lets a peer have pending */
#define IPC_QUEUE_BYTES_MAX (64u * 1024 * 1024)    /* bytes that wait in the memory of one sender */
#define IPC_BACKLOG_MESSAGES_MAX 1024u             /* messages that a connection is given before it has written any */
#define IPC_BACKLOG_BYTES_MAX (1024u * 1024)       /* bytes of them */
#define IPC_MAIN_BACKLOG_MESSAGES_MAX 16u          /* the same of main, whose peers take turns */
#define IPC_MAIN_SEND_BUFFER 16384                 /* bytes of main's messages in the kernel, about */
#define IPC_PENDING_INVOKES_MAX 1024u              /* unsettled invocations of one peer in main */
#define IPC_PENDING_INVOKES_PER_UID_MAX 65536u     /* the same of all peers of one user */
#define IPC_QUEUE_BYTES_PER_UID_MAX (512u * 1024 * 1024) /* bytes that wait in main for all peers of one user */
#define IPC_UNREAD_ANSWERS_MAX 1024u               /* answers that wait in main's memory for one peer to read */
#define IPC_RENDERERS_MAX 4096u                    /* web contents of one app */
#define IPC_RENDERERS_PER_UID_MAX 256u             /* those of one user, where a policy lets several users in */
#define IPC_GUEST_TOKENS_MAX 64u                   /* tokens of one host that no guest has used yet */
#define IPC_GUEST_TOKENS_PER_UID_MAX 4096u         /* the same of all hosts of one user */
#define IPC_MESSAGE_OVERHEAD 512u                  /* bytes that a waiting message is counted for beside its text */
#define IPC_WINDOW_BYTES (256u * 1024)             /* bytes sent to a peer before it is asked whether it reads */
#define IPC_WINDOW_BYTES_AWAITED (32u * 1024 * 1024) /* the same for one that waits for an answer behind them */
#define IPC_UNREAD_BYTES_MAX (64u * 1024 * 1024)   /* bytes that all peers together have not been seen to read */
#define IPC_UNREAD_BYTES_LARGE (48u * 1024 * 1024) /* of these, those beyond two windows a peer */
#define IPC_PINGS_MAX 64u                          /* peers that are being asked */
#define IPC_PINGS_SPARED 32u                       /* more, of those who have answered before */
#define IPC_STUCK_USEC (5u * 1000 * 1000)          /* us that a peer does not answer before it is warned of */
#define IPC_TITLE_MAX 4096u                        /* bytes of a title, without its NUL */
#define IPC_FIGURES_MAX 512u                       /* channels that have figures of their own */
#define IPC_WATCHERS_MAX 256u                      /* who watch one app */
#define IPC_WATCHERS_PER_UID_MAX 128u              /* those of one user */
#define IPC_WATCHER_CHANNELS_MAX 64u               /* globs of one of them */
#define IPC_WATCHER_PIPE_BYTES (1024u * 1024)      /* bytes that wait for one to read, if the kernel has them */
#define IPC_WATCHER_TEXT_MAX (2u * 1024 * 1024)    /* bytes of JSON text of a message that a watcher sees whole */
#define IPC_WATCHER_REFUSED_MAX 4096u              /* the same of one that was refused */

#endif
