/* SPDX-License-Identifier: MIT */
#include "main.h"

#include <errno.h>

#include "app.h"
#include "notice.h"
#include "text.h"

static void on_leak(const char *channel, void *userdata)
{
    const ipc_main *main = userdata;

    notice_warn(main->app, channel, main->renderer_id, EMITTER_LEAK_FORMAT, IPC_LISTENERS_MAX, channel);
}

void main_init(ipc_main *main, ipc_app *app, uint32_t renderer_id)
{
    *main = (ipc_main){
        .listeners = { .leak = on_leak, .leak_userdata = main },
        .app = app,
        .renderer_id = renderer_id,
    };
}

void main_clear(ipc_main *main)
{
    main->is_gone = true;
    emitter_clear(&main->listeners);
    emitter_clear(&main->handlers);
}

static int main_add(ipc_main *main, ipc_slot **ret_slot, const char *channel, EmitterFlags flags,
                    EmitterFunction callback, void *userdata)
{
    if (!main || !callback || !text_is_channel(channel))
        return -EINVAL;
    if (main->is_gone)
        return -ENOTCONN;
    return emitter_add(&main->listeners, ret_slot, channel, flags, callback, userdata);
}

int ipc_main_on(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback, void *userdata)
{
    return main_add(main, ret_slot, channel, 0, (EmitterFunction)callback, userdata);
}

int ipc_main_once(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback, void *userdata)
{
    return main_add(main, ret_slot, channel, EMITTER_ONCE, (EmitterFunction)callback, userdata);
}

int ipc_main_prepend_listener(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback,
                              void *userdata)
{
    return main_add(main, ret_slot, channel, EMITTER_PREPEND, (EmitterFunction)callback, userdata);
}

int ipc_main_prepend_once_listener(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_listener_t callback,
                                   void *userdata)
{
    return main_add(main, ret_slot, channel, EMITTER_PREPEND | EMITTER_ONCE, (EmitterFunction)callback, userdata);
}

int ipc_main_on_text(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_text_listener_t callback,
                     void *userdata)
{
    return main_add(main, ret_slot, channel, EMITTER_TEXT, (EmitterFunction)callback, userdata);
}

int ipc_main_once_text(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_text_listener_t callback,
                       void *userdata)
{
    return main_add(main, ret_slot, channel, EMITTER_TEXT | EMITTER_ONCE, (EmitterFunction)callback, userdata);
}

static int main_remove(ipc_main *main, const char *channel, EmitterFunction callback, void *userdata)
{
    if (!main || !callback || !channel)
        return -EINVAL;
    return emitter_remove(&main->listeners, channel, callback, userdata);
}

int ipc_main_off(ipc_main *main, const char *channel, ipc_listener_t callback, void *userdata)
{
    return main_remove(main, channel, (EmitterFunction)callback, userdata);
}

int ipc_main_off_text(ipc_main *main, const char *channel, ipc_text_listener_t callback, void *userdata)
{
    return main_remove(main, channel, (EmitterFunction)callback, userdata);
}

int ipc_main_remove_all_listeners(ipc_main *main, const char *channel)
{
    if (!main)
        return -EINVAL;
    emitter_remove_all(&main->listeners, channel);
    return 0;
}

int ipc_main_listener_count(ipc_main *main, const char *channel)
{
    if (!main || !channel)
        return -EINVAL;
    return (int)emitter_count(&main->listeners, channel);
}

int ipc_main_channel_names(ipc_main *main, char ***ret_names)
{
    if (!main || !ret_names)
        return -EINVAL;
    return emitter_channel_names(&main->listeners, ret_names);
}

static int main_add_handler(ipc_main *main, ipc_slot **ret_slot, const char *channel, EmitterFlags flags,
                            EmitterFunction handler, void *userdata)
{
    if (!main || !handler || !text_is_channel(channel))
        return -EINVAL;
    if (main->is_gone)
        return -ENOTCONN;
    if (emitter_count(&main->handlers, channel) > 0)
        return -EEXIST;
    return emitter_add(&main->handlers, ret_slot, channel, flags, handler, userdata);
}

int ipc_main_handle(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_handler_t handler, void *userdata)
{
    return main_add_handler(main, ret_slot, channel, 0, (EmitterFunction)handler, userdata);
}

int ipc_main_handle_once(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_handler_t handler,
                         void *userdata)
{
    return main_add_handler(main, ret_slot, channel, EMITTER_ONCE, (EmitterFunction)handler, userdata);
}

int ipc_main_remove_handler(ipc_main *main, const char *channel)
{
    if (!main || !channel)
        return -EINVAL;
    if (emitter_count(&main->handlers, channel) == 0)
        return -ENOENT;
    emitter_remove_all(&main->handlers, channel);
    return 0;
}

int ipc_main_handle_text(ipc_main *main, ipc_slot **ret_slot, const char *channel, ipc_text_handler_t handler,
                         void *userdata)
{
    return main_add_handler(main, ret_slot, channel, EMITTER_TEXT, (EmitterFunction)handler, userdata);
}

typedef struct HandlerRun {
    ipc_invocation *invocation;
    json_t *args;
    const char *text;
    size_t length;
    int ret;
} HandlerRun;

static void handler_call(EmitterFunction function, void *userdata, void *context)
{
    HandlerRun *run = context;

    run->ret = ((ipc_handler_t)function)(run->invocation, run->args, userdata);
}

static void text_handler_call(EmitterFunction function, void *userdata, void *context)
{
    HandlerRun *run = context;

    run->ret = ((ipc_text_handler_t)function)(run->invocation, run->text, run->length, userdata);
}

HandlerKind main_get_handler_kind(const ipc_main *main, const char *channel)
{
    int flags = emitter_get_first(&main->handlers, channel);

    return flags < 0 ? HANDLER_NONE : flags & EMITTER_TEXT ? HANDLER_TEXT : HANDLER_JSON;
}

int main_run_handler(ipc_main *main, ipc_invocation *invocation, json_t *args, const char *text, size_t length)
{
    HandlerRun run = { .invocation = invocation, .args = args, .text = text, .length = length };

    emitter_emit(&main->handlers, ipc_invocation_get_channel(invocation), args ? handler_call : text_handler_call,
                 &run);
    return run.ret;
}
