/* SPDX-License-Identifier: MIT */

/*
 * Faults: a main process and some renderers under a mixed load, on the bus and on lanes, with guests and ports, while
 * they and the bus are stopped and killed at random. The seed is printed, and with --seed the same faults come again in
 * the same order, to windows that do the same.
 *
 * What must hold all the while, and is written down in memory that all processes share:
 *
 * - each call of a renderer that has not been killed settles exactly once,
 * - no handler runs twice for one call,
 * - what one connection sends to one main arrives in order, without gaps, and nothing twice,
 * - what main sends to one renderer arrives in the same way, and what renderers, guests and hosts send to each other,
 * - a port that one renderer gave to another through main carries all that was posted, in order, and tells its end,
 * - whoever ends in good order has no more files open than it began with, and with sanitizers has leaked nothing.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"

#define PAUSE_MAX_USEC 60000 /* between two faults */
#define STOPPED_MAX_USEC 200000

typedef struct Process {
    pid_t pid; /* 0: there is none */
    bool is_killed;
} Process;

typedef struct Harness {
    Bus *bus;
    Shared *shared;
    GRand *rand;
    Process main;
    Process windows[N_WINDOWS];
    unsigned n_faults[N_FAULTS];
} Harness;

/* ---- processes ---- */

static void start(Harness *h, Process *process, FaultsRun run, unsigned number)
{
    pid_t parent = getpid();

    fflush(NULL);
    process->is_killed = false;
    process->pid = fork();
    g_assert_cmpint(process->pid, >=, 0);
    if (process->pid > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    close_all_but(-1);
    exit(run(h->shared, number));
}

static void start_missing(Harness *h)
{
    unsigned i;

    if (h->main.pid == 0)
        start(h, &h->main, faults_serve, 0);
    for (i = 0; i < N_WINDOWS; i++) {
        if (h->windows[i].pid != 0)
            continue;
        h->shared->n_starts[i]++;
        start(h, &h->windows[i], i < N_RENDERERS ? faults_render : faults_visit, i);
    }
}

static void judge(Process *process, const char *what, int status)
{
    bool is_fine = process->is_killed ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
                                      : WIFEXITED(status) && WEXITSTATUS(status) == 0;

    /* It may have ended by itself before it was killed. */
    if (!is_fine && !(process->is_killed && WIFEXITED(status) && WEXITSTATUS(status) == 0))
        g_error("%s %d ended badly: status 0x%x", what, process->pid, status);
    process->pid = 0;
}

static void reap(Process *process, const char *what, int options)
{
    int status;

    if (process->pid > 0 && waitpid(process->pid, &status, options) == process->pid)
        judge(process, what, status);
}

/* Who has lost the bus ends by itself. */
static void reap_those_that_ended(Harness *h)
{
    unsigned i;

    reap(&h->main, "main", WNOHANG);
    for (i = 0; i < N_WINDOWS; i++)
        reap(&h->windows[i], "renderer", WNOHANG);
}

static void end(Process *process, const char *what, int signal_number)
{
    if (process->pid == 0)
        return;
    process->is_killed = signal_number == SIGKILL;
    kill(process->pid, SIGCONT);
    kill(process->pid, signal_number);
    reap(process, what, 0);
}

/* ---- faults ---- */

static void stop_for_a_while(Harness *h, Process *process)
{
    if (process->pid == 0)
        return;
    kill(process->pid, SIGSTOP);
    g_usleep((gulong)g_rand_int_range(h->rand, 0, STOPPED_MAX_USEC));
    kill(process->pid, SIGCONT);
}

static void change_bus(Harness *h)
{
    unsigned i;

    bus_kill(h->bus);
    end(&h->main, "main", SIGKILL);
    for (i = 0; i < N_RENDERERS; i++)
        reap(&h->windows[i], "renderer", 0);
    /* These may be waiting to be asked in. */
    for (; i < N_WINDOWS; i++)
        end(&h->windows[i], "guest", SIGTERM);
    bus_free(h->bus);
    h->bus = bus_new(NULL);
    g_strlcpy(h->shared->address, h->bus->address, sizeof(h->shared->address));
}

static void commit_fault(Harness *h, Fault fault)
{
    Process *renderer = &h->windows[g_rand_int_range(h->rand, 0, N_WINDOWS)];

    h->n_faults[fault]++;
    switch (fault) {
    case KILL_MAIN:
        end(&h->main, "main", SIGKILL);
        break;
    case END_MAIN:
        end(&h->main, "main", SIGTERM);
        break;
    case STOP_MAIN:
        stop_for_a_while(h, &h->main);
        break;
    case KILL_RENDERER:
        end(renderer, "renderer", SIGKILL);
        break;
    case END_RENDERER:
        end(renderer, "renderer", SIGTERM);
        break;
    case STOP_RENDERER:
        stop_for_a_while(h, renderer);
        break;
    case KILL_BUS:
        change_bus(h);
        break;
    case N_FAULTS:
        g_assert_not_reached();
    }
}

/* The bus goes seldom, because everything else has to begin anew. */
static Fault choose_fault(Harness *h)
{
    if (g_rand_int_range(h->rand, 0, 25) == 0)
        return KILL_BUS;
    return (Fault)g_rand_int_range(h->rand, 0, KILL_BUS);
}

static void run(Harness *h, unsigned seconds)
{
    gint64 until = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
    unsigned i;

    start_missing(h);
    while (g_get_monotonic_time() < until) {
        g_usleep((gulong)g_rand_int_range(h->rand, 0, PAUSE_MAX_USEC));
        commit_fault(h, choose_fault(h));
        reap_those_that_ended(h);
        start_missing(h);
    }
    for (i = 0; i < N_WINDOWS; i++)
        end(&h->windows[i], "renderer", SIGTERM);
    end(&h->main, "main", SIGTERM);
}

/* ---- the report ---- */

static void report(const Harness *h)
{
    static const char *const names[N_FAULTS] = {
        "main killed", "main ended", "main stopped", "renderer killed", "renderer ended", "renderer stopped",
        "bus killed",
    };
    const Shared *shared = h->shared;
    unsigned i;

    for (i = 0; i < N_FAULTS; i++)
        printf("# %s: %u\n", names[i], h->n_faults[i]);
    printf("# sent: %u, heard by main: %u, heard from main: %u\n", shared->n_sent, shared->n_heard,
           shared->n_heard_from_main);
    printf("# called: %u, handled: %u, settled: %u, of them with a result: %u\n", shared->n_called,
           shared->n_handled, shared->n_settled, shared->n_resolved);
    printf("# heard from other renderers: %u\n", shared->n_neighbours);
    printf("# guests that came: %u, that went before their host: %u, heard from them: %u, heard from hosts: %u\n",
           shared->n_guests, shared->n_guests_went, shared->n_heard_from_guests, shared->n_heard_from_hosts);
    printf("# ports given away: %u, of them heard to the end: %u, with messages: %u, that came back: %u\n",
           shared->n_passages, shared->n_passages_whole, shared->n_passed, shared->n_returned);
    g_assert_cmpuint(shared->n_faults, ==, 0);
    g_assert_cmpuint(shared->n_resolved, >, 0);
    g_assert_cmpuint(shared->n_heard, >, 0);
    g_assert_cmpuint(shared->n_heard_from_main, >, 0);
    g_assert_cmpuint(shared->n_neighbours, >, 0);
    g_assert_cmpuint(shared->n_heard_from_guests, >, 0);
    g_assert_cmpuint(shared->n_heard_from_hosts, >, 0);
    g_assert_cmpuint(shared->n_passages_whole, >, 0);
    g_assert_cmpuint(shared->n_returned, >, 0);
}

static Shared *share(void)
{
    Shared *shared = mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    g_assert_true(shared != MAP_FAILED);
    return shared;
}

int main(int argc, char *argv[])
{
    gint seed = (gint)(g_get_real_time() & G_MAXINT), seconds = 10;
    GOptionEntry entries[] = {
        { "seed", 0, 0, G_OPTION_ARG_INT, &seed, "Have the faults of that run again", "N" },
        { "seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "How long", "N" },
        { "tap", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &(gboolean){ FALSE }, NULL, NULL },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    Harness h = { 0 };
    sigset_t terminate;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "faults: %s\n", error->message);
        return 2;
    }
    printf("# faults --seed=%d --seconds=%d\n1..1\n", seed, seconds);
    /* Children take it when they are ready to. */
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    g_assert_cmpint(sigprocmask(SIG_BLOCK, &terminate, NULL), ==, 0);
    h.shared = share();
    h.shared->seed = (guint32)seed;
    h.rand = g_rand_new_with_seed((guint32)seed);
    h.bus = bus_new(NULL);
    g_strlcpy(h.shared->address, h.bus->address, sizeof(h.shared->address));
    run(&h, (unsigned)seconds);
    report(&h);
    bus_free(h.bus);
    g_rand_free(h.rand);
    munmap(h.shared, sizeof(Shared));
    printf("ok 1 - faults\n");
    return 0;
}
