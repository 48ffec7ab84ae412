/* SPDX-License-Identifier: MIT */

/*
 * The daemon: an app on a bus that has no code of its own but its modules, as Electron runs main.js.
 *
 * The name is taken last. Who finds the app on the bus finds it complete, and a start that fails leaves nothing behind.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bus-open.h"
#include "ipc-main.h"
#include "log.h"
#include "macro.h"
#include "manager.h"
#include "module.h"
#include "options.h"
#include "reload.h"

#define EXIT_USAGE 2

static int open_bus(const BusTarget *target, sd_bus **ret_bus)
{
    _cleanup_free_ char *tried = NULL;
    int r;

    r = bus_open(target, ret_bus, &tried);
    if (r < 0)
        log_errno(LOG_ERR, r, "Failed to open the bus%s%s", tried ? " at " : "", tried ? tried : "");
    return r;
}

static void on_notice(int priority, const char *message, const char *channel, uint32_t renderer_id, void *userdata)
{
    log_about(priority, channel, renderer_id, message);
}

static int load_modules(ipc_app *app, const Options *options)
{
    int r;

    for (size_t i = 0; i < options->n_modules; i++) {
        r = module_load(app, options->modules[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

static int take_name(ipc_app *app)
{
    const char *name = ipc_app_get_name(app);
    int r;

    r = ipc_app_start(app);
    if (r == -EEXIST)
        log_error("The name %s is taken: another service owns it", name);
    else if (r == -EACCES)
        log_error("This bus does not allow us to own the name %s", name);
    else if (r < 0)
        log_errno(LOG_ERR, r, "Failed to own the name %s", name);
    return r;
}

static int serve(ipc_app *app)
{
    _cleanup_(manager_stop) Manager manager = { 0 };
    int r;

    r = manager_start(&manager, app);
    if (r < 0) {
        log_errno(LOG_ERR, r, "Failed to set up what the service manager is told");
        return r;
    }
    r = ipc_app_run(app);
    if (r == -ENOTCONN)
        log_error("The bus went away");
    else if (r == -ETIMEDOUT)
        log_error("The bus did not take all that was accepted for it before the time to stop was over");
    else if (r < 0)
        log_errno(LOG_ERR, r, "Failed to serve");
    return r;
}

static int start_and_serve(ipc_app *app, const Options *options)
{
    Reload reload = { .app = app, .path = options->policy };
    int r;

    r = reload_begin(&reload);
    if (r >= 0)
        r = load_modules(app, options);
    if (r >= 0)
        r = reload_on_hangup(&reload);
    if (r >= 0)
        r = take_name(app);
    if (r >= 0 && options->n_modules == 0)
        log_line(LOG_NOTICE, "No module is loaded: whoever calls finds no handler here (see --module)");
    return r < 0 ? r : serve(app);
}

static int run(const Options *options)
{
    _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
    _cleanup_(ipc_app_unrefp) ipc_app *app = NULL;
    int r;

    r = open_bus(&options->bus, &bus);
    if (r < 0)
        return r;
    r = ipc_app_new(&app, bus, options->name);
    if (r >= 0)
        r = ipc_app_on_notice(app, NULL, on_notice, NULL);
    if (r >= 0)
        r = ipc_app_set_exit_on_idle(app, options->exit_on_idle_usec);
    if (r < 0) {
        log_errno(LOG_ERR, r, "Failed to make the app %s", options->name);
        return r;
    }

    r = start_and_serve(app, options);
    /* However it ended, the modules are told that the app is closed, and free what is theirs. */
    ipc_app_stop(app, 0);
    return r;
}

/*
 * SIGTERM, SIGINT and SIGHUP are blocked before the name is taken, so that from the first call on they stop the app in
 * good order, or make it read its policy again; ipc_app_run() reads them. What is ignored would end a service that
 * works: a log that goes away, or a file-size limit, which is for the module to report.
 */
static void set_up_signals(void)
{
    static const int ignored[] = { SIGPIPE, SIGXFSZ };
    sigset_t blocked;

    for (size_t i = 0; i < ELEMENTSOF(ignored); i++)
        signal(ignored[i], SIG_IGN);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGHUP);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
}

/* Each lane, port and file takes one; the limit that most processes start with is for those that use select(2). */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Where a standard stream is closed, the next file of ours would be it, and get the log. */
static int fill_standard_streams(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
        if (fd < 0)
            return -errno;
    } while (fd <= STDERR_FILENO);
    close(fd);
    return 0;
}

int main(int argc, char **argv)
{
    _cleanup_(options_clear) Options options = { 0 };
    int r;

    r = fill_standard_streams();
    if (r < 0)
        return EXIT_FAILURE;
    r = options_parse(&options, argc, argv);
    if (r == 0)
        return EXIT_SUCCESS;
    if (r < 0)
        return r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;

    set_up_signals();
    raise_file_limit();
    return run(&options) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
