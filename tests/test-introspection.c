/* SPDX-License-Identifier: MIT */
#include <gio/gio.h>
#include <string.h>

#include "fixture.h"

/* The XML files under interfaces/ and the live objects must say the same, to the last name of an argument. */

#define INTROSPECTABLE "org.freedesktop.DBus.Introspectable"

typedef struct Face {
    const char *path;
    const char *interface;
} Face;

static const Face main_face = { IPC_MAIN_PATH, IPC_MAIN_INTERFACE };
static const Face monitor_face = { IPC_MAIN_PATH, IPC_MONITOR_INTERFACE };
static const Face web_contents_face = { IPC_WEB_CONTENTS_PATH "/1", IPC_WEB_CONTENTS_INTERFACE };

/* ---- an interface as sorted lines, one for each member ---- */

static void append_args(GString *line, GDBusArgInfo **args, const char *direction)
{
    for (; args && *args; args++)
        g_string_append_printf(line, " %s%s:%s", direction, (*args)->name, (*args)->signature);
}

static void append_annotations(GString *line, GDBusAnnotationInfo **annotations)
{
    for (; annotations && *annotations; annotations++)
        g_string_append_printf(line, " [%s=%s]", (*annotations)->key, (*annotations)->value);
}

static void add_line(GPtrArray *lines, GString *line, GDBusAnnotationInfo **annotations)
{
    append_annotations(line, annotations);
    g_ptr_array_add(lines, g_string_free(line, FALSE));
}

static GString *line_new(const char *kind, const char *name)
{
    GString *line = g_string_new(NULL);

    g_string_printf(line, "%s %s", kind, name);
    return line;
}

static void add_methods(GPtrArray *lines, GDBusMethodInfo **methods)
{
    for (; methods && *methods; methods++) {
        GString *line = line_new("method", (*methods)->name);

        append_args(line, (*methods)->in_args, "in ");
        append_args(line, (*methods)->out_args, "out ");
        add_line(lines, line, (*methods)->annotations);
    }
}

static void add_signals(GPtrArray *lines, GDBusSignalInfo **signals)
{
    for (; signals && *signals; signals++) {
        GString *line = line_new("signal", (*signals)->name);

        append_args(line, (*signals)->args, "");
        add_line(lines, line, (*signals)->annotations);
    }
}

static void add_properties(GPtrArray *lines, GDBusPropertyInfo **properties)
{
    for (; properties && *properties; properties++) {
        GString *line = line_new("property", (*properties)->name);

        g_string_append_printf(line, " %s access:%d", (*properties)->signature, (int)(*properties)->flags);
        add_line(lines, line, (*properties)->annotations);
    }
}

static int compare_lines(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *interface_text(GDBusInterfaceInfo *interface)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);

    add_methods(lines, interface->methods);
    add_signals(lines, interface->signals);
    add_properties(lines, interface->properties);
    g_ptr_array_sort(lines, compare_lines);
    g_ptr_array_add(lines, g_strdup(interface->annotations && *interface->annotations ? "annotated" : ""));
    g_ptr_array_add(lines, NULL);
    return g_strjoinv("\n", (char **)lines->pdata);
}

/* ---- where they come from ---- */

static GDBusNodeInfo *parse(const char *xml)
{
    g_autoptr(GError) error = NULL;
    GDBusNodeInfo *node = g_dbus_node_info_new_for_xml(xml, &error);

    if (!node)
        g_error("%s in %s", error->message, xml);
    return node;
}

static char *read_xml(const Face *face)
{
    g_autofree char *name = g_strconcat(face->interface, ".xml", NULL);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", "interfaces", name, NULL);
    g_autoptr(GError) error = NULL;
    char *xml;

    if (!g_file_get_contents(path, &xml, NULL, &error))
        g_error("%s", error->message);
    return xml;
}

static GDBusNodeInfo *introspect(Client *c, const char *path)
{
    const char *xml;

    assert_replied(call_object(c, path, INTROSPECTABLE, "Introspect", ""), "s", &xml);
    return parse(xml);
}

/* ---- the tests ---- */

static void test_same(gconstpointer data)
{
    const Face *face = data;
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *xml = read_xml(face);
    g_autoptr(GDBusNodeInfo) written = parse(xml);
    g_autoptr(GDBusNodeInfo) live = introspect(foreign_new_registered(f), face->path);
    g_autofree char *expected = NULL, *found = NULL;

    g_assert_nonnull(g_dbus_node_info_lookup_interface(written, face->interface));
    g_assert_nonnull(g_dbus_node_info_lookup_interface(live, face->interface));
    g_assert_cmpstr(written->path, ==, face->path);
    expected = interface_text(g_dbus_node_info_lookup_interface(written, face->interface));
    found = interface_text(g_dbus_node_info_lookup_interface(live, face->interface));
    g_assert_cmpstr(found, ==, expected);
}

/* Beside those of D-Bus itself, the object has no interface that has no file; and a file has one. */
static bool has_file(const char *path, const char *interface)
{
    static const Face *const faces[] = { &main_face, &monitor_face, &web_contents_face };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(faces); i++)
        if (strcmp(faces[i]->path, path) == 0 && strcmp(faces[i]->interface, interface) == 0)
            return true;
    return false;
}

static void test_no_others(gconstpointer data)
{
    const Face *face = data;
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *xml = read_xml(face);
    g_autoptr(GDBusNodeInfo) written = parse(xml);
    g_autoptr(GDBusNodeInfo) live = introspect(foreign_new_registered(f), face->path);
    GDBusInterfaceInfo **interface;

    for (interface = live->interfaces; *interface; interface++)
        if (!g_str_has_prefix((*interface)->name, "org.freedesktop.DBus."))
            g_assert_true(has_file(face->path, (*interface)->name));
    g_assert_cmpstr(written->interfaces[0]->name, ==, face->interface);
    g_assert_null(written->interfaces[1]);
}

/* Each member has a comment that begins with its name, and names its arguments. */
static void test_documented(gconstpointer data)
{
    const Face *face = data;
    g_autofree char *xml = read_xml(face);
    g_autoptr(GDBusNodeInfo) written = parse(xml);
    g_autofree char *text = interface_text(written->interfaces[0]);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    char **line;

    for (line = lines; *line; line++) {
        g_auto(GStrv) words = g_strsplit_set(*line, " :", -1);
        g_autofree char *pattern = NULL;

        if (g_strv_length(words) < 2)
            continue;
        pattern = g_strdup_printf("<!--\\s+%s:\\s", words[1]);
        if (!g_regex_match_simple(pattern, xml, 0, 0))
            g_error("%s of %s is not documented", words[1], face->interface);
    }
}

static void assert_children(Client *c, const char *path, const char *expected)
{
    g_autoptr(GDBusNodeInfo) node = introspect(c, path);
    g_autoptr(GString) names = g_string_new(NULL);
    GDBusNodeInfo **child;

    for (child = node->nodes; child && *child; child++)
        g_string_append_printf(names, "%s ", (*child)->path);
    g_assert_cmpstr(names->str, ==, expected);
}

/* What busctl tree walks along. */
static void test_tree(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f);

    renderer_new(f);
    assert_children(c, "/", "org ");
    assert_children(c, "/org", "ipcbus ");
    assert_children(c, "/org/ipcbus", "Main ");
    assert_children(c, "/org/ipcbus/Main", "web_contents ");
    assert_children(c, "/org/ipcbus/Main/web_contents", "1 ");
    renderer_new(f);
    assert_children(c, "/org/ipcbus/Main/web_contents", "1 2 ");
    assert_children(c, "/org/ipcbus/Main/web_contents/1", "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/introspection/main/same", &main_face, test_same);
    g_test_add_data_func("/introspection/main/no-others", &main_face, test_no_others);
    g_test_add_data_func("/introspection/main/documented", &main_face, test_documented);
    g_test_add_data_func("/introspection/monitor/same", &monitor_face, test_same);
    g_test_add_data_func("/introspection/monitor/no-others", &monitor_face, test_no_others);
    g_test_add_data_func("/introspection/monitor/documented", &monitor_face, test_documented);
    g_test_add_data_func("/introspection/web-contents/same", &web_contents_face, test_same);
    g_test_add_data_func("/introspection/web-contents/no-others", &web_contents_face, test_no_others);
    g_test_add_data_func("/introspection/web-contents/documented", &web_contents_face, test_documented);
    g_test_add_func("/introspection/tree", test_tree);
    return g_test_run();
}
