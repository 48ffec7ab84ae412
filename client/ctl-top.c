/* SPDX-License-Identifier: MIT */
#include "ctl-top.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "ctl-client.h"
#include "ctl-figures.h"
#include "ctl-output.h"
#include "ctl-quantity.h"
#include "ctl-terminal.h"
#include "macro.h"

#define DEFAULT_INTERVAL "1"
#define INTERVAL_MAX 3600.0 /* seconds */
#define HEAD_LINES 3u       /* above the rows */

const char top_options_help[] =
    "      --interval=SECONDS how long from one look to the next (default: " DEFAULT_INTERVAL ")\n"
    "  -n, --iterations=N     look so many times, then end\n";

typedef struct Top {
    Client client;
    Failure *failure;
    uint64_t interval; /* us */
    unsigned long n_left; /* how often to look; 0: for ever */
    bool is_live;
    bool is_first;
    json_t *channels; /* as they were when it was looked last; NULL: it is the first time */
    uint64_t looked_at; /* us of CLOCK_MONOTONIC */
} Top;

static void top_clear(Top *top)
{
    json_decref(top->channels);
    client_close(&top->client);
}

/* ---- keys: the terminal hands them over one by one as long as this runs, and gets its ways back at any end ---- */

static struct termios terminal_before, terminal_raw;

static void give_terminal_back(void)
{
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal_before);
}

static void on_signal(int number)
{
    give_terminal_back();
    if (number == SIGINT || number == SIGTERM)
        _exit(STATUS_OK);
    signal(number, SIG_DFL);
    raise(number);
}

/* Until it goes on, the terminal is the shell's. */
static void on_stop(int number)
{
    (void)number;
    give_terminal_back();
    kill(getpid(), SIGSTOP);
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal_raw);
}

static void take_terminal(void)
{
    static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    struct sigaction end = { .sa_handler = on_signal }, stop = { .sa_handler = on_stop };

    if (tcgetattr(STDIN_FILENO, &terminal_before) < 0 || atexit(give_terminal_back) != 0)
        return;
    for (size_t i = 0; i < ELEMENTSOF(ends); i++)
        sigaction(ends[i], &end, NULL);
    sigaction(SIGTSTP, &stop, NULL);
    terminal_raw = terminal_before;
    terminal_raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    terminal_raw.c_cc[VMIN] = 0;
    terminal_raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal_raw);
}

static bool is_quit(void)
{
    char keys[16];
    ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

    return n > 0 && (memchr(keys, 'q', (size_t)n) || memchr(keys, 'Q', (size_t)n));
}

/* Sleeps; the answer is whether to go on. */
static bool pause_until(uint64_t usec, bool has_keys)
{
    struct pollfd keys = { .fd = has_keys ? STDIN_FILENO : -1, .events = POLLIN };
    uint64_t now;
    int n;

    while ((now = clock_now(CLOCK_MONOTONIC)) < usec) {
        n = poll(&keys, 1, (int)((usec - now + 999) / 1000));
        if (n > 0 && is_quit())
            return false;
        if (n > 0 && keys.revents & (POLLHUP | POLLERR | POLLNVAL))
            keys.fd = -1;
    }
    return true;
}

/* ---- looking ---- */

static const json_t *find_channel(const json_t *channels, const char *name)
{
    const json_t *channel;
    size_t i;

    json_array_foreach(channels, i, channel)
        if (strcmp(json_string_value(json_object_get(channel, "channel")), name) == 0)
            return channel;
    return NULL;
}

/* A service that has begun anew has done less than it had before. */
static int add_rate(const Top *top, json_t *channel, double seconds)
{
    const json_t *before = find_channel(top->channels, json_string_value(json_object_get(channel, "channel")));
    json_int_t n = figures_total(channel), n_before = before ? figures_total(before) : 0;

    return json_object_set_new(channel, "rate", json_real((double)(n - (n < n_before ? 0 : n_before)) / seconds));
}

static int add_rates(const Top *top, json_t *channels, uint64_t now)
{
    json_t *channel;
    size_t i;

    json_array_foreach(channels, i, channel)
        if (top->channels && add_rate(top, channel, (double)(now - top->looked_at) / 1e6) < 0)
            return -ENOMEM;
    return 0;
}

/* Those that have most to do now come first, then those that have had. */
static int compare_channels(const void *a, const void *b)
{
    const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
    double rate_left = json_real_value(json_object_get(left, "rate"));
    double rate_right = json_real_value(json_object_get(right, "rate"));
    json_int_t total_left = figures_total(left), total_right = figures_total(right);

    if (rate_left != rate_right)
        return rate_left < rate_right ? 1 : -1;
    if (total_left != total_right)
        return total_left < total_right ? 1 : -1;
    return strcmp(json_string_value(json_object_get(left, "channel")),
                  json_string_value(json_object_get(right, "channel")));
}

static int sort_channels(const json_t *channels, json_t **ret_sorted)
{
    size_t n = json_array_size(channels);
    _cleanup_free_ json_t **list = calloc(n + 1, sizeof(json_t *));
    json_t *sorted = json_array();

    for (size_t i = 0; i < n && list; i++)
        list[i] = json_array_get(channels, i);
    if (list)
        qsort(list, n, sizeof(json_t *), compare_channels);
    for (size_t i = 0; i < n && list; i++)
        if (json_array_append(sorted, list[i]) < 0)
            n = 0;
    if (!list || json_array_size(sorted) != json_array_size(channels)) {
        json_decref(sorted);
        return -ENOMEM;
    }
    *ret_sorted = sorted;
    return 0;
}

/* ---- showing ---- */

static void print_sum(FILE *stream, json_t *channels, const char *key, const char *what)
{
    char text[QUANTITY_SIZE];
    double sum = 0;
    json_t *channel;
    size_t i;

    json_array_foreach(channels, i, channel)
        sum += json_number_value(json_object_get(channel, key));
    quantity_of_number(text, sum);
    fprintf(stream, ", %s %s", text, what);
}

static void write_head(FILE *stream, const Top *top, json_t *channels)
{
    size_t size = json_array_size(channels), n = size > 0 ? size - 1 : 0; /* one of the rows is for all others */
    time_t now = time(NULL);
    char text[16] = "";
    struct tm when;

    if (localtime_r(&now, &when))
        strftime(text, sizeof(text), "%H:%M:%S", &when);
    fprintf(stream, "%s, %s: %zu channel%s", top->client.options->name, text, n, n == 1 ? "" : "s");
    print_sum(stream, channels, "rate", "a second");
    print_sum(stream, channels, "pending", "pending");
    print_sum(stream, channels, "errors", "errors");
    fputs("; q quits", stream);
}

static void print_head(const Top *top, json_t *channels, unsigned columns)
{
    _cleanup_free_ char *head = NULL;
    size_t size;
    FILE *stream = open_memstream(&head, &size);

    if (!stream)
        return;
    write_head(stream, top, channels);
    if (fclose(stream) == 0)
        output_cut(stdout, head, columns);
}

static void draw(Top *top, json_t *channels)
{
    unsigned columns, lines;

    terminal_get_size(stdout, &columns, &lines);
    terminal_begin_screen(stdout, top->is_first);
    print_head(top, channels, columns);
    terminal_end_line(stdout);
    terminal_end_line(stdout);
    figures_print(stdout, channels, columns, lines > HEAD_LINES + 1 ? lines - HEAD_LINES - 1 : 1, true);
    terminal_end_screen(stdout);
}

static int show(Top *top, json_t *channels)
{
    Style style = top->client.options->style;

    if (style != STYLE_TEXT)
        return output_figures(stdout, channels, style);
    if (top->is_live) {
        draw(top, channels);
    } else {
        if (!top->is_first)
            putchar('\n');
        figures_print(stdout, channels, UINT_MAX, SIZE_MAX, false);
    }
    return 0;
}

static ExitStatus look(Top *top)
{
    _cleanup_(json_decrefp) json_t *channels = NULL, *sorted = NULL;
    ExitStatus status;
    uint64_t now;
    int r;

    client_restart(&top->client);
    status = figures_get_channels(&top->client, &channels, top->failure);
    if (status != STATUS_OK)
        return status;
    now = clock_now(CLOCK_MONOTONIC);
    r = add_rates(top, channels, now);
    if (r >= 0)
        r = sort_channels(channels, &sorted);
    if (r >= 0)
        r = show(top, sorted);
    if (r < 0)
        return client_fail(&top->client, r, top->failure);
    json_decref(top->channels);
    top->channels = TAKE_PTR(channels);
    top->looked_at = now;
    top->is_first = false;
    return output_finish(top->failure);
}

static ExitStatus look_on(Top *top)
{
    ExitStatus status;

    for (;;) {
        status = look(top);
        if (status != STATUS_OK || ferror(stdout) || --top->n_left == 0)
            return status;
        if (!pause_until(top->looked_at + top->interval, top->is_live && isatty(STDIN_FILENO)))
            return STATUS_OK;
    }
}

static ExitStatus read_options(Top *top, const Options *options)
{
    const char *iterations = options->iterations;
    char *end;

    if (iterations) {
        errno = 0;
        top->n_left = strtoul(iterations, &end, 10);
        if (!isdigit((unsigned char)*iterations) || *end || errno != 0 || top->n_left == 0)
            return failure_set(top->failure, STATUS_USAGE, NULL, "--iterations takes a number from 1 up; '%s' is none",
                               iterations);
    } else {
        top->n_left = top->is_live ? 0 : 1;
    }
    return options_read_seconds("--interval", options->interval ? options->interval : DEFAULT_INTERVAL, 0.01,
                                INTERVAL_MAX, &top->interval, top->failure);
}

ExitStatus top_command(const Options *options, char **operands, Failure *failure)
{
    _cleanup_(top_clear) Top top = { .failure = failure, .is_first = true };
    ExitStatus status;

    (void)operands;
    top.is_live = options->style == STYLE_TEXT && terminal_is_live(stdout);
    status = read_options(&top, options);
    if (status == STATUS_OK)
        status = client_open(&top.client, options, failure);
    if (status != STATUS_OK)
        return status;
    if (top.is_live && isatty(STDIN_FILENO))
        take_terminal();
    return look_on(&top);
}
