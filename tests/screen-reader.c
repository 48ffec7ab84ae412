/* SPDX-License-Identifier: MIT */

/*
 * What a screen reader does, for scripts: it finds the widgets of running programs by what they are called, reads them
 * and uses them. It speaks AT-SPI on the bus of AT_SPI_BUS_ADDRESS, where a registry must run.
 *
 *     screen-reader dump                        all that there is, one line each
 *     screen-reader WINDOW sees TEXT            exit status 0 if the window shows it, 1 if not
 *     screen-reader WINDOW reads NAME TEXT      the same for all that is in an entry
 *     screen-reader WINDOW press NAME           a button, a check box
 *     screen-reader WINDOW choose NAME          an item of a list
 *     screen-reader WINDOW type NAME TEXT       replaces the text of an entry
 */

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REGISTRY "org.a11y.atspi.Registry"
#define ROOT "/org/a11y/atspi/accessible/root"
#define ACCESSIBLE "org.a11y.atspi.Accessible"
#define ACTION "org.a11y.atspi.Action"
#define EDITABLE_TEXT "org.a11y.atspi.EditableText"
#define SELECTION "org.a11y.atspi.Selection"
#define TEXT "org.a11y.atspi.Text"

#define WINDOW_DEPTH 2 /* below the desktop and its applications */
#define CALL_TIMEOUT_MSEC 10000
#define STATE_SENSITIVE 24
#define STATE_VISIBLE 30 /* GTK 4.8 does not tell more: the other page of a stack is visible, too */

static GDBusConnection *bus;

/* ---- objects ---- */

typedef struct Widget {
    char *owner;
    char *path;
    int index; /* among the children of its parent */
} Widget;

static void widget_free(Widget *widget)
{
    g_free(widget->owner);
    g_free(widget->path);
    g_free(widget);
}

static Widget *widget_new(const char *owner, const char *path, int index)
{
    Widget *widget = g_new0(Widget, 1);

    widget->owner = g_strdup(owner);
    widget->path = g_strdup(path);
    widget->index = index;
    return widget;
}

/* NULL: it has not this interface, or is gone. */
static GVariant *ask(const Widget *widget, const char *interface, const char *method, GVariant *arguments)
{
    return g_dbus_connection_call_sync(bus, widget->owner, widget->path, interface, method, arguments, NULL,
                                       G_DBUS_CALL_FLAGS_NONE, CALL_TIMEOUT_MSEC, NULL, NULL);
}

static char *widget_get_name(const Widget *widget)
{
    g_autoptr(GVariant) reply = ask(widget, "org.freedesktop.DBus.Properties", "Get",
                                    g_variant_new("(ss)", ACCESSIBLE, "Name"));
    g_autoptr(GVariant) value = NULL;

    if (!reply)
        return g_strdup("");
    g_variant_get(reply, "(v)", &value);
    return g_variant_dup_string(value, NULL);
}

/* An empty string, too, where there is none. */
static char *ask_string(const Widget *widget, const char *interface, const char *method, GVariant *arguments)
{
    g_autoptr(GVariant) reply = ask(widget, interface, method, arguments);
    char *string = NULL;

    if (reply)
        g_variant_get(reply, "(s)", &string);
    return string ? string : g_strdup("");
}

/* To the end is -1, but not for all of them. */
static char *widget_get_text(const Widget *widget)
{
    return ask_string(widget, TEXT, "GetText", g_variant_new("(ii)", 0, G_MAXINT32));
}

static bool widget_is(const Widget *widget, unsigned state)
{
    g_autoptr(GVariant) reply = ask(widget, ACCESSIBLE, "GetState", NULL), states = NULL;
    uint32_t low = 0;

    if (!reply)
        return false;
    states = g_variant_get_child_value(reply, 0);
    g_variant_get_child(states, 0, "u", &low);
    return low & (1u << state);
}

static GPtrArray *widget_get_children(const Widget *widget)
{
    GPtrArray *children = g_ptr_array_new_with_free_func((GDestroyNotify)widget_free);
    g_autoptr(GVariant) reply = ask(widget, ACCESSIBLE, "GetChildren", NULL);
    const char *owner, *path;
    GVariantIter *iter;

    if (!reply)
        return children;
    g_variant_get(reply, "(a(so))", &iter);
    while (g_variant_iter_next(iter, "(&s&o)", &owner, &path))
        g_ptr_array_add(children, widget_new(owner, path, (int)children->len));
    g_variant_iter_free(iter);
    return children;
}

/* ---- walking ---- */

typedef enum Step {
    STEP_DOWN,  /* to its children, and on */
    STEP_OVER,  /* its children */
    STEP_OUT,   /* it was the one */
} Step;

typedef Step (*Visit)(const Widget *widget, const Widget *parent, int depth, void *userdata);

/* The answer tells whether the one was found. */
static bool walk(const Widget *widget, const Widget *parent, int depth, Visit visit, void *userdata)
{
    Step step = visit(widget, parent, depth, userdata);
    g_autoptr(GPtrArray) children = NULL;

    if (step != STEP_DOWN)
        return step == STEP_OUT;
    children = widget_get_children(widget);
    for (unsigned i = 0; i < children->len; i++)
        if (walk(children->pdata[i], widget, depth + 1, visit, userdata))
            return true;
    return false;
}

static Step dump(const Widget *widget, const Widget *parent, int depth, void *userdata)
{
    g_autofree char *name = widget_get_name(widget);
    g_autofree char *role = ask_string(widget, ACCESSIBLE, "GetRoleName", NULL);
    g_autofree char *text = widget_get_text(widget);

    g_print("%*s%s '%s' '%s'%s\n", 2 * depth, "", role, name, text, widget_is(widget, STATE_VISIBLE) ? "" : " (hidden)");
    return STEP_DOWN;
}

/* ---- using ---- */

typedef struct Task {
    const char *name;
    const char *text;
    bool (*use)(const Widget *widget, const Widget *parent, const char *text); /* NULL: seeing is enough */
} Task;

static bool is_true(GVariant *reply)
{
    gboolean answer = FALSE;

    if (reply) {
        g_variant_get(reply, "(b)", &answer);
        g_variant_unref(reply);
    }
    return answer;
}

/* GTK says yes to what it does not know. */
static bool press(const Widget *widget, const Widget *parent, const char *text)
{
    g_autofree char *action = ask_string(widget, ACTION, "GetName", g_variant_new("(i)", 0));

    return strcmp(action, "click") == 0 && is_true(ask(widget, ACTION, "DoAction", g_variant_new("(i)", 0)));
}

static bool choose(const Widget *widget, const Widget *parent, const char *text)
{
    return is_true(ask(parent, SELECTION, "SelectChild", g_variant_new("(i)", widget->index)));
}

static bool type(const Widget *widget, const Widget *parent, const char *text)
{
    return is_true(ask(widget, EDITABLE_TEXT, "SetTextContents", g_variant_new("(s)", text)));
}

static bool reads(const Widget *widget, const Widget *parent, const char *text)
{
    g_autofree char *own = widget_get_text(widget);

    return strcmp(own, text) == 0;
}

static Step see(const Widget *widget, const Widget *parent, int depth, void *userdata)
{
    g_autofree char *name = widget_get_name(widget), *text = widget_get_text(widget);
    const Task *task = userdata;

    if (!widget_is(widget, STATE_VISIBLE))
        return STEP_OVER;
    return strstr(name, task->name) || strstr(text, task->name) ? STEP_OUT : STEP_DOWN;
}

/* One that cannot be used so is not the one that is meant: the label of a button, say. */
static Step use(const Widget *widget, const Widget *parent, int depth, void *userdata)
{
    g_autofree char *name = widget_get_name(widget);
    const Task *task = userdata;

    if (!widget_is(widget, STATE_VISIBLE) || !widget_is(widget, STATE_SENSITIVE))
        return STEP_OVER;
    return strcmp(name, task->name) == 0 && task->use(widget, parent, task->text) ? STEP_OUT : STEP_DOWN;
}

typedef struct Search {
    const char *title;
    Task task;
} Search;

/* In each window of that name. */
static Step search(const Widget *widget, const Widget *parent, int depth, void *userdata)
{
    g_autofree char *name = widget_get_name(widget);
    Search *self = userdata;

    if (depth < WINDOW_DEPTH)
        return STEP_DOWN;
    if (strcmp(name, self->title) != 0)
        return STEP_OVER;
    return walk(widget, parent, depth, self->task.use ? use : see, &self->task) ? STEP_OUT : STEP_OVER;
}

static bool parse(Search *ret, int argc, char **argv)
{
    static const struct {
        const char *verb;
        int argc;
        bool (*use)(const Widget *widget, const Widget *parent, const char *text);
    } verbs[] = { { "sees", 4, NULL },     { "press", 4, press }, { "choose", 4, choose },
                { "reads", 5, reads }, { "type", 5, type } };

    for (unsigned i = 0; argc > 2 && i < G_N_ELEMENTS(verbs); i++)
        if (strcmp(argv[2], verbs[i].verb) == 0 && argc == verbs[i].argc) {
            *ret = (Search){ .title = argv[1], .task = { .name = argv[3], .text = argv[4], .use = verbs[i].use } };
            return true;
        }
    return false;
}

int main(int argc, char **argv)
{
    const char *address = g_getenv("AT_SPI_BUS_ADDRESS");
    Widget root = { .owner = (char *)REGISTRY, .path = (char *)ROOT };
    bool is_dump = argc == 2 && strcmp(argv[1], "dump") == 0;
    g_autoptr(GError) error = NULL;
    Search s = { 0 };

    if (!address || (!is_dump && !parse(&s, argc, argv))) {
        g_printerr("Usage: AT_SPI_BUS_ADDRESS=... screen-reader dump | WINDOW sees TEXT | WINDOW press|choose NAME |\n"
                   "       WINDOW reads|type NAME TEXT\n");
        return 2;
    }
    bus = g_dbus_connection_new_for_address_sync(
        address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL,
        NULL, &error);
    if (!bus) {
        g_printerr("%s: %s\n", address, error->message);
        return 2;
    }
    return walk(&root, NULL, 0, is_dump ? dump : search, &s) || is_dump ? EXIT_SUCCESS : EXIT_FAILURE;
}
