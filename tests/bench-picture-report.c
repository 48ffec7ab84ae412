/* SPDX-License-Identifier: MIT */

/* How the picture is shown: as tables, as JSON, as a chart. */

#include <errno.h>
#include <jansson.h>

#include "bench-child.h"
#include "bench-picture.h"

/* ---- tables ---- */

static void print_value(const Series *series)
{
    Spread spread = series_get_spread(series);

    printf(" %10.*f +-%2.0f%%", spread.median < 100 ? 1 : 0, spread.median,
           50 * (spread.max - spread.min) / spread.median);
}

static void print_peers(const Picture *picture, const char *title, bool is_rate)
{
    printf("\n%-34s", title);
    for (unsigned i = 0; i < N_SIZES; i++)
        printf(" %10u B    ", picture_sizes[i]);
    putchar('\n');
    for (size_t i = 0; i < picture->n_peers; i++) {
        const Peer *peer = &picture->peers[i];

        printf("  %-32s", peer->label);
        for (unsigned size = 0; size < N_SIZES && !peer->missing; size++)
            print_value(is_rate ? &peer->rate[size] : &peer->latency[size]);
        printf("%s%s\n", peer->missing ? " missing: " : "", peer->missing ? peer->missing : "");
    }
}

static void print_line(const char *label, const Series *series, const char *unit)
{
    printf("  %-32s", label);
    print_value(series);
    printf("  %s\n", unit);
}

void picture_print(const Picture *picture)
{
    char label[64];

    printf("%s, %s, all on CPU %u, medians of %u rounds and half of their spread\n", picture->machine, picture->date,
           picture->cpu, picture->n_rounds);
    print_peers(picture, "There and back, us", false);
    print_peers(picture, "One way, messages a second", true);
    printf("\nipcbusd\n");
    for (unsigned i = 0; i < N_CROWDS; i++) {
        snprintf(label, sizeof(label), "broadcast to %u renderers", picture_crowds[i]);
        print_line(label, &picture->fanout[i], "us until the last one has it");
    }
    print_line("cold activation", &picture->cold, "ms from the call to its answer");
    print_line("the same of a bare sd-bus service", &picture->cold_bare, "ms");
    printf("  %-32s %10.2f       KiB\n", "memory for each renderer", picture->bytes_per_renderer / 1024);
}

/* ---- JSON ---- */

static json_t *spread_to_json(const Series *series)
{
    Spread spread = series_get_spread(series);

    return json_pack("{s:f, s:f, s:f}", "median", spread.median, "min", spread.min, "max", spread.max);
}

static json_t *peer_to_json(const Peer *peer)
{
    json_t *json = json_pack("{s:s, s:s}", "key", peer->key, "label", peer->label), *sizes = json_array();

    if (peer->missing)
        json_object_set_new(json, "missing", json_string(peer->missing));
    for (unsigned i = 0; i < N_SIZES && !peer->missing; i++)
        json_array_append_new(sizes, json_pack("{s:i, s:o, s:o}", "size", (int)picture_sizes[i], "latency_us",
                                               spread_to_json(&peer->latency[i]), "rate",
                                               spread_to_json(&peer->rate[i])));
    json_object_set_new(json, "sizes", sizes);
    return json;
}

static json_t *picture_to_json(const Picture *picture)
{
    json_t *peers = json_array(), *fanout = json_array();

    for (size_t i = 0; i < picture->n_peers; i++)
        json_array_append_new(peers, peer_to_json(&picture->peers[i]));
    for (unsigned i = 0; i < N_CROWDS; i++)
        json_array_append_new(fanout, json_pack("{s:i, s:o}", "renderers", (int)picture_crowds[i], "us",
                                                spread_to_json(&picture->fanout[i])));
    return json_pack("{s:s, s:s, s:i, s:i, s:o, s:o, s:{s:o, s:o}, s:f}", "machine", picture->machine, "date",
                     picture->date, "cpu", (int)picture->cpu, "rounds", (int)picture->n_rounds, "peers", peers,
                     "fan_out", fanout, "cold_activation_ms", "ipcbus", spread_to_json(&picture->cold), "sd_bus",
                     spread_to_json(&picture->cold_bare), "bytes_per_renderer", picture->bytes_per_renderer);
}

int picture_write_json(const Picture *picture, const char *path)
{
    json_t *json = picture_to_json(picture);
    int r;

    r = json ? json_dump_file(json, path, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) : -1;
    json_decref(json);
    return r < 0 ? -EIO : 0;
}

/* ---- chart ---- */

static void plot_data(FILE *plot, const Picture *picture)
{
    for (size_t i = 0; i < picture->n_peers; i++) {
        const Peer *peer = &picture->peers[i];

        if (peer->missing)
            continue;
        fprintf(plot, "$peer%zu << EOD\n", i);
        for (unsigned size = 0; size < N_SIZES; size++) {
            Spread latency = series_get_spread(&peer->latency[size]), rate = series_get_spread(&peer->rate[size]);

            fprintf(plot, "%u %g %g %g %g %g %g\n", picture_sizes[size], latency.median, latency.min, latency.max,
                    rate.median, rate.min, rate.max);
        }
        fprintf(plot, "EOD\n");
    }
}

/* column: of the median, before those of the least and the greatest. */
static void plot_peers(FILE *plot, const Picture *picture, const char *title, const char *axis, unsigned column)
{
    const char *separator = "plot";

    fprintf(plot, "set title '%s'\nset ylabel '%s'\n", title, axis);
    for (size_t i = 0; i < picture->n_peers; i++) {
        if (picture->peers[i].missing)
            continue;
        fprintf(plot, "%s $peer%zu using 1:%u:%u:%u with yerrorlines lw 2 pt 7 ps 0.5 title '%s'", separator, i, column,
                column + 1, column + 2, picture->peers[i].label);
        separator = ",";
    }
    fprintf(plot, "\n");
}

int picture_draw(const Picture *picture, const char *path)
{
    FILE *plot;

    if (!child_program_exists("gnuplot"))
        return -ENOENT;
    plot = popen("gnuplot", "we");
    if (!plot)
        return -errno;
    fprintf(plot, "set terminal svg noenhanced size 1100,520 dynamic background '#ffffff' font 'sans,12'\n");
    fprintf(plot, "set output '%s'\n", path);
    plot_data(plot, picture);
    fprintf(plot, "set multiplot layout 1,2 title '%s, %s'\n", picture->machine, picture->date);
    fprintf(plot, "set logscale xy\nset format y '%%.0s%%c'\nset xlabel 'bytes'\nset grid\n");
    fprintf(plot, "set xtics ('64' 64, '4 Ki' 4096, '64 Ki' 65536, '1 Mi' 1048576)\nset xrange [32:2097152]\n");
    fprintf(plot, "set key top left\n");
    plot_peers(plot, picture, "There and back", "microseconds", 2);
    fprintf(plot, "set key bottom left\n");
    plot_peers(plot, picture, "One way", "messages a second", 5);
    return pclose(plot) == 0 ? 0 : -EIO;
}
