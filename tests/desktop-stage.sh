# SPDX-License-Identifier: MIT
# Sourced by what shows the desktop app where nobody looks: a display, and the bus of the session for accessibility.
# Needs $tmp, $build, pids and until_true.
# shellcheck shell=bash

: "${tmp:?}" "${build:?}"
registry=/usr/libexec/at-spi2-registryd
screenshots=$build/screenshots

# The names of what is missing; nothing if all is there.
missing_on_stage() {
    local need
    for need in Xvfb import xdotool "$registry" "$build/client/examples/notes-app/ipcbus-notes" "$build/tests/screen-reader"; do
        command -v "$need" >/dev/null || printf ' %s' "${need##*/}"
    done
}

# Nothing moves, so that a picture can be taken at any time.
start_display() {
    local number
    export XDG_CONFIG_HOME=$tmp/config
    mkdir -p "$XDG_CONFIG_HOME/gtk-4.0"
    printf '[Settings]\ngtk-enable-animations=false\n' >"$XDG_CONFIG_HOME/gtk-4.0/settings.ini"
    mkfifo "$tmp/display"
    Xvfb -displayfd 3 -screen 0 1480x630x24 -nolisten tcp -noreset 3>"$tmp/display" 2>"$tmp/display.log" &
    pids+=($!)
    # Nothing but an end of file comes from a server that fails to start.
    read -r number <"$tmp/display" || { cat "$tmp/display.log"; return 1; }
    export DISPLAY=:$number GDK_BACKEND=x11 GSK_RENDERER=cairo GSETTINGS_BACKEND=memory
}

start_registry() {
    export AT_SPI_BUS_ADDRESS=$1
    "$registry" >"$tmp/registry.log" 2>&1 &
    pids+=($!)
    until_true registry_is_there
}

registry_is_there() {
    busctl --address="$AT_SPI_BUS_ADDRESS" status org.a11y.atspi.Registry >/dev/null 2>&1
}

# use WINDOW VERB NAME...: waits until it can be done, as a person would.
use() {
    until_true timeout 20 "$build/tests/screen-reader" "$@"
}

sees() {
    use "$1" sees "$2"
}

# A picture for people. There is no window manager, so the second window is put where it hides nothing.
picture() {
    mkdir -p "$screenshots"
    xdotool search --name '^Reader$' windowmove 1005 0 2>/dev/null
    import -window root "$screenshots/$1.png"
}
