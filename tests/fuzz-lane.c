/* SPDX-License-Identifier: MIT */

/*
 * Lanes whose other ends do not keep the rules, on main's side and on the renderer's. The bytes are a play: each step
 * writes a packet into the lane, with any verb and serial, or has the side that is tested do something.
 */

#include <fcntl.h>
#include <unistd.h>

#include "fuzz-app.h"
#include "fuzz-client.h"
#include "fuzz-packet.h"
#include "lane.h"
#include "macro.h"

#define STEPS_MAX 100u

/* ---- main's side ---- */

typedef struct MainPlay {
    FuzzApp app;
    Ends ends;
} MainPlay;

/* A peer registers and opens a lane, or finds that it has one. */
static void open_lane(MainPlay *play, const char *peer)
{
    fuzz_app_call(&play->app, peer, "Register", "a{sv}", 0);
    fuzz_app_call(&play->app, peer, "OpenLane", "");
    fuzz_app_run(&play->app);
    if (play->app.lane >= 0)
        ends_add(&play->ends, play->app.lane);
    play->app.lane = -1;
}

static void send_to_main(MainPlay *play, Input *input)
{
    static const uint8_t verbs[] = {
        LANE_SEND, LANE_INVOKE, LANE_SEND_SYNC, LANE_SEND_TO, LANE_SEND_TO_HOST, LANE_POST_MESSAGE, LANE_POST_MESSAGE,
        LANE_CANCEL, LANE_CREATE_WEBVIEW, LANE_INVOKE, LANE_MESSAGE, LANE_ERROR, LANE_ERROR + 1, 0,
    };

    ends_send(&play->ends, input, verbs, ELEMENTSOF(verbs));
}

/* By the bus, where one who has a lane may still say something. */
static void say_by_bus(MainPlay *play, Input *input)
{
    const char *peer = take_peer(input);
    const char *member = TAKE_ONE(input, "Send", "Invoke", "SendSync", "SendToHost");
    const char *channel = TAKE_ONE(input, "echo", "keep", "port");

    fuzz_app_call(&play->app, peer, member, "ss", channel, "[1]");
}

static void step_main(MainPlay *play, Input *input)
{
    unsigned number = take_byte(input) % 16;

    if (number == 0)
        open_lane(play, take_peer(input));
    else if (number == 1)
        fuzz_app_leave(&play->app, take_peer(input));
    else if (number == 2)
        ends_close_one(&play->ends, input);
    else if (number == 3)
        ends_drain(&play->ends);
    else if (number == 4)
        fuzz_app_settle_one(&play->app);
    else if (number == 5)
        (void)ipc_app_broadcastf(play->app.app, "news", "i", 1);
    else if (number == 6)
        say_by_bus(play, input);
    else if (number < 10)
        fuzz_app_run(&play->app);
    else
        send_to_main(play, input);
}

static void play_main(Input *input)
{
    MainPlay play = { 0 };
    unsigned i;

    fuzz_app_open(&play.app);
    open_lane(&play, ":1.1");
    for (i = 0; i < STEPS_MAX && input->size > 0; i++)
        step_main(&play, input);
    fuzz_app_run(&play.app);
    ends_drain(&play.ends);
    fuzz_app_close(&play.app);
    ends_clear(&play.ends);
}

/* ---- the renderer's side ---- */

static void step_renderer(FuzzClient *play, Input *input)
{
    unsigned number = take_byte(input) % 16;

    if (number < 6)
        fuzz_client_act(play, input);
    else if (number < 9)
        fuzz_client_run(play);
    else
        fuzz_client_send_packet(play, input);
}

static void play_renderer(Input *input)
{
    FuzzClient play;
    unsigned i;

    fuzz_client_open(&play, IPC_RENDERER_LANE);
    for (i = 0; i < STEPS_MAX && input->size > 0; i++)
        step_renderer(&play, input);
    fuzz_client_close(&play);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input = { data, size };
    uint64_t before = fds_that_are_open();

    if (take_byte(&input) % 2 == 0)
        play_main(&input);
    else
        play_renderer(&input);
    check(fds_that_are_open() == before);
    return 0;
}
