/* SPDX-License-Identifier: MIT */
#include "policy-document.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ipc-names.h"
#include "macro.h"
#include "text.h"

#define WORD_MAX 64u /* bytes of a word of the text that an error quotes */

static int fail_at(const PolicyDocument *document, JsonPosition position, const char *message)
{
    sd_bus_error_setf(document->error, IPC_ERROR_INVALID_POLICY, "%s:%u:%u: %s", document->name, position.line,
                      position.column, message);
    return -EBADMSG;
}

__attribute__((format(printf, 4, 0))) static int failv(const PolicyDocument *document, const JsonPlace *place,
                                                       bool of_key, const char *format, va_list ap)
{
    JsonPosition position = json_place_find(place, of_key, document->text, document->length);
    char message[1024];

    vsnprintf(message, sizeof(message), format, ap);
    return fail_at(document, position, message);
}

int policy_document_fail(const PolicyDocument *document, const JsonPlace *place, const char *format, ...)
{
    va_list ap;
    int r;

    va_start(ap, format);
    r = failv(document, place, false, format, ap);
    va_end(ap);
    return r;
}

int policy_document_fail_key(const PolicyDocument *document, const JsonPlace *place, const char *format, ...)
{
    va_list ap;
    int r;

    va_start(ap, format);
    r = failv(document, place, true, format, ap);
    va_end(ap);
    return r;
}

int policy_document_load(const PolicyDocument *document, json_t **ret_root)
{
    const char *nul = memchr(document->text, '\0', document->length);
    json_error_t where = { 0 };
    json_t *root;

    /* jansson takes it for an end, and not for a good one. */
    if (nul)
        return fail_at(document, json_position(document->text, nul), "a text has no NUL bytes");
    root = json_loadb(document->text, document->length, JSON_REJECT_DUPLICATES, &where);
    if (root) {
        *ret_root = root;
        return 0;
    }
    /* Where it has not even begun for want of memory, it does not say so. */
    if (!where.text[0] || json_error_code(&where) == json_error_out_of_memory)
        return -ENOMEM;
    /* It quotes the text, and may cut a character in two. */
    if (!text_is_utf8(where.text))
        snprintf(where.text, sizeof(where.text), "invalid text");
    /* In an empty text it is before the first column. */
    return fail_at(document,
                   (JsonPosition){ where.line > 0 ? (unsigned)where.line : 1,
                                   where.column > 0 ? (unsigned)where.column : 1 },
                   where.text);
}

/* "default, rules or limits" */
static void list_keys(const PolicyKey *keys, char *list, size_t size)
{
    size_t length = 0;
    const PolicyKey *key;

    for (key = keys; key->name && length < size; key++)
        length += (size_t)snprintf(list + length, size - length, "%s%s",
                                   key == keys ? "" : key[1].name ? ", " : " or ", key->name);
}

static int fail_unknown(const PolicyDocument *document, const JsonPlace *place, const char *what,
                        const PolicyKey *keys)
{
    char list[256];

    list_keys(keys, list, sizeof(list));
    if (strlen(place->key) > WORD_MAX)
        return policy_document_fail_key(document, place, "%s has no such key: there may be %s", what, list);
    return policy_document_fail_key(document, place, "%s has no key '%s': there may be %s", what, place->key, list);
}

int policy_document_take_object(const PolicyDocument *document, const JsonPlace *place, json_t *value,
                                const char *what, const PolicyKey *keys, void *target)
{
    const PolicyKey *key;
    const char *name;
    json_t *member;
    int r;

    if (!json_is_object(value))
        return policy_document_fail(document, place, "%s must be an object", what);
    json_object_foreach(value, name, member) {
        JsonPlace inner = { .parent = place, .key = name };

        for (key = keys; key->name && strcmp(key->name, name) != 0; key++)
            ;
        if (!key->name)
            return fail_unknown(document, &inner, what, keys);
        r = key->take(document, &inner, member, target);
        if (r < 0)
            return r;
    }
    return 0;
}
