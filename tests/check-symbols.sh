#!/bin/sh
# SPDX-License-Identifier: MIT
# The public headers, the linker map and the built library must name the same functions.
set -eu
export LC_ALL=C

src=${top_srcdir:-$(dirname "$0")/..}
build=${top_builddir:-.}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# A declaration begins in the first column; a callback's type has its name in brackets. Modules define
# ipc_module_init, the library does not.
declared() {
    cat "$src"/interfaces/ipc-*.h "$src/service/ipc-main.h" "$src/client/ipc-renderer.h" |
        awk '
            { gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "") }
            /\/\*/ { comment = 1; sub(/\/\*.*/, "") }
            comment && /\*\// { comment = 0; sub(/.*\*\//, "") }
            !comment && /^[a-z]/ && !/^(static|typedef)/ && match($0, /ipc_[a-z0-9_]+\(/) {
                print substr($0, RSTART, RLENGTH - 1)
            }' |
        grep -vx ipc_module_init
}

mapped() {
    sed -n 's/^ *\(ipc_[a-z0-9_]*\);$/\1/p' "$src/interfaces/libipcbus.sym"
}

# The version node of the map is in the table too, as an absolute symbol.
exported() {
    nm -D --defined-only "$build/.libs/libipcbus.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }'
}

check() {
    number=$1
    if difference=$(diff "$2" "$3"); then
        echo "ok $number - $4"
    else
        echo "not ok $number - $4"
        echo "$difference" | sed -n 's/^[<>]/#  &/p'
    fi
}

declared | sort >"$tmp/declared"
mapped >"$tmp/mapped"
sort -u "$tmp/mapped" >"$tmp/sorted"
exported | sort >"$tmp/exported"

echo 1..4
if [ -s "$tmp/declared" ]; then
    echo "ok 1 - the headers declare $(wc -l <"$tmp/declared") functions"
else
    echo "not ok 1 - the headers declare functions"
fi
check 2 "$tmp/mapped" "$tmp/sorted" "the map is sorted, without duplicates"
check 3 "$tmp/declared" "$tmp/sorted" "the headers (<) and the map (>) agree"
check 4 "$tmp/exported" "$tmp/sorted" "the library (<) and the map (>) agree"
