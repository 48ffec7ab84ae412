# SPDX-License-Identifier: MIT
# Sourced by whoever needs a session bus of its own, and ends what is in $pids.
# shellcheck shell=bash disable=SC2034

# start_bus FOLDER: its address is left in $address, its process in $bus_pid. It starts the services of FOLDER/services
# and gives nobody the name org.ipcbus.Denied.
start_bus() {
    mkdir -p "$1/services"
    cat >"$1/bus.conf" <<END
<busconfig>
  <type>session</type>
  <listen>unix:path=$1/socket</listen>
  <servicedir>$1/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    <deny own="org.ipcbus.Denied"/>
  </policy>
</busconfig>
END
    mkfifo "$1/ready"
    dbus-daemon --config-file="$1/bus.conf" --nofork --nopidfile --print-address=3 3>"$1/ready" 2>"$1/bus.log" &
    bus_pid=$!
    pids+=("$bus_pid")
    # Nothing but an end of file comes from a bus that fails to start.
    read -r address <"$1/ready" || { cat "$1/bus.log" >&2; exit 1; }
}
