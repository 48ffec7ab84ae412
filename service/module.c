/* SPDX-License-Identifier: MIT */
#include "module.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "macro.h"

typedef int (*ModuleInit)(ipc_app *app);

/*
 * Run from a build tree, the daemon is service/.libs/ipcbusd, as libtool has it: then the modules of the tree come
 * first. Answers their folder, which the caller frees, or NULL.
 */
static char *build_tree_modules(void)
{
    char exe[PATH_MAX];
    char *slash, *folder;
    ssize_t size;

    size = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    if (size < 0)
        return NULL;
    exe[size] = '\0';

    slash = strrchr(exe, '/');
    if (!slash)
        return NULL;
    *slash = '\0';
    slash = strrchr(exe, '/');
    if (!slash || strcmp(slash, "/.libs") != 0)
        return NULL;
    *slash = '\0';
    return asprintf(&folder, "%s/modules/.libs", exe) < 0 ? NULL : folder;
}

static int find_by_name(const char *name, char **ret_path)
{
    _cleanup_free_ char *tree = build_tree_modules(), *in_tree = NULL, *installed = NULL;

    if (tree && asprintf(&in_tree, "%s/%s.so", tree, name) < 0)
        return log_oom();
    if (asprintf(&installed, IPC_MODULE_DIR "/%s.so", name) < 0)
        return log_oom();

    if (in_tree && access(in_tree, F_OK) == 0) {
        *ret_path = TAKE_PTR(in_tree);
        return 0;
    }
    if (access(installed, F_OK) == 0) {
        *ret_path = TAKE_PTR(installed);
        return 0;
    }
    log_error("There is no module '%s': looked for %s%s%s%s", name, in_tree ? in_tree : "", in_tree ? " and " : "",
              installed, access(name, F_OK) == 0 ? "; a file in this folder is a path: put ./ before it" : "");
    return -ENOENT;
}

static int find(const char *name, char **ret_path)
{
    if (!strchr(name, '/'))
        return find_by_name(name, ret_path);

    if (access(name, F_OK) < 0) {
        log_errno(LOG_ERR, -errno, "There is no module '%s'", name);
        return -ENOENT;
    }
    *ret_path = strdup(name);
    return *ret_path ? 0 : log_oom();
}

static int init(ipc_app *app, const char *name, ModuleInit function)
{
    int r = function(app);

    /* By convention this one means that the module has told why itself. */
    if (r < 0 && r != -ECANCELED)
        log_errno(LOG_ERR, r, "Failed to start the module '%s'", name);
    return r;
}

int module_load(ipc_app *app, const char *name)
{
    _cleanup_free_ char *path = NULL;
    ModuleInit function;
    void *code;
    int r;

    r = find(name, &path);
    if (r < 0)
        return r;

    if (dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD)) {
        log_error("The module '%s' is loaded already: name it once", name);
        return -EEXIST;
    }
    code = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!code) {
        log_error("Failed to load the module '%s': %s", name, dlerror());
        return -ELIBBAD;
    }
    function = (ModuleInit)dlsym(code, "ipc_module_init");
    if (!function) {
        log_error("The module '%s' has no function ipc_module_init: %s", name, path);
        return -ELIBBAD;
    }
    return init(app, name, function);
}
