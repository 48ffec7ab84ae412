#!/bin/bash
# SPDX-License-Identifier: MIT
# The fuzzers' corpora: what has been found once is found no more. Prints TAP.
set -euo pipefail

src=${top_srcdir:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
build=${top_builddir:-$PWD}
names=()
for folder in "$src"/tests/corpus/*/; do
    names+=("$(basename "$folder")")
done

echo "1..${#names[@]}"
number=0
for name in "${names[@]}"; do
    number=$((number + 1))
    if log=$("$build/tests/fuzz-$name" "$src/tests/corpus/$name"/* 2>&1); then
        echo "ok $number - $name"
    else
        printf '%s\n' "$log" | sed 's/^/# /'
        echo "not ok $number - $name"
    fi
done
