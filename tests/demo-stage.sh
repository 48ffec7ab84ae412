# SPDX-License-Identifier: MIT
# Sourced by the demonstrations, with the build folder as its argument: a bus of their own, in $tmp, and an end in good
# order. Each has a fail() that says what went wrong.
# shellcheck shell=bash

# shellcheck source=tests/bus-fixture.sh
. "$(dirname "${BASH_SOURCE[0]}")/bus-fixture.sh"

build=$(cd "$1" && pwd)
tmp=$(mktemp -d)
pids=() # of what runs in the background; the bus comes first and ends last
service= # the process that the bus has started, once it is known
export XDG_DATA_HOME=$tmp/data
export PATH=$build/client:$build/service:$PATH
unset DBUS_SESSION_BUS_ADDRESS DBUS_STARTER_ADDRESS DBUS_STARTER_BUS_TYPE

clean_up() {
    local index
    trap - EXIT
    trap '' HUP INT TERM
    [[ -z $service ]] || kill "$service" 2>/dev/null || true
    for ((index = ${#pids[@]} - 1; index >= 0; index--)); do
        kill "${pids[index]}" 2>/dev/null || true
        wait "${pids[index]}" 2>/dev/null || true
    done
    # The service is the bus's child, not ours, so tail waits for it.
    [[ -z $service ]] || timeout 5 tail --pid="$service" -s 0.1 -f /dev/null || kill -KILL "$service" 2>/dev/null || true
    rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# start_stage OPTION...: a session bus that starts ipcbusd with these options when somebody first talks to it.
start_stage() {
    mkdir -p "$tmp/services" "$XDG_DATA_HOME"
    cat >"$tmp/services/org.ipcbus.Main.service" <<END
[D-BUS Service]
Name=org.ipcbus.Main
Exec=$build/service/ipcbusd $*
END
    start_bus "$tmp"
    export DBUS_SESSION_BUS_ADDRESS=$address
}
