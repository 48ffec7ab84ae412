/* SPDX-License-Identifier: MIT */
#include "faults-window.h"

/*
 * Ports of the fault harness. A renderer makes a pair and gives one end to main, which gives it to some renderer. That
 * one hears the numbers that are posted and sends them back. Who has posted all closes at once, if the socket holds it
 * all, or when all has come back; who hears the end has heard everything before.
 */

#define MADE_MAX 3u
#define AT_ONCE_MAX 100 /* messages that a socket surely holds */
#define MANY_MAX 600    /* more than it holds */

/* The end that stays. */
typedef struct Made {
    Window *window;
    ipc_port *port;
    Passage *passage;
    unsigned n_to_post;
    unsigned n_back;
    bool is_to_wait; /* until all has come back */
} Made;

/* The end that came. */
typedef struct Held {
    Window *window;
    ipc_port *port;
    Passage *passage;
    unsigned next;
} Held;

static void made_free(gpointer data)
{
    Made *made = data;

    ipc_port_unref(made->port);
    g_free(made);
}

static void held_free(gpointer data)
{
    Held *held = data;

    ipc_port_unref(held->port);
    g_free(held);
}

/* ---- the end that stays ---- */

static void on_back(ipc_port *port, ipc_event *event, json_t *message, void *userdata)
{
    Made *made = userdata;

    (void)port, (void)event;
    faults_check(made->window->shared, json_integer_value(message) == made->n_back);
    made->n_back++;
    made->window->shared->n_returned++;
}

/* Who held the other end is gone, or main has dropped it. */
static void on_made_closed(ipc_port *port, void *userdata)
{
    Made *made = userdata;

    (void)port;
    g_ptr_array_remove(made->window->made, made);
}

static void give_away(Window *w)
{
    unsigned number = w->shared->n_passages++;
    ipc_port *one, *other;
    Made *made;

    if (number >= PORTS_MAX)
        return;
    must(ipc_port_new_pair(&one, &other));
    if (ipc_renderer_post_messagef(w->renderer, "port", &(ipc_transfer){ .ports = &other, .n_ports = 1 }, "i",
                                   number) < 0) {
        ipc_port_unref(one);
        ipc_port_unref(other);
        return;
    }
    ipc_port_unref(other);
    made = g_new0(Made, 1);
    *made = (Made){ .window = w, .port = one, .passage = &w->shared->passages[number] };
    made->is_to_wait = has_chance(w, 50);
    made->n_to_post = (unsigned)g_rand_int_range(w->rand, 1, made->is_to_wait ? MANY_MAX : AT_ONCE_MAX);
    g_ptr_array_add(w->made, made);
    must(ipc_port_on_message(one, NULL, on_back, made));
    must(ipc_port_on_close(one, NULL, on_made_closed, made));
    must(ipc_renderer_attach_port(w->renderer, one));
    must(ipc_port_start(one));
}

/* Whether it goes on. */
static bool post_some(Made *made)
{
    int n = g_rand_int_range(made->window->rand, 0, 50);

    for (; n > 0 && made->passage->n_posted < made->n_to_post; n--) {
        if (ipc_port_post_messagef(made->port, NULL, "i", made->passage->n_posted) < 0)
            return true;
        made->passage->n_posted++;
    }
    if (made->passage->n_posted < made->n_to_post || (made->is_to_wait && made->n_back < made->n_to_post))
        return true;
    made->passage->is_closed_well = true;
    return false;
}

void ports_act(Window *w)
{
    unsigned i;

    if (w->made->len < MADE_MAX && has_chance(w, 5))
        give_away(w);
    for (i = w->made->len; i > 0; i--)
        if (!post_some(w->made->pdata[i - 1]))
            g_ptr_array_remove_index(w->made, i - 1);
}

/* ---- the end that came ---- */

static void on_passed(ipc_port *port, ipc_event *event, json_t *message, void *userdata)
{
    Held *held = userdata;

    (void)event;
    faults_check(held->window->shared, json_integer_value(message) == held->next);
    held->next++;
    held->window->shared->n_passed++;
    (void)ipc_port_post_message(port, message, NULL);
}

static void on_held_closed(ipc_port *port, void *userdata)
{
    Held *held = userdata;
    Window *w = held->window;

    (void)port;
    if (held->passage->is_closed_well) {
        faults_check(w->shared, held->next == held->passage->n_posted);
        w->shared->n_passages_whole++;
    }
    g_ptr_array_remove(w->held, held);
}

static void on_port(ipc_event *event, json_t *args, void *userdata)
{
    Window *w = userdata;
    ipc_port *const *ports;
    Held *held;
    size_t n;

    ports = ipc_event_get_ports(event, &n);
    faults_check(w->shared, n == 1 && faults_number(args, 0) < PORTS_MAX);
    held = g_new0(Held, 1);
    *held = (Held){ .window = w, .port = ipc_port_ref(ports[0]), .passage = &w->shared->passages[faults_number(args, 0)] };
    g_ptr_array_add(w->held, held);
    must(ipc_port_on_message(held->port, NULL, on_passed, held));
    must(ipc_port_on_close(held->port, NULL, on_held_closed, held));
    must(ipc_port_start(held->port));
    /* What came before the bus went is told after it: then nobody hears the port any more. */
    if (ipc_renderer_attach_port(w->renderer, held->port) < 0)
        g_ptr_array_remove(w->held, held);
}

/* ---- their life ---- */

void ports_begin(Window *w)
{
    w->made = g_ptr_array_new_with_free_func(made_free);
    w->held = g_ptr_array_new_with_free_func(held_free);
    must(ipc_renderer_on(w->renderer, NULL, "port", on_port, w));
}

void ports_end(Window *w)
{
    g_ptr_array_unref(w->made);
    g_ptr_array_unref(w->held);
}
