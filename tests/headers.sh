#!/bin/bash
# SPDX-License-Identifier: MIT
# Each installed header compiles alone, from C99 to C23 and in C++, with the flags that pkg-config tells.
set -u
# shellcheck source=tests/tap-fixture.sh
. "$(dirname "$0")/tap-fixture.sh"

build=${top_builddir:-$PWD}
warnings=(-pedantic -Wall -Wextra -Wshadow -Wundef -Werror)

# The headers go below $tmp/root. What pkg-config tells of other libraries is not ours to judge: they are system headers.
install_headers() {
    env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -C "$build" install-pkgincludeHEADERS install-pkgconfigDATA \
        DESTDIR="$tmp/root" || return
    mapfile -t headers < <(find "$tmp/root" -name '*.h' -printf '%P\n' | sort)
    ((${#headers[@]} > 0)) || { echo "no header was installed"; return 1; }
    ours=$tmp/root/${headers[0]%/ipcbus/*}
    read_flags
}

read_flags() {
    local folder
    folder=$(dirname "$(find "$tmp/root" -name ipcbus.pc)")
    # shellcheck disable=SC2046
    mapfile -t flags < <(PKG_CONFIG_PATH=$folder pkg-config --cflags $(basename -s .pc "$folder"/*.pc) |
        tr ' ' '\n' | sed -n 's/^-I/-isystem/p')
}

# compile COMPILER LANGUAGE STANDARD: a program on standard input.
compile() {
    "$1" -x "$2" -std="$3" "${warnings[@]}" -I"$ours" "${flags[@]}" -fsyntax-only - ||
        { echo "this was $1 -std=$3"; return 1; }
}

# Twice, because its guard is looked at, too; and something of its own, because nothing at all is no C.
include() {
    printf '#include <%s>\n' "$@" "$@"
    echo 'extern int ipcbus_was_included;'
}

header_compiles() {
    local compiler=$1 language=$2 standard
    shift 2
    for standard in "${standards[@]}"; do
        include "$@" | compile "$compiler" "$language" "$standard" || return
    done
}

# What README.md writes works in each of them: owners that are cleaned up, errors that begin empty.
owners_compile() {
    local standard
    for standard in "${standards[@]}"; do
        compile "$1" "$2" "$standard" <<'END' || return
#include <ipcbus/ipc-main.h>
#include <ipcbus/ipc-renderer.h>

int owners(void);

int owners(void)
{
    __attribute__((cleanup(ipc_app_unrefp))) ipc_app *app = NULL;
    __attribute__((cleanup(ipc_event_unrefp))) ipc_event *event = NULL;
    __attribute__((cleanup(ipc_invocation_unrefp))) ipc_invocation *invocation = NULL;
    __attribute__((cleanup(ipc_renderer_unrefp))) ipc_renderer *renderer = NULL;
    __attribute__((cleanup(ipc_slot_unrefp))) ipc_slot *slot = NULL;
    __attribute__((cleanup(ipc_web_contents_unrefp))) ipc_web_contents *contents = NULL;
    __attribute__((cleanup(ipc_webview_unrefp))) ipc_webview *webview = NULL;
    __attribute__((cleanup(ipc_error_clear))) ipc_error error = IPC_ERROR_INIT;

    return app || event || invocation || renderer || slot || contents || webview || error.name;
}
END
    done
}

reversed() {
    printf '%s\n' "${names[@]}" | sort -r
}

# with COMPILER LANGUAGE: all that is to be tested with it.
with() {
    local compiler=$1 language=$2 header
    if ! command -v "$compiler" >/dev/null; then
        skip_case "the headers with $compiler" "it is not installed"
        return
    fi
    for header in "${names[@]}"; do
        test_case "<$header> alone, with $compiler, ${standards[0]} to ${standards[-1]}" \
            header_compiles "$compiler" "$language" "$header"
    done
    # shellcheck disable=SC2046
    test_case "all headers in another order, with $compiler" \
        header_compiles "$compiler" "$language" $(reversed)
    test_case "owners that clean up, with $compiler" owners_compile "$compiler" "$language"
}

headers=()
test_case "the headers are installed" install_headers
names=("${headers[@]#"${headers[0]%/ipcbus/*}"/}")
standards=(c99 c11 c17 c2x)
with gcc c
with clang c
standards=(c++11 c++14 c++17 c++20)
with g++ c++
with clang++ c++
finish
