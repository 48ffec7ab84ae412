/* SPDX-License-Identifier: MIT */
#include "monitor-line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "macro.h"
#include "web-contents.h"

/*
 * A line must be JSON, whatever somebody sent: that it is refused is just what one wants to see. So text that is no
 * JSON, and such as is too long or too deep for a line, is told by its size and its beginning, and every other string
 * is made UTF-8.
 */

#define BEGIN_MAX 256u     /* bytes of a text that are told of one that is not told whole */
#define STRING_MAX 4096u   /* bytes of a string that is not JSON */
#define LINE_MAX_BYTES (8u * IPC_WATCHER_TEXT_MAX) /* more than texts that are told whole can come to */

typedef struct Writer {
    json_t *object;
    size_t text_max; /* bytes of a text that is told whole */
    bool is_brief; /* no text is */
    int error;
} Writer;

static void set(Writer *writer, const char *key, json_t *value)
{
    if (json_object_set_new(writer->object, key, value) < 0)
        writer->error = -ENOMEM;
}

static void set_integer(Writer *writer, const char *key, uint64_t value)
{
    set(writer, key, json_integer((json_int_t)value));
}

/* Cuts before a character that would be cut in two. */
static size_t cut(const char *string, size_t max)
{
    size_t length = strnlen(string, max + 1), i;

    if (length <= max)
        return length;
    for (i = 0; i < 3 && ((unsigned char)string[max - i] & 0xc0) == 0x80; i++)
        ;
    return max - i;
}

static void set_string(Writer *writer, const char *key, const char *string, size_t max)
{
    _cleanup_free_ char *copy = strndup(string, cut(string, max));
    char *c;

    if (copy && !text_is_utf8(copy))
        for (c = copy; *c; c++)
            if ((unsigned char)*c >= 0x80)
                *c = '?';
    set(writer, key, json_string(copy));
}

static void set_beginning(Writer *writer, const char *key, const LineText *text)
{
    char name[32];

    set(writer, key, json_null());
    snprintf(name, sizeof(name), "%s_bytes", key);
    set_integer(writer, name, text->length);
    snprintf(name, sizeof(name), "%s_begin", key);
    set_string(writer, name, text->data, BEGIN_MAX);
}

static void set_text(Writer *writer, const char *key, const LineText *text)
{
    json_t *value;
    int r = -EMSGSIZE;

    if (!text->data)
        return;
    if (!writer->is_brief && text->length <= writer->text_max)
        r = text_decode_value(text->data, text->length, &value);
    if (r >= 0)
        set(writer, key, value);
    else
        set_beginning(writer, key, text);
}

/* ---- the parts of a line, in their order ---- */

static const char *name_of(const ipc_app *app, uint32_t id)
{
    const ipc_web_contents *contents = ipc_web_contents_from_id((ipc_app *)app, id);
    const char *name = "";

    if (id != 0)
        return contents ? contents->peer->unique_name : "";
    (void)sd_bus_get_unique_name(app->bus, &name);
    return name;
}

static void set_ends(Writer *writer, const ipc_app *app, const Line *line)
{
    uint32_t receiver_id = line->is_out ? ipc_sender_get_id(line->peer) : line->receiver_id;

    set(writer, "direction", json_string(line->is_out ? "out" : "in"));
    set_integer(writer, "sender_id", line->sender_id);
    set(writer, "sender", json_string(line->is_out ? name_of(app, line->sender_id) : line->peer->unique_name));
    if (!line->is_out && receiver_id == 0)
        return;
    set_integer(writer, "receiver_id", receiver_id);
    set(writer, "receiver", json_string(line->is_out ? line->peer->unique_name : name_of(app, receiver_id)));
}

static void set_contents(Writer *writer, const ipc_web_contents *contents)
{
    set_string(writer, "title", contents->title, STRING_MAX);
    set_integer(writer, "process_id", (uint64_t)contents->peer->pid);
    set_integer(writer, "user_id", contents->peer->uid);
    set_integer(writer, "host_id", ipc_web_contents_get_id(contents->host));
}

static void set_what_is_sent(Writer *writer, const Line *line)
{
    if (line->channel)
        set_string(writer, "channel", line->channel, IPC_CHANNEL_MAX);
    set_text(writer, "args", &line->args);
    set_text(writer, "message", &line->message);
    if (line->message.data) {
        set_integer(writer, "ports", line->n_ports);
        set_integer(writer, "files", line->n_files);
    }
    set(writer, "transport", json_string(line->is_by_lane ? "lane" : "bus"));
}

static void set_error(Writer *writer, const Line *line)
{
    Writer inner = { .object = json_object(), .text_max = writer->text_max, .is_brief = writer->is_brief };

    set_string(&inner, "name", line->error_name, STRING_MAX);
    set_string(&inner, "message", line->error_message ? line->error_message : line->error_name, STRING_MAX);
    set_text(&inner, "detail", &line->detail);
    set(writer, "error", inner.object);
    if (inner.error < 0)
        writer->error = inner.error;
}

static void set_end(Writer *writer, const Line *line)
{
    if (line->serial > 0)
        set_integer(writer, "serial", line->serial);
    if (line->is_pending)
        set(writer, "pending", json_true());
    set_text(writer, "result", &line->result);
    if (line->error_name)
        set_error(writer, line);
    if (line->has_ended)
        set_integer(writer, "latency_us", line->latency);
}

static int write_object(const ipc_app *app, const Line *line, bool is_brief, Text *ret_text)
{
    Writer writer = {
        .object = json_object(),
        .text_max = line->is_refused ? IPC_WATCHER_REFUSED_MAX : IPC_WATCHER_TEXT_MAX,
        .is_brief = is_brief,
    };
    int r;

    set_integer(&writer, "time", line->time);
    set(&writer, "verb", json_string(line->verb));
    set_ends(&writer, app, line);
    if (line->contents)
        set_contents(&writer, line->contents);
    set_what_is_sent(&writer, line);
    set_end(&writer, line);
    r = text_encode_max(ret_text, writer.error < 0 ? NULL : writer.object, LINE_MAX_BYTES);
    json_decref(writer.object);
    return writer.error < 0 ? writer.error : r;
}

int line_write(const ipc_app *app, const Line *line, Text *ret_text)
{
    int r;

    r = write_object(app, line, false, ret_text);
    if (r < 0 && r != -ENOMEM) {
        text_clear(ret_text);
        r = write_object(app, line, true, ret_text);
    }
    if (r < 0)
        return r;
    /* Nobody needs it to be a string any more. */
    ret_text->data[ret_text->length++] = '\n';
    return 0;
}
