# SPDX-License-Identifier: MIT
# Sourced by tests that want a machine with a real manager: namespaces in which ipcbus is installed, with a service
# manager of their own and a bus that it starts. The test runs itself there, as "SUITE inside".
# shellcheck shell=bash

src=${top_srcdir:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
build=${top_builddir:-$PWD}
folder=$(mktemp -d)
cgroup=

clean_up_machine() {
    trap - EXIT HUP INT TERM
    if [[ -d $cgroup ]]; then
        # All that is left there is ours.
        [[ ! -e $cgroup/cgroup.kill ]] || echo 1 >"$cgroup/cgroup.kill"
        for ((i = 0; i < 100; i++)); do
            find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null && break
            sleep 0.02
        done
    fi
    rm -rf "$folder"
}
trap clean_up_machine EXIT
trap 'exit 1' HUP INT TERM

# Where this is to be seen through, not being able to is a failure.
skip_all() {
    if [[ ${CI-} == true ]]; then
        printf '%s\n' "1..1" "not ok 1 - a machine with a service manager" "# $1"
        exit 1
    fi
    echo "1..0 # SKIP $1"
    exit 0
}

check_rights() {
    local command
    ((EUID == 0)) || skip_all "only root can make a machine with a service manager"
    for command in /lib/systemd/systemd /usr/bin/dbus-daemon unshare setpriv ldconfig; do
        command -v "$command" >/dev/null || skip_all "$command is not there"
    done
    cgroup=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    [[ $cgroup ]] || skip_all "no cgroup2 is mounted"
    cgroup+=/ipcbus-test.$$
    mkdir "$cgroup" 2>/dev/null || skip_all "no cgroup can be made below ${cgroup%/*}"
    unshare --mount --pid --fork --uts --ipc --cgroup --net true 2>/dev/null || skip_all "no namespaces can be made"
    grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || skip_all "there is no overlay file system"
}

# As a package would have it, whatever the prefix of this build. The variables of the make that runs this test are not
# for the one that installs.
install_to() {
    local ctl
    (
        umask 022
        env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -C "$build" install DESTDIR="$1" \
            systemduserunitdir=/usr/lib/systemd/user systemdsystemunitdir=/usr/lib/systemd/system \
            sysusersdir=/usr/lib/sysusers.d dbussessionservicesdir=/usr/share/dbus-1/services \
            dbussystemservicesdir=/usr/share/dbus-1/system-services dbussystempolicydir=/usr/share/dbus-1/system.d
    ) >"$folder/install.log" 2>&1 ||
        { sed 's/^/# /' "$folder/install.log"; echo "Bail out! make install failed"; exit 1; }
    ctl=$(find "$1" -type f -path "*bin/ipcbusctl")
    ctl=${ctl#"$1"}
    echo "${ctl%/*}" >"$folder/bindir"
}

# A service of bare sd-bus, in a sandbox like ours and started like ours.
install_bare() {
    local kind=$1 unit=$folder/units/bare.service services=$folder/stage/usr/share/dbus-1
    local policy=$services/system.d/org.ipcbus.Bare.conf
    sed -e '/^Environment/d; /^Exec/d; /^WatchdogSec=/d; /^StateDirectory/d' \
        -e "s|^Type=.*|Type=dbus\\nExecStart=/run/ipcbus-test/machine-bare $kind|" \
        -e 's/^BusName=.*/BusName=org.ipcbus.Bare/' "$build/systemd/$kind/ipcbusd.service" >"$unit"
    mkdir -p "$services"/{services,system-services,system.d}
    printf '%s\n' '[D-BUS Service]' Name=org.ipcbus.Bare Exec=/bin/false User=root SystemdService=bare.service |
        tee "$services/services/org.ipcbus.Bare.service" >"$services/system-services/org.ipcbus.Bare.service"
    cat >"$policy" <<'END'
<busconfig>
  <policy user="ipcbus"><allow own="org.ipcbus.Bare"/></policy>
  <policy context="default"><allow send_destination="org.ipcbus.Bare"/></policy>
</busconfig>
END
}

# with_broker: the bus of the machine is dbus-broker's, which ./bootstrap has fetched but not installed. IPC_DBUS_BROKER
# is the folder, for builds in another place.
with_broker() {
    local broker=${IPC_DBUS_BROKER:-$build/dbus-broker}
    if [[ -x $broker/usr/bin/dbus-broker-launch ]]; then
        mkdir -p "$folder/stage"
        cp -r "$broker/usr" "$folder/stage/"
        [[ ! -d $broker/lib ]] || cp -r "$broker/lib/systemd" "$folder/stage/usr/lib/"
    elif ! command -v dbus-broker-launch >/dev/null; then
        skip_all "dbus-broker is not there: ./bootstrap fetches it"
    fi
    : >"$folder/with-broker"
}

# prepare_machine KIND STORY: system, for the system's manager, or user.
prepare_machine() {
    check_rights
    chmod 755 "$folder"
    mkdir "$folder/units"
    install_to "$folder/stage"
    install_bare "$1"
    cp "$2" "$folder/story"
    cp "$src"/tests/{tap-fixture,machine-story}.sh "$build"/tests/machine-{bare,client} \
        "$build/tests/.libs/machine-module.so" "$folder/"
    : >"$folder/tap"
    : >"$folder/errors"
    chmod 666 "$folder"/{tap,errors}
}

# run_machine KIND: does not come back.
run_machine() {
    local status=0
    (
        echo "$BASHPID" >"$cgroup/cgroup.procs" &&
            exec unshare --mount --pid --fork --kill-child --uts --ipc --cgroup --net \
                bash "$src/tests/machine-init.sh" "$1" "$folder"
    ) >"$folder/init.log" 2>&1 || status=$?
    cat "$folder/tap"
    if ((status != 0)) || ! grep -q '^1\.\.' "$folder/tap"; then
        tail -n 40 "$folder"/{init.log,errors,manager.log} 2>&1 | sed 's/^/# /'
        grep -q '^1\.\.' "$folder/tap" || { echo "Bail out! the machine ended with $status"; exit 1; }
    fi
    exit "$status"
}
