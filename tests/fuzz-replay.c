/* SPDX-License-Identifier: MIT */

/* Gives a fuzzer the files that are named, instead of what libFuzzer makes up: the corpus as a test. */

#include <stdio.h>

#include "fuzz.h"

static int replay(const char *path)
{
    static uint8_t data[1024 * 1024];
    size_t size;
    FILE *file;

    file = fopen(path, "re");
    if (!file) {
        perror(path);
        return 1;
    }
    size = fread(data, 1, sizeof(data), file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    return 0;
}

int main(int argc, char *argv[])
{
    int i, failed = 0;

    for (i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    printf("%d inputs\n", argc - 1);
    return failed;
}
