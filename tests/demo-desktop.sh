#!/bin/bash
# SPDX-License-Identifier: MIT
# demo-desktop.sh BUILD-FOLDER: the desktop app on a bus of its own, with a service that is started by its first call.
# Where there is a display, it is shown until it is closed; else it is used under Xvfb, and leaves a screenshot.
set -euo pipefail

# shellcheck source=tests/demo-stage.sh
. "$(dirname "$0")/demo-stage.sh"

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

start_stage --module=notes
write_notes >/dev/null || fail "the service did not start"
if [[ -n ${DISPLAY-}${WAYLAND_DISPLAY-} ]]; then
    show
else
    show_to_nobody
fi
