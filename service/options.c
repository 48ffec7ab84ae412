/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "ipc-names.h"
#include "log.h"
#include "macro.h"

enum {
    OPTION_USER = 0x100,
    OPTION_SYSTEM,
    OPTION_ADDRESS,
    OPTION_NAME,
    OPTION_MODULE,
    OPTION_POLICY,
    OPTION_EXIT_ON_IDLE,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    { "user", no_argument, NULL, OPTION_USER },
    { "system", no_argument, NULL, OPTION_SYSTEM },
    { "address", required_argument, NULL, OPTION_ADDRESS },
    { "name", required_argument, NULL, OPTION_NAME },
    { "module", required_argument, NULL, OPTION_MODULE },
    { "policy", required_argument, NULL, OPTION_POLICY },
    { "exit-on-idle", required_argument, NULL, OPTION_EXIT_ON_IDLE },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, OPTION_VERSION },
    { 0 },
};

static void print_help(void)
{
    puts("Usage: ipcbusd [OPTION]...\n"
         "Host the main process of an app on D-Bus, and the modules that are its code.\n"
         "\n"
         "  --user               serve on the bus of the user's session (the default)\n"
         "  --system             serve on the system bus\n"
         "  --address=ADDRESS    serve on the bus at this D-Bus address\n"
         "  --name=NAME          own this bus name (default: " IPC_MAIN_NAME ")\n"
         "  --module=MODULE      load a module: the name of an installed one, or a path with a\n"
         "                       '/' in it; may be given several times\n"
         "  --policy=FILE        who may do what, as JSON; SIGHUP reads it again\n"
         "  --exit-on-idle=SECONDS  leave after this time without renderers and calls\n"
         "  -h, --help           print this help and exit\n"
         "  --version            print the version and exit\n"
         "\n"
         "See ipcbusd(8).");
}

/* sd-bus takes unique names for names, too, and nobody can own the bus's. */
static bool name_is_ownable(const char *name)
{
    return name[0] != ':' && sd_bus_service_name_is_valid(name) > 0;
}

static int check(const Options *options)
{
    if (options->bus.kind == BUS_ADDRESS && !options->bus.where[0]) {
        log_error("--address wants a D-Bus address, such as unix:path=/run/user/1000/bus");
        return -EINVAL;
    }
    if (!name_is_ownable(options->name)) {
        log_error("--name wants a bus name with a dot in it, such as com.example.Notes; '%s' is none", options->name);
        return -EINVAL;
    }
    if (options->policy && !options->policy[0]) {
        log_error("--policy wants a file");
        return -EINVAL;
    }
    return 1;
}

static int take_module(Options *options, const char *module)
{
    if (!*module) {
        log_error("--module wants a name or a path");
        return -EINVAL;
    }
    options->modules[options->n_modules++] = module;
    return 1;
}

static int parse_exit_on_idle(Options *options, const char *value)
{
    bool is_plain = *value && value[strspn(value, "0123456789.")] == '\0'; /* strtod() takes signs and names */
    double seconds;
    char *end;

    if (strcmp(value, "infinity") == 0) {
        options->exit_on_idle_usec = 0;
        return 1;
    }
    seconds = strtod(value, &end);
    if (!is_plain || *end || seconds < 1e-6 || seconds > 1e12) {
        log_error("--exit-on-idle wants seconds over 0, such as 30 or 0.5, or infinity; '%s' is neither", value);
        return -EINVAL;
    }
    options->exit_on_idle_usec = (uint64_t)(seconds * 1e6);
    return 1;
}

static int take_option(Options *options, int option)
{
    switch (option) {
    case OPTION_USER:
        options->bus = (BusTarget){ BUS_USER, NULL };
        return 1;
    case OPTION_SYSTEM:
        options->bus = (BusTarget){ BUS_SYSTEM, NULL };
        return 1;
    case OPTION_ADDRESS:
        options->bus = (BusTarget){ BUS_ADDRESS, optarg };
        return 1;
    case OPTION_NAME:
        options->name = optarg;
        return 1;
    case OPTION_MODULE:
        return take_module(options, optarg);
    case OPTION_POLICY:
        options->policy = optarg;
        return 1;
    case OPTION_EXIT_ON_IDLE:
        return parse_exit_on_idle(options, optarg);
    case 'h':
        print_help();
        return 0;
    case OPTION_VERSION:
        puts("ipcbusd " PACKAGE_VERSION);
        return 0;
    default: /* getopt_long() has told what is wrong */
        return -EINVAL;
    }
}

int options_parse(Options *ret, int argc, char **argv)
{
    _cleanup_(options_clear) Options options = { .bus.kind = BUS_USER, .name = IPC_MAIN_NAME };
    int option, r;

    options.modules = calloc((size_t)argc + 1, sizeof(*options.modules)); /* never more than there are words */
    if (!options.modules)
        return log_oom();

    argv[0] = program_invocation_short_name; /* getopt_long() begins its messages with it */
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
        r = take_option(&options, option);
        if (r <= 0)
            return r;
    }
    if (optind < argc) {
        log_error("unexpected argument '%s': modules are named with --module=", argv[optind]);
        return -EINVAL;
    }
    r = check(&options);
    if (r < 0)
        return r;

    *ret = options;
    options.modules = NULL;
    return 1;
}

void options_clear(Options *options)
{
    free(options->modules);
    *options = (Options){ 0 };
}
