/* SPDX-License-Identifier: MIT */
#include "fixture-glib.h"

unsigned glib_n_polls;

/* Who would sleep for ever looks up when patience is over, and gives up in wait_step(). */
static int counting_poll(GPollFD *fds, guint n, int timeout)
{
    glib_n_polls++;
    return g_poll(fds, n, timeout < 0 ? (int)(patience() / 1000) : timeout);
}

Fixture *glib_fixture_new_with(const FixtureOptions *options)
{
    Fixture *f = fixture_new_with(options);

    f->context = g_main_context_new();
    g_main_context_set_poll_func(f->context, counting_poll);
    if (f->app)
        move_main(f);
    return f;
}

Fixture *glib_fixture_new(void)
{
    return glib_fixture_new_with(&(FixtureOptions){ 0 });
}

void move_main(Fixture *f)
{
    must(ipc_app_detach_event(f->app));
    must(ipc_app_attach_glib(f->app, f->context));
}

void move(Client *c)
{
    must(ipc_renderer_detach_event(c->renderer));
    must(ipc_renderer_attach_glib(c->renderer, c->fixture->context));
}

Client *glib_renderer_new(Fixture *f)
{
    Client *c = renderer_make(f);

    move(c);
    await_state(c, IPC_RENDERER_READY);
    return c;
}
