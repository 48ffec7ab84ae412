/* SPDX-License-Identifier: MIT */
#pragma once

/* What a message is made of, read from the words of the command line. */

#include <stdint.h>

#include "ctl-failure.h"

/* The JSON text of an array. A word that is JSON goes as it was typed, any other as a string. The caller frees it. */
ExitStatus args_from_words(char **words, char **ret_args, Failure *failure);

/* InvalidChannel before it is sent, in words of our own. */
ExitStatus args_check_channel(const char *channel, Failure *failure);

/* The id of a renderer. */
ExitStatus args_read_id(const char *word, uint32_t *ret_id, Failure *failure);
