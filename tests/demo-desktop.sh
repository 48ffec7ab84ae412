#!/bin/bash
# SPDX-License-Identifier: MIT
# demo-desktop.sh BUILD-FOLDER: the desktop app on a bus of its own, with a service that is started by its first call.
# Where there is a display, it is shown until it is closed; else it is used under Xvfb, and leaves a screenshot.
set -euo pipefail

build=$(cd "$1" && pwd)
tmp=$(mktemp -d)
pids=() # of what runs in the background; the bus comes first and ends last
export XDG_DATA_HOME=$tmp/data
export PATH=$build/client:$build/service:$PATH
unset DBUS_SESSION_BUS_ADDRESS DBUS_STARTER_ADDRESS DBUS_STARTER_BUS_TYPE

clean_up() {
    local index
    trap - EXIT
    trap '' HUP INT TERM
    for ((index = ${#pids[@]} - 1; index >= 0; index--)); do
        kill "${pids[index]}" 2>/dev/null || true
        wait "${pids[index]}" 2>/dev/null || true
    done
    rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# until_true COMMAND...: waits for a condition.
until_true() {
    local end=$((SECONDS + 20))
    until "$@"; do
        ((SECONDS < end)) || fail "this did not come true: $*"
        sleep 0.05
    done
}

fail() {
    printf 'FAILED: %s\n' "$*"
    cat "$tmp"/*.log
    exit 1
}

# shellcheck source=tests/desktop-stage.sh
. "$(dirname "$0")/desktop-stage.sh"

start_bus() {
    mkdir -p "$tmp/services" "$XDG_DATA_HOME"
    cat >"$tmp/services/org.ipcbus.Main.service" <<END
[D-BUS Service]
Name=org.ipcbus.Main
Exec=$build/service/ipcbusd --module=notes
END
    cat >"$tmp/bus.conf" <<END
<busconfig>
  <type>session</type>
  <listen>unix:path=$tmp/bus</listen>
  <servicedir>$tmp/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
END
    mkfifo "$tmp/ready"
    dbus-daemon --config-file="$tmp/bus.conf" --nofork --nopidfile --print-address=3 3>"$tmp/ready" 2>"$tmp/bus.log" &
    pids+=($!)
    # Nothing but an end of file comes from a bus that fails to start.
    read -r DBUS_SESSION_BUS_ADDRESS <"$tmp/ready" || fail "the bus did not start"
    export DBUS_SESSION_BUS_ADDRESS
}

write_notes() {
    ipcbusctl invoke notes:add '{"title": "Ideas", "text": "# Someday\n- a boat\n- a smaller boat"}'
    ipcbusctl invoke notes:add '{"title": "Groceries",
        "text": "# To buy\n- [x] Milk, 2 litres\n- [ ] Bread\n- [ ] Coffee beans\n\nThe shop closes at eight."}'
}

# Runs the app until it is closed.
show() {
    echo "The app has a bus and a data folder of its own, and ends when you close it. From another terminal:"
    echo "    DBUS_SESSION_BUS_ADDRESS=$DBUS_SESSION_BUS_ADDRESS $build/client/ipcbusctl invoke notes:add '\"Hello\"'"
    "$build/client/examples/notes-app/ipcbus-notes"
}

show_to_nobody() {
    local missing
    missing=$(missing_on_stage)
    [[ -z $missing ]] || fail "missing:$missing"
    start_display || fail "Xvfb did not start"
    start_registry "$DBUS_SESSION_BUS_ADDRESS"
    "$build/client/examples/notes-app/ipcbus-notes" >"$tmp/app.log" 2>&1 &
    pids+=($!)
    use Notes choose Groceries
    use Notes press Read
    sees Reader "Milk, 2 litres"
    picture desktop
    echo "There is no display, so here is a picture: $screenshots/desktop.png"
}

start_bus
write_notes >/dev/null || fail "the service did not start"
if [[ -n ${DISPLAY-}${WAYLAND_DISPLAY-} ]]; then
    show
else
    show_to_nobody
fi
