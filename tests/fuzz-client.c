/* SPDX-License-Identifier: MIT */
#include "fuzz-client.h"

#include <stdio.h>
#include <unistd.h>

#include "lane.h"
#include "macro.h"

#define ROUNDS_MAX 300

/* ---- bus and main ---- */

static int append_answer(FuzzClient *self, sd_bus_message *reply, const char *member)
{
    char token[16];
    int fd, r;

    if (strcmp(member, "GetNameOwner") == 0)
        return sd_bus_message_append(reply, "s", FUZZ_MAIN);
    if (strcmp(member, "Register") == 0)
        return sd_bus_message_append(reply, "u", ++self->n_registered);
    if (strcmp(member, "StartServiceByName") == 0)
        return sd_bus_message_append(reply, "u", 1);
    if (strcmp(member, "Invoke") == 0 || strcmp(member, "SendSync") == 0)
        return sd_bus_message_append(reply, "s", "[1]");
    if (strcmp(member, "CreateWebview") == 0) {
        snprintf(token, sizeof(token), "t%u", self->n_webviews);
        return sd_bus_message_append(reply, "s", token);
    }
    if (strcmp(member, "OpenLane") != 0)
        return 0;
    fd = ends_make_pair(&self->ends);
    r = sd_bus_message_append(reply, "h", fd);
    close(fd);
    return r;
}

void fuzz_client_answer(FuzzClient *self, sd_bus_message *question)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

    if (sd_bus_message_new_method_return(question, &reply) < 0)
        return;
    if (append_answer(self, reply, sd_bus_message_get_member(question)) >= 0)
        fuzz_bus_send(self->bus, reply, sd_bus_message_get_destination(question));
}

static void keep_question(FuzzClient *self, sd_bus_message *question)
{
    unsigned i = self->n_questions++ % FUZZ_QUESTIONS_MAX;

    sd_bus_message_unref(self->questions[i]);
    self->questions[i] = sd_bus_message_ref(question);
}

static int on_bus(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    FuzzClient *self = userdata;

    (void)error;
    if (sd_bus_message_is_method_call(message, NULL, NULL) <= 0 || !sd_bus_message_get_destination(message))
        return 0;
    keep_question(self, message);
    if (self->is_honest)
        fuzz_client_answer(self, message);
    return 1;
}

void fuzz_client_run(FuzzClient *self)
{
    int i, r = 1, s = 1;

    for (i = 0; i < ROUNDS_MAX && (r > 0 || s > 0); i++) {
        r = ipc_renderer_process(self->renderer);
        s = sd_bus_process(self->bus, NULL);
    }
}

void fuzz_client_send_packet(FuzzClient *self, Input *input)
{
    static const uint8_t verbs[] = {
        LANE_MESSAGE, LANE_PORT_MESSAGE, LANE_WEBVIEW_MESSAGE, LANE_WEBVIEW_ATTACHED, LANE_WEBVIEW_DETACHED,
        LANE_RESULT, LANE_RESULT, LANE_ERROR, LANE_ERROR, LANE_INVOKE, LANE_ERROR + 1, 0,
    };

    ends_send(&self->ends, input, verbs, ELEMENTSOF(verbs));
}

/* Whoever would wait for them does not. */
static void hang_up(FuzzClient *self)
{
    sd_bus_close(self->bus);
    ends_clear(&self->ends);
}

/* ---- callbacks ---- */

static void on_reply(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata)
{
    FuzzCall *call = userdata;

    (void)renderer;
    check(!result != !error);
    check(!error || (error->name && error->message));
    call->n_settled++;
    check(call->n_settled == 1 && !call->is_dropped);
}

static void on_reply_text(ipc_renderer *renderer, const char *text, size_t length, const ipc_error *error,
                          void *userdata)
{
    FuzzCall *call = userdata;

    (void)renderer;
    check(!text != !error);
    check(!text || text[length] == '\0');
    call->n_settled++;
    check(call->n_settled == 1 && !call->is_dropped);
}

static void invoke(FuzzClient *self, bool is_text)
{
    FuzzCall *call = &self->calls[self->n_calls];
    int r;

    if (self->n_calls == FUZZ_CALLS_MAX)
        return;
    if (is_text)
        r = ipc_renderer_invoke_text(self->renderer, &call->slot, "echo", "[1]", 3, on_reply_text, call);
    else
        r = ipc_renderer_invokef(self->renderer, &call->slot, "echo", on_reply, call, "s", "x");
    if (r >= 0)
        self->n_calls++;
}

static void drop_webviews(FuzzClient *self)
{
    unsigned i;

    for (i = 0; i < FUZZ_WEBVIEWS_MAX; i++)
        self->webviews[i] = ipc_webview_unref(self->webviews[i]);
}

/* Nobody answers in time. */
static void block(FuzzClient *self)
{
    json_t *result = NULL;
    ipc_error error = IPC_ERROR_INIT;
    int r;

    (void)ipc_renderer_set_timeout(self->renderer, 1);
    r = ipc_renderer_send_syncf(self->renderer, "echo", &result, &error, "i", 1);
    (void)ipc_renderer_set_timeout(self->renderer, 0);
    check((r >= 0) == (result != NULL));
    json_decref(result);
    ipc_error_clear(&error);
}

static void on_message(ipc_event *event, json_t *args, void *userdata);

static void feel(FuzzClient *self, ipc_event *event, json_t *args)
{
    switch (self->mood) {
    case FUZZ_REPLY:
        (void)ipc_event_reply(event, "echo", args);
        break;
    case FUZZ_INVOKE:
        invoke(self, false);
        break;
    case FUZZ_BLOCK:
        block(self);
        break;
    case FUZZ_STOP_LISTENING:
        (void)ipc_renderer_off(self->renderer, "echo", on_message, self);
        break;
    case FUZZ_DROP_WEBVIEWS:
        drop_webviews(self);
        break;
    case FUZZ_CLOSE:
        hang_up(self);
        ipc_renderer_close(self->renderer);
        break;
    default:
        break;
    }
}

/* Ports that come are driven from here on, until they close. */
static void on_message(ipc_event *event, json_t *args, void *userdata)
{
    FuzzClient *self = userdata;
    ipc_port *const *ports;
    size_t i, n;

    check(json_is_array(args));
    ports = ipc_event_get_ports(event, &n);
    for (i = 0; i < n && i < 2; i++)
        if (ipc_renderer_attach_port(self->renderer, ports[i]) >= 0)
            (void)ipc_port_start(ports[i]);
    feel(self, event, args);
}

static void on_state(ipc_renderer *renderer, ipc_renderer_state state, const ipc_error *error, void *userdata)
{
    (void)renderer, (void)userdata;
    check(state != IPC_RENDERER_GONE || (error && error->name));
}

static void on_webview_state(ipc_webview *webview, ipc_webview_state state, const ipc_error *error, void *userdata)
{
    FuzzClient *self = userdata;

    (void)error;
    check(ipc_webview_get_state(webview) == state);
    check((ipc_webview_get_id(webview) != 0) <= (state == IPC_WEBVIEW_ATTACHED));
    if (self->mood == FUZZ_DROP_WEBVIEWS)
        drop_webviews(self);
}

/* ---- the program ---- */

static void new_webview(FuzzClient *self)
{
    ipc_webview **place = &self->webviews[self->n_webviews % FUZZ_WEBVIEWS_MAX];

    *place = ipc_webview_unref(*place);
    if (ipc_webview_new(place, self->renderer) < 0)
        return;
    self->n_webviews++;
    check(ipc_webview_on_state(*place, NULL, on_webview_state, self) >= 0);
    check(ipc_webview_on_message(*place, NULL, on_message, self) >= 0);
}

static void post_port(FuzzClient *self)
{
    ipc_port *one, *other;

    check(ipc_port_new_pair(&one, &other) >= 0);
    (void)ipc_renderer_post_messagef(self->renderer, "port", &(ipc_transfer){ .ports = &one, .n_ports = 1 }, "i", 1);
    ipc_port_unref(one);
    ipc_port_unref(other);
}

static void drop_slot(FuzzCall *call)
{
    call->is_dropped = call->n_settled == 0;
    call->slot = ipc_slot_unref(call->slot);
}

static void act_on_call(FuzzClient *self, Input *input, bool is_dropping)
{
    FuzzCall *call;

    if (self->n_calls == 0)
        return;
    call = &self->calls[take_byte(input) % self->n_calls];
    if (is_dropping)
        drop_slot(call);
    else
        (void)ipc_renderer_cancel(self->renderer, call->slot);
}

void fuzz_client_act(FuzzClient *self, Input *input)
{
    unsigned number = take_byte(input);
    ipc_webview *webview = self->webviews[number / 16 % FUZZ_WEBVIEWS_MAX];

    switch (number % 16) {
    case 0:
        (void)ipc_renderer_sendf(self->renderer, "echo", "s", "x");
        break;
    case 1:
    case 2:
        invoke(self, number % 16 == 1);
        break;
    case 3:
        act_on_call(self, input, false);
        break;
    case 4:
        act_on_call(self, input, true);
        break;
    case 5:
        (void)ipc_renderer_send_tof(self->renderer, take_byte(input), "echo", "i", 1);
        break;
    case 6:
        (void)ipc_renderer_send_to_hostf(self->renderer, "echo", "i", 1);
        break;
    case 7:
        post_port(self);
        break;
    case 8:
        new_webview(self);
        break;
    case 9:
        if (webview)
            (void)ipc_webview_sendf(webview, "echo", "i", 1);
        break;
    case 10:
        drop_webviews(self);
        break;
    case 11:
        block(self);
        break;
    case 12:
        (void)ipc_renderer_on(self->renderer, NULL, "echo", on_message, self);
        break;
    case 13:
        ends_drain(&self->ends);
        break;
    case 14:
        ends_close_one(&self->ends, input);
        break;
    default:
        self->mood = (FuzzMood)(number / 16 % N_FUZZ_MOODS);
    }
}

/* ---- its life ---- */

void fuzz_client_open(FuzzClient *self, ipc_renderer_flags flags)
{
    _cleanup_(sd_bus_unrefp) sd_bus *tested = NULL;

    *self = (FuzzClient){ .is_honest = true };
    self->bus = fuzz_bus_new(on_bus, self, &tested);
    check(ipc_renderer_new(&self->renderer, tested, FUZZ_NAME) >= 0);
    check(ipc_renderer_set_flags(self->renderer, flags) >= 0);
    check(ipc_renderer_on(self->renderer, NULL, "echo", on_message, self) >= 0);
    check(ipc_renderer_on(self->renderer, NULL, "port", on_message, self) >= 0);
    check(ipc_renderer_on_state(self->renderer, NULL, on_state, NULL) >= 0);
    fuzz_client_run(self);
    check(ipc_renderer_get_state(self->renderer) == IPC_RENDERER_READY);
}

void fuzz_client_close(FuzzClient *self)
{
    unsigned i;

    fuzz_client_run(self);
    hang_up(self);
    ipc_renderer_close(self->renderer);
    for (i = 0; i < self->n_calls; i++) {
        check(self->calls[i].n_settled + self->calls[i].is_dropped == 1);
        ipc_slot_unref(self->calls[i].slot);
    }
    drop_webviews(self);
    ipc_renderer_unref(self->renderer);
    for (i = 0; i < FUZZ_QUESTIONS_MAX; i++)
        sd_bus_message_unref(self->questions[i]);
    sd_bus_unref(self->bus);
}
