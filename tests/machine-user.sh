#!/bin/bash
# SPDX-License-Identifier: MIT
# The service on the bus of a user, with the user's own service manager: what is installed, as it is installed.
set -u
if [[ ${1-} != inside ]]; then
    # shellcheck source=tests/machine-fixture.sh
    . "$(dirname "$0")/machine-fixture.sh"
    prepare_machine user "$0"
    run_machine user
fi
# shellcheck source=tests/machine-story.sh
. /run/ipcbus-test/machine-story.sh

units_are_sound() {
    unit_is_sound /usr/lib/systemd/user/ipcbusd.service &&
        unit_is_sound /usr/lib/systemd/user/ipcbusd@org.example.App.service
}

# The recipe of ipcbusd(8): an app with a name of its own ships two files.
app_of_its_own() {
    local services=$XDG_DATA_HOME/dbus-1/services app=org.example.App
    mkdir -p "$services" && cat >"$services/$app.service" <<END &&
[D-BUS Service]
Name=$app
Exec=/bin/false --name=$app --module=echo
SystemdService=ipcbusd@$app.service
END
        echo "IPCBUSD_OPTIONS=--module=echo --exit-on-idle=60" >"$configuration/$app.conf" &&
        busctl --user call org.freedesktop.DBus / org.freedesktop.DBus ReloadConfig || return
    expect "$(ipcbusctl --name=$app invoke echo mine)" '["mine"]' &&
        expect "$(ctl show --value --property=ActiveState ipcbusd@$app.service)" active &&
        expect_match "$(tr '\0' ' ' <"/proc/$(ctl show --value --property=MainPID ipcbusd@$app.service)/cmdline")" \
            "--name=$app --module=echo --exit-on-idle=60" && [[ -d $configuration/$app ]]
}

# The notes of the default service are in its state folder, and there after it has left.
keeps_notes() {
    rm -f "$configuration/$name.conf" "$drop_ins/$unit.d/story.conf" && ctl daemon-reload && ctl stop $unit &&
        invoke notes:add Milk >/dev/null && ctl restart $unit && expect_match "$(invoke notes:list)" '"title":"Milk"' &&
        [[ -s $state/notes.json ]]
}

test_case "the units are sound" units_are_sound
test_case "the default service keeps notes" keeps_notes
test_case "a call starts the service" activated_by_a_call
test_case "its status in the manager" shows_its_status
test_case "busctl and systemctl show it" can_be_looked_at
test_case "an app with a name of its own" app_of_its_own
test_case "a module is confined" confined
test_case "a service that cannot start is named" fails_to_start
test_case "a service that starts slowly" starts_slowly
test_case "a crash, and renderers that come back" crash_brings_renderers_back
test_case "a handler that hangs" hang_is_ended
test_case "it reads its policy again" reloads
test_case "it stops in good order" stops_in_good_order
test_case "restarts under load" restart_under_load
test_case "it leaves when it is idle" leaves_when_idle
test_case "calls race with its leaving" idle_race
test_case "the time of an activation" activation_time
cat "$tmp/said"
finish
