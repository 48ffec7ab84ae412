#!/bin/bash
# SPDX-License-Identifier: MIT
# machine-init.sh system|user FOLDER: the first process of namespaces of its own (see machine-fixture.sh). It makes a
# machine of them, with what is installed in FOLDER/stage, and starts its manager, which runs FOLDER/story and ends.
# Nothing that it writes is seen outside, but for what is in the folder, at /run/ipcbus-test.
set -eu
kind=$1
folder=$2
test=/run/ipcbus-test
bindir=$(<"$folder/bindir")
path=$bindir:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# ---- a machine ----

make_run() {
    local aside
    aside=$(mktemp -d)
    mount --bind "$folder" "$aside"
    mount -t tmpfs -o mode=755 tmpfs /run
    install -d -m 1777 /run/scratch
    mkdir -p $test /run/over/upper /run/over/work /run/systemd/system /run/systemd/unit-root /run/dbus /run/user
    mount --move "$aside" $test
    rmdir "$aside"
    # What a sandbox puts in the place of things.
    mkdir -p /run/systemd/inaccessible/dir
    touch /run/systemd/inaccessible/reg
    mkfifo /run/systemd/inaccessible/fifo
    mknod /run/systemd/inaccessible/chr c 0 0
    mknod /run/systemd/inaccessible/blk b 0 0
    chmod 000 /run/systemd/inaccessible/*
}

empty() {
    local place
    for place in "$@"; do
        mkdir -p "$place"
        mount -t tmpfs -o mode=755 tmpfs "$place"
    done
}

# What is installed lies over what is there; in another folder than /usr, which a build for trying may be in, it is all
# that is there.
install_stage() {
    local layer place
    for layer in $test/stage/*; do
        place=$(realpath "/${layer##*/}")
        if [[ $place == /usr* ]]; then
            mount -t overlay overlay -o "lowerdir=$layer:$place" "$place"
        else
            empty "$place"
            cp -r "$layer/." "$place"
            [[ $place != /tmp ]] || chmod 1777 /tmp
        fi
    done
    echo "${bindir%/*}/lib" >/etc/ld.so.conf.d/ipcbus.conf
    ldconfig
}

make_machine() {
    mount --make-rprivate /
    mount -t proc proc /proc
    umount --recursive /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    make_run
    mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/over/upper,workdir=/run/over/work /etc
    empty /etc/systemd/system /etc/systemd/user /var/lib /var/log /home /root
    install_stage
    systemd-sysusers 2>$test/sysusers.log
    mkdir -p /etc/systemd/journald.conf.d
    printf '%s\n' '[Journal]' ReadKMsg=no Storage=volatile RuntimeMaxUse=16M >/etc/systemd/journald.conf.d/test.conf
}

# ---- its manager ----

# story_unit WANTED: it runs the story, and the manager ends with it.
story_unit() {
    cat <<END
[Unit]
DefaultDependencies=no
SuccessAction=exit-force
FailureAction=exit-force
Wants=$1
After=$1

[Service]
Type=oneshot
ExecStart=/bin/bash $test/story inside
StandardOutput=file:$test/tap
StandardError=file:$test/errors
TimeoutStartSec=280
Environment=TMPDIR=/run/scratch PATH=$path
PassEnvironment=HOME XDG_RUNTIME_DIR XDG_DATA_HOME XDG_CONFIG_HOME
END
}

# make_bus UNITS ADDRESS: where dbus-broker is installed it is the user's bus, so the machine has a bus of its own.
make_bus() {
    printf '%s\n' '[Unit]' DefaultDependencies=no '[Socket]' "ListenStream=$2" >"$1/dbus.socket"
    if [[ -e $test/with-broker ]]; then
        cp "$(ls -d /{usr/,}lib/systemd/"$kind"/dbus-broker.service 2>/dev/null | head -n 1)" "$1/dbus.service"
        return
    fi
    cat >"$1/dbus.service" <<END
[Unit]
DefaultDependencies=no
Requires=dbus.socket

[Service]
Type=notify
ExecStart=/usr/bin/dbus-daemon --${kind/user/session} --address=systemd: --nofork --nopidfile \\
    --systemd-activation --syslog-only
END
}

# drop_in UNITS UNIT: a unit that a system would start with much else is alone here; and what a sandbox hides is where a
# build for trying may have installed its programs.
drop_in() {
    mkdir -p "$1/$2.d"
    {
        printf '%s\n' '[Unit]' DefaultDependencies=no '[Service]'
        case $bindir in
        /home/* | /root/*) echo ProtectHome=read-only ;;
        /tmp/* | /var/tmp/*) echo PrivateTmp=no ;;
        esac
    } >"$1/$2.d/alone.conf"
}

run_system() {
    local units=/etc/systemd/system unit
    story_unit "dbus.socket systemd-journald.service" >$units/story.service
    make_bus $units /run/dbus/system_bus_socket
    for unit in ipcbusd.service bare.service; do
        drop_in $units $unit
    done
    mkdir -p $units/systemd-journald.service.d
    printf '%s\n' '[Unit]' DefaultDependencies=no >$units/systemd-journald.service.d/alone.conf
    cp -r $test/units/. $units/
    exec env -i container=test PATH=$path /lib/systemd/systemd --system --unit=story.service --log-target=console \
        >$test/manager.log 2>&1
}

# As process 1 it would take itself for the system's.
run_user() {
    local uid=1234 status=0 journal unit
    local home=/home/tester runtime=/run/user/$uid
    echo "tester:x:$uid:$uid::$home:/bin/sh" >>/etc/passwd
    echo "tester:x:$uid:" >>/etc/group
    /lib/systemd/systemd-journald &
    journal=$!
    mkdir -p $home/.config/systemd/user $home/.local/share /sys/fs/cgroup/user
    story_unit dbus.socket | sed 's/exit-force/exit/' >$home/.config/systemd/user/story.service
    make_bus $home/.config/systemd/user %t/bus
    cp -r $test/units/. $home/.config/systemd/user/
    for unit in ipcbusd.service ipcbusd@.service bare.service; do
        drop_in $home/.config/systemd/user $unit
    done
    install -d -m 700 $runtime
    echo $$ >/sys/fs/cgroup/user/cgroup.procs
    chown -R $uid:$uid $home $runtime /sys/fs/cgroup/user
    chown $uid:$uid $test
    mount --bind /sys/fs/cgroup/user /sys/fs/cgroup
    setpriv --reuid=$uid --regid=$uid --init-groups --inh-caps=-all env -i PATH=$path HOME=$home USER=tester \
        XDG_RUNTIME_DIR=$runtime XDG_DATA_HOME=$home/.local/share XDG_CONFIG_HOME=$home/.config \
        DBUS_SESSION_BUS_ADDRESS=unix:path=$runtime/bus \
        /lib/systemd/systemd --user --unit=story.service --log-target=console >$test/manager.log 2>&1 || status=$?
    kill $journal
    exit $status
}

make_machine
"run_$kind"
