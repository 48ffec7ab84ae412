#!/bin/sh
# SPDX-License-Identifier: MIT
# run-test.sh [--tap] TEST: run a test where it cannot reach the user's own bus and files, and cannot hang.
# IPC_TEST_WRAPPER is a command to run compiled tests under, such as valgrind; IPC_TEST_TIMEOUT is in seconds.
set -eu

tap=
wrapper=
if [ "$1" = --tap ]; then
    tap=--tap
    wrapper=${IPC_TEST_WRAPPER:-}
    shift
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -m 700 "$tmp/run" "$tmp/home"
export HOME="$tmp/home" XDG_RUNTIME_DIR="$tmp/run" XDG_DATA_HOME="$tmp/home/data" XDG_CONFIG_HOME="$tmp/home/config"
export XDG_CACHE_HOME="$tmp/home/cache"
unset DBUS_SESSION_BUS_ADDRESS DBUS_SYSTEM_BUS_ADDRESS DBUS_STARTER_ADDRESS DBUS_STARTER_BUS_TYPE NOTIFY_SOCKET

# The wrapper is a command with arguments: it is split on purpose.
# shellcheck disable=SC2086
timeout --kill-after=10 "${IPC_TEST_TIMEOUT:-300}" $wrapper "$@" $tap
