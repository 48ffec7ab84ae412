/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "macro.h"

/* What D-Bus tools see: the properties of the app, and an object for each renderer. */

#define CONTENTS(id) IPC_WEB_CONTENTS_PATH "/" #id
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"
#define PROPERTIES "org.freedesktop.DBus.Properties"

/* ---- verbs ---- */

static guint64 get_number(Client *c, const char *path, const char *name, char type)
{
    Outcome *o = get_property(c, path, IPC_WEB_CONTENTS_INTERFACE, name);
    char types[] = { type, '\0' };
    guint64 number = 0;
    guint32 small;

    if (type == 't') {
        assert_replied(o, "v", types, &number);
        return number;
    }
    assert_replied(o, "v", types, &small);
    return small;
}

#define assert_number(c, path, name, type, value) \
    g_assert_cmpuint(get_number(c, path, name, type), ==, value)

static void assert_text(Client *c, const char *path, const char *name, const char *expected)
{
    const char *text;

    assert_replied(get_property(c, path, IPC_WEB_CONTENTS_INTERFACE, name), "v", "s", &text);
    g_assert_cmpstr(text, ==, expected);
}

static void assert_names(Client *c, const char *property, const char *expected)
{
    Outcome *o = get_property(c, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, property);
    char **names = NULL, **name;

    await(o);
    g_assert_nonnull(o->reply);
    must(sd_bus_message_enter_container(o->reply, 'v', "as"));
    must(sd_bus_message_read_strv(o->reply, &names));
    g_autofree char *joined = names ? g_strjoinv(" ", names) : g_strdup("");
    g_assert_cmpstr(joined, ==, expected);
    for (name = names; name && *name; name++)
        free(*name);
    free(names);
}

/* Its signals of coming and going objects are read as "+path" and "-path". */
static int on_object(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    GString *diary = userdata;
    bool is_added = strcmp(sd_bus_message_get_member(message), "InterfacesAdded") == 0;
    const char *path;

    (void)error;
    must(sd_bus_message_read(message, "o", &path));
    g_string_append_printf(diary, "%c%s ", is_added ? '+' : '-', path + strlen(IPC_WEB_CONTENTS_PATH) + 1);
    return 0;
}

static void watch_objects(Client *c, GString *diary)
{
    must(sd_bus_match_signal(c->bus, NULL, FIXTURE_NAME, IPC_MAIN_PATH, OBJECT_MANAGER, NULL, on_object, diary));
}

/* ---- the app's properties ---- */

static void on_nothing(ipc_event *event, json_t *args, void *userdata)
{
    (void)event, (void)args, (void)userdata;
}

static void test_main_properties(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f), *r = renderer_new(f);
    const char *version;

    assert_replied(get_property(c, IPC_MAIN_PATH, IPC_MAIN_INTERFACE, "Version"), "v", "s", &version);
    g_assert_cmpstr(version, ==, PACKAGE_VERSION);
    assert_names(c, "Listeners", "");
    assert_names(c, "Handlers", "");

    hear(f, "z");
    hear(f, "a");
    hear(f, "a");
    keep(f, "y");
    keep(f, "\xc3\xa9");
    must(ipc_main_on(ipc_web_contents_get_main(contents_of(r)), NULL, "scoped", on_nothing, NULL));
    assert_names(c, "Listeners", "a z");
    assert_names(c, "Handlers", "y \xc3\xa9");
    must(ipc_main_remove_all_listeners(f->main, "a"));
    must(ipc_main_remove_handler(f->main, "y"));
    assert_names(c, "Listeners", "z");
    assert_names(c, "Handlers", "\xc3\xa9");
}

static void test_properties_are_read_only(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);

    assert_rejected(call_object(c, IPC_MAIN_PATH, PROPERTIES, "Set", "ssv", IPC_MAIN_INTERFACE, "Version", "s", "2"),
                    "org.freedesktop.DBus.Error.PropertyReadOnly", NULL);
    assert_rejected(call_object(c, CONTENTS(1), PROPERTIES, "Set", "ssv", IPC_WEB_CONTENTS_INTERFACE, "Title",
                                "s", "a"),
                    "org.freedesktop.DBus.Error.PropertyReadOnly", NULL);
    assert_rejected(get_property(c, CONTENTS(1), IPC_WEB_CONTENTS_INTERFACE, "Nothing"),
                    "org.freedesktop.DBus.Error.UnknownProperty", NULL);
}

/* ---- those of a renderer ---- */

static void test_identity(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f), *r = renderer_make(f);
    guint64 before = (guint64)g_get_real_time(), connected;

    must(ipc_renderer_set_title(r->renderer, "Panel \xc3\xa9"));
    await_state(r, IPC_RENDERER_READY);
    assert_number(c, CONTENTS(1), "Id", 'u', 1);
    assert_text(c, CONTENTS(1), "BusName", client_name(r));
    assert_number(c, CONTENTS(1), "ProcessId", 'u', (guint64)getpid());
    assert_number(c, CONTENTS(1), "UserId", 'u', getuid());
    assert_number(c, CONTENTS(1), "HostId", 'u', 0);
    assert_text(c, CONTENTS(1), "Title", "Panel \xc3\xa9");
    assert_text(c, CONTENTS(1), "Transport", is_over_lanes() ? "lane" : "bus");
    connected = get_number(c, CONTENTS(1), "Connected", 't');
    g_assert_cmpuint(connected, >=, before);
    g_assert_cmpuint(connected, <=, (guint64)g_get_real_time());

    client_id(c);
    assert_text(c, CONTENTS(2), "Title", "");
}

static void test_counts(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *watcher = foreign_new(f), *c = foreign_new(f);
    guint64 sent;

    /* What came before it registered does not count. */
    send_message(c, "x", "[]");
    client_id(c);
    assert_number(watcher, CONTENTS(1), "MessagesReceived", 't', 0);
    sent = get_number(watcher, CONTENTS(1), "MessagesSent", 't');

    answer(f, "add", "3");
    send_message(c, "x", "[]");
    call(c, "Send", "ss", "x", "[]");
    invoke(c, "add", "[]");
    invoke(c, "nothing", "[]");
    must(ipc_web_contents_send(contents_of(c), "y", NULL));
    settle(f);
    /* Its answers are three, and one more is that of the last Register, by which its contents were found. */
    assert_number(watcher, CONTENTS(1), "MessagesReceived", 't', 5);
    assert_number(watcher, CONTENTS(1), "MessagesSent", 't', sent + 5);
    assert_number(watcher, CONTENTS(1), "BytesQueued", 't', 0);
}

static void test_pending(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *watcher = foreign_new(f), *c = foreign_new_registered(f);
    ipc_invocation *invocation;
    ipc_event *event;

    keep(f, "slow");
    keep_events(f, "slow");
    invoke_start(c, "slow", "[]");
    invoke_start(c, "slow", "[]");
    send_sync_start(c, "slow", "[]");
    event = take_kept_event(f);
    assert_number(watcher, CONTENTS(1), "PendingInvokes", 'u', 3);
    invocation = take_kept(f);
    must(ipc_invocation_resolve(invocation, NULL));
    must(ipc_event_return(event, NULL));
    assert_number(watcher, CONTENTS(1), "PendingInvokes", 'u', 1);
    ipc_invocation_unref(invocation);
    ipc_event_unref(event);
    ipc_invocation_unref(take_kept(f));
    assert_number(watcher, CONTENTS(1), "PendingInvokes", 'u', 0);
}

static void test_host(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *host = foreign_new_registered(f), *guest = foreign_new(f);
    const char *token;

    assert_replied(call(host, "CreateWebview", ""), "s", &token);
    assert_replied(call(guest, "Register", "a{sv}", 1, "guest-token", "s", token), "u", NULL);
    assert_number(guest, CONTENTS(1), "HostId", 'u', 0);
    assert_number(guest, CONTENTS(2), "HostId", 'u', 1);
    leave(host);
    wait_until(f, !ipc_web_contents_from_id(f->app, 1));
    assert_number(guest, CONTENTS(2), "HostId", 'u', 0);
}

static void test_get_all(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);
    Outcome *o;
    unsigned n = 0;
    int r;

    o = call_object(c, CONTENTS(1), PROPERTIES, "GetAll", "s", IPC_WEB_CONTENTS_INTERFACE);
    g_assert_nonnull(o->reply);
    must(sd_bus_message_enter_container(o->reply, 'a', "{sv}"));
    while ((r = sd_bus_message_skip(o->reply, "{sv}")) > 0)
        n++;
    g_assert_cmpuint(n, ==, 12);
}

/* ---- objects ---- */

static void test_one_object_has_one_path(void)
{
    static const char *const others[] = { "0", "2", "01", "1x", "_1", "_2d1", "_31", "1_00", "4294967297",
                                          "18446744073709551617" };
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new_registered(f);
    size_t i;

    assert_number(c, CONTENTS(1), "Id", 'u', 1);
    for (i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autofree char *path = g_strconcat(IPC_WEB_CONTENTS_PATH, "/", others[i], NULL);

        assert_rejected(get_property(c, path, IPC_WEB_CONTENTS_INTERFACE, "Id"),
                        "org.freedesktop.DBus.Error.UnknownObject", NULL);
    }
    assert_rejected(get_property(c, CONTENTS(1) "/1", IPC_WEB_CONTENTS_INTERFACE, "Id"),
                    "org.freedesktop.DBus.Error.UnknownObject", NULL);
}

static int compare_strings(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The paths that GetManagedObjects names. */
static char *managed_objects(Client *c)
{
    Outcome *o = call_object(c, IPC_MAIN_PATH, OBJECT_MANAGER, "GetManagedObjects", "");
    g_autoptr(GPtrArray) paths = g_ptr_array_new();
    const char *path;

    g_assert_nonnull(o->reply);
    must(sd_bus_message_enter_container(o->reply, 'a', "{oa{sa{sv}}}"));
    while (must(sd_bus_message_enter_container(o->reply, 'e', "oa{sa{sv}}")) > 0) {
        must(sd_bus_message_read(o->reply, "o", &path));
        g_ptr_array_add(paths, (gpointer)(path + strlen(IPC_WEB_CONTENTS_PATH) + 1));
        must(sd_bus_message_skip(o->reply, "a{sa{sv}}"));
        must(sd_bus_message_exit_container(o->reply));
    }
    g_ptr_array_sort(paths, compare_strings);
    g_ptr_array_add(paths, NULL);
    return g_strjoinv(" ", (char **)paths->pdata);
}

static void assert_managed(Client *c, const char *expected)
{
    g_autofree char *paths = managed_objects(c);

    g_assert_cmpstr(paths, ==, expected);
}

static void test_managed_objects(void)
{
    g_autoptr(Fixture) f = fixture_new();
    Client *c = foreign_new(f), *one, *two;

    assert_managed(c, "");
    one = renderer_new(f);
    assert_managed(c, "1");
    two = foreign_new_registered(f);
    assert_managed(c, "1 2");
    vanish(one);
    wait_until(f, !ipc_web_contents_from_id(f->app, 1));
    assert_managed(c, "2");
    assert_rejected(get_property(c, CONTENTS(1), IPC_WEB_CONTENTS_INTERFACE, "Id"),
                    "org.freedesktop.DBus.Error.UnknownObject", NULL);
    leave(two);
    wait_until(f, !ipc_web_contents_from_id(f->app, 2));
    assert_managed(c, "");
}

static void test_coming_and_going(void)
{
    g_autoptr(GString) diary = g_string_new(NULL);
    g_autoptr(Fixture) f = fixture_new();
    Client *watcher = foreign_new(f), *one, *two;

    watch_objects(watcher, diary);
    one = renderer_new(f);
    two = foreign_new_registered(f);
    client_id(two);
    vanish(one);
    wait_until(f, !ipc_web_contents_from_id(f->app, 1));
    leave(two);
    wait_until(f, !ipc_web_contents_from_id(f->app, 2));
    settle(f);
    g_assert_cmpstr(diary->str, ==, "+1 +2 -1 -2 ");
}

static void test_stopping_removes_objects(void)
{
    g_autoptr(GString) diary = g_string_new(NULL);
    g_autoptr(Fixture) f = fixture_new();
    Client *watcher = foreign_new(f);

    watch_objects(watcher, diary);
    renderer_new(f);
    main_stop(f);
    assert_rejected(call_object(watcher, IPC_MAIN_PATH, OBJECT_MANAGER, "GetManagedObjects", ""),
                    "org.freedesktop.DBus.Error.ServiceUnknown", NULL);
    g_assert_cmpstr(diary->str, ==, "+1 ");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/objects/main-properties", test_main_properties);
    add_story("/objects/properties-are-read-only", test_properties_are_read_only);
    add_story("/objects/identity", test_identity);
    add_story("/objects/counts", test_counts);
    add_story("/objects/pending", test_pending);
    add_story("/objects/host", test_host);
    add_story("/objects/get-all", test_get_all);
    add_story("/objects/one-object-has-one-path", test_one_object_has_one_path);
    add_story("/objects/managed-objects", test_managed_objects);
    add_story("/objects/coming-and-going", test_coming_and_going);
    add_story("/objects/stopping-removes-objects", test_stopping_removes_objects);
    return g_test_run();
}
