/* SPDX-License-Identifier: MIT */
#include "ctl-bench.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl-load.h"
#include "ctl-output.h"
#include "ctl-progress.h"
#include "ctl-terminal.h"
#include "ipc-names.h"
#include "macro.h"

#define LIST_MAX 16u                 /* values of one option */
#define SIZE_LIMIT (IPC_ARGS_MAX - 4) /* bytes: it stands in quotes, in an array */
#define CONCURRENCY_MAX 4096u
#define DURATION_MAX 3600.0 /* seconds */
#define DEFAULT_SIZES "64,4K,64K"
#define DEFAULT_CONCURRENCY "1,16"
#define DEFAULT_DURATION "1"

const char bench_options_help[] =
    "      --size=BYTES,...   sizes of what is sent (default: " DEFAULT_SIZES "); K and M are units\n"
    "      --concurrency=N,...\n"
    "                         how many are under way at once (default: " DEFAULT_CONCURRENCY ")\n"
    "      --duration=SECONDS how long each is measured (default: " DEFAULT_DURATION ")\n";

typedef struct List {
    unsigned values[LIST_MAX];
    size_t n;
} List;

typedef struct Bench {
    Load load;
    List sizes;
    List concurrency;
    bool verbs[N_LOAD_VERBS];
    uint64_t usec;
    size_t n_plans;
    size_t n_done;
    LoadPlan plan; /* the one that is carried out */
    Progress progress;
    json_t *rows; /* NULL: printed one by one, for people */
} Bench;

static void bench_clear(Bench *bench)
{
    progress_clear(&bench->progress);
    load_close(&bench->load);
    json_decref(bench->rows);
}

/* ---- reading the options ---- */

/* One number up to a comma or the end; answers where it ends, or NULL. */
static const char *read_number(const char *text, bool has_units, unsigned max, unsigned *ret)
{
    unsigned long long number;
    char *end;

    if (!isdigit((unsigned char)*text))
        return NULL;
    errno = 0;
    number = strtoull(text, &end, 10);
    if (errno != 0 || number > max)
        return NULL;
    if (has_units && (*end == 'K' || *end == 'M'))
        number *= *end++ == 'K' ? 1024 : 1024 * 1024;
    if (number > max || (*end && *end != ','))
        return NULL;
    *ret = (unsigned)number;
    return end;
}

static bool read_list(const char *text, bool has_units, unsigned min, unsigned max, List *ret)
{
    const char *p = text;

    do {
        if (ret->n == LIST_MAX)
            return false;
        p = read_number(p, has_units, max, &ret->values[ret->n]);
        if (!p || ret->values[ret->n++] < min)
            return false;
    } while (*p++ == ',');
    return true;
}

static ExitStatus read_verbs(Bench *bench, char **words, Failure *failure)
{
    for (size_t i = 0; words[i]; i++) {
        LoadVerb verb = load_verb_from_string(words[i]);

        if (verb == N_LOAD_VERBS)
            return failure_set(failure, STATUS_USAGE, NULL, "VERB is invoke, send or send-sync; '%s' is none of them",
                               words[i]);
        bench->verbs[verb] = true;
    }
    for (LoadVerb verb = 0; verb < N_LOAD_VERBS; verb++)
        bench->verbs[verb] |= !words[0];
    return STATUS_OK;
}

static const char *or_default(const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

static ExitStatus read_options(Bench *bench, const Options *options, char **operands, Failure *failure)
{
    const char *sizes = or_default(options->sizes, DEFAULT_SIZES);
    const char *concurrency = or_default(options->concurrency, DEFAULT_CONCURRENCY);
    ExitStatus status;

    if (!read_list(sizes, true, 0, SIZE_LIMIT, &bench->sizes))
        return failure_set(failure, STATUS_USAGE, NULL,
                           "--size takes up to %u numbers of bytes up to %u, such as 64,4K; '%s' is something else",
                           LIST_MAX, SIZE_LIMIT, sizes);
    if (!read_list(concurrency, false, 1, CONCURRENCY_MAX, &bench->concurrency))
        return failure_set(failure, STATUS_USAGE, NULL,
                           "--concurrency takes up to %u numbers from 1 to %u, such as 1,16; '%s' is something else",
                           LIST_MAX, CONCURRENCY_MAX, concurrency);
    status = options_read_seconds("--duration", or_default(options->duration, DEFAULT_DURATION), 0.001, DURATION_MAX,
                                  &bench->usec, failure);
    return status == STATUS_OK ? read_verbs(bench, operands, failure) : status;
}

/* ---- telling ---- */

static double usec_of(uint64_t nsec)
{
    return (double)nsec / 1000;
}

static double rate_of(const LoadResult *result)
{
    return result->nsec > 0 ? (double)result->latency.n * 1e9 / (double)result->nsec : 0;
}

static void print_titles(void)
{
    terminal_start(stdout, COLOUR_TITLE);
    printf("%-9s %9s %11s %9s %9s %9s %9s %9s %9s", "VERB", "SIZE", "CONCURRENCY", "COUNT", "RATE/S", "MIN US",
           "P50 US", "P99 US", "MAX US");
    terminal_end(stdout);
    putchar('\n');
}

static void print_row(const LoadPlan *plan, const LoadResult *result)
{
    const Histogram *latency = &result->latency;
    double rate = rate_of(result);

    printf("%-9s %9zu %11u %9ju %9.*f %9.1f %9.1f %9.1f %9.1f\n", load_verb_to_string(plan->verb), plan->size,
           plan->concurrency, (uintmax_t)latency->n, rate < 100, rate, usec_of(latency->min),
           usec_of(histogram_get_percentile(latency, 50)), usec_of(histogram_get_percentile(latency, 99)),
           usec_of(latency->max));
}

static json_t *row_to_json(const LoadPlan *plan, const LoadResult *result)
{
    const Histogram *latency = &result->latency;

    return json_pack("{s:s, s:I, s:i, s:I, s:f, s:f, s:f, s:f, s:f}", "verb", load_verb_to_string(plan->verb), "size",
                     (json_int_t)plan->size, "concurrency", (int)plan->concurrency, "count", (json_int_t)latency->n,
                     "rate", rate_of(result), "min_us", usec_of(latency->min), "p50_us",
                     usec_of(histogram_get_percentile(latency, 50)), "p99_us",
                     usec_of(histogram_get_percentile(latency, 99)), "max_us", usec_of(latency->max));
}

/* A line for a person comes as soon as it is known; for a machine there is one value at the end. */
static ExitStatus tell(Bench *bench, const LoadPlan *plan, const LoadResult *result)
{
    if (bench->rows)
        return json_array_append_new(bench->rows, row_to_json(plan, result)) < 0 ?
                   failure_out_of_memory(bench->load.failure) :
                   STATUS_OK;
    progress_clear(&bench->progress);
    if (bench->n_done == 0)
        print_titles();
    print_row(plan, result);
    return output_finish(bench->load.failure);
}

static ExitStatus print_rows(Bench *bench, Style style)
{
    return output_figures(stdout, bench->rows, style) < 0 ? failure_out_of_memory(bench->load.failure) : STATUS_OK;
}

/* ---- measuring ---- */

static void on_tick(double fraction, void *userdata)
{
    Bench *bench = userdata;
    char what[64];

    snprintf(what, sizeof(what), "%s, %zu bytes, %u at once", load_verb_to_string(bench->plan.verb),
             bench->plan.size, bench->plan.concurrency);
    progress_show(&bench->progress, ((double)bench->n_done + fraction) / (double)bench->n_plans, what);
}

static ExitStatus measure(Bench *bench, LoadVerb verb, unsigned size, unsigned concurrency)
{
    LoadResult result;
    ExitStatus status;

    bench->plan = (LoadPlan){ verb, size, concurrency, bench->usec };
    status = load_run(&bench->load, &bench->plan, &result, on_tick, bench);
    if (status == STATUS_OK)
        status = tell(bench, &bench->plan, &result);
    bench->n_done++;
    return status;
}

/* What blocks is one at a time, whatever was asked for. */
static size_t n_concurrencies(const Bench *bench, LoadVerb verb)
{
    return verb == LOAD_SEND_SYNC ? 1 : bench->concurrency.n;
}

static void count_plans(Bench *bench)
{
    for (LoadVerb verb = 0; verb < N_LOAD_VERBS; verb++)
        if (bench->verbs[verb])
            bench->n_plans += bench->sizes.n * n_concurrencies(bench, verb);
}

static ExitStatus measure_verb(Bench *bench, LoadVerb verb)
{
    size_t n = n_concurrencies(bench, verb);
    ExitStatus status = STATUS_OK;

    for (size_t i = 0; i < bench->sizes.n * n && status == STATUS_OK && !ferror(stdout); i++)
        status = measure(bench, verb, bench->sizes.values[i / n],
                         verb == LOAD_SEND_SYNC ? 1 : bench->concurrency.values[i % n]);
    return status;
}

static ExitStatus measure_all(Bench *bench)
{
    ExitStatus status = STATUS_OK;

    count_plans(bench);
    for (LoadVerb verb = 0; verb < N_LOAD_VERBS && status == STATUS_OK; verb++)
        if (bench->verbs[verb])
            status = measure_verb(bench, verb);
    return status;
}

ExitStatus bench_command(const Options *options, char **operands, Failure *failure)
{
    _cleanup_(bench_clear) Bench bench = { 0 };
    ExitStatus status;

    status = read_options(&bench, options, operands, failure);
    if (status != STATUS_OK)
        return status;
    if (options->style != STYLE_TEXT && !(bench.rows = json_array()))
        return failure_out_of_memory(failure);
    status = load_open(&bench.load, options, failure);
    if (status == STATUS_OK)
        status = measure_all(&bench);
    if (status == STATUS_OK && bench.rows)
        status = print_rows(&bench, options->style);
    return status;
}
