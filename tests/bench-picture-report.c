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
           50 * (spread.high - spread.low) / spread.median);
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

static void print_fanout(const Series fanout[N_CROWDS], const char *where)
{
    char label[64];

    for (unsigned i = 0; i < N_CROWDS; i++) {
        snprintf(label, sizeof(label), "broadcast to %u %s", picture_crowds[i], where);
        print_line(label, &fanout[i], "us until the last one has it");
    }
}

void picture_print(const Picture *picture)
{
    printf("%s, %s, all on CPU %u, medians of %u rounds, and how far the middle half of them is spread\n", picture->machine, picture->date,
           picture->cpu, picture->n_rounds);
    print_peers(picture, "There and back, us", false);
    print_peers(picture, "One way, messages a second", true);
    printf("\nipcbusd\n");
    print_fanout(picture->fanout, "renderers");
    print_fanout(picture->fanout_lanes, "by lanes");
    print_line("cold activation", &picture->cold, "ms from the call to its answer");
    print_line("the same of a bare sd-bus service", &picture->cold_bare, "ms");
    printf("  %-32s %10.2f       KiB\n", "memory for each renderer", picture->bytes_per_renderer / 1024);
    printf("  %-32s %10.2f       KiB\n", "the same with a lane", picture->bytes_per_lane / 1024);
}

/* ---- JSON ---- */

static json_t *spread_to_json(const Series *series)
{
    Spread spread = series_get_spread(series);

    return json_pack("{s:f, s:f, s:f, s:f, s:f}", "median", spread.median, "min", spread.min, "low", spread.low, "high",
                     spread.high, "max", spread.max);
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

static json_t *fanout_to_json(const Series fanout[N_CROWDS])
{
    json_t *json = json_array();

    for (unsigned i = 0; i < N_CROWDS; i++)
        json_array_append_new(json, json_pack("{s:i, s:o}", "renderers", (int)picture_crowds[i], "us",
                                              spread_to_json(&fanout[i])));
    return json;
}

static json_t *picture_to_json(const Picture *picture)
{
    json_t *peers = json_array();

    for (size_t i = 0; i < picture->n_peers; i++)
        json_array_append_new(peers, peer_to_json(&picture->peers[i]));
    return json_pack("{s:s, s:s, s:i, s:i, s:o, s:o, s:o, s:{s:o, s:o}, s:f, s:f}", "machine", picture->machine, "date",
                     picture->date, "cpu", (int)picture->cpu, "rounds", (int)picture->n_rounds, "peers", peers,
                     "fan_out", fanout_to_json(picture->fanout), "fan_out_lanes",
                     fanout_to_json(picture->fanout_lanes), "cold_activation_ms", "ipcbus",
                     spread_to_json(&picture->cold), "sd_bus", spread_to_json(&picture->cold_bare),
                     "bytes_per_renderer", picture->bytes_per_renderer, "bytes_per_lane", picture->bytes_per_lane);
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

            fprintf(plot, "%u %g %g %g %g %g %g\n", picture_sizes[size], latency.median, latency.low, latency.high,
                    rate.median, rate.low, rate.high);
        }
        fprintf(plot, "EOD\n");
    }
}

static void plot_fanout_data(FILE *plot, const char *name, const Series fanout[N_CROWDS])
{
    fprintf(plot, "$%s << EOD\n", name);
    for (unsigned i = 0; i < N_CROWDS; i++) {
        Spread spread = series_get_spread(&fanout[i]);

        fprintf(plot, "%u %g %g %g\n", picture_crowds[i], spread.median, spread.low, spread.high);
    }
    fprintf(plot, "EOD\n");
}

/* column: of the median, before the ends of the middle half. */
static void plot_peers(FILE *plot, const Picture *picture, const char *title, const char *axis, unsigned column)
{
    const char *separator = "plot";

    fprintf(plot, "set title '%s'\nset ylabel '%s'\n", title, axis);
    for (size_t i = 0; i < picture->n_peers; i++) {
        if (picture->peers[i].missing)
            continue;
        fprintf(plot, "%s $peer%zu using 1:%u:%u:%u with yerrorlines %s pt 7 ps 0.4", separator, i, column, column + 1,
                column + 2, picture->peers[i].style);
        separator = ",";
    }
    fprintf(plot, "\n");
}

static void plot_fanout(FILE *plot)
{
    fprintf(plot, "set title 'Broadcast, until the last one has it'\nset ylabel 'microseconds'\n");
    fprintf(plot, "set xlabel 'renderers'\nset xrange [0.7:1400]\nset xtics (1, 10, 100, 1000)\n");
    fprintf(plot, "plot $bus using 1:2:3:4 with yerrorlines " STYLE_BUS " pt 7 ps 0.4, "
                  "$lanes using 1:2:3:4 with yerrorlines " STYLE_LANE " pt 7 ps 0.4\n");
}

/* One for all, across the whole width. */
static void plot_key(FILE *plot, const Picture *picture)
{
    const char *separator = "plot";

    fprintf(plot, "unset title\nunset ylabel\nunset xlabel\nunset tics\nunset border\nunset logscale\nunset grid\n");
    fprintf(plot, "unset tmargin\nunset bmargin\nset origin 0,0\nset size 1,0.24\nset xrange [0:1]\nset yrange [0:1]\n");
    fprintf(plot, "set key center center vertical maxrows 4 samplen 4 Left reverse\n");
    for (size_t i = 0; i < picture->n_peers; i++) {
        const Peer *peer = &picture->peers[i];

        if (!peer->missing)
            fprintf(plot, "%s NaN with linespoints %s pt 7 ps 0.4 title '%s'", separator, peer->style, peer->label);
        else
            fprintf(plot, "%s NaN with points pt -1 title '%s: missing'", separator, peer->label);
        separator = ",";
    }
    fprintf(plot, "\n");
}

static void plot_all(FILE *plot, const Picture *picture, const char *path)
{
    fprintf(plot, "set terminal svg noenhanced size 1200,600 dynamic background '#ffffff' font 'sans,12'\n");
    fprintf(plot, "set output '%s'\n", path);
    plot_data(plot, picture);
    plot_fanout_data(plot, "bus", picture->fanout);
    plot_fanout_data(plot, "lanes", picture->fanout_lanes);
    fprintf(plot, "set multiplot layout 1,3 title '%s, one CPU, %s'\n", picture->machine, picture->date);
    fprintf(plot, "set tmargin at screen 0.87\nset bmargin at screen 0.36\nset lmargin 10\nset rmargin 2\n");
    fprintf(plot, "set logscale xy\nset format y '%%.0s%%c'\nset grid\nunset key\n");
    fprintf(plot, "set xlabel 'bytes of the argument'\nset xrange [32:2097152]\n");
    fprintf(plot, "set xtics ('64' 64, '4 Ki' 4096, '64 Ki' 65536, '1 Mi' 1048576)\n");
    plot_peers(plot, picture, "There and back", "microseconds", 2);
    plot_peers(plot, picture, "One way", "messages a second", 5);
    plot_fanout(plot);
    plot_key(plot, picture);
}

int picture_draw(const Picture *picture, const char *path)
{
    FILE *plot;

    if (!child_program_exists("gnuplot"))
        return -ENOENT;
    plot = popen("gnuplot", "we");
    if (!plot)
        return -errno;
    plot_all(plot, picture, path);
    return pclose(plot) == 0 ? 0 : -EIO;
}
