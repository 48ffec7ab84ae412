/* SPDX-License-Identifier: MIT */

/*
 * Clients of a service under a real manager, whose timing a shell cannot have:
 *
 *   machine-client user|system time NAME PATH INTERFACE METHOD ARG...   us from the call to the reply
 *   machine-client user|system invoke CHANNEL ARG                       once, as a renderer
 *   machine-client user|system storm SECONDS                            renderers that never rest
 *   machine-client user|system race CALLS IDLE-USEC                     calls in the moment when the service leaves
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "ipc-renderer.h"

#define N_STORMING 10
#define N_RACING 10
#define PATIENCE_USEC (20u * 1000 * 1000)
#define WAVE_USEC 4000u /* around the end of the idle time, that is swept */

static bool is_system;

/* Its answer, or the end. */
#define must(call) check(#call, call)

static int check(const char *call, int r)
{
    if (r >= 0)
        return r;
    fprintf(stderr, "%s: %s\n", call, strerror(-r));
    exit(EXIT_FAILURE);
}

static sd_bus *bus_new(void)
{
    sd_bus *bus;

    must(is_system ? sd_bus_open_system(&bus) : sd_bus_open_user(&bus));
    while (must(sd_bus_is_ready(bus)) == 0)
        must(sd_bus_process(bus, NULL) > 0 ? 1 : sd_bus_wait(bus, PATIENCE_USEC));
    return bus;
}

/* ---- time ---- */

static int time_call(char **words)
{
    sd_bus *bus = bus_new();
    sd_bus_message *call, *answer = NULL;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    uint64_t begin;
    int r, i;

    must(sd_bus_message_new_method_call(bus, &call, words[0], words[1], words[2], words[3]));
    for (i = 4; words[i]; i++)
        must(sd_bus_message_append(call, "s", words[i]));
    begin = clock_now(CLOCK_MONOTONIC);
    r = sd_bus_call(bus, call, PATIENCE_USEC, &error, &answer);
    if (r < 0)
        printf("%s: %s\n", error.name, error.message);
    else
        printf("%llu\n", (unsigned long long)(clock_now(CLOCK_MONOTONIC) - begin));
    sd_bus_error_free(&error);
    sd_bus_message_unref(call);
    sd_bus_message_unref(answer);
    sd_bus_flush_close_unref(bus);
    return r < 0;
}

/* ---- invoke ---- */

static void on_invoked(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata)
{
    char *text = error ? NULL : json_dumps(result, JSON_ENCODE_ANY | JSON_COMPACT);

    if (error)
        printf("%s: %s\n", error->name, error->message);
    else
        puts(text);
    free(text);
    must(sd_event_exit(userdata, error != NULL));
}

static int invoke_once(char **words)
{
    ipc_renderer *renderer;
    sd_event *event;
    int status;

    must(sd_event_default(&event));
    must(ipc_renderer_new(&renderer, bus_new(), IPC_MAIN_NAME));
    must(ipc_renderer_attach_event(renderer, event, 0));
    must(ipc_renderer_invokef(renderer, NULL, words[0], on_invoked, event, "s*", words[1]));
    status = sd_event_loop(event);
    ipc_renderer_unref(renderer);
    sd_event_unref(event);
    return status;
}

/* ---- storm ---- */

typedef struct Storm {
    sd_event *event;
    ipc_renderer *renderers[N_STORMING];
    bool is_over;
    unsigned n_words;
    unsigned n_pending;
    unsigned n_answered;
    unsigned n_gone;
    unsigned n_failed; /* in any other way */
} Storm;

static Storm storm;

static void storm_invoke(ipc_renderer *renderer);

static void on_stormed(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata)
{
    storm.n_pending--;
    if (!error) {
        storm.n_answered++;
        printf("%s\n", json_string_value(result));
    } else if (ipc_error_is(error, IPC_ERROR_MAIN_GONE)) {
        storm.n_gone++;
    } else {
        storm.n_failed++;
        printf("failed: %s: %s\n", error->name, error->message);
    }
    if (!storm.is_over)
        storm_invoke(renderer);
    else if (storm.n_pending == 0)
        must(sd_event_exit(storm.event, 0));
}

/* Words are not used again, so that what runs twice is seen. */
static void storm_invoke(ipc_renderer *renderer)
{
    char word[32];

    snprintf(word, sizeof(word), "word-%u", storm.n_words++);
    storm.n_pending++;
    must(ipc_renderer_invokef(renderer, NULL, "count", on_stormed, NULL, "s", word));
}

static int on_storm_over(sd_event_source *source, uint64_t usec, void *userdata)
{
    storm.is_over = true;
    return 0;
}

static int on_storm_hangs(sd_event_source *source, uint64_t usec, void *userdata)
{
    return sd_event_exit(storm.event, 1);
}

static unsigned count_ready(void)
{
    unsigned i, n = 0;

    for (i = 0; i < N_STORMING; i++)
        n += ipc_renderer_get_state(storm.renderers[i]) == IPC_RENDERER_READY;
    return n;
}

static int storm_for(char **words)
{
    uint64_t usec = (uint64_t)(atof(words[0]) * 1e6);
    int i, status;

    must(sd_event_default(&storm.event));
    must(sd_event_add_time_relative(storm.event, NULL, CLOCK_MONOTONIC, usec, 0, on_storm_over, NULL));
    must(sd_event_add_time_relative(storm.event, NULL, CLOCK_MONOTONIC, usec + PATIENCE_USEC, 0, on_storm_hangs, NULL));
    for (i = 0; i < N_STORMING; i++) {
        must(ipc_renderer_new(&storm.renderers[i], bus_new(), IPC_MAIN_NAME));
        must(ipc_renderer_attach_event(storm.renderers[i], storm.event, 0));
        storm_invoke(storm.renderers[i]);
    }
    status = sd_event_loop(storm.event);
    fprintf(stderr, "answered %u, gone %u, failed %u, hanging %u, registered %u of %u\n", storm.n_answered,
            storm.n_gone, storm.n_failed, storm.n_pending, count_ready(), N_STORMING);
    for (i = 0; i < N_STORMING; i++)
        ipc_renderer_unref(storm.renderers[i]);
    sd_event_unref(storm.event);
    return status != 0 || storm.n_failed > 0;
}

/* ---- race ---- */

/*
 * Calls come in waves, at the end of the idle time and a little before and after it, in steps of which each wave takes
 * another. Foreign clients take turns with renderers, which register first.
 */
typedef struct Race {
    sd_event *event;
    sd_event_source *timer;
    uint64_t idle;
    unsigned n_waves;
    unsigned wave;
    unsigned n_pending;
    unsigned n_answered;
    unsigned n_lost;
    bool is_begun; /* the wave */
    sd_bus *buses[N_RACING];
    ipc_renderer *renderers[N_RACING];
} Race;

static Race race;

static void wave_prepare(void);

static bool wave_is_foreign(void)
{
    return race.wave % 2 == 0;
}

static void wave_end(void)
{
    int i;

    for (i = 0; i < N_RACING; i++) {
        race.renderers[i] = ipc_renderer_unref(race.renderers[i]);
        race.buses[i] = sd_bus_flush_close_unref(race.buses[i]);
    }
    if (++race.wave < race.n_waves)
        wave_prepare();
    else
        must(sd_event_exit(race.event, race.n_lost > 0));
}

static int on_wave_ended(sd_event_source *source, void *userdata)
{
    sd_event_source_unref(source);
    wave_end();
    return 0;
}

/* Not from the callback of a client that it frees. */
static void race_answered(const char *error_name, const char *message)
{
    sd_event_source *later;

    if (error_name) {
        race.n_lost++;
        printf("lost: %s: %s\n", error_name, message);
    } else {
        race.n_answered++;
    }
    if (--race.n_pending == 0)
        must(sd_event_add_defer(race.event, &later, on_wave_ended, NULL));
}

static int on_foreign_answer(sd_bus_message *answer, void *userdata, sd_bus_error *error)
{
    const sd_bus_error *failure = sd_bus_message_get_error(answer);

    race_answered(failure ? failure->name : NULL, failure ? failure->message : NULL);
    return 0;
}

static void on_renderer_answer(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *userdata)
{
    race_answered(error ? error->name : NULL, error ? error->message : NULL);
}

static int on_wave(sd_event_source *source, uint64_t usec, void *userdata)
{
    int i;

    race.n_pending = N_RACING;
    for (i = 0; i < N_RACING; i++) {
        if (wave_is_foreign()) {
            must(sd_bus_call_method_async(race.buses[i], NULL, IPC_MAIN_NAME, IPC_MAIN_PATH, IPC_MAIN_INTERFACE,
                                          "Invoke", on_foreign_answer, NULL, "ss", "echo", "[]"));
        } else {
            must(ipc_renderer_invokef(race.renderers[i], NULL, "echo", on_renderer_answer, NULL, ""));
            must(ipc_renderer_attach_event(race.renderers[i], race.event, 0));
        }
    }
    return 0;
}

/* The idle time begins where the last wave has ended, and that is now. */
static void wave_prepare(void)
{
    uint64_t now = clock_now(CLOCK_MONOTONIC), sweep = WAVE_USEC * race.wave / race.n_waves;
    int i;

    for (i = 0; i < N_RACING; i++) {
        race.buses[i] = bus_new();
        if (wave_is_foreign()) {
            must(sd_bus_attach_event(race.buses[i], race.event, 0));
        } else {
            must(ipc_renderer_new(&race.renderers[i], race.buses[i], IPC_MAIN_NAME));
        }
    }
    must(sd_event_source_set_time(race.timer, now + race.idle + sweep - WAVE_USEC / 2));
    must(sd_event_source_set_enabled(race.timer, SD_EVENT_ONESHOT));
}

static int race_for(char **words)
{
    int status;

    race.n_waves = (unsigned)atoi(words[0]) / N_RACING;
    race.idle = (uint64_t)atoi(words[1]);
    must(sd_event_default(&race.event));
    must(sd_event_add_time(race.event, &race.timer, CLOCK_MONOTONIC, UINT64_MAX, 1, on_wave, NULL));
    wave_prepare();
    status = sd_event_loop(race.event);
    printf("answered %u, lost %u\n", race.n_answered, race.n_lost);
    sd_event_source_unref(race.timer);
    sd_event_unref(race.event);
    return status;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int n_words;
        int (*run)(char **words);
    } commands[] = {
        { "time", 4, time_call },
        { "invoke", 1, invoke_once },
        { "storm", 1, storm_for },
        { "race", 2, race_for },
    };

    is_system = argc > 1 && strcmp(argv[1], "system") == 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (argc >= 3 + commands[i].n_words && strcmp(argv[2], commands[i].name) == 0)
            return commands[i].run(argv + 3);
    return 2;
}
