/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app.h"
#include "file.h"
#include "fixture.h"
#include "ipc-port.h"
#include "macro.h"
#include "port.h"

/* The limits of ports: what waits in main for all those of one user, and how many it may have. */

#define OTHER_UID 65534
#define LIMIT 1000000u /* bytes for the ports of a user, as the policy of these stories says */
#define POLICY "{\"default\": \"allow\", \"limits\": {\"queue-bytes\": 1000, \"queue-bytes-per-uid\": 1000000}}"

#define SMALL 50000u  /* bytes of a text in a packet */
#define LARGE 150000u /* of one in a file */

/* ---- the stage ---- */

typedef struct Stage {
    Fixture *f;
    GPtrArray *ports; /* that main has got: it holds them */
    GArray *ends;     /* of int: the other ends, of clients that do not read */
} Stage;

static void on_port(ipc_event *event, json_t *args, void *userdata)
{
    Stage *s = userdata;
    ipc_port *const *ports;
    size_t n;

    (void)args;
    ports = ipc_event_get_ports(event, &n);
    for (size_t i = 0; i < n; i++)
        g_ptr_array_add(s->ports, ipc_port_ref(ports[i]));
}

static void port_drop(void *port)
{
    ipc_port_unref(port);
}

static void close_end(void *end)
{
    close(*(int *)end);
}

static Stage *stage_new(void)
{
    Stage *s = g_new0(Stage, 1);

    s->f = fixture_new();
    s->ports = g_ptr_array_new_with_free_func(port_drop);
    s->ends = g_array_new(FALSE, FALSE, sizeof(int));
    g_array_set_clear_func(s->ends, close_end);
    load_policy(s->f, POLICY);
    must(ipc_main_on(s->f->main, NULL, "port", on_port, s));
    return s;
}

static void stage_free(Stage *s)
{
    g_array_unref(s->ends);
    g_ptr_array_unref(s->ports);
    fixture_free(s->f);
    g_free(s);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stage, stage_free)

/* ---- verbs ---- */

static ipc_port *port(Stage *s, unsigned index)
{
    return s->ports->pdata[index];
}

/* One end goes to main, the other one stays in s->ends. */
static Outcome *start_bringing(Stage *s, Client *c)
{
    int ends[2];
    Outcome *o;

    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
    o = call(c, "PostMessage", "ssa(sh)", "port", "null", 1, "port", ends[1]);
    close(ends[1]);
    g_array_append_val(s->ends, ends[0]);
    return o;
}

static ipc_port *bring(Stage *s, Client *c)
{
    assert_replied(start_bringing(s, c), "");
    must(ipc_app_attach_port(s->f->app, port(s, s->ports->len - 1)));
    return port(s, s->ports->len - 1);
}

static int post_long(ipc_port *port, size_t size)
{
    g_autofree char *text = g_strnfill(size, '1');

    return ipc_port_post_text(port, text, size, NULL);
}

/* The answer is how many messages were taken. */
static unsigned fill(ipc_port *port, size_t size)
{
    unsigned n = 0;
    int r;

    while ((r = post_long(port, size)) == 0)
        n++;
    must_fail(r, ENOBUFS);
    return n;
}

/* Reads what has come; what waits for that follows. */
static unsigned drain(Stage *s, unsigned index)
{
    int end = g_array_index(s->ends, int, index);
    unsigned n = 0;
    char byte;

    do {
        while (recv(end, &byte, 1, MSG_DONTWAIT) > 0)
            n++;
        must(sd_event_run(s->f->event, 0));
    } while (wire_has_unwritten(&port(s, index)->wire) || recv(end, &byte, 1, MSG_DONTWAIT | MSG_PEEK) > 0);
    return n;
}

static User *user_of(Stage *s, Client *c)
{
    return ipc_web_contents_from_id(s->f->app, client_id(c))->peer->user;
}

static void assert_is_full(const User *user)
{
    g_assert_cmpuint(user->account.bytes, <=, LIMIT);
    g_assert_cmpuint(user->account.bytes + SMALL + IPC_MESSAGE_OVERHEAD, >, LIMIT);
}

/* ---- bytes ---- */

static void test_together(void)
{
    g_autoptr(Stage) s = stage_new();
    Client *c = foreign_new_registered(s->f), *other = foreign_new_registered(s->f);
    unsigned n, m;

    bring(s, c);
    bring(s, other);
    n = fill(port(s, 0), SMALL);
    assert_is_full(user_of(s, c));
    /* What its socket takes, nothing more. */
    m = fill(port(s, 1), SMALL);
    g_assert_cmpuint(n - m, ==, LIMIT / (SMALL + IPC_MESSAGE_OVERHEAD));
    assert_is_full(user_of(s, c));
    g_assert_cmpuint(drain(s, 0), ==, n);
    g_assert_cmpuint(user_of(s, c)->account.bytes, ==, 0);
    g_assert_cmpuint(fill(port(s, 1), SMALL), ==, n - m);
    g_assert_cmpuint(drain(s, 1), ==, n);
}

static void test_of_each_user(void)
{
    g_autoptr(Stage) s = NULL;
    Client *mine, *theirs;
    unsigned n;

    if (getuid() != 0) {
        g_test_skip("only root can connect as another user");
        return;
    }
    s = stage_new();
    mine = foreign_new_registered(s->f);
    theirs = foreign_new_as(s->f, OTHER_UID);
    client_id(theirs);
    bring(s, mine);
    bring(s, theirs);
    n = fill(port(s, 0), SMALL);
    g_assert_cmpuint(fill(port(s, 1), SMALL), ==, n);
    assert_is_full(user_of(s, mine));
    assert_is_full(user_of(s, theirs));
}

/* Nobody tells that a text in a file has been read. */
static void test_large(void)
{
    g_autoptr(Stage) s = stage_new();
    Client *c = foreign_new_registered(s->f);
    unsigned n;

    bring(s, c);
    bring(s, c);
    n = fill(port(s, 0), LARGE);
    g_assert_cmpuint(n, ==, LIMIT / (LARGE + IPC_MESSAGE_OVERHEAD));
    must_fail(post_long(port(s, 1), LARGE), ENOBUFS);
    g_assert_cmpuint(drain(s, 0), ==, n);
    g_assert_cmpuint(fill(port(s, 1), LARGE), ==, n);
    must_fail(post_long(port(s, 0), LARGE), ENOBUFS);
}

/* One by itself may be larger than what may wait for a port, but not than what may wait for its user. */
static void test_larger_than_all(void)
{
    g_autoptr(Stage) s = stage_new();

    bring(s, foreign_new_registered(s->f));
    must_fail(post_long(port(s, 0), LIMIT), ENOBUFS);
    must(post_long(port(s, 0), LIMIT - IPC_MESSAGE_OVERHEAD - 1));
}

static void keep_port(ipc_port *port, ipc_event *event, json_t *message, void *userdata)
{
    (void)port;
    on_port(event, message, userdata);
}

/* Ports that main gets from a port belong to the same one. */
static void test_through_a_port(void)
{
    g_autoptr(Stage) s = stage_new();
    Client *c = foreign_new_registered(s->f);
    _cleanup_(ipc_port_unrefp) ipc_port *through = NULL, *one = NULL, *other = NULL;
    ipc_transfer transfer = { .ports = &one, .n_ports = 1 };

    bring(s, c);
    must(ipc_port_on_message(port(s, 0), NULL, keep_port, s));
    must(ipc_port_start(port(s, 0)));
    must(ipc_port_new_from_fd(&through, dup(g_array_index(s->ends, int, 0))));
    must(ipc_port_new_pair(&one, &other));
    must(ipc_port_post_message(through, NULL, &transfer));
    wait_until(s->f, s->ports->len == 2);
    g_assert_cmpuint(user_of(s, c)->account.n_wires, ==, 2);
    fill(port(s, 1), SMALL);
    assert_is_full(user_of(s, c));
    must_fail(post_long(port(s, 0), LARGE), ENOBUFS);
}

static void keep_event_ports(ipc_event *event, json_t *message, void *userdata)
{
    on_port(event, message, userdata);
}

/* Main keeps one end of what it makes, and the user who gets the other one is who reads it. */
static void test_given(void)
{
    g_autoptr(Stage) s = stage_new();
    Client *c = renderer_new(s->f);
    _cleanup_(ipc_port_unrefp) ipc_port *given = NULL, *kept = NULL;
    ipc_transfer transfer = { .ports = &given, .n_ports = 1 };

    must(ipc_renderer_on(c->renderer, NULL, "port", keep_event_ports, s));
    must(ipc_port_new_pair(&given, &kept));
    must(ipc_app_attach_port(s->f->app, kept));
    must(ipc_web_contents_post_message(contents_of(c), "port", NULL, &transfer));
    wait_until(s->f, s->ports->len == 1);
    g_assert_cmpuint(user_of(s, c)->account.n_wires, ==, 1);
    fill(kept, SMALL);
    assert_is_full(user_of(s, c));
    kept = ipc_port_unref(kept);
    g_assert_cmpuint(user_of(s, c)->account.n_wires, ==, 1); /* it lingers */
    g_ptr_array_set_size(s->ports, 0);
}

/* What main only passes on is not its own. */
static void test_passed_on(void)
{
    g_autoptr(Stage) s = stage_new();
    Client *from = foreign_new_registered(s->f), *to = renderer_new_deaf(s->f);
    ipc_transfer transfer = { .n_ports = 1 };
    ipc_port *passed;

    passed = bring(s, from);
    transfer.ports = &passed;
    must(ipc_web_contents_post_message(contents_of(to), "x", NULL, &transfer));
    g_assert_cmpuint(user_of(s, from)->account.n_wires, ==, 0);
}

static void test_lower_limit(void)
{
    g_autoptr(Stage) s = stage_new();
    Client *c = foreign_new_registered(s->f);

    bring(s, c);
    fill(port(s, 0), SMALL);
    load_policy(s->f, "{\"limits\": {\"queue-bytes\": 1000, \"queue-bytes-per-uid\": 1000}}");
    drain(s, 0);
    must_fail(post_long(port(s, 0), LARGE), ENOBUFS);
    load_policy(s->f, POLICY);
    must(post_long(port(s, 0), LARGE));
}

/* ---- lives ---- */

/* Who leaves and comes again has not got rid of what waits. */
static void test_user_returns(void)
{
    g_autoptr(Stage) s = stage_new();
    Client *c = foreign_new_registered(s->f);

    bring(s, c);
    fill(port(s, 0), SMALL);
    vanish(c);
    wait_until(s->f, ipc_web_contents_from_id(s->f->app, 1) == NULL);
    c = foreign_new_registered(s->f);
    assert_is_full(user_of(s, c));
    g_ptr_array_set_size(s->ports, 0);
}

static void test_ports_outlive_all(void)
{
    g_autoptr(Stage) s = stage_new();
    Client *c = foreign_new_registered(s->f);

    bring(s, c);
    bring(s, c);
    fill(port(s, 0), SMALL);
    vanish(c);
    wait_until(s->f, ipc_web_contents_from_id(s->f->app, 1) == NULL);
    main_stop(s->f);
    must_fail(post_long(port(s, 0), LARGE), ENOBUFS);
    g_ptr_array_remove_index(s->ports, 0);
    must(post_long(port(s, 0), LARGE));
}

/* ---- how many ---- */

/* Files that are under way have a bound of the kernel's, for all that main's user sends. Others find some left. */
static void test_files_under_way(void)
{
    g_autoptr(Stage) s = stage_new();
    Client *c = foreign_new_registered(s->f);
    struct rlimit before, low;
    unsigned n, m;

    load_policy(s->f, "{\"default\": \"allow\"}");
    bring(s, c);
    bring(s, c);
    must(getrlimit(RLIMIT_NOFILE, &before));
    low = (struct rlimit){ .rlim_cur = 400, .rlim_max = before.rlim_max };
    must(setrlimit(RLIMIT_NOFILE, &low));
    n = fill(port(s, 0), IPC_INLINE_MAX + 1);
    g_assert_cmpuint(n, <=, 400 / 2 * 3 / 4 + 2);
    g_assert_cmpuint(n, >=, 400 / 2 * 3 / 4 - 2);
    must_fail(post_long(port(s, 1), IPC_INLINE_MAX + 1), ENOBUFS);
    must(post_long(port(s, 1), 10)); /* in the packet itself */
    g_assert_cmpuint(drain(s, 0), ==, n);
    m = fill(port(s, 1), IPC_INLINE_MAX + 1);
    g_assert_cmpuint(m, ==, n);
    must(setrlimit(RLIMIT_NOFILE, &before));
}

static unsigned files_left(unsigned end)
{
    _cleanup_(file_closep) int fd = dup(STDERR_FILENO);

    return (unsigned)fd < end ? end - (unsigned)fd : 0;
}

/* The user has three times what is left for others. */
static void test_files_for_others(void)
{
    g_autoptr(Stage) s = stage_new();
    Client *c = foreign_new_registered(s->f);
    unsigned n_max = 400, end = n_max - n_max / 4;
    struct rlimit before, low;
    Outcome *o;

    must(getrlimit(RLIMIT_NOFILE, &before));
    low = (struct rlimit){ .rlim_cur = n_max, .rlim_max = before.rlim_max };
    must(setrlimit(RLIMIT_NOFILE, &low));
    do {
        o = start_bringing(s, c);
        await(o);
    } while (!o->error.name);
    assert_rejected(o, IPC_ERROR_LIMITS_EXCEEDED, NULL);
    g_assert_cmpuint(s->ports->len, ==, user_of(s, c)->account.n_wires);
    g_assert_cmpuint(files_left(end), >=, s->ports->len / 3);
    g_assert_cmpuint(files_left(end), <, s->ports->len / 3 + 10); /* what the refused call had is closed again */
    g_ptr_array_remove_index(s->ports, 0);
    g_array_remove_index(s->ends, 0);
    must(setrlimit(RLIMIT_NOFILE, &before));
    bring(s, c);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/limits/ports/together", test_together);
    g_test_add_func("/limits/ports/of-each-user", test_of_each_user);
    g_test_add_func("/limits/ports/large", test_large);
    g_test_add_func("/limits/ports/larger-than-all", test_larger_than_all);
    g_test_add_func("/limits/ports/through-a-port", test_through_a_port);
    g_test_add_func("/limits/ports/given", test_given);
    g_test_add_func("/limits/ports/passed-on", test_passed_on);
    g_test_add_func("/limits/ports/lower-limit", test_lower_limit);
    g_test_add_func("/limits/ports/user-returns", test_user_returns);
    g_test_add_func("/limits/ports/outlive-all", test_ports_outlive_all);
    g_test_add_func("/limits/ports/files-under-way", test_files_under_way);
    g_test_add_func("/limits/ports/files-for-others", test_files_for_others);
    return g_test_run();
}
