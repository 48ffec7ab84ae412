/* SPDX-License-Identifier: MIT */
#include "ctl-load.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "ipc-names.h"
#include "macro.h"

#define ECHO_CHANNEL "echo"
#define TICK_USEC (100u * 1000) /* us that it sleeps at most */
#define WARM_UP 10u             /* the first tenth of the time does not count */
#define NSEC_PER_USEC 1000u

/* Something that is under way. */
struct Flight {
    Load *load;
    uint64_t started; /* nsec of CLOCK_MONOTONIC */
};

static const char *const verb_names[N_LOAD_VERBS] = {
    [LOAD_INVOKE] = "invoke",
    [LOAD_SEND] = "send",
    [LOAD_SEND_SYNC] = "send-sync",
};

const char *load_verb_to_string(LoadVerb verb)
{
    return verb_names[verb];
}

LoadVerb load_verb_from_string(const char *name)
{
    LoadVerb verb = 0;

    while (verb < N_LOAD_VERBS && strcmp(verb_names[verb], name) != 0)
        verb++;
    return verb;
}

static uint64_t now_nsec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- failing ---- */

/* The first failure is the one that is told. */

static void fail_by_error(Load *load, const ipc_error *error)
{
    if (load->status != STATUS_OK)
        return;
    if (ipc_error_is(error, IPC_ERROR_NO_HANDLER) || ipc_error_is(error, IPC_ERROR_NO_LISTENER))
        load->status = failure_set(load->failure, STATUS_FAILED, error->name,
                                   "%s; bench needs an app with the module echo, such as 'ipcbusd --module=echo'",
                                   error->message);
    else if (!load->was_ready)
        load->status = client_fail_to_register(&load->client, error, load->failure);
    else
        load->status = client_fail_by_error(error, load->failure);
}

static void fail_by_errno(Load *load, int error)
{
    if (load->status != STATUS_OK)
        return;
    if (error == -ENOBUFS)
        load->status = failure_set(load->failure, STATUS_FAILED, NULL,
                                   "So many messages of this size are more than may wait at once (%u bytes)",
                                   IPC_QUEUE_BYTES_MAX);
    else
        load->status = client_fail(&load->client, error, load->failure);
}

static void fail_by_answer(Load *load)
{
    if (load->status == STATUS_OK)
        load->status = failure_set(load->failure, STATUS_FAILED, NULL,
                                   "'" ECHO_CHANNEL "' did not answer with what was sent");
}

/* ---- flights ---- */

static void on_result(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata);

static void launch(Load *load, Flight *flight)
{
    int r;

    flight->started = now_nsec();
    if (load->plan->verb == LOAD_INVOKE)
        r = ipc_renderer_invoke(load->renderer, NULL, ECHO_CHANNEL, load->args, on_result, flight);
    else
        r = ipc_renderer_send(load->renderer, ECHO_CHANNEL, load->args);
    if (r < 0)
        fail_by_errno(load, r);
    else
        load->n_flights++;
}

static bool is_echo(const Load *load, const json_t *args)
{
    return json_array_size(args) == 1 && json_string_length(json_array_get(args, 0)) == load->plan->size;
}

/* False: it was for warming up. */
static bool record(Load *load, uint64_t started, uint64_t ended)
{
    if (started < load->begin)
        return false;
    histogram_add(&load->result->latency, ended - started);
    return true;
}

/* What takes longer than the whole time is measured once. */
static bool goes_on(const Load *load, uint64_t now)
{
    return load->status == STATUS_OK && (now < load->end || load->result->latency.n == 0);
}

static void land(Load *load, Flight *flight, const json_t *args)
{
    uint64_t now = now_nsec();

    load->n_flights--;
    if (!is_echo(load, args)) {
        fail_by_answer(load);
        return;
    }
    if (record(load, flight->started, now))
        load->result->nsec = now - load->begin;
    if (goes_on(load, now))
        launch(load, flight);
}

static void on_result(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata)
{
    Flight *flight = userdata;
    Load *load = flight->load;

    if (!load->plan)
        return; /* it is over, by a failure */
    if (!error) {
        land(load, flight, result);
        return;
    }
    load->n_flights--;
    fail_by_error(load, error);
}

/* Also after each send_sync, which echo answers in both ways. */
static void on_echo(ipc_event *event, json_t *args, void *userdata)
{
    Load *load = userdata;
    Flight *flight;

    if (!load->plan || load->plan->verb != LOAD_SEND || load->n_flights == 0)
        return;
    flight = &load->flights[load->oldest];
    load->oldest = (load->oldest + 1) % load->plan->concurrency;
    land(load, flight, args);
}

/* ---- opening ---- */

static void on_state(ipc_renderer *renderer, ipc_renderer_state state, const ipc_error *error, void *userdata)
{
    Load *load = userdata;

    if (state == IPC_RENDERER_READY)
        load->was_ready = true;
    else if (state == IPC_RENDERER_GONE)
        fail_by_error(load, error);
    else if (state == IPC_RENDERER_CLOSED)
        fail_by_errno(load, -ENOTCONN);
}

/* Does what there is to do, or sleeps for a tick. */
static void step(Load *load)
{
    int r;

    r = ipc_renderer_process(load->renderer);
    if (r == 0)
        r = ipc_renderer_wait(load->renderer, TICK_USEC);
    if (r < 0 && r != -EINTR)
        fail_by_errno(load, r);
}

static void drain(Load *load)
{
    int r;

    while ((r = ipc_renderer_process(load->renderer)) > 0)
        ;
    if (r < 0)
        fail_by_errno(load, r);
}

/* The one place where the renderer is made. */
static int make_renderer(Load *load)
{
    const Options *options = load->client.options;
    int r;

    r = ipc_renderer_new(&load->renderer, load->client.bus, options->name);
    if (r >= 0)
        r = ipc_renderer_set_flags(load->renderer, options->by_lane ? IPC_RENDERER_LANE : 0);
    if (r >= 0)
        r = ipc_renderer_set_title(load->renderer, "ipcbusctl bench");
    if (r >= 0)
        r = ipc_renderer_set_timeout(load->renderer, options->timeout_usec);
    if (r >= 0)
        r = ipc_renderer_on_state(load->renderer, &load->state, on_state, load);
    if (r >= 0)
        r = ipc_renderer_on(load->renderer, NULL, ECHO_CHANNEL, on_echo, load);
    return r;
}

static bool send_sync(Load *load, json_t *args, json_t **ret_result)
{
    _cleanup_(ipc_error_clear) ipc_error error = IPC_ERROR_INIT;
    int r;

    r = ipc_renderer_send_sync(load->renderer, ECHO_CHANNEL, args, ret_result, &error);
    if (r < 0 && error.name)
        fail_by_error(load, &error);
    else if (r < 0)
        fail_by_errno(load, r);
    return r >= 0;
}

ExitStatus load_open(Load *load, const Options *options, Failure *failure)
{
    ExitStatus status;
    int r;

    *load = (Load){ .failure = failure };
    status = client_open(&load->client, options, failure);
    if (status != STATUS_OK)
        return status;
    r = make_renderer(load);
    if (r < 0)
        return client_fail(&load->client, r, failure);
    while (load->status == STATUS_OK && !load->was_ready) {
        step(load);
        if (clock_now(CLOCK_MONOTONIC) >= load->client.until)
            fail_by_errno(load, -ETIMEDOUT);
    }
    /* A send that nobody listens to is no error: whether somebody does is found out now. */
    if (load->status == STATUS_OK && send_sync(load, NULL, NULL))
        drain(load);
    return load->status;
}

void load_close(Load *load)
{
    ipc_slot_unref(load->state); /* that it closes now is no news */
    load->plan = NULL;
    ipc_renderer_unref(load->renderer);
    client_close(&load->client);
    json_decref(load->args);
    free(load->flights);
}

/* ---- running ---- */

static json_t *args_new(size_t size)
{
    _cleanup_free_ char *text = malloc(size + 1);

    if (!text)
        return NULL;
    memset(text, 'x', size);
    return json_pack("[s#]", text, (int)size);
}

static bool is_overdue(const Load *load)
{
    uint64_t usec = load->client.options->timeout_usec;

    /* The library watches over calls; nobody does over messages. */
    return load->plan->verb == LOAD_SEND && load->n_flights > 0 && usec != UINT64_MAX &&
           (now_nsec() - load->flights[load->oldest].started) / NSEC_PER_USEC > usec;
}

static double fraction_of(const Load *load)
{
    uint64_t now = now_nsec();

    if (now < load->begin)
        return 0;
    return now < load->end ? (double)(now - load->begin) / (double)(load->end - load->begin) : 1;
}

static void run_flights(Load *load, LoadTick tick, void *userdata)
{
    for (unsigned i = 0; i < load->plan->concurrency && load->status == STATUS_OK; i++) {
        load->flights[i].load = load;
        launch(load, &load->flights[i]);
    }
    while (load->status == STATUS_OK && load->n_flights > 0) {
        step(load);
        if (is_overdue(load))
            fail_by_errno(load, -ETIMEDOUT);
        tick(fraction_of(load), userdata);
    }
}

static void call_once(Load *load)
{
    _cleanup_(json_decrefp) json_t *result = NULL;
    uint64_t started = now_nsec(), ended;

    if (!send_sync(load, load->args, &result))
        return;
    ended = now_nsec();
    if (!is_echo(load, result))
        fail_by_answer(load);
    else if (record(load, started, ended))
        load->result->nsec += ended - started;
}

/* What echo sends beside its answer is cleared away between the calls, and is not in their time. */
static void run_calls(Load *load, LoadTick tick, void *userdata)
{
    do {
        call_once(load);
        drain(load);
        tick(fraction_of(load), userdata);
    } while (goes_on(load, now_nsec()));
}

static int prepare(Load *load, const LoadPlan *plan, LoadResult *result)
{
    uint64_t nsec = plan->usec * NSEC_PER_USEC;

    json_decref(load->args);
    free(load->flights);
    load->args = args_new(plan->size);
    load->flights = calloc(plan->concurrency, sizeof(*load->flights));
    if (!load->args || !load->flights)
        return -ENOMEM;
    *result = (LoadResult){ 0 };
    load->plan = plan;
    load->result = result;
    load->n_flights = load->oldest = 0;
    load->begin = now_nsec() + nsec / WARM_UP;
    load->end = load->begin + nsec;
    return 0;
}

ExitStatus load_run(Load *load, const LoadPlan *plan, LoadResult *ret_result, LoadTick tick, void *userdata)
{
    int r;

    r = prepare(load, plan, ret_result);
    if (r < 0)
        return client_fail(&load->client, r, load->failure);
    if (plan->verb == LOAD_SEND_SYNC)
        run_calls(load, tick, userdata);
    else
        run_flights(load, tick, userdata);
    return load->status;
}
