#!/bin/bash
# SPDX-License-Identifier: MIT
# The desktop app in a real window, under Xvfb, with a real service on a bus of its own: used as a screen reader would
# use it, and looked at from outside. Screenshots are left in screenshots/ of the build folder.
# With CI=true it is a failure that something it needs is missing.
set -u

# shellcheck source=tests/daemon-fixture.sh
. "$(dirname "$0")/daemon-fixture.sh"
# shellcheck source=tests/desktop-stage.sh
. "$(dirname "$0")/desktop-stage.sh"

missing=$(missing_on_stage)
if [[ -n $missing && ${CI-} == true ]]; then
    echo "Bail out! missing:$missing"
    exit 1
elif [[ -n $missing ]]; then
    echo "1..0 # SKIP missing:$missing"
    exit 0
fi

app=$build/client/examples/notes-app/ipcbus-notes

start_app() {
    DBUS_SESSION_BUS_ADDRESS=$address "$app" >>"$tmp/app.log" 2>&1 &
    app_pid=$!
    pids+=("$app_pid")
}

# ---- words ----

sees_no_more() {
    until_true sees_not "$1" "$2"
}

sees_not() {
    ! "$build/tests/screen-reader" "$1" sees "$2"
}

ctl() {
    timeout "$deadline" "$ipcbusctl" --address="$address" "$@"
}

has_note() {
    ctl invoke notes:list | grep -Fq -- "$1"
}

has_no_note() {
    ! has_note "$1"
}

keeps() {
    until_true has_note "$1"
}

# GTK shows a button pressed for a moment, before it does what it is for.
begin_note() {
    use Notes press "New note" && use Notes reads Title ""
}

write_note() {
    begin_note && use Notes type Title "$1" && use Notes type Text "$2" && use Notes press Save
}

# ---- the story ----

opens() {
    start_daemon --module=notes && start_app && sees Notes "Connected to org.ipcbus.Main as renderer" &&
        sees Notes "No notes yet" && picture 1-empty
}

adds_a_note() {
    use Notes press "Write a Note" && use Notes type Title "Groceries" &&
        use Notes type Text $'# To buy\n- [x] Milk, 2 litres\n- [ ] Bread\n- [ ] Coffee beans\n\nThe shop closes at eight.' &&
        use Notes press Save && keeps '"title":"Groceries","text":"# To buy\n- [x] Milk' && use Notes choose Groceries
}

previews() {
    use Notes press Bread && keeps '- [x] Bread' && sees Notes "[x] Bread"
}

reads_along() {
    use Notes press Read && sees Reader "as renderer" && sees Reader Groceries && sees Reader "Coffee beans" &&
        use Reader press "Coffee beans" && keeps '- [x] Coffee beans' && sees Notes "[x] Coffee" && picture 2-reader
}

hears_of_others() {
    ctl invoke notes:add '{"title": "From a script", "text": "Told by ipcbusctl"}' >/dev/null &&
        use Notes choose "From a script" && sees Reader "Told by ipcbusctl" &&
        ctl invoke notes:edit 2 '{"text": "Edited by ipcbusctl"}' >/dev/null && sees Notes "Edited by ipcbusctl" &&
        sees Reader "Edited by ipcbusctl"
}

turns_pages() {
    use Reader press "Next note" && sees Reader "Milk, 2 litres" && use Reader press "Previous note" &&
        sees Reader "Edited by ipcbusctl"
}

searches() {
    use Notes type "Search notes" "script" && sees_no_more Notes Groceries && use Notes choose "From a script" &&
        use Notes type "Search notes" "nothing like that" && sees Notes "Nothing found" &&
        use Notes type "Search notes" "" && use Notes choose Groceries
}

# Written and not saved; then something else is chosen.
saves_what_was_written() {
    begin_note && use Notes type Title "In passing" && use Notes choose Groceries &&
        keeps '"title":"In passing"' && sees Notes "The shop closes"
}

removes() {
    use Notes choose "In passing" && sees Reader "In passing" && use Notes press Remove &&
        until_true has_no_note "In passing" && sees_no_more Notes "In passing"
}

tells_errors() {
    begin_note && use Notes type Title "$(head -c 5000 /dev/zero | tr '\0' x)" &&
        use Notes press Save && sees Notes "The note was not saved: notes:add: the title is over" &&
        picture 3-error && use Notes type Title "Short" && use Notes press Save && keeps '"title":"Short"'
}

# Nothing waits for a service that does not answer.
does_not_block() {
    kill -STOP "$daemon_pid" && write_note "Patience" "is written while nobody answers" &&
        use Notes type Text "and the window goes on" && sees Notes "goes on" && kill -CONT "$daemon_pid" &&
        keeps '"title":"Patience"'
}

survives_the_service() {
    stop_daemon KILL && sees Notes "The service went away" && sees Reader "The service went away" &&
        picture 4-gone && start_daemon --module=notes && sees Notes "Connected to" && sees Reader "Connected to" &&
        use Notes choose Groceries && sees Reader "Milk, 2 litres" && use Notes press "Milk, 2 litres" &&
        keeps '- [ ] Milk, 2 litres' && picture 5-back
}

has_two_windows() {
    start_app && wait "$app_pid" && until_true windows_are 2 && write_note "Everywhere" "In each window" &&
        until_true items_are Everywhere 2 && picture 6-windows
}

windows_are() {
    [[ $(ctl --json=short list | grep -o '"title":"Notes"' | wc -l) == "$1" ]]
}

items_are() {
    [[ $("$build/tests/screen-reader" dump | grep -c "list item '$1'") == "$2" ]]
}

saves_when_closed() {
    begin_note && use Notes type Title "Last words" && use Notes press Close && keeps '"title":"Last words"' &&
        until_true windows_are 1
}

says_nothing() {
    expect "$(<"$tmp/app.log")" ""
}

scene() {
    test_case "$@" || picture "failed-$number"
}

start_bus "$tmp/bus"
start_display && start_registry "$address" || { echo "Bail out! there is no stage"; exit 1; }

scene "a window opens, and is empty" opens
scene "a note is added, and is in the service" adds_a_note
scene "the preview, a guest, ticks a box" previews
scene "a second window reads along by send_to, and ticks another one" reads_along
scene "what a script adds and edits is in both windows" hears_of_others
scene "the second window turns the pages of the first" turns_pages
scene "search finds, and finds nothing" searches
scene "what was written is saved when another note is chosen" saves_what_was_written
scene "a note is removed" removes
scene "an error is told, and can be mended" tells_errors
scene "a service that does not answer blocks no window" does_not_block
scene "a service that dies is missed, and its return noticed" survives_the_service
scene "one more window has it all, too" has_two_windows
scene "a window that is closed saves first" saves_when_closed
scene "nobody complained" says_nothing
finish
