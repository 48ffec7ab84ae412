/* SPDX-License-Identifier: MIT */
#include "activation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ipc-names.h"
#include "macro.h"

#define SYSTEMD_UNIT_PATH "/org/freedesktop/systemd1/unit"

/* ---- the file that tells the bus ---- */

static void closep(FILE **file)
{
    if (*file)
        fclose(*file);
}

/* Such a file is a list of KEY=VALUE. The value of a line of this key, or NULL. */
static const char *value_of(char *line, const char *key)
{
    size_t size = strlen(key);

    line[strcspn(line, "\r\n")] = '\0';
    if (strncmp(line, key, size) != 0)
        return NULL;
    line += size;
    line += strspn(line, " ");
    if (*line != '=')
        return NULL;
    return line + 1 + strspn(line + 1, " ");
}

/* 1: the file is there; then the unit is, too, unless it is NULL. */
static int read_file(const char *path, char **ret_unit)
{
    _cleanup_(closep) FILE *file = fopen(path, "re");
    _cleanup_free_ char *line = NULL, *unit = NULL;
    const char *value;
    size_t size = 0;

    if (!file)
        return 0;
    while (getline(&line, &size, file) >= 0) {
        value = value_of(line, "SystemdService");
        if (!value || !*value || unit)
            continue;
        unit = strdup(value);
        if (!unit)
            return -ENOMEM;
    }
    *ret_unit = TAKE_PTR(unit);
    return 1;
}

static int look_in(const char *folder, size_t length, const char *below, const char *name, char **ret_unit)
{
    _cleanup_free_ char *path = NULL;

    if (length == 0 || *folder != '/')
        return 0;
    if (asprintf(&path, "%.*s%s/%s.service", (int)length, folder, below, name) < 0) {
        path = NULL;
        return -ENOMEM;
    }
    return read_file(path, ret_unit);
}

static int look_in_all(const char *folders, const char *below, const char *name, char **ret_unit)
{
    int r = 0;

    while (folders && *folders && r == 0) {
        size_t length = strcspn(folders, ":");

        r = look_in(folders, length, below, name, ret_unit);
        folders += length;
        folders += strspn(folders, ":");
    }
    return r;
}

static const char *environment(const char *variable, const char *otherwise)
{
    const char *value = getenv(variable);

    return value && *value ? value : otherwise;
}

static int look_for_system(const char *name, char **ret_unit)
{
    return look_in_all("/etc:/run:/usr/local/share:/usr/share:/lib", "/dbus-1/system-services", name, ret_unit);
}

/* In the order of dbus-daemon(1). */
static int look_for_user(const char *name, char **ret_unit)
{
    const char *data = environment("XDG_DATA_HOME", NULL);
    int r;

    r = look_in_all(environment("XDG_RUNTIME_DIR", NULL), "/dbus-1/services", name, ret_unit);
    if (r == 0 && data)
        r = look_in_all(data, "/dbus-1/services", name, ret_unit);
    if (r == 0 && !data)
        r = look_in_all(environment("HOME", NULL), "/.local/share/dbus-1/services", name, ret_unit);
    if (r == 0)
        r = look_in_all(environment("XDG_DATA_DIRS", "/usr/local/share:/usr/share"), "/dbus-1/services", name,
                        ret_unit);
    return r != 0 ? r : look_in_all("/usr/share", "/dbus-1/services", name, ret_unit);
}

/* ---- which units ---- */

static bool bus_is_system(sd_bus *bus)
{
    const char *address, *scope, *system;

    if (sd_bus_get_scope(bus, &scope) >= 0)
        return strcmp(scope, "system") == 0;
    system = environment("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/dbus/system_bus_socket");
    return sd_bus_get_address(bus, &address) >= 0 && strncmp(address, system, strlen(system)) == 0;
}

static int add_unit(Activation *activation, const char *prefix, const char *name)
{
    char *unit;

    if (asprintf(&unit, "%s%s.service", prefix, name) < 0)
        return -ENOMEM;
    activation->units[activation->n_units++] = unit;
    return 0;
}

static int guess_units(Activation *activation, const char *name)
{
    int r;

    r = add_unit(activation, "dbus-", name);
    if (r >= 0)
        r = add_unit(activation, "ipcbusd@", name);
    if (r >= 0 && strcmp(name, IPC_MAIN_NAME) == 0)
        r = add_unit(activation, "ipcbusd", "");
    return r;
}

int activation_find(Activation *ret_activation, sd_bus *bus, const char *name)
{
    _cleanup_(activation_clear) Activation activation = { .is_system = bus_is_system(bus) };
    char *unit = NULL;
    int r;

    r = activation.is_system ? look_for_system(name, &unit) : look_for_user(name, &unit);
    if (r == 0)
        r = guess_units(&activation, name);
    if (r < 0)
        return r;
    if (unit) {
        activation.units[activation.n_units++] = unit;
        activation.is_certain = true;
    }
    *ret_activation = activation;
    activation = (Activation){ 0 };
    return 0;
}

void activation_clear(Activation *activation)
{
    while (activation->n_units > 0)
        free(activation->units[--activation->n_units]);
}

/* ---- how they are doing ---- */

int activation_new_question(const Activation *activation, size_t unit, sd_bus *bus, sd_bus_message **ret_call)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
    _cleanup_free_ char *path = NULL;
    int r;

    r = sd_bus_path_encode(SYSTEMD_UNIT_PATH, activation->units[unit], &path);
    if (r >= 0)
        r = sd_bus_message_new_method_call(bus, &call, NULL, path, "org.freedesktop.DBus.Properties", "GetAll");
    if (r >= 0)
        r = sd_bus_message_append(call, "s", SYSTEMD_UNIT_INTERFACE);
    if (r >= 0)
        r = sd_bus_message_set_auto_start(call, false);
    if (r < 0)
        return r;
    *ret_call = TAKE_PTR(call);
    return 0;
}

typedef struct UnitProperties {
    const char *active;
    const char *load;
    const char *fragment;
    uint32_t job; /* 0: none */
} UnitProperties;

static int read_property(sd_bus_message *answer, UnitProperties *properties)
{
    const char *key;
    int r;

    r = sd_bus_message_read_basic(answer, 's', &key);
    if (r < 0)
        return r;
    if (strcmp(key, "ActiveState") == 0)
        return sd_bus_message_read(answer, "v", "s", &properties->active);
    if (strcmp(key, "LoadState") == 0)
        return sd_bus_message_read(answer, "v", "s", &properties->load);
    if (strcmp(key, "FragmentPath") == 0)
        return sd_bus_message_read(answer, "v", "s", &properties->fragment);
    if (strcmp(key, "Job") == 0)
        return sd_bus_message_read(answer, "v", "(uo)", &properties->job, NULL);
    return sd_bus_message_skip(answer, "v");
}

static int read_properties(sd_bus_message *answer, UnitProperties *properties)
{
    int r;

    r = sd_bus_message_enter_container(answer, 'a', "{sv}");
    while (r >= 0 && (r = sd_bus_message_enter_container(answer, 'e', "sv")) > 0) {
        r = read_property(answer, properties);
        if (r >= 0)
            r = sd_bus_message_exit_container(answer);
    }
    return r;
}

UnitState activation_read_answer(Activation *activation, sd_bus_message *answer)
{
    UnitProperties properties = { .active = "", .load = "", .fragment = "" };

    if (sd_bus_message_is_method_error(answer, NULL) != 0 || read_properties(answer, &properties) < 0)
        return UNIT_OTHER;
    /* Which manager it is that answered shows better where its units are. */
    if (strstr(properties.fragment, "/systemd/user/") || strstr(properties.fragment, "/systemd/system/"))
        activation->is_system = !strstr(properties.fragment, "/systemd/user/");
    if (strcmp(properties.active, "failed") == 0)
        return UNIT_FAILED;
    if (strcmp(properties.load, "not-found") == 0 || !activation->is_certain)
        return UNIT_OTHER;
    /* One with a job will be started, and one that restarts by itself is not inactive. */
    return strcmp(properties.active, "inactive") == 0 && properties.job == 0 ? UNIT_ENDED : UNIT_STARTS;
}

char *activation_explain(const Activation *activation, size_t unit, UnitState state, const char *name)
{
    const char *what = state == UNIT_FAILED ? "failed"
                       : state == UNIT_ENDED ? "is not running"
                                             : "has not taken the name";
    char *text;

    if (asprintf(&text, "No service '%s' on this bus: its unit '%s' %s; 'systemctl %sstatus %s' shows why", name,
                 activation->units[unit], what, activation->is_system ? "" : "--user ", activation->units[unit]) < 0)
        return NULL;
    return text;
}
