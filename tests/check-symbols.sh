#!/bin/sh
# SPDX-License-Identifier: MIT
# The public headers, the linker map and the built library must name the same functions, for each of the libraries.
set -eu
export LC_ALL=C

src=${top_srcdir:-$(dirname "$0")/..}
build=${top_builddir:-.}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# A declaration begins in the first column; a callback's type has its name in brackets. Modules define
# ipc_module_init, the library does not.
declared() {
    cat "$@" |
        awk '
            { gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "") }
            /\/\*/ { comment = 1; sub(/\/\*.*/, "") }
            comment && /\*\// { comment = 0; sub(/.*\*\//, "") }
            !comment && /^[a-zA-Z]/ && !/^(static|typedef)/ && match($0, /ipc_[a-z0-9_]+\(/) {
                print substr($0, RSTART, RLENGTH - 1)
            }' |
        grep -vx ipc_module_init
}

mapped() {
    sed -n 's/^ *\(ipc_[a-z0-9_]*\);$/\1/p' "$1"
}

# The version node of the map is in the table too, as an absolute symbol.
exported() {
    nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }'
}

number=0

check() {
    number=$((number + 1))
    if difference=$(diff "$1" "$2"); then
        echo "ok $number - $3"
    else
        echo "not ok $number - $3"
        echo "$difference" | sed -n 's/^[<>]/#  &/p'
    fi
}

# library NAME HEADER...: four tests.
library() {
    name=$1
    shift
    declared "$@" | sort >"$tmp/declared"
    mapped "$src/interfaces/$name.sym" >"$tmp/mapped"
    sort -u "$tmp/mapped" >"$tmp/sorted"
    exported "$build/.libs/$name.so" | sort >"$tmp/exported"

    number=$((number + 1))
    if [ -s "$tmp/declared" ]; then
        echo "ok $number - $name: the headers declare $(wc -l <"$tmp/declared") functions"
    else
        echo "not ok $number - $name: the headers declare functions"
    fi
    check "$tmp/mapped" "$tmp/sorted" "$name: the map is sorted, without duplicates"
    check "$tmp/declared" "$tmp/sorted" "$name: the headers (<) and the map (>) agree"
    check "$tmp/exported" "$tmp/sorted" "$name: the library (<) and the map (>) agree"
}

library libipcbus "$src"/interfaces/ipc-[!g]*.h "$src/service/ipc-app.h" "$src/service/ipc-invocation.h" \
    "$src/service/ipc-main.h" "$src/service/ipc-web-contents.h" "$src/client/ipc-renderer.h" \
    "$src/client/ipc-webview.h"
if [ -e "$build/.libs/libipcbus-glib.so" ]; then
    library libipcbus-glib "$src"/interfaces/ipc-g*.h "$src/service/ipc-main-glib.h" "$src/client/ipc-renderer-glib.h"
fi
echo "1..$number"
