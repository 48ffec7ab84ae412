/* SPDX-License-Identifier: MIT */
/* A renderer in an sd-event loop. cc loop-sd-event.c $(pkg-config --cflags --libs ipcbus) */
#include <errno.h>
#include <error.h>
#include <ipcbus/ipc-renderer.h>
#include <stdio.h>

static void on_answer(ipc_renderer *renderer, json_t *result, const ipc_error *error, void *event)
{
    (void)renderer;
    if (result)
        json_dumpf(result, stdout, JSON_ENCODE_ANY);
    puts(error ? error->message : "");
    sd_event_exit(event, error ? 1 : 0);
}

int main(int argc, char **argv)
{
    __attribute__((cleanup(sd_event_unrefp))) sd_event *event = NULL;
    __attribute__((cleanup(ipc_renderer_unrefp))) ipc_renderer *renderer = NULL;
    int r;

    r = sd_event_default(&event);
    if (r >= 0)
        r = ipc_renderer_new(&renderer, NULL, NULL);
    if (r >= 0)
        r = ipc_renderer_attach_event(renderer, event, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        r = ipc_renderer_invokef(renderer, NULL, "echo", on_answer, event, "s", argc > 1 ? argv[1] : "Hello");
    if (r >= 0)
        r = sd_event_loop(event);
    if (r < 0)
        error(1, -r, "Failed to call");
    return r;
}
