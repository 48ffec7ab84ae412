/* SPDX-License-Identifier: MIT */

/* Node's child_process: two processes of its own, told by a pipe what to do. See bench-node.js. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench-contender.h"

typedef struct NodeClient {
    Tally *tally;
    FILE *stream;
} NodeClient;

static void run_node(int fd, const char *payload)
{
    const char *src = getenv("top_srcdir");
    char script[4096], size[32];

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    snprintf(script, sizeof(script), "%s/tests/bench-node.js", src ? src : ".");
    snprintf(size, sizeof(size), "%zu", strlen(payload));
    if (dup2(fd, STDIN_FILENO) >= 0 && dup2(fd, STDOUT_FILENO) >= 0)
        execlp("node", "node", script, size, NULL);
    _exit(127);
}

static int read_line(NodeClient *client, const char *expected)
{
    char line[64];

    if (!fgets(line, sizeof(line), client->stream))
        return -ECONNRESET;
    return strcmp(line, expected) == 0 ? 0 : -EBADMSG;
}

static int start_node(NodeClient *client, const char *payload)
{
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    pid = fork();
    if (pid == 0)
        run_node(pair[1], payload);
    close(pair[1]);
    client->stream = pid < 0 ? NULL : fdopen(pair[0], "r+");
    return client->stream ? read_line(client, "ready\n") : -errno;
}

static int tell(NodeClient *client, const char *act, unsigned n)
{
    if (fprintf(client->stream, "%s %u\n", act, n) < 0 || fflush(client->stream) < 0)
        return -errno;
    return read_line(client, "done\n");
}

static int invoke(void *userdata, unsigned n)
{
    return tell(userdata, "invoke", n);
}

/* It is over when the last one has come, and only Node knows that. */
static int send_many(void *userdata, unsigned n)
{
    NodeClient *client = userdata;
    int r;

    r = tell(client, "send", n);
    client->tally->n_awaited = 0;
    client->tally->finished = now_nsec();
    return r;
}

static const ActRun node_runs[N_ACTS] = { [ACT_CALL] = invoke, [ACT_INVOKE] = invoke, [ACT_SEND] = send_many };

static int perform(const Scene *scene)
{
    NodeClient client = { .tally = scene->tally };
    int r;

    r = start_node(&client, scene->payload);
    return r < 0 ? r : scene_perform(scene, node_runs, &client);
}

Contender node_contender = { .bus_name = "node", .perform = perform };
