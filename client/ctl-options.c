/* SPDX-License-Identifier: MIT */
#include "ctl-options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "ipc-names.h"
#include "macro.h"

enum {
    WORD = 1, /* what getopt_long() calls a word that is no option */
    OPTION_USER = 0x100,
    OPTION_SYSTEM,
    OPTION_ADDRESS,
    OPTION_NAME,
    OPTION_JSON,
    OPTION_TIMEOUT,
    OPTION_AUTO_START,
    OPTION_LANE,
    OPTION_SIZE,
    OPTION_CONCURRENCY,
    OPTION_DURATION,
    OPTION_INTERVAL,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    { "user", no_argument, NULL, OPTION_USER },
    { "system", no_argument, NULL, OPTION_SYSTEM },
    { "address", required_argument, NULL, OPTION_ADDRESS },
    { "host", required_argument, NULL, 'H' },
    { "machine", required_argument, NULL, 'M' },
    { "name", required_argument, NULL, OPTION_NAME },
    { "json", required_argument, NULL, OPTION_JSON },
    { "timeout", required_argument, NULL, OPTION_TIMEOUT },
    { "auto-start", required_argument, NULL, OPTION_AUTO_START },
    { "lane", no_argument, NULL, OPTION_LANE },
    { "size", required_argument, NULL, OPTION_SIZE },
    { "concurrency", required_argument, NULL, OPTION_CONCURRENCY },
    { "duration", required_argument, NULL, OPTION_DURATION },
    { "interval", required_argument, NULL, OPTION_INTERVAL },
    { "iterations", required_argument, NULL, 'n' },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, OPTION_VERSION },
    { 0 },
};

void options_print_help(const char *own)
{
    printf("Options:\n%s", own ? own : "");
    puts("      --user             talk on the bus of your session (the default)\n"
         "      --system           talk on the system bus\n"
         "      --address=ADDRESS  talk on the bus at a D-Bus address\n"
         "  -H, --host=[USER@]HOST talk on the system bus of another machine, through ssh\n"
         "  -M, --machine=[USER@]MACHINE\n"
         "                         talk on the system bus of a local container or, with\n"
         "                         USER, on that user's bus in it\n"
         "      --name=NAME        the bus name of the app (default: " IPC_MAIN_NAME ")\n"
         "      --json=MODE        short (one line), pretty (indented) or off\n"
         "      --timeout=SECONDS  how long to wait for answers: 25 by default, 0 or\n"
         "                         infinity for ever, fractions such as 0.5 are welcome\n"
         "      --auto-start=BOOL  whether the bus may start the app: yes (the default) or no\n"
         "      --lane             send and listen by a private socket, a lane, as a renderer\n"
         "  -h, --help             print this help, or that of a command, and exit\n"
         "      --version          print the version and exit\n"
         "\n"
         "Options may stand anywhere. After -- every word is an operand; one such as -5 is\n"
         "an operand anywhere.");
}

/* So that numbers need no care: no option begins with a digit. */
static bool is_negative_number(const char *word)
{
    return word && word[0] == '-' && isdigit((unsigned char)word[1]);
}

static ExitStatus parse_style(const char *value, Style *ret, Failure *failure)
{
    if (strcmp(value, "short") == 0)
        *ret = STYLE_SHORT;
    else if (strcmp(value, "pretty") == 0)
        *ret = STYLE_PRETTY;
    else if (strcmp(value, "off") == 0)
        *ret = STYLE_TEXT;
    else
        return failure_set(failure, STATUS_USAGE, NULL, "--json takes short, pretty or off; '%s' is none of them",
                           value);
    return STATUS_OK;
}

static ExitStatus parse_timeout(const char *value, uint64_t *ret_usec, Failure *failure)
{
    bool is_plain = value[strspn(value, "0123456789.")] == '\0'; /* strtod() takes signs, names and hexadecimal */
    double seconds;
    char *end;

    if (strcmp(value, "infinity") == 0) {
        *ret_usec = UINT64_MAX;
        return STATUS_OK;
    }
    seconds = strtod(value, &end);
    if (!is_plain || end == value || *end)
        return failure_set(failure, STATUS_USAGE, NULL,
                           "--timeout takes seconds, such as 0.5, or infinity; '%s' is neither", value);
    if (seconds == 0 || seconds > 1e12)
        *ret_usec = UINT64_MAX;
    else
        *ret_usec = seconds < 1e-6 ? 1 : (uint64_t)(seconds * 1e6);
    return STATUS_OK;
}

static ExitStatus parse_auto_start(const char *value, bool *ret_no, Failure *failure)
{
    bool is_no = strcmp(value, "no") == 0;

    if (!is_no && strcmp(value, "yes") != 0)
        return failure_set(failure, STATUS_USAGE, NULL, "--auto-start takes yes or no; '%s' is neither", value);
    *ret_no = is_no;
    return STATUS_OK;
}

static ExitStatus parse_name(const char *value, const char **ret_name, Failure *failure)
{
    /* sd-bus takes unique names for names, too. */
    if (value[0] == ':' || sd_bus_service_name_is_valid(value) <= 0)
        return failure_set(failure, STATUS_USAGE, NULL,
                           "--name takes a bus name with a dot in it, such as com.example.Notes; '%s' is none", value);
    *ret_name = value;
    return STATUS_OK;
}

static ExitStatus parse_target(const char *option, BusKind kind, BusTarget *ret, Failure *failure)
{
    if (!*optarg)
        return failure_set(failure, STATUS_USAGE, NULL, "%s must not be empty", option);
    *ret = (BusTarget){ kind, optarg };
    return STATUS_OK;
}

/* A long option is the word that getopt_long() has just left; of a short one it tells the letter. */
static ExitStatus refuse(int reason, char *const *argv, Failure *failure)
{
    const char *word = argv[optind - 1];

    if (reason == ':')
        return failure_set(failure, STATUS_USAGE, NULL, "Option '%s' needs a value", word);
    if (optopt >= OPTION_USER || optopt == 'h')
        return failure_set(failure, STATUS_USAGE, NULL, "Option '%s' takes no value", word);
    if (optopt > 0)
        return failure_set(failure, STATUS_USAGE, NULL, "Unknown option '-%c'; for an operand, put -- before it",
                           optopt);
    return failure_set(failure, STATUS_USAGE, NULL, "Unknown option '%s'; for an operand, put -- before it", word);
}

static ExitStatus take_option(Options *options, int option, char *const *argv, Failure *failure)
{
    switch (option) {
    case OPTION_USER:
        options->bus = (BusTarget){ BUS_USER, NULL };
        return STATUS_OK;
    case OPTION_SYSTEM:
        options->bus = (BusTarget){ BUS_SYSTEM, NULL };
        return STATUS_OK;
    case OPTION_ADDRESS:
        return parse_target("--address", BUS_ADDRESS, &options->bus, failure);
    case 'H':
        return parse_target("--host", BUS_HOST, &options->bus, failure);
    case 'M':
        return parse_target("--machine", BUS_MACHINE, &options->bus, failure);
    case OPTION_NAME:
        return parse_name(optarg, &options->name, failure);
    case OPTION_JSON:
        options->is_style_given = true;
        return parse_style(optarg, &options->style, failure);
    case OPTION_TIMEOUT:
        return parse_timeout(optarg, &options->timeout_usec, failure);
    case OPTION_AUTO_START:
        return parse_auto_start(optarg, &options->no_auto_start, failure);
    case OPTION_LANE:
        options->by_lane = true;
        return STATUS_OK;
    case OPTION_SIZE:
        options->sizes = optarg;
        return STATUS_OK;
    case OPTION_CONCURRENCY:
        options->concurrency = optarg;
        return STATUS_OK;
    case OPTION_DURATION:
        options->duration = optarg;
        return STATUS_OK;
    case OPTION_INTERVAL:
        options->interval = optarg;
        return STATUS_OK;
    case 'n':
        options->iterations = optarg;
        return STATUS_OK;
    case 'h':
        options->help = true;
        return STATUS_OK;
    case OPTION_VERSION:
        options->version = true;
        return STATUS_OK;
    default:
        return refuse(option, argv, failure);
    }
}

/* The "-" has getopt_long() answer the words in their order, the ":" leaves what is wrong for us to say. */
static int next_option(int argc, char **argv)
{
    if (optind < argc && is_negative_number(argv[optind])) {
        optarg = argv[optind++];
        return WORD;
    }
    return getopt_long(argc, argv, "-:hH:M:n:", long_options, NULL);
}

ExitStatus options_refuse_lane(const Options *options, const char *command, Failure *failure)
{
    return options->by_lane ? failure_set(failure, STATUS_USAGE, NULL,
                                          "%s: --lane is for commands that send or listen", command) :
                              STATUS_OK;
}

ExitStatus options_refuse_of_others(const Options *options, const char *command, Failure *failure)
{
    const struct {
        const char *option;
        const char *command;
        const char *value;
    } table[] = {
        { "--size", "bench", options->sizes },
        { "--concurrency", "bench", options->concurrency },
        { "--duration", "bench", options->duration },
        { "--interval", "top", options->interval },
        { "--iterations", "top", options->iterations },
    };

    for (size_t i = 0; i < ELEMENTSOF(table); i++)
        if (table[i].value && strcmp(table[i].command, command) != 0)
            return failure_set(failure, STATUS_USAGE, NULL, "%s: %s is an option of %s", command, table[i].option,
                               table[i].command);
    return STATUS_OK;
}

ExitStatus options_read_seconds(const char *option, const char *text, double min, double max, uint64_t *ret_usec,
                                Failure *failure)
{
    bool is_plain = text[strspn(text, "0123456789.")] == '\0'; /* strtod() takes signs, names and hexadecimal */
    double seconds;
    char *end;

    seconds = strtod(text, &end);
    if (!is_plain || end == text || *end || seconds < min || seconds > max)
        return failure_set(failure, STATUS_USAGE, NULL, "%s takes seconds, from %g to %g; '%s' is none", option, min,
                           max, text);
    *ret_usec = (uint64_t)(seconds * 1e6);
    return STATUS_OK;
}

/* It would be a socket of the other machine. */
static ExitStatus check_lane(const Options *options, Failure *failure)
{
    if (options->by_lane && options->bus.kind == BUS_HOST)
        return failure_set(failure, STATUS_USAGE, NULL,
                           "--lane needs a bus of this machine: a socket does not go through ssh");
    return STATUS_OK;
}

ExitStatus options_parse(Options *ret, int argc, char **argv, Failure *failure)
{
    Options options = {
        .bus.kind = BUS_USER,
        .name = IPC_MAIN_NAME,
        .style = STYLE_TEXT,
        .timeout_usec = IPC_TIMEOUT_USEC,
        .words = argv + (argc > 0),
    };
    ExitStatus status = STATUS_OK;
    int option, n_words = 0;

    /* The words gather at the front of argv, where everything has been read. */
    opterr = 0;
    while (status == STATUS_OK && (option = next_option(argc, argv)) >= 0) {
        if (option == WORD)
            options.words[n_words++] = optarg;
        else
            status = take_option(&options, option, argv, failure);
    }
    if (status != STATUS_OK)
        return status;

    while (optind < argc)
        options.words[n_words++] = argv[optind++];
    options.words[n_words] = NULL;
    *ret = options;
    return check_lane(&options, failure);
}
