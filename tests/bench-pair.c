/* SPDX-License-Identifier: MIT */
#include "bench-pair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc-file.h"
#include "macro.h"

#define PACKET_MAX (64u * 1024) /* bytes of a payload; a larger one takes a stream */

/* Of each contender the service's end, and the client's. */
static int raw_pair[2] = { -1, -1 }, bus_pair[2] = { -1, -1 };

int pair_make(int pair[2], int type)
{
    close(pair[0]);
    close(pair[1]);
    return socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0 ? -errno : 0;
}

int pair_prepare(size_t payload_size)
{
    int r;

    r = pair_make(raw_pair, payload_size <= PACKET_MAX ? SOCK_SEQPACKET : SOCK_STREAM);
    return r < 0 ? r : pair_make(bus_pair, SOCK_STREAM);
}

/* The payload as JSON. */
static char *make_text(const char *payload)
{
    char *text;

    return asprintf(&text, "[\"%s\"]", payload) < 0 ? NULL : text;
}

/* ---- a socket ---- */

typedef struct RawEnd {
    int fd;
    Tally *tally;
    char *message; /* the first byte tells whether it comes back */
    char *buffer;
    size_t size; /* of both */
} RawEnd;

static int raw_open(const Scene *scene, int fd, RawEnd *end)
{
    *end = (RawEnd){ .fd = fd, .tally = scene->tally, .message = make_text(scene->payload) };
    if (!end->message)
        return -ENOMEM;
    end->size = strlen(end->message) + 1;
    end->buffer = malloc(end->size);
    return end->buffer ? 0 : -ENOMEM;
}

static int raw_write(const RawEnd *end, const char *message)
{
    ssize_t n;

    for (size_t done = 0; done < end->size; done += (size_t)n) {
        n = send(end->fd, message + done, end->size - done, MSG_NOSIGNAL);
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
    }
    return 0;
}

static int raw_read(const RawEnd *end)
{
    ssize_t n;

    for (size_t done = 0; done < end->size; done += (size_t)n) {
        n = recv(end->fd, end->buffer + done, end->size - done, 0);
        if (n <= 0)
            return n < 0 ? -errno : -ECONNRESET;
    }
    return 0;
}

static int raw_serve(const Scene *scene)
{
    RawEnd end;
    int r;

    r = raw_open(scene, raw_pair[0], &end);
    if (r >= 0)
        r = scene_ready(scene);
    while (r >= 0) {
        r = raw_read(&end);
        if (r >= 0 && *end.buffer == '[')
            r = raw_write(&end, end.buffer);
        else if (r >= 0)
            tally_count(end.tally);
    }
    return r;
}

static int raw_call(void *userdata, unsigned n)
{
    RawEnd *end = userdata;
    int r = 0;

    *end->message = '[';
    for (; n > 0 && r >= 0; n--) {
        uint64_t start = now_nsec();

        r = raw_write(end, end->message);
        if (r >= 0)
            r = raw_read(end);
        tally_sample(end->tally, start);
    }
    return r;
}

static int raw_send(void *userdata, unsigned n)
{
    RawEnd *end = userdata;
    int r = 0;

    *end->message = '{';
    for (; n > 0 && r >= 0; n--)
        r = raw_write(end, end->message);
    return r;
}

static int raw_perform(const Scene *scene)
{
    static const ActRun runs[N_ACTS] = { [ACT_CALL] = raw_call, [ACT_INVOKE] = raw_call, [ACT_SEND] = raw_send };
    RawEnd end;
    int r;

    r = raw_open(scene, raw_pair[1], &end);
    return r < 0 ? r : scene_perform(scene, runs, &end);
}

/* ---- sd-bus on a socket ---- */

#define PATH "/org/ipcbus/Main"
#define INTERFACE "org.ipcbus.Main1"

static int method_call(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    const char *text;
    int r;

    (void)userdata, (void)error;
    r = sd_bus_message_read_basic(call, 's', &text);
    return r < 0 ? r : sd_bus_reply_method_return(call, "s", text);
}

/* As the handlers of text that it is compared with. */
static int method_text(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    const char *text;
    int r;

    (void)userdata, (void)error;
    r = sd_bus_message_read_basic(call, 's', &text);
    return r < 0 ? r : sd_bus_reply_method_return(call, "s", "null");
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
    return 1;
}

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Invoke", "s", "s", method_call, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Text", "s", "s", method_text, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Send", "s", NULL, method_send, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static int open_server(const Scene *scene, sd_bus **ret_bus)
{
    sd_id128_t id = { { 1 } };
    int r;

    close(bus_pair[1]);
    r = sd_bus_new(ret_bus);
    if (r >= 0)
        r = sd_bus_set_fd(*ret_bus, bus_pair[0], bus_pair[0]);
    if (r >= 0)
        r = sd_bus_set_server(*ret_bus, true, id);
    if (r >= 0)
        r = sd_bus_set_trusted(*ret_bus, true);
    if (r >= 0)
        r = sd_bus_add_object_vtable(*ret_bus, NULL, PATH, INTERFACE, vtable, scene->tally);
    return r < 0 ? r : sd_bus_start(*ret_bus);
}

static int pair_serve(const Scene *scene)
{
    sd_bus *bus = NULL;
    int r;

    r = open_server(scene, &bus);
    if (r >= 0)
        r = scene_ready(scene);
    while (r >= 0) {
        r = sd_bus_process(bus, NULL);
        if (r == 0)
            r = sd_bus_wait(bus, UINT64_MAX);
    }
    return r;
}

typedef struct PairClient {
    sd_bus *bus;
    Tally *tally;
    char *payload; /* the argument */
    char *text;    /* TEXT_SIZE, once it is wanted */
    char *large;   /* LARGE_SIZE, the same */
} PairClient;

static int new_message(PairClient *client, const char *member, const char *text, sd_bus_message **ret_message)
{
    int r;

    r = sd_bus_message_new_method_call(client->bus, ret_message, NULL, PATH, INTERFACE, member);
    return r < 0 ? r : sd_bus_message_append_basic(*ret_message, 's', text);
}

static int call_with(PairClient *client, const char *member, const char *text, unsigned n)
{
    const char *result;
    int r = 0;

    for (; n > 0 && r >= 0; n--) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        uint64_t start = now_nsec();

        r = new_message(client, member, text, &message);
        if (r >= 0)
            r = sd_bus_call(client->bus, message, 0, NULL, &reply);
        if (r >= 0)
            r = sd_bus_message_read_basic(reply, 's', &result);
        tally_sample(client->tally, start);
    }
    return r < 0 ? r : 0;
}

static int pair_call(void *userdata, unsigned n)
{
    return call_with(userdata, "Invoke", ((PairClient *)userdata)->payload, n);
}

static int call_with_text(PairClient *client, char **text, size_t size, unsigned n)
{
    if (!*text)
        *text = make_args_text(size);
    return *text ? call_with(client, "Text", *text, n) : -ENOMEM;
}

static int pair_text(void *userdata, unsigned n)
{
    return call_with_text(userdata, &((PairClient *)userdata)->text, TEXT_SIZE, n);
}

static int pair_large(void *userdata, unsigned n)
{
    return call_with_text(userdata, &((PairClient *)userdata)->large, LARGE_SIZE, n);
}

static int pair_send(void *userdata, unsigned n)
{
    PairClient *client = userdata;
    uint64_t n_unwritten = 0;
    int r = 0;

    for (; n > 0 && r >= 0; n--) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;

        r = new_message(client, "Send", client->payload, &message);
        if (r >= 0)
            r = sd_bus_send(client->bus, message, NULL);
        if (r >= 0)
            r = sd_bus_get_n_queued_write(client->bus, &n_unwritten);
        if (r >= 0 && n_unwritten >= 64)
            r = sd_bus_flush(client->bus);
    }
    return r < 0 ? r : sd_bus_flush(client->bus);
}

static const ActRun pair_runs[N_ACTS] = {
    [ACT_CALL] = pair_call, [ACT_INVOKE] = pair_call,  [ACT_SEND] = pair_send,
    [ACT_TEXT] = pair_text, [ACT_LARGE] = pair_large,
};

static int pair_perform(const Scene *scene)
{
    PairClient client = { .tally = scene->tally, .payload = make_text(scene->payload) };
    int r;

    if (!client.payload)
        return -ENOMEM;
    close(bus_pair[0]);
    r = sd_bus_new(&client.bus);
    if (r >= 0)
        r = sd_bus_set_fd(client.bus, bus_pair[1], bus_pair[1]);
    if (r >= 0)
        r = sd_bus_start(client.bus);
    return r < 0 ? r : scene_perform(scene, pair_runs, &client);
}

/* ---- a file ---- */

static int file_serve(const Scene *scene)
{
    int r;

    r = scene_ready(scene);
    pause();
    return r;
}

typedef struct FileClient {
    Tally *tally;
    char *data;
} FileClient;

static int make_and_read(const FileClient *client)
{
    int fd = memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    size_t size = 0;
    ssize_t n;
    void *map;

    if (fd < 0)
        return -errno;
    while (size < FILE_SIZE && (n = write(fd, client->data + size, FILE_SIZE - size)) > 0)
        size += (size_t)n;
    map = mmap(NULL, FILE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
    if (size < FILE_SIZE || map == MAP_FAILED)
        return -ENOMEM;
    touch_pages(map, FILE_SIZE);
    munmap(map, FILE_SIZE);
    close(fd);
    return 0;
}

/* What a text needs that goes by a lane, where it costs least. */
static int make_sealed_and_map(const char *text, size_t size)
{
    const void *map;
    size_t map_size;
    int fd, r;

    fd = ipc_file_new_from_buffer(text, size + 1);
    if (fd < 0)
        return fd;
    r = ipc_file_map(fd, &map, &map_size);
    if (r >= 0 && ((const volatile char *)map)[size] != '\0')
        r = -EBADMSG;
    if (r >= 0)
        ipc_file_unmap(map, map_size);
    close(fd);
    return r;
}

static int file_texts(const FileClient *client, const char *text, size_t size, unsigned n)
{
    int r = 0;

    for (; n > 0 && r >= 0; n--) {
        uint64_t start = now_nsec();

        r = make_sealed_and_map(text, size);
        tally_sample(client->tally, start);
    }
    return r;
}

static int file_text(void *userdata, unsigned n)
{
    const FileClient *client = userdata;

    return file_texts(client, client->data + FILE_SIZE - TEXT_SIZE, TEXT_SIZE, n);
}

static int file_large(void *userdata, unsigned n)
{
    const FileClient *client = userdata;

    return file_texts(client, client->data + FILE_SIZE - LARGE_SIZE, LARGE_SIZE, n);
}

static int file_file(void *userdata, unsigned n)
{
    FileClient *client = userdata;
    int r = 0;

    for (; n > 0 && r >= 0; n--) {
        uint64_t start = now_nsec();

        r = make_and_read(client);
        tally_sample(client->tally, start);
    }
    return r;
}

static int file_perform(const Scene *scene)
{
    static const ActRun runs[N_ACTS] = { [ACT_FILE] = file_file, [ACT_TEXT] = file_text, [ACT_LARGE] = file_large };
    FileClient client = { .tally = scene->tally, .data = make_args_text(FILE_SIZE) };

    return client.data ? scene_perform(scene, runs, &client) : -ENOMEM;
}

Contender raw_contender = { .bus_name = "a socket", .serve = raw_serve, .perform = raw_perform };
Contender pair_contender = { .bus_name = "sd-bus on a socket", .serve = pair_serve, .perform = pair_perform };
Contender file_contender = { .bus_name = "a file", .serve = file_serve, .perform = file_perform };
