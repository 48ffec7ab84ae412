/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ipc-file.h"
#include "ipc-names.h"
#include "port-story.h"

/* What goes along with a message on a port: other ports, and files. */

static void test_transfer_port(void)
{
    g_autoptr(PortStory) s = port_story_new();
    g_autoptr(PortStory) t = port_story_new();

    hear_port(s, s->b);
    post(t->a, "\"before\"");
    must(post_with_ports(s->a, "1", t->b, NULL));
    post(t->a, "\"after\"");
    expect_log(s, "1");
    must_fail(ipc_port_post_messagef(t->b, NULL, "i", 1), ESTALE);
    must_fail(ipc_port_start(t->b), ESTALE);
    must_fail(post_with_ports(s->a, "1", t->b, NULL), ESTALE);
    hear_port(s, s->ports->pdata[0]);
    expect_log(s, "\"before\" \"after\"");
    g_ptr_array_set_size(s->ports, 0);
    hear_port(t, t->a);
    expect_log(t, "close");
}

/* Through a port that came through a port. */
static void test_transfer_on(void)
{
    g_autoptr(PortStory) s = port_story_new();
    g_autoptr(PortStory) t = port_story_new();

    hear_port(s, s->a);
    hear_port(s, s->b);
    must(post_with_ports(s->a, "1", t->b, NULL));
    expect_log(s, "1");
    must(post_with_ports(s->b, "2", s->ports->pdata[0], NULL));
    expect_log(s, "2");
    post(t->a, "3");
    hear_port(s, s->ports->pdata[1]);
    expect_log(s, "3");
    g_ptr_array_set_size(s->ports, 0);
}

static void transfer_self(ipc_port *port, ipc_event *event, json_t *message, void *story)
{
    PortStory *s = story;

    (void)event;
    if (json_integer_value(message) == 1)
        must(post_with_ports(s->a, "\"here\"", port, NULL));
}

/* What comes after the message that made it go is for the next holder. */
static void test_transfer_from_callback(void)
{
    g_autoptr(PortStory) s = port_story_new();
    g_autoptr(PortStory) t = port_story_new();

    hear_port(s, s->b);
    must(ipc_port_on_message(t->b, NULL, transfer_self, s));
    hear_port(t, t->b);
    post(t->a, "1");
    post(t->a, "2");
    port_story_until(t, ipc_port_is_closed(t->b));
    g_string_truncate(t->log, 0);
    expect_log(s, "\"here\"");
    hear_port(s, s->ports->pdata[0]);
    expect_log(s, "2");
    g_ptr_array_set_size(s->ports, 0);
}

static void test_refused_transfers(void)
{
    g_autoptr(PortStory) s = port_story_new();
    g_autoptr(PortStory) t = port_story_new();
    ipc_port *many[IPC_TRANSFERS_MAX + 1] = { 0 };
    unsigned i;

    hear_port(s, s->b);
    must_fail(post_with_ports(s->a, "1", NULL, NULL), EINVAL);
    must_fail(post_with_ports(s->a, "1", t->a, t->a), EEXIST);
    must_fail(post_with_ports(s->a, "1", t->a, s->a), ELOOP);
    must_fail(post_with_file(s->a, "1", -1), EBADF);
    must_fail(post_with_file(s->a, "1", 12345), EBADF);
    for (i = 0; i < G_N_ELEMENTS(many); i++)
        many[i] = t->a;
    must_fail(ipc_port_post_messagef(s->a, &(ipc_transfer){ .ports = many, .n_ports = G_N_ELEMENTS(many) }, NULL),
              E2BIG);
    must_fail(ipc_port_post_messagef(s->a, &(ipc_transfer){ .n_ports = 1 }, NULL), EINVAL);
    ipc_port_close(t->b);
    must_fail(post_with_ports(s->a, "1", t->a, t->b), ENOTCONN);
    expect_log(s, "");
    must(post_with_ports(s->a, "1", t->a, NULL)); /* what was refused lives on */
    expect_log(s, "1");
}

static void test_transfer_unwritten(void)
{
    g_autoptr(PortStory) s = port_story_new();
    g_autoptr(PortStory) t = port_story_new();
    unsigned i;

    hear_port(s, s->b);
    must(ipc_port_attach_event(t->a, t->event, SD_EVENT_PRIORITY_NORMAL));
    for (i = 0; i < 20000; i++)
        must(ipc_port_post_text(t->a, "\"text\"", 6, NULL));
    must_fail(post_with_ports(s->a, "1", t->a, NULL), EBUSY);
    expect_log(s, "");
    t->b = ipc_port_unref(t->b); /* else a would wait for it to read */
}

static void test_transfer_to_nobody(void)
{
    g_autoptr(PortStory) s = port_story_new();
    g_autoptr(PortStory) t = port_story_new();

    hear_port(t, t->a);
    s->b = ipc_port_unref(s->b);
    must(post_with_ports(s->a, "1", t->b, NULL));
    expect_log(t, "close");
}

static void test_sixteen(void)
{
    g_autoptr(PortStory) s = port_story_new();
    ipc_port *ports[IPC_TRANSFERS_MAX / 2], *others[IPC_TRANSFERS_MAX / 2];
    int files[IPC_TRANSFERS_MAX / 2];
    g_autofree char *text = g_strnfill(IPC_INLINE_MAX + 1, ' ');
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(ports); i++) {
        must(ipc_port_new_pair(&ports[i], &others[i]));
        files[i] = STDERR_FILENO;
    }
    hear_port(s, s->b);
    text[0] = '1';
    must(ipc_port_post_text(s->a, text, strlen(text), &(ipc_transfer){ ports, G_N_ELEMENTS(ports), files,
                                                                      G_N_ELEMENTS(files) }));
    expect_log(s, "1");
    g_assert_cmpuint(s->ports->len, ==, G_N_ELEMENTS(ports));
    g_assert_cmpuint(s->files->len, ==, G_N_ELEMENTS(files));
    for (i = 0; i < G_N_ELEMENTS(ports); i++) {
        ipc_port_unref(ports[i]);
        post(others[i], "2");
        ipc_port_unref(others[i]);
        hear_port(s, s->ports->pdata[i]);
        expect_log(s, "2 close");
    }
}

static void test_file(void)
{
    g_autoptr(PortStory) s = port_story_new();
    int fd = must(ipc_file_new_from_buffer("binary\0data", 11));
    const void *data;
    size_t size;

    hear_port(s, s->b);
    must(post_with_file(s->a, "1", fd));
    close(fd);
    expect_log(s, "1");
    must(ipc_file_map(g_array_index(s->files, int, 0), &data, &size));
    g_assert_cmpmem(data, size, "binary\0data", 11);
    ipc_file_unmap(data, size);
}

static void test_files_by_themselves(void)
{
    int fd = must(ipc_file_new_from_buffer(NULL, 0)), plain = open("/dev/null", O_RDWR | O_CLOEXEC);
    const void *data = "";
    size_t size = 1;

    must(ipc_file_map(fd, &data, &size));
    g_assert_null(data);
    g_assert_cmpuint(size, ==, 0);
    ipc_file_unmap(data, size);
    g_assert_cmpint(write(fd, "x", 1), ==, -1);
    must_fail(ipc_file_map(plain, &data, &size), EPERM);
    must_fail(ipc_file_map(-1, &data, &size), EBADF);
    must_fail(ipc_file_map(fd, NULL, &size), EINVAL);
    must_fail(ipc_file_new_from_buffer(NULL, 1), EINVAL);
    close(fd);
    close(plain);
}

static void keep_event(ipc_port *port, ipc_event *event, json_t *message, void *kept)
{
    (void)port, (void)message;
    *(ipc_event **)kept = ipc_event_ref(event);
}

static void test_event(void)
{
    g_autoptr(PortStory) s = port_story_new();
    g_autoptr(PortStory) t = port_story_new();
    ipc_event *event = NULL;
    size_t n = 7;
    int fd;

    must(ipc_port_on_message(s->b, NULL, keep_event, &event));
    must(ipc_port_attach_event(s->b, s->event, SD_EVENT_PRIORITY_NORMAL));
    must(ipc_port_start(s->b));
    must(post_with_ports(s->a, "1", t->b, NULL));
    port_story_until(s, event);
    g_assert_nonnull(ipc_event_get_ports(event, &n));
    g_assert_cmpuint(n, ==, 1);
    g_assert_null(ipc_event_get_files(event, &n));
    g_assert_cmpuint(n, ==, 0);
    g_assert_null(ipc_event_get_channel(event));
    must_fail(ipc_event_take_file(event, 0), ENOENT);
    must_fail(ipc_event_reply(event, "x", NULL), EOPNOTSUPP);
    event = ipc_event_unref(event); /* and its port with it */
    hear_port(t, t->a);
    expect_log(t, "close");

    must(post_with_file(s->a, "1", STDERR_FILENO));
    port_story_until(s, event);
    fd = must(ipc_event_take_file(event, 0));
    must_fail(ipc_event_take_file(event, 0), EALREADY);
    close(fd);
    ipc_event_unref(event);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/port-transfer/transfer-port", test_transfer_port);
    g_test_add_func("/port-transfer/transfer-on", test_transfer_on);
    g_test_add_func("/port-transfer/transfer-from-callback", test_transfer_from_callback);
    g_test_add_func("/port-transfer/refused-transfers", test_refused_transfers);
    g_test_add_func("/port-transfer/transfer-unwritten", test_transfer_unwritten);
    g_test_add_func("/port-transfer/transfer-to-nobody", test_transfer_to_nobody);
    g_test_add_func("/port-transfer/sixteen", test_sixteen);
    g_test_add_func("/port-transfer/file", test_file);
    g_test_add_func("/port-transfer/files-by-themselves", test_files_by_themselves);
    g_test_add_func("/port-transfer/event", test_event);
    return g_test_run();
}
