/* SPDX-License-Identifier: MIT */

/* The command line of ipcbusctl: the bytes are its words, each with a NUL behind it. Nothing is connected to. */

#include <getopt.h>

#include "ctl-args.h"
#include "ctl-options.h"
#include "fuzz.h"
#include "text.h"

#define WORDS_MAX 64

static void check_operands(char **words)
{
    Failure failure = { 0 };
    json_t *args = NULL;
    char *text = NULL;
    uint32_t id;

    if (args_from_words(words, &text, &failure) == STATUS_OK) {
        check(text_decode_args(text, "channel", &args, NULL) == 0);
        json_decref(args);
    }
    free(text);
    failure_clear(&failure);
    if (!words[0])
        return;
    (void)args_check_channel(words[0], &failure);
    failure_clear(&failure);
    (void)args_read_id(words[0], &id, &failure);
    failure_clear(&failure);
}

static int split(char *text, size_t size, char **words)
{
    int n = 0;
    char *end = text + size;

    words[n++] = (char *)"ipcbusctl";
    for (; text < end && n < WORDS_MAX; text += strlen(text) + 1)
        words[n++] = text;
    words[n] = NULL;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *words[WORDS_MAX + 1], *text = calloc(1, size + 1);
    Failure failure = { 0 };
    Options options = { 0 };
    ExitStatus status;
    int n;

    check(text);
    if (size > 0)
        memcpy(text, data, size);
    n = split(text, size, words);
    optind = 0; /* getopt_long() begins anew */
    status = options_parse(&options, n, words, &failure);
    check(status == STATUS_OK || status == STATUS_USAGE);
    if (status == STATUS_OK)
        check_operands(options.words);
    failure_clear(&failure);
    free(text);
    return 0;
}
