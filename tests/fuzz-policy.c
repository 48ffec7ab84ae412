/* SPDX-License-Identifier: MIT */

/* The policy file: it is read whole, or refused with line and column and nothing changed. */

#include <errno.h>

#include "error.h"
#include "fuzz.h"
#include "policy-parse.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    unsigned line, column;
    Policy policy;
    int r;

    policy_init(&policy);
    r = policy_parse("file", (const char *)data, size, &policy, &error);
    check(r == 0 || r == -EBADMSG);
    check((r < 0) == sd_bus_error_is_set(&error));
    if (r < 0) {
        check(text_is_utf8(error.message));
        check(sscanf(error.message, "file:%u:%u: ", &line, &column) == 2);
        check(line >= 1 && column >= 1);
        check(!policy.root && policy.n_rules == 0 && policy.otherwise == POLICY_OWN);
    }
    policy_clear(&policy);
    sd_bus_error_free(&error);
    return 0;
}
