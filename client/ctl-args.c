/* SPDX-License-Identifier: MIT */
#include "ctl-args.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl-output.h"
#include "ctl-utf8.h"
#include "ipc-names.h"
#include "macro.h"

static ExitStatus write_string(FILE *stream, const char *word, Failure *failure)
{
    _cleanup_free_ char *text = NULL;
    json_t *string = json_string(word);

    text = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    json_decref(string);
    if (!text)
        return failure_out_of_memory(failure);
    output_json(stream, text, STYLE_SHORT);
    return STATUS_OK;
}

/* Not every word that jansson refuses is a string: some are JSON that no service here could read. */
static ExitStatus write_word(FILE *stream, const char *word, Failure *failure)
{
    json_error_t error;
    json_t *value;

    if (!utf8_is_valid(word))
        return failure_set(failure, STATUS_FAILED, IPC_ERROR_INVALID_ARGS, "ARG '%.40s' is not UTF-8", word);
    value = json_loads(word, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (value) {
        json_decref(value);
        output_json(stream, word, STYLE_SHORT);
        return STATUS_OK;
    }
    switch (json_error_code(&error)) {
    case json_error_out_of_memory:
        return failure_out_of_memory(failure);
    case json_error_numeric_overflow:
    case json_error_null_byte_in_key:
    case json_error_stack_overflow:
        return failure_set(failure, STATUS_FAILED, IPC_ERROR_INVALID_ARGS,
                           "%s in ARG '%.40s'; to send it as a string, quote it as JSON does: '\"...\"'", error.text,
                           word);
    default:
        return write_string(stream, word, failure);
    }
}

static ExitStatus write_words(FILE *stream, char **words, Failure *failure)
{
    ExitStatus status = STATUS_OK;

    putc('[', stream);
    for (size_t i = 0; words[i] && status == STATUS_OK; i++) {
        if (i > 0)
            putc(',', stream);
        status = write_word(stream, words[i], failure);
    }
    putc(']', stream);
    return status;
}

ExitStatus args_from_words(char **words, char **ret_args, Failure *failure)
{
    _cleanup_free_ char *args = NULL;
    ExitStatus status;
    size_t size = 0;
    FILE *stream;

    stream = open_memstream(&args, &size);
    if (!stream)
        return failure_out_of_memory(failure);
    status = write_words(stream, words, failure);
    if (fclose(stream) != 0)
        return failure_out_of_memory(failure);
    if (status != STATUS_OK)
        return status;

    if (size > IPC_ARGS_MAX)
        return failure_set(failure, STATUS_FAILED, IPC_ERROR_TOO_LARGE,
                           "The args have %zu bytes of JSON; the limit is %u", size, IPC_ARGS_MAX);
    *ret_args = TAKE_PTR(args);
    return STATUS_OK;
}

/* The bus refuses noncharacters, which JSON text can escape and a channel cannot. */
static bool has_noncharacter(const char *text)
{
    uint32_t character;
    size_t length;

    while ((length = utf8_decode(text, &character)) > 0) {
        if (utf8_is_noncharacter(character))
            return true;
        text += length;
    }
    return false;
}

ExitStatus args_check_channel(const char *channel, Failure *failure)
{
    size_t length = strlen(channel);

    if (length == 0 || length > IPC_CHANNEL_MAX)
        return failure_set(failure, STATUS_FAILED, IPC_ERROR_INVALID_CHANNEL,
                           "CHANNEL must have 1 to %u bytes; this one has %zu", IPC_CHANNEL_MAX, length);
    if (!utf8_is_valid(channel))
        return failure_set(failure, STATUS_FAILED, IPC_ERROR_INVALID_CHANNEL, "CHANNEL '%.40s' is not UTF-8", channel);
    if (has_noncharacter(channel))
        return failure_set(failure, STATUS_FAILED, IPC_ERROR_INVALID_CHANNEL,
                           "CHANNEL has a code point that D-Bus does not carry");
    return STATUS_OK;
}

ExitStatus args_read_id(const char *word, uint32_t *ret_id, Failure *failure)
{
    unsigned long long id = 0;
    char *end = NULL;

    if (isdigit((unsigned char)word[0])) {
        errno = 0;
        id = strtoull(word, &end, 10);
    }
    if (!end || *end || errno != 0 || id > UINT32_MAX)
        return failure_set(failure, STATUS_USAGE, NULL, "ID must be a number that 'ipcbusctl list' shows; '%s' is none",
                           word);
    *ret_id = (uint32_t)id;
    return STATUS_OK;
}
