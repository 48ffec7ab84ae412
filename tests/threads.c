/* SPDX-License-Identifier: MIT */

/*
 * The answer to threads: an object, and all that belongs to it, is used from one thread, and different objects from as
 * many threads as there are. Here main and two renderers have one each, with a loop of their own, and share nothing.
 * It has no GLib, which would hide its locks from the thread sanitizer.
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc-main.h"
#include "ipc-renderer.h"
#include "macro.h"

#define NAME "org.example.Threads"
#define N_RENDERERS 2
#define N_CALLS 500u

static char address[512];
static atomic_bool is_over;

#define must(call)                                                                 \
    ({                                                                             \
        int must_ = (call);                                                        \
                                                                                   \
        if (must_ < 0) {                                                           \
            fprintf(stderr, "threads: %s: %s\n", #call, strerror(-must_));         \
            exit(EXIT_FAILURE);                                                    \
        }                                                                          \
        must_;                                                                     \
    })

static sd_bus *connect_to_bus(void)
{
    sd_bus *bus;

    must(sd_bus_new(&bus));
    must(sd_bus_set_address(bus, address));
    must(sd_bus_set_bus_client(bus, true));
    must(sd_bus_start(bus));
    return bus;
}

/* ---- main ---- */

static int on_add(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)userdata;
    return ipc_invocation_resolvef(invocation, "I", json_integer_value(json_array_get(args, 0)) + 1);
}

static void on_quit(ipc_event *event, json_t *args, void *userdata)
{
    (void)event, (void)args, (void)userdata;
    is_over = true;
}

static void *serve(void *ready)
{
    _cleanup_(ipc_app_unrefp) ipc_app *app = NULL;
    sd_bus *bus = connect_to_bus();

    must(ipc_app_new(&app, bus, NAME));
    sd_bus_unref(bus);
    must(ipc_main_handle(ipc_app_get_main(app), NULL, "add", on_add, NULL));
    must(ipc_main_on(ipc_app_get_main(app), NULL, "quit", on_quit, NULL));
    must(ipc_app_start(app));
    pthread_barrier_wait(ready);
    while (!is_over)
        if (must(ipc_app_process(app)) == 0)
            must(ipc_app_wait(app, UINT64_MAX));
    must(ipc_app_stop(app, 0));
    return NULL;
}

/* ---- renderers ---- */

typedef struct Count {
    unsigned n_settled;
} Count;

static void on_added(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata)
{
    Count *count = userdata;

    (void)renderer;
    if (error || json_integer_value(result) != (json_int_t)count->n_settled + 1) {
        fprintf(stderr, "threads: a call ended badly: %s\n", error ? error->message : "another result");
        exit(EXIT_FAILURE);
    }
    count->n_settled++;
}

static void *render(void *userdata)
{
    _cleanup_(ipc_renderer_unrefp) ipc_renderer *renderer = NULL;
    _cleanup_(sd_event_unrefp) sd_event *event = NULL;
    sd_bus *bus = connect_to_bus();
    Count count = { 0 };
    unsigned i;

    (void)userdata;
    must(sd_event_new(&event));
    must(ipc_renderer_new(&renderer, bus, NAME));
    sd_bus_unref(bus);
    must(ipc_renderer_attach_event(renderer, event, SD_EVENT_PRIORITY_NORMAL));
    for (i = 0; i < N_CALLS; i++)
        must(ipc_renderer_invokef(renderer, NULL, "add", on_added, &count, "i", i));
    while (count.n_settled < N_CALLS)
        must(sd_event_run(event, UINT64_MAX));
    return NULL;
}

static void *quit(void)
{
    _cleanup_(ipc_renderer_unrefp) ipc_renderer *renderer = NULL;
    sd_bus *bus = connect_to_bus();

    must(ipc_renderer_new(&renderer, bus, NAME));
    sd_bus_unref(bus);
    must(ipc_renderer_send(renderer, "quit", NULL));
    return NULL;
}

/* ---- the bus ---- */

static pid_t start_bus(void)
{
    int fds[2];
    ssize_t n;
    pid_t pid;

    must(pipe(fds));
    pid = must(fork());
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(fds[1], STDOUT_FILENO);
        execlp("dbus-daemon", "dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address", NULL);
        _exit(1);
    }
    close(fds[1]);
    n = read(fds[0], address, sizeof(address) - 1);
    close(fds[0]);
    if (n <= 0) {
        fprintf(stderr, "threads: the bus did not start\n");
        exit(EXIT_FAILURE);
    }
    address[strcspn(address, "\n")] = '\0';
    return pid;
}

int main(void)
{
    pthread_t main_thread, threads[N_RENDERERS];
    pthread_barrier_t ready;
    pid_t bus = start_bus();
    size_t i;

    puts("1..1");
    pthread_barrier_init(&ready, NULL, 2);
    must(-pthread_create(&main_thread, NULL, serve, &ready));
    pthread_barrier_wait(&ready);
    for (i = 0; i < N_RENDERERS; i++)
        must(-pthread_create(&threads[i], NULL, render, NULL));
    for (i = 0; i < N_RENDERERS; i++)
        must(-pthread_join(threads[i], NULL));
    quit();
    must(-pthread_join(main_thread, NULL));
    pthread_barrier_destroy(&ready);
    kill(bus, SIGTERM);
    waitpid(bus, NULL, 0);
    puts("ok 1 - threads");
    return 0;
}
