/* SPDX-License-Identifier: MIT */
#include "fixture-reader.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the process ---- */

static G_GNUC_NORETURN void run_child(Tale *tale, ReaderRun run, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    close_all_but(tale->wake_fd);
    run(tale);
    _exit(0);
}

static int on_wake(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    eventfd_t n;

    (void)source, (void)revents, (void)userdata;
    (void)eventfd_read(fd, &n);
    return 0;
}

Reader *reader_start(Fixture *f, ReaderRun run)
{
    Reader *reader = g_new0(Reader, 1);
    pid_t parent = getpid();

    reader->fixture = f;
    reader->tale = mmap(NULL, sizeof(Tale), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert_true(reader->tale != MAP_FAILED);
    g_strlcpy(reader->tale->address, f->bus->address, sizeof(reader->tale->address));
    reader->tale->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    must(sd_event_add_io(f->event, &reader->wake_source, reader->tale->wake_fd, EPOLLIN, on_wake, NULL));
    fflush(NULL);
    reader->pid = fork();
    g_assert_cmpint(reader->pid, >=, 0);
    if (reader->pid == 0)
        run_child(reader->tale, run, parent);
    g_ptr_array_add(f->readers, reader);
    return reader;
}

Reader *reader_new(Fixture *f, ReaderRun run)
{
    Reader *reader = reader_start(f, run);

    wait_until(f, reader->tale->id != 0);
    return reader;
}

void reader_free(Reader *reader)
{
    reader_kill(reader);
    sd_event_source_disable_unref(reader->wake_source);
    close(reader->tale->wake_fd);
    munmap(reader->tale, sizeof(Tale));
    g_free(reader);
}

ipc_web_contents *contents_of_reader(Reader *reader)
{
    ipc_web_contents *contents = ipc_web_contents_from_id(reader->fixture->app, reader->tale->id);

    g_assert_nonnull(contents);
    return contents;
}

void reader_stop(Reader *reader)
{
    int status;

    g_assert_cmpint(kill(reader->pid, SIGSTOP), ==, 0);
    g_assert_cmpint(waitpid(reader->pid, &status, WUNTRACED), ==, reader->pid);
    g_assert_true(WIFSTOPPED(status));
}

void reader_continue(Reader *reader)
{
    g_assert_cmpint(kill(reader->pid, SIGCONT), ==, 0);
}

void reader_kill(Reader *reader)
{
    if (reader->pid == 0)
        return;
    kill(reader->pid, SIGKILL);
    while (waitpid(reader->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    reader->pid = 0;
}

/* ---- what it tells ---- */

void tale_note_message(Tale *tale, const char *args)
{
    unsigned number;

    if (sscanf(args, "[%u", &number) != 1 || number != tale->n_messages)
        tale->is_disorder = true;
    tale_note(tale, &tale->n_messages);
}

void tale_note_id(Tale *tale, uint32_t id)
{
    tale->id = id;
    (void)eventfd_write(tale->wake_fd, 1);
}

void tale_note(Tale *tale, atomic_uint *counter)
{
    ++*counter;
    (void)eventfd_write(tale->wake_fd, 1);
}

/* ---- by sd-bus ---- */

sd_bus *reader_connect(const Tale *tale)
{
    Bus bus = { .address = (char *)tale->address };

    return bus_connect(&bus);
}

sd_bus_message *reader_new_call(sd_bus *bus, const char *member, const char *types, ...)
{
    sd_bus_message *message;
    va_list values;

    must(sd_bus_message_new_method_call(bus, &message, FIXTURE_NAME, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, member));
    va_start(values, types);
    must(sd_bus_message_appendv(message, types, values));
    va_end(values);
    return message;
}

void reader_register(Tale *tale, sd_bus *bus)
{
    sd_bus_message *call = reader_new_call(bus, "Register", "a{sv}", 0), *reply;
    uint32_t id;

    must(sd_bus_call(bus, call, (uint64_t)patience(), NULL, &reply));
    must(sd_bus_message_read(reply, "u", &id));
    sd_bus_message_unref(call);
    sd_bus_message_unref(reply);
    tale_note_id(tale, id);
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Tale *tale = userdata;
    const char *args;

    (void)error;
    if (sd_bus_message_is_signal(message, IPC_MAIN_INTERFACE, "Message") > 0) {
        must(sd_bus_message_read(message, "ss", NULL, &args));
        tale_note_message(tale, args);
    } else if (sd_bus_message_is_method_call(message, "org.freedesktop.DBus.Peer", "Ping") > 0) {
        tale_note(tale, &tale->n_pings);
    } else if (sd_bus_message_is_method_error(message, NULL) > 0) {
        tale_note(tale, &tale->n_errors);
    } else if (sd_bus_message_is_method_call(message, NULL, NULL) <= 0) {
        tale_note(tale, &tale->n_answers);
    }
    return 0;
}

void read_by_sd_bus(Tale *tale)
{
    sd_bus *bus = reader_connect(tale);

    must(sd_bus_add_filter(bus, NULL, on_message, tale));
    reader_register(tale, bus);
    for (;;)
        if (must(sd_bus_process(bus, NULL)) == 0)
            must(sd_bus_wait(bus, UINT64_MAX));
}
