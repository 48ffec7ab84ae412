/* SPDX-License-Identifier: MIT */
#include "lane-story.h"

#include <stdlib.h>
#include <sys/socket.h>

Client *lane_renderer_make(Fixture *f)
{
    Client *r = renderer_make(f);

    must(ipc_renderer_set_flags(r->renderer, IPC_RENDERER_LANE));
    return r;
}

Client *lane_renderer_new(Fixture *f)
{
    Client *r = lane_renderer_make(f);

    await_state(r, IPC_RENDERER_READY);
    return r;
}

int lane_fd_of_main(void)
{
    GDir *folder = g_dir_open("/proc/self/fd", 0, NULL);
    int fd, type, found = -1;
    socklen_t size = sizeof(type);
    const char *name;

    while ((name = g_dir_read_name(folder))) {
        fd = atoi(name);
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET)
            found = found < 0 ? fd : found;
    }
    g_dir_close(folder);
    g_assert_cmpint(found, >=, 0);
    return found;
}
