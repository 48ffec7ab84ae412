/* SPDX-License-Identifier: MIT */
#include "starting.h"

#include <errno.h>

#include "activation.h"
#include "ipc-names.h"
#include "macro.h"
#include "registration.h"
#include "renderer.h"

#define BUS_NAME "org.freedesktop.DBus"
#define LOOK_USEC (1u * 1000 * 1000) /* us until systemd is asked, and between its answers and the next question */

/*
 * dbus-daemon passes the wish for a service on to systemd, and does not hear when that fails: it leaves us waiting. So
 * while that takes long, systemd itself is asked now and then:
 *
 *   begin -> a second -> who is org.freedesktop.systemd1? -> how is the unit? -> a second -> ...
 *                             | nobody                           | failed
 *                             +-> wait for the bus alone         +-> registration_start_failed()
 *
 * Each answer is believed only from the bus, or from who owns systemd's name. Before that second, without a unit for
 * the name, and once the service is there, nothing is asked.
 */
struct Starting {
    Activation activation;
    size_t unit;     /* that is asked about */
    char *systemd;   /* its unique name */
    ipc_error error; /* what the bus said; without a name: nothing yet */
    Call *call;      /* the question under way, or the second */
    bool is_sent;    /* it is the question */
};

static void starting_free(Starting *starting)
{
    activation_clear(&starting->activation);
    ipc_error_clear(&starting->error);
    free(starting->systemd);
    free(starting);
}

void starting_end(ipc_renderer *renderer)
{
    Starting *starting = TAKE_PTR(renderer->starting);

    if (!starting)
        return;
    if (starting->call && starting->is_sent)
        starting->call->done = NULL;
    else if (starting->call)
        call_discard(starting->call);
    starting_free(starting);
}

static void on_second(Call *call);

static void wait_a_second(ipc_renderer *renderer)
{
    Starting *starting = renderer->starting;

    if (call_new(renderer, NULL, on_second, LOOK_USEC, &starting->call) < 0) {
        starting_end(renderer);
        return;
    }
    starting->call->is_immediate = true;
    starting->is_sent = false;
}

static int ask(ipc_renderer *renderer, sd_bus_message *message, const char *destination, CallDone done)
{
    Starting *starting = renderer->starting;
    int r;

    r = registration_ask(renderer, message, destination, done, &starting->call);
    starting->is_sent = r >= 0;
    return r;
}

/* What it was about is over; nothing of it may be used after this. */
static void conclude(ipc_renderer *renderer, const char *reason)
{
    ipc_error error = IPC_ERROR_INIT;

    if (reason)
        (void)error_setf(&error, IPC_ERROR_MAIN_GONE, "%s", reason);
    if (!error.name) {
        error = renderer->starting->error;
        renderer->starting->error = (ipc_error)IPC_ERROR_INIT;
    }
    starting_end(renderer);
    registration_start_failed(renderer, &error);
    ipc_error_clear(&error);
}

static void conclude_state(ipc_renderer *renderer, UnitState state)
{
    const Starting *starting = renderer->starting;
    _cleanup_free_ char *reason = activation_explain(&starting->activation, starting->unit, state, renderer->name);

    conclude(renderer, reason);
}

/* Systemd has nothing to say. */
static void rest(ipc_renderer *renderer, bool is_for_good)
{
    if (renderer->starting->error.name)
        conclude(renderer, NULL);
    else if (is_for_good)
        starting_end(renderer);
    else
        wait_a_second(renderer);
}

static void on_unit(Call *call);

static void ask_about_unit(ipc_renderer *renderer)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    Starting *starting = renderer->starting;
    int r;

    if (starting->unit == starting->activation.n_units) {
        rest(renderer, false);
        return;
    }
    r = activation_new_question(&starting->activation, starting->unit, renderer->bus, &message);
    if (r >= 0)
        r = ask(renderer, message, starting->systemd, on_unit);
    if (r < 0)
        rest(renderer, true);
}

static void on_unit(Call *call)
{
    ipc_renderer *renderer = call->renderer;
    Starting *starting = renderer->starting;
    UnitState state = UNIT_OTHER;

    starting->call = NULL;
    if (call->reply)
        state = activation_read_answer(&starting->activation, call->reply);
    if (state == UNIT_FAILED || state == UNIT_ENDED || (state == UNIT_STARTS && starting->error.name)) {
        conclude_state(renderer, state);
        return;
    }
    starting->unit++;
    ask_about_unit(renderer);
}

static void on_systemd(Call *call)
{
    ipc_renderer *renderer = call->renderer;
    Starting *starting = renderer->starting;
    const char *owner;

    starting->call = NULL;
    free(TAKE_PTR(starting->systemd));
    if (call->reply && sd_bus_message_read(call->reply, "s", &owner) > 0)
        starting->systemd = strdup(owner);
    starting->unit = 0;
    if (starting->systemd)
        ask_about_unit(renderer);
    else
        rest(renderer, true);
}

static void ask_for_systemd(ipc_renderer *renderer)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
    int r;

    r = registration_new_question(renderer, &message, "GetNameOwner");
    if (r >= 0)
        r = sd_bus_message_append(message, "s", SYSTEMD_NAME);
    if (r >= 0)
        r = ask(renderer, message, BUS_NAME, on_systemd);
    if (r < 0)
        rest(renderer, true);
}

static void on_second(Call *call)
{
    call->renderer->starting->call = NULL;
    ask_for_systemd(call->renderer);
}

void starting_begin(ipc_renderer *renderer)
{
    Starting *starting;

    starting_end(renderer);
    starting = calloc(1, sizeof(*starting));
    if (!starting)
        return;
    if (activation_find(&starting->activation, renderer->bus, renderer->name) < 0 ||
        starting->activation.n_units == 0) {
        starting_free(starting);
        return;
    }
    renderer->starting = starting;
    wait_a_second(renderer);
}

bool starting_explain(ipc_renderer *renderer, const ipc_error *error)
{
    Starting *starting = renderer->starting;

    /* A guess is no better than what the bus knows. */
    if (!starting || !starting->activation.is_certain ||
        error_setf(&starting->error, error->name, "%s", error->message) < 0)
        return false;
    if (starting->call && !starting->is_sent) {
        call_discard(TAKE_PTR(starting->call));
        ask_for_systemd(renderer);
    }
    return true;
}
