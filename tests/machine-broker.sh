#!/bin/bash
# SPDX-License-Identifier: MIT
# The same with dbus-broker in the place of dbus-daemon, on the bus of a user.
set -u
if [[ ${1-} != inside ]]; then
    # shellcheck source=tests/machine-fixture.sh
    . "$(dirname "$0")/machine-fixture.sh"
    with_broker
    prepare_machine user "$0"
    run_machine user
fi
# shellcheck source=tests/machine-story.sh
. /run/ipcbus-test/machine-story.sh

is_broker() {
    expect "$(ps -o comm= -p "$(ctl show --value --property=MainPID dbus.service)")" dbus-broker-lau
}

# This bus says at once that the unit has failed, but not which one; systemd may be about to try again.
fails_at_once() {
    local hint="its unit 'ipcbusd.service' (failed|has not taken the name); 'systemctl --user status ipcbusd.service'"
    start_limit=10 serve_with --module=nonesuch && invoke_fails 3 "$hint" echo && ! client invoke echo >"$tmp/out" &&
        expect_match "$(<"$tmp/out")" "^org.ipcbus.Error.MainGone: .*$hint" && serve_with --module=echo &&
        answers '["mended"]' echo mended
}

test_case "a call starts the service" activated_by_a_call
test_case "the bus is dbus-broker's" is_broker
test_case "busctl and systemctl show it" can_be_looked_at
test_case "a service that cannot start is named" fails_at_once
test_case "a service that starts slowly" starts_slowly
test_case "a crash, and renderers that come back" crash_brings_renderers_back
test_case "restarts under load" restart_under_load
test_case "it leaves when it is idle" leaves_when_idle
test_case "calls race with its leaving" idle_race
test_case "the time of an activation" activation_time
cat "$tmp/said"
finish
