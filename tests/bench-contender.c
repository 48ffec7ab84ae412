/* SPDX-License-Identifier: MIT */
#include "bench-contender.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

typedef struct Order {
    Act act;
    unsigned n;
} Order;

typedef struct Outcome {
    int r;
    uint64_t nsec;
} Outcome;

int pin_to_cpu(unsigned *ret_cpu)
{
    cpu_set_t set;
    unsigned cpu, chosen = 0;

    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        return -errno;
    /* The first ones are those that interrupts go to. */
    for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &set))
            chosen = cpu;
    CPU_ZERO(&set);
    CPU_SET(chosen, &set);
    if (sched_setaffinity(0, sizeof(set), &set) < 0)
        return -errno;
    *ret_cpu = chosen;
    return 0;
}

uint64_t now_nsec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

unsigned touch_pages(const char *data, size_t size)
{
    unsigned sum = 0;
    size_t i;

    for (i = 0; i < size; i += 4096)
        sum += ((const volatile char *)data)[i];
    return sum;
}

char *make_args_text(size_t size)
{
    char *text = malloc(size + 1);

    if (!text)
        return NULL;
    memset(text, 'x', size);
    memcpy(text, "[\"", 2);
    memcpy(text + size - 2, "\"]", 3);
    return text;
}

/* ---- the processes ---- */

int scene_ready(const Scene *scene)
{
    Outcome outcome = { 0 };

    return child_write(scene->control, &outcome, sizeof(outcome));
}

static int perform(const Scene *scene, const ActRun runs[N_ACTS], void *client, const Order *order, uint64_t *ret_nsec)
{
    uint64_t start;
    int r;

    if (!runs[order->act])
        return -EOPNOTSUPP;
    scene->tally->n_awaited = order->n;
    scene->tally->n_samples = 0;
    start = now_nsec();
    r = runs[order->act](client, order->n);
    *ret_nsec = now_nsec() - start;
    if (r < 0 || order->act != ACT_SEND)
        return r;
    /* The answer to a call says that all before it has arrived; the service knows when. */
    r = runs[ACT_CALL](client, 1);
    if (r >= 0 && scene->tally->n_awaited != 0)
        r = -EIO;
    *ret_nsec = scene->tally->finished - start;
    return r;
}

int scene_perform(const Scene *scene, const ActRun runs[N_ACTS], void *client)
{
    Outcome outcome = { 0 };
    Order order;
    int r;

    r = scene_ready(scene);
    while (r >= 0) {
        r = child_read(scene->control, &order, sizeof(order));
        if (r < 0)
            break;
        outcome.r = perform(scene, runs, client, &order, &outcome.nsec);
        r = child_write(scene->control, &outcome, sizeof(outcome));
    }
    return r == -ECONNRESET ? 0 : r;
}

/* ---- the benchmark's end ---- */

static int read_outcome(const Child *child, uint64_t *ret_nsec)
{
    Outcome outcome;
    int r;

    r = child_read(child->control, &outcome, sizeof(outcome));
    if (r < 0)
        return r;
    if (outcome.r >= 0)
        *ret_nsec = outcome.nsec;
    return outcome.r;
}

typedef struct Part {
    int (*run)(const Scene *scene);
    Scene scene;
} Part;

static int run_part(int control, void *userdata)
{
    Part *part = userdata;

    part->scene.control = control;
    return part->run(&part->scene);
}

static int start_part(const Contender *contender, Child *child, int (*run)(const Scene *scene), const char *address)
{
    const char *payload = contender->payload ? contender->payload : PAYLOAD;
    Part part = { run, { address, contender->bus_name, payload, contender->tally, -1 } };
    uint64_t nsec;
    int r;

    r = child_start(child, run_part, &part);
    return r < 0 ? r : read_outcome(child, &nsec);
}

int contender_start(Contender *contender, const char *address)
{
    int r = 0;

    contender->tally = mmap(NULL, sizeof(Tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (contender->tally == MAP_FAILED)
        return -errno;
    if (contender->serve)
        r = start_part(contender, &contender->service, contender->serve, address);
    return r < 0 ? r : start_part(contender, &contender->client, contender->perform, address);
}

void contender_stop(Contender *contender)
{
    child_stop(&contender->client);
    child_stop(&contender->service);
    if (contender->tally && contender->tally != MAP_FAILED)
        munmap(contender->tally, sizeof(Tally));
    contender->tally = NULL;
}

int contender_act(Contender *contender, Act act, unsigned n, uint64_t *ret_nsec)
{
    Order order = { act, n };
    int r;

    r = child_write(contender->client.control, &order, sizeof(order));
    return r < 0 ? r : read_outcome(&contender->client, ret_nsec);
}
