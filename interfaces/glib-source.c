/* SPDX-License-Identifier: MIT */
#include "glib-source.h"

/*
 * A source without a callback: the callbacks are the object's own. GLib asks it before each sleep what to wait for, and
 * it asks the object. Nothing of that is said with g_source_set_ready_time() or g_source_modify_unix_fd(): they wake up
 * the loop that is about to sleep.
 *
 * Source and object know each other, and either may go first. Whoever leaves tells the other one once.
 */

/* Pieces of work in one go, before other sources of the loop have their turn. */
#define GLIB_SOURCE_BATCH 64

typedef struct GlibSource {
    GSource source;
    const GlibSourceOps *ops;
    void *object; /* NULL: it has left */
    GPollFD poll; /* of fd -1: not polled */
    uint64_t until;
} GlibSource;

static void source_set_fd(GlibSource *self, int fd)
{
    if (self->poll.fd == fd)
        return;
    if (self->poll.fd >= 0)
        g_source_remove_poll(&self->source, &self->poll);
    self->poll.fd = fd;
    if (fd >= 0)
        g_source_add_poll(&self->source, &self->poll);
}

/* In ms, rounded up: who wakes up too early spins. */
static int source_get_sleep(GlibSource *self)
{
    uint64_t now = (uint64_t)g_source_get_time(&self->source);

    if (self->until == UINT64_MAX)
        return -1;
    return self->until <= now ? 0 : (int)MIN((self->until - now + 999) / 1000, (uint64_t)G_MAXINT);
}

static gboolean source_prepare(GSource *source, int *timeout)
{
    GlibSource *self = (GlibSource *)source;
    const LoopOps *loop = &self->ops->loop;
    int fd, events;

    fd = loop->get_fd(self->object);
    events = loop->get_events(self->object);
    /* It is closed, and its socket with it; process() says so once it has run what is left. */
    if (fd < 0 || events < 0 || loop->get_timeout(self->object, &self->until) < 0) {
        fd = -1;
        events = 0;
        self->until = 0;
    }
    source_set_fd(self, fd);
    self->poll.events = (gushort)events;
    self->poll.revents = 0;
    *timeout = source_get_sleep(self);
    return *timeout == 0;
}

static gboolean source_check(GSource *source)
{
    GlibSource *self = (GlibSource *)source;

    return self->poll.revents != 0 || source_get_sleep(self) == 0;
}

static gboolean source_dispatch(GSource *source, GSourceFunc callback, gpointer userdata)
{
    GlibSource *self = (GlibSource *)source;
    int i, r = 1;

    (void)callback, (void)userdata;
    /* A callback may drop the object. GLib keeps the source until it has been dispatched. */
    for (i = 0; i < GLIB_SOURCE_BATCH && r > 0 && self->object; i++)
        r = self->ops->loop.process(self->object);
    if (r < 0 && self->object)
        (void)self->ops->detach(self->object);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = {
    .prepare = source_prepare,
    .check = source_check,
    .dispatch = source_dispatch,
};

/* The object leaves. */
static void on_detached(void *userdata)
{
    GlibSource *self = userdata;

    self->object = NULL;
    g_source_destroy(&self->source);
}

/* The source leaves: the object has, or the context goes. */
static void on_destroyed(gpointer userdata)
{
    GlibSource *self = userdata;

    if (self->object)
        (void)self->ops->detach(self->object);
}

int glib_source_attach(const GlibSourceOps *ops, void *object, GMainContext *context)
{
    g_autoptr(GMainContext) held = context ? g_main_context_ref(context) : g_main_context_ref_thread_default();
    g_autoptr(GSource) source = NULL;
    GlibSource *self;
    int r;

    source = g_source_new(&source_funcs, sizeof(GlibSource));
    g_source_set_name(source, ops->name);
    self = (GlibSource *)source;
    self->ops = ops;
    self->poll.fd = -1;
    r = ops->attach(object, on_detached, self);
    if (r < 0)
        return r;
    self->object = object;
    g_source_set_callback(source, NULL, self, on_destroyed);
    g_source_attach(source, held);
    return 0;
}
