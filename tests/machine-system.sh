#!/bin/bash
# SPDX-License-Identifier: MIT
# The service on the system bus of a machine with a real service manager: what is installed, as it is installed.
set -u
if [[ ${1-} != inside ]]; then
    # shellcheck source=tests/machine-fixture.sh
    . "$(dirname "$0")/machine-fixture.sh"
    prepare_machine system "$0"
    run_machine system
fi
# shellcheck source=tests/machine-story.sh
. /run/ipcbus-test/machine-story.sh

idle_race_with_count() {
    local before after
    before=$(count_starts)
    idle_race || return
    after=$(count_starts)
    say "the service was started $((after - before)) times meanwhile"
}

count_starts() {
    journalctl --quiet --output=cat --identifier=dbus-daemon --grep "Successfully activated service '$name'" | wc -l
}

# Others do not even start the service.
foreign_user() {
    local error
    ctl stop $unit || return
    ! error=$(setpriv --reuid=nobody --regid=nogroup --clear-groups busctl --system call $name /org/ipcbus/Main \
        org.ipcbus.Main1 Invoke ss echo '[]' 2>&1) && expect_match "$error" 'Access denied|not allowed|rejected' &&
        unit_has ActiveState inactive && ! setpriv --reuid=nobody --regid=nogroup --clear-groups \
        busctl --system call org.freedesktop.DBus / org.freedesktop.DBus RequestName su $name 0
}

runs_as_its_user() {
    serve_with --module=echo && answers '[]' echo && expect "$(ps -o user= -p "$(get MainPID)")" ipcbus &&
        expect "$(stat -c %U:%a $state)" ipcbus:700
}

# The journal finds what is about a channel or a renderer.
journal_has_fields() {
    serve_with "--module=$test/machine-module.so" && expect "$(client invoke leak)" null &&
        until_true journal_tells IPCBUS_CHANNEL=leaky 'More than 10 listeners' &&
        journal_tells IPCBUS_RENDERER=1 'leaky' &&
        expect "$(journalctl --quiet --output=cat --output-fields=PRIORITY IPCBUS_CHANNEL=leaky)" 4 &&
        journal_tells _SYSTEMD_UNIT=$unit 'More than 10 listeners'
}

journal_tells() {
    journalctl --quiet --output=cat "$1" | grep -q "$2"
}

test_case "the unit is sound" unit_is_sound /usr/lib/systemd/system/ipcbusd.service
test_case "a call starts the service" activated_by_a_call
test_case "its status in the manager" shows_its_status
test_case "busctl and systemctl show it" can_be_looked_at
test_case "it runs as a user of its own, with a state folder" runs_as_its_user
test_case "another user is denied by the bus" foreign_user
test_case "a module is confined" confined
test_case "warnings have fields in the journal" journal_has_fields
test_case "a service that cannot start is named" fails_to_start
test_case "a service that starts slowly" starts_slowly
test_case "a crash, and renderers that come back" crash_brings_renderers_back
test_case "a handler that hangs" hang_is_ended
test_case "a call that takes long is no hang" patience_is_no_hang
test_case "it reads its policy again" reloads
test_case "it stops in good order" stops_in_good_order
test_case "restarts under load" restart_under_load
test_case "it leaves when it is idle" leaves_when_idle
test_case "calls race with its leaving" idle_race_with_count
test_case "the time of an activation" activation_time
cat "$tmp/said"
finish
