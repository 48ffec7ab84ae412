/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "fixture.h"

/* NULL and other misuse of main's side: always -EINVAL or NULL, never a crash, and outputs stay as they were. */

static void on_event(ipc_event *event, json_t *args, void *userdata)
{
    (void)event, (void)args, (void)userdata;
}

static int on_invoke(ipc_invocation *invocation, json_t *args, void *userdata)
{
    (void)invocation, (void)args, (void)userdata;
    return 0;
}

static void on_contents(ipc_web_contents *contents, void *userdata)
{
    (void)contents, (void)userdata;
}

static void on_app(ipc_app *app, void *userdata)
{
    (void)app, (void)userdata;
}

static void on_warning(const char *message, void *userdata)
{
    (void)message, (void)userdata;
}

static void test_no_app(void)
{
    ipc_web_contents **list;
    uint64_t until;

    g_assert_null(ipc_app_ref(NULL));
    g_assert_null(ipc_app_unref(NULL));
    must_fail(ipc_app_start(NULL), EINVAL);
    must_fail(ipc_app_stop(NULL, 0), EINVAL);
    must_fail(ipc_app_run(NULL), EINVAL);
    must_fail(ipc_app_quit(NULL), EINVAL);
    g_assert_null(ipc_app_get_main(NULL));
    g_assert_null(ipc_app_get_bus(NULL));
    g_assert_null(ipc_app_get_name(NULL));
    g_assert_null(ipc_app_get_event(NULL));
    must_fail(ipc_app_attach_event(NULL, NULL, 0), EINVAL);
    must_fail(ipc_app_detach_event(NULL), EINVAL);
    must_fail(ipc_app_get_fd(NULL), EINVAL);
    must_fail(ipc_app_get_events(NULL), EINVAL);
    must_fail(ipc_app_get_timeout(NULL, &until), EINVAL);
    must_fail(ipc_app_process(NULL), EINVAL);
    must_fail(ipc_app_wait(NULL, 0), EINVAL);
    must_fail(ipc_app_broadcast(NULL, "x", NULL), EINVAL);
    must_fail(ipc_app_broadcastf(NULL, "x", NULL), EINVAL);
    must_fail(ipc_web_contents_get_all(NULL, &list), EINVAL);
    must_fail(ipc_app_on_web_contents_created(NULL, NULL, on_contents, NULL), EINVAL);
    must_fail(ipc_app_on_web_contents_destroyed(NULL, NULL, on_contents, NULL), EINVAL);
    must_fail(ipc_app_on_closed(NULL, NULL, on_app, NULL), EINVAL);
    must_fail(ipc_app_on_warning(NULL, NULL, on_warning, NULL), EINVAL);
}

static void test_app(void)
{
    g_autoptr(Fixture) f = fixture_new();
    ipc_slot *slot = NULL;

    must_fail(ipc_app_get_timeout(f->app, NULL), EINVAL);
    must_fail(ipc_web_contents_get_all(f->app, NULL), EINVAL);
    must_fail(ipc_app_on_web_contents_created(f->app, &slot, NULL, NULL), EINVAL);
    must_fail(ipc_app_on_web_contents_destroyed(f->app, &slot, NULL, NULL), EINVAL);
    must_fail(ipc_app_on_closed(f->app, &slot, NULL, NULL), EINVAL);
    must_fail(ipc_app_on_warning(f->app, &slot, NULL, NULL), EINVAL);
    g_assert_null(slot);
    g_assert_true(ipc_app_ref(f->app) == f->app);
    g_assert_null(ipc_app_unref(f->app));
}

static void test_no_main(void)
{
    char **names = NULL;

    must_fail(ipc_main_on(NULL, NULL, "x", on_event, NULL), EINVAL);
    must_fail(ipc_main_once(NULL, NULL, "x", on_event, NULL), EINVAL);
    must_fail(ipc_main_prepend_listener(NULL, NULL, "x", on_event, NULL), EINVAL);
    must_fail(ipc_main_prepend_once_listener(NULL, NULL, "x", on_event, NULL), EINVAL);
    must_fail(ipc_main_off(NULL, "x", on_event, NULL), EINVAL);
    must_fail(ipc_main_remove_all_listeners(NULL, NULL), EINVAL);
    must_fail(ipc_main_listener_count(NULL, "x"), EINVAL);
    must_fail(ipc_main_channel_names(NULL, &names), EINVAL);
    must_fail(ipc_main_handle(NULL, NULL, "x", on_invoke, NULL), EINVAL);
    must_fail(ipc_main_handle_once(NULL, NULL, "x", on_invoke, NULL), EINVAL);
    must_fail(ipc_main_remove_handler(NULL, "x"), EINVAL);
    g_assert_null(names);
}

static void test_no_callback(void)
{
    g_autoptr(Fixture) f = fixture_new();
    ipc_slot *slot = NULL;

    must_fail(ipc_main_on(f->main, &slot, "x", NULL, NULL), EINVAL);
    must_fail(ipc_main_once(f->main, &slot, "x", NULL, NULL), EINVAL);
    must_fail(ipc_main_prepend_listener(f->main, &slot, "x", NULL, NULL), EINVAL);
    must_fail(ipc_main_prepend_once_listener(f->main, &slot, "x", NULL, NULL), EINVAL);
    must_fail(ipc_main_off(f->main, "x", NULL, NULL), EINVAL);
    must_fail(ipc_main_handle(f->main, &slot, "x", NULL, NULL), EINVAL);
    must_fail(ipc_main_handle_once(f->main, &slot, "x", NULL, NULL), EINVAL);
    must_fail(ipc_main_channel_names(f->main, NULL), EINVAL);
    g_assert_null(slot);
}

static void test_bad_channels(void)
{
    g_autofree char *longer = g_strnfill(IPC_CHANNEL_MAX + 1, 'a');
    const char *channels[] = { NULL, "", longer, "\xff", "a\xc3" };
    g_autoptr(Fixture) f = fixture_new();
    ipc_slot *slot = NULL;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(channels); i++) {
        must_fail(ipc_main_on(f->main, &slot, channels[i], on_event, NULL), EINVAL);
        must_fail(ipc_main_once(f->main, &slot, channels[i], on_event, NULL), EINVAL);
        must_fail(ipc_main_prepend_listener(f->main, &slot, channels[i], on_event, NULL), EINVAL);
        must_fail(ipc_main_prepend_once_listener(f->main, &slot, channels[i], on_event, NULL), EINVAL);
        must_fail(ipc_main_handle(f->main, &slot, channels[i], on_invoke, NULL), EINVAL);
        must_fail(ipc_main_handle_once(f->main, &slot, channels[i], on_invoke, NULL), EINVAL);
    }
    g_assert_null(slot);
    must_fail(ipc_main_off(f->main, NULL, on_event, NULL), EINVAL);
    must_fail(ipc_main_listener_count(f->main, NULL), EINVAL);
    must_fail(ipc_main_remove_handler(f->main, NULL), EINVAL);
    must_fail(ipc_main_off(f->main, "x", on_event, NULL), ENOENT);
    must_fail(ipc_main_remove_handler(f->main, "x"), ENOENT);
    must(ipc_main_remove_all_listeners(f->main, "x"));
    g_assert_cmpint(ipc_main_listener_count(f->main, "x"), ==, 0);
}

static void test_no_web_contents(void)
{
    g_assert_null(ipc_web_contents_from_id(NULL, 1));
    g_assert_null(ipc_web_contents_ref(NULL));
    g_assert_null(ipc_web_contents_unref(NULL));
    g_assert_cmpuint(ipc_web_contents_get_id(NULL), ==, 0);
    g_assert_null(ipc_web_contents_get_title(NULL));
    g_assert_null(ipc_web_contents_get_sender(NULL));
    g_assert_null(ipc_web_contents_get_app(NULL));
    g_assert_null(ipc_web_contents_get_host(NULL));
    g_assert_null(ipc_web_contents_get_main(NULL));
    g_assert_true(ipc_web_contents_is_destroyed(NULL));
    must_fail(ipc_web_contents_send(NULL, "x", NULL), EINVAL);
    must_fail(ipc_web_contents_sendf(NULL, "x", NULL), EINVAL);
    must_fail(ipc_web_contents_on_message(NULL, NULL, on_event, NULL), EINVAL);
    must_fail(ipc_web_contents_on_message_sync(NULL, NULL, on_event, NULL), EINVAL);
    must_fail(ipc_web_contents_on_destroyed(NULL, NULL, on_contents, NULL), EINVAL);
}

static void test_web_contents(void)
{
    g_autoptr(Fixture) f = fixture_new();
    ipc_web_contents *contents = contents_of(foreign_new(f));
    ipc_slot *slot = NULL;

    must_fail(ipc_web_contents_on_message(contents, &slot, NULL, NULL), EINVAL);
    must_fail(ipc_web_contents_on_message_sync(contents, &slot, NULL, NULL), EINVAL);
    must_fail(ipc_web_contents_on_destroyed(contents, &slot, NULL, NULL), EINVAL);
    g_assert_null(slot);
    must_fail(ipc_sender_get_uid(ipc_web_contents_get_sender(contents), NULL), EINVAL);
    must_fail(ipc_sender_get_pid(ipc_web_contents_get_sender(contents), NULL), EINVAL);
}

/* A connection that was never started, and one that is closed. */
static void test_bad_bus(void)
{
    g_autoptr(Fixture) f = fixture_new_with(&(FixtureOptions){ .is_without_main = true });
    ipc_app *app = NULL;
    sd_bus *bus;

    must(sd_bus_new(&bus));
    if (ipc_app_new(&app, bus, FIXTURE_NAME) >= 0)
        g_assert_cmpint(ipc_app_start(app), <, 0);
    app = ipc_app_unref(app);
    sd_bus_unref(bus);

    bus = bus_connect(f->bus);
    sd_bus_close(bus);
    must_fail(ipc_app_new(&app, bus, FIXTURE_NAME), ENOTCONN);
    g_assert_null(app);
    sd_bus_unref(bus);
}

static void test_error(void)
{
    ipc_error error = IPC_ERROR_INIT;

    ipc_error_clear(NULL);
    ipc_error_clear(&error);
    g_assert_false(ipc_error_is(NULL, IPC_ERROR_BUSY));
    g_assert_false(ipc_error_is(&error, IPC_ERROR_BUSY));
    g_assert_cmpint(ipc_error_get_errno(NULL), ==, 0);
    g_assert_cmpint(ipc_error_get_errno(&error), ==, 0);
    error.name = (char *)IPC_ERROR_BUSY;
    g_assert_true(ipc_error_is(&error, IPC_ERROR_BUSY));
    g_assert_false(ipc_error_is(&error, NULL));
    g_assert_cmpint(ipc_error_get_errno(&error), ==, EBUSY);
    error.name = (char *)"com.example.Error.Own";
    g_assert_cmpint(ipc_error_get_errno(&error), ==, EIO);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_story("/main-misuse/no-app", test_no_app);
    add_story("/main-misuse/app", test_app);
    add_story("/main-misuse/no-main", test_no_main);
    add_story("/main-misuse/no-callback", test_no_callback);
    add_story("/main-misuse/bad-channels", test_bad_channels);
    add_story("/main-misuse/no-web-contents", test_no_web_contents);
    add_story("/main-misuse/web-contents", test_web_contents);
    add_story("/main-misuse/bad-bus", test_bad_bus);
    add_story("/main-misuse/error", test_error);
    return g_test_run();
}
