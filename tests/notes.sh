#!/bin/bash
# SPDX-License-Identifier: MIT
# The module `notes` through the bus: what its channels take and answer, and what becomes of its file when the process
# is killed, the disk is full, the file is damaged, or somebody else has it.
set -u
# shellcheck source=tests/daemon-fixture.sh
. "$(dirname "$0")/daemon-fixture.sh"

folder=$XDG_DATA_HOME/ipcbus
file=$folder/notes.json
errors=org.ipcbus.Notes.Error
invalid=org.ipcbus.Error.InvalidArgs

# ---- words ----

start() {
    start_daemon --module=notes
}

stop() {
    stop_daemon && expect "$status" 0
}

# afresh COMMAND...: with no notes, and without the folder for them.
afresh() {
    rm -rf "$XDG_DATA_HOME"
    start && "$@" && stop && log_is_quiet
}

log_is_quiet() {
    expect "$(<"$tmp/daemon.log")" ""
}

quietly() {
    "$@" >/dev/null
}

# The titles of all notes, with their ids.
titles() {
    invoke notes:list '[]' | tr -d ' ' | grep -o '"id":[0-9]*,"title":"[^"]*"' |
        sed 's/"id":\([0-9]*\),"title":"\(.*\)"/\1=\2/' | tr '\n' ' '
}

expect_titles() {
    local answer
    answer=$(titles) && expect "$answer" "$1"
}

found_by() {
    local answer
    answer=$(invoke notes:search "$1" | grep -o '"id": *[0-9]*' | tr -cd '0-9\n' | tr '\n' ' ') && expect "$answer" "$2"
}

# string SIZE: as many bytes, in quotes.
string() {
    printf '"'
    head -c "$1" /dev/zero | tr '\0' x
    printf '"'
}

# ---- channels ----

adds() {
    local before note
    before=$(date +%s%3N)
    note=$(invoke notes:add '[{"title": "Milk", "text": "2 litres"}]' | tr -d ' ') || return
    expect_match "$note" '^\{"id":1,"title":"Milk","text":"2litres","created":([0-9]+),"modified":([0-9]+)\}$' || return
    expect "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" && ((BASH_REMATCH[1] >= before)) &&
        expect_match "$(invoke notes:add '[{"title": "Bread"}]')" '"text": ?""' &&
        expect_match "$(invoke notes:add '["Eggs"]')" '"id": ?3, ?"title": ?"Eggs", ?"text": ?""' &&
        expect_match "$(invoke notes:add '["Tea", "green"]')" '"id": ?4, ?"title": ?"Tea", ?"text": ?"green"' &&
        expect_titles "1=Milk 2=Bread 3=Eggs 4=Tea "
}

edits() {
    local note
    quietly invoke notes:add '["Milk", "2 litres"]' && note=$(invoke notes:edit '[1, {"text": "3 litres"}]') &&
        expect_match "$note" '"title": ?"Milk", ?"text": ?"3 litres"' &&
        expect_match "$(invoke notes:edit '[1, {"title": "Oats"}]')" '"title": ?"Oats", ?"text": ?"3 litres"' &&
        expect_match "$(invoke notes:edit '[1, {"title": "A", "text": ""}]')" '"title": ?"A", ?"text": ?""' &&
        expect_titles "1=A "
}

removes() {
    quietly invoke notes:add '["one"]' && quietly invoke notes:add '["two"]' && quietly invoke notes:add '["three"]' &&
        expect_match "$(invoke notes:remove '[2]')" '"id": ?2, ?"title": ?"two"' && expect_titles "1=one 3=three " &&
        quietly invoke notes:remove '[3]' && quietly invoke notes:add '["four"]' && expect_titles "1=one 4=four "
}

searches() {
    quietly invoke notes:add '["Éclair au café", "Pâtisserie"]' && quietly invoke notes:add '["Straße"]' &&
        quietly invoke notes:add '["list", "MILK and ΑΒΓ"]' && quietly invoke notes:add '["nul", "a\u0000Bc"]' &&
        found_by '["ÉCLAIR"]' "1 " && found_by '["pÂTIS"]' "1 " && found_by '["e"]' "1 2 " && found_by '["é"]' "1 " &&
        found_by '["milk AND αβγ"]' "3 " && found_by '["A\u0000b"]' "4 " && found_by '["absent"]' "" &&
        found_by '[""]' "1 2 3 4 "
}

refuses_arguments() {
    quietly invoke notes:add '["one"]' &&
        fails_with $invalid 'notes:add: there is no title; it wants' notes:add '[]' &&
        fails_with $invalid 'notes:add: there is no title;' notes:add '[{"text": "x"}]' &&
        fails_with $invalid "notes:add: there is no key 'titel';" notes:add '[{"titel": "x"}]' &&
        fails_with $invalid 'notes:add: the title is no string;' notes:add '[42]' &&
        fails_with $invalid 'notes:add: the title is no string;' notes:add '[{"title": null}]' &&
        fails_with $invalid 'notes:add: the text is no string;' notes:add '["x", 1]' &&
        fails_with $invalid 'notes:add: the title is empty;' notes:add '[""]' &&
        fails_with $invalid 'notes:add: these are too many' notes:add '["x", "y", "z"]' &&
        fails_with $invalid 'notes:add: there is something behind' notes:add '[{"title": "x"}, "y"]' &&
        fails_with $invalid 'notes:list: there are arguments;' notes:list '[1]' &&
        fails_with $invalid 'notes:edit: the id is no integer;' notes:edit '["1", {"title": "x"}]' &&
        fails_with $invalid 'notes:edit: there is nothing to change;' notes:edit '[1, {}]' &&
        fails_with $invalid 'notes:edit: the title is empty;' notes:edit '[1, {"title": ""}]' &&
        fails_with $invalid 'notes:edit: what to write is no object;' notes:edit '[1, "x"]' &&
        fails_with $invalid 'notes:edit: these are 1 arguments;' notes:edit '[1]' &&
        fails_with $invalid 'notes:remove: the id is no integer;' notes:remove '[1.5]' &&
        fails_with $invalid 'notes:remove: there is something behind' notes:remove '[1, 2]' &&
        fails_with $invalid 'notes:search: .*; it wants one string' notes:search '[]' && expect_titles "1=one "
}

knows_no_such_note() {
    fails_with $errors.NoSuchNote 'There is no note 7 \{"id": ?7\}$' notes:remove '[7]' &&
        fails_with $errors.NoSuchNote 'There is no note -1' notes:remove '[-1]' &&
        fails_with $errors.NoSuchNote 'There is no note 0' notes:edit '[0, {"title": "x"}]'
}

limits_sizes() {
    quietly invoke notes:add <<<"[$(string 1024)]" &&
        fails_with $invalid 'notes:add: the title is over 1024 bytes' notes:add <<<"[$(string 1025)]" &&
        quietly invoke notes:add <<<"[\"x\", $(string 1048576)]" &&
        fails_with $invalid 'notes:add: the text is over 1048576 bytes' notes:add <<<"[\"x\", $(string 1048577)]" &&
        fails_with $invalid 'notes:edit: the text is over' notes:edit <<<"[1, {\"text\": $(string 1048577)}]"
}

# make_notes COUNT TEXT: a file with that many notes.
make_notes() {
    local i comma=
    mkdir -p "$folder"
    {
        printf '{"version": 1, "next_id": %d, "notes": [' $(($1 + 1))
        for ((i = 1; i <= $1; i++)); do
            printf '%s{"id": %d, "title": "n", "text": %s, "created": 0, "modified": 0}' "$comma" "$i" "$2"
            comma=,
        done
        printf ']}'
    } >"$file"
}

limits_number() {
    rm -rf "$XDG_DATA_HOME"
    make_notes 9999 '""'
    start && quietly invoke notes:add '["the last one"]' &&
        fails_with $errors.Full 'There is room for 10000 notes' notes:add '["x"]' &&
        quietly invoke notes:remove '[1]' && quietly invoke notes:add '["x"]' && stop
}

# The list of all notes is one message, and has to stay one.
limits_total() {
    rm -rf "$XDG_DATA_HOME"
    make_notes 14 "$(string 1048576)"
    start && fails_with $errors.Full 'There is room' notes:add <<<"[\"x\", $(string 1048576)]" &&
        quietly invoke notes:add <<<"[\"x\", $(string 500000)]" && quietly invoke notes:list '[]' &&
        fails_with $errors.Full 'There is room' notes:edit <<<"[15, {\"text\": $(string 1048576)}]" && stop
}

tells_renderers() {
    local log
    listen "$tmp/one" notes:changed && listen "$tmp/two" notes:changed && quietly invoke notes:add '["a", "b"]' &&
        quietly invoke notes:edit '[1, {"title": "c"}]' && quietly invoke notes:remove '[1]' || return
    for log in "$tmp/one" "$tmp/two"; do
        until_true grep -q remove "$log" && expect "$(grep -c notes:changed "$log")" 3 &&
            expect "$(grep -o '"add"\|"edit"\|"remove"' "$log" | tr '\n' ' ')" '"add" "edit" "remove" ' &&
            expect "$(grep -c '"title": *"c"' "$log")" 2 || return
    done
}

# ---- the file ----

is_written() {
    expect "$(stat -c %a "$XDG_DATA_HOME" "$folder" "$file" | tr '\n' ' ')" "700 700 600 " &&
        quietly invoke notes:add '["one"]' && expect "$(stat -c %a "$file")" 600 &&
        expect_match "$(<"$file")" '"next_id": ?3' && expect "$(find "$folder" -name '*.tmp')" ""
}

first_write() {
    quietly invoke notes:add '["first"]' && is_written
}

outlives_restart() {
    quietly invoke notes:add '["one"]' && quietly invoke notes:add '["two", "x\u0000\ud83d\ude00"]' &&
        quietly invoke notes:remove '[2]' && quietly invoke notes:add '["three", "x\u0000\ud83d\ude00"]' && stop &&
        start && expect_titles "1=one 3=three " && expect_match "$(invoke notes:list '[]')" 'x\\u0000😀' &&
        quietly invoke notes:remove '[3]' && stop && start && quietly invoke notes:add '["four"]' &&
        expect_titles "1=one 4=four "
}

# What was acknowledged is there after the process was killed in the same moment.
outlives_kill() {
    local i expected=
    rm -rf "$XDG_DATA_HOME"
    for i in {1..10}; do
        start && quietly invoke notes:add "[\"note $i\"]" && kill -KILL "$daemon_pid" && wait_for_daemon || return
        expected+="$i=note$i "
    done
    start && expect_titles "$expected" && stop
}

# Callers that add notes while the service is told to stop: each gets an answer, and what was acknowledged is there.
outlives_stop() {
    local i added callers=()
    rm -rf "$XDG_DATA_HOME"
    mkdir -p "$tmp/answers"
    start || return
    for i in {1..60}; do
        invoke notes:add "[\"note $i\"]" >"$tmp/answers/$i" &
        callers+=($!)
    done
    until_true grep -q '"id"' -r "$tmp/answers" && stop || return
    wait "${callers[@]}"
    added=$(grep -l '"id"' "$tmp"/answers/* | wc -l)
    expect "$(grep -hv '"id"\|Error\.MainGone\|Error\.ServiceUnknown' "$tmp"/answers/*)" "" && start &&
        expect "$(invoke notes:list '[]' | grep -o '"id"' | wc -l)" "$added" && stop
}

cleans_up_after_crash() {
    rm -rf "$XDG_DATA_HOME"
    mkdir -p "$folder" && echo '{"half' >"$file.tmp" && start && [[ ! -e $file.tmp ]] &&
        quietly invoke notes:add '["x"]' && stop && log_is_quiet
}

# sets_aside NUMBER CONTENT: under a name with that number, in one line of the log.
sets_aside() {
    printf '%s' "$2" >"$file" && start && expect_titles "" &&
        expect "$(<"$file.damaged-$1")" "$2" && expect "$(wc -l <"$tmp/daemon.log")" 1 &&
        expect_match "$(<"$tmp/daemon.log")" "^ipcbusd: notes: $file is damaged.*$file\.damaged-$1" && stop
}

note_with() {
    printf '{"id": %d, "title": "a", "text": "", "created": 0, "modified": 0}' "$1"
}

damaged() {
    rm -rf "$XDG_DATA_HOME"
    mkdir -p "$folder"
    sets_aside 1 '{"version": 1, "next_id"' && sets_aside 2 '' && sets_aside 3 '[]' &&
        sets_aside 4 '{"version": 1, "next_id": 2}' && sets_aside 5 '{"version": 1, "next_id": 2, "notes": {}}' &&
        sets_aside 6 '{"version": 1, "next_id": 1, "notes": [], "more": 1}' &&
        sets_aside 7 '{"version": 1, "next_id": 2, "notes": [{"id": 1}]}' &&
        sets_aside 8 "{\"version\": 1, \"next_id\": 2, \"notes\": [$(note_with 2)]}" &&
        sets_aside 9 "{\"version\": 1, \"next_id\": 9, \"notes\": [$(note_with 2), $(note_with 2)]}" &&
        sets_aside 10 '{"version": 0, "next_id": 1, "notes": []}' &&
        expect "$(<"$file.damaged-1")" '{"version": 1, "next_id"' && start &&
        quietly invoke notes:add '["new"]' && stop && start && expect_titles "1=new " && stop
}

# Whoever has gone back to an older version must not lose what the newer one wrote.
from_newer_version() {
    rm -rf "$XDG_DATA_HOME"
    mkdir -p "$folder" && echo '{"version": 2, "entries": []}' >"$file" &&
        refuses 1 "notes: $file comes from a newer version" --address="$address" --module=notes &&
        expect "$(ls "$folder" | tr '\n' ' ')" "notes.json notes.lock "
}

has_lock() {
    quietly invoke notes:add '["one"]' &&
        refuses 1 "notes: another process uses the notes in $folder" --address="$address" --module=notes \
            --name=org.ipcbus.Second &&
        expect_titles "1=one "
}

no_longer_locks() {
    fails_with $errors.NotSaved "Nothing was changed, as $folder/notes\.lock is no longer the lock" notes:add '["x"]'
}

# Of two that both take themselves for the only one, the first notices, and nothing that either acknowledged is lost.
lock_removed() {
    quietly invoke notes:add '["one"]' && rm "$folder/notes.lock" && with_second two && no_longer_locks &&
        with_second three && no_longer_locks && expect_titles "1=one " && stop && start &&
        expect_titles "1=one 2=two 3=three "
}

# with_second TITLE: a daemon on another name adds a note.
with_second() {
    local name=org.ipcbus.Second daemon_pid
    start_daemon --module=notes --name=$name && quietly invoke notes:add "[\"$1\"]" && stop
}

# Whoever moves the folder would not find, after a restart, what was written there. It can be moved back.
folder_moved() {
    quietly invoke notes:add '["one"]' && mv "$folder" "$folder.moved" && no_longer_locks && mkdir "$folder" &&
        no_longer_locks && expect "$(ls "$folder")" "" && rmdir "$folder" && mv "$folder.moved" "$folder" &&
        quietly invoke notes:add '["two"]' && expect_titles "1=one 2=two " && rm -r "$folder" && no_longer_locks
}

# ---- a file that is a link ----

elsewhere=$tmp/elsewhere

# make_link TEXT [CONTENT]: no notes but a link, and what it leads to.
make_link() {
    rm -rf "$XDG_DATA_HOME" "$elsewhere"
    mkdir -p "$folder" "$elsewhere" && ln -s "$1" "$file" || return
    (($# < 2)) || printf '%s' "$2" >"$elsewhere/mine.json"
}

no_notes='{"version": 1, "next_id": 1, "notes": []}'

link_followed() {
    make_link ../../elsewhere/mine.json "$no_notes" && echo '{"half' >"$elsewhere/mine.json.tmp" && start &&
        quietly invoke notes:add '["one"]' && quietly invoke notes:add '["two"]' && stop && log_is_quiet &&
        expect "$(readlink "$file")" ../../elsewhere/mine.json && expect "$(ls "$folder")" notes.json &&
        expect "$(ls "$elsewhere" | tr '\n' ' ')" "mine.json notes.lock " &&
        expect_match "$(<"$elsewhere/mine.json")" '"title": ?"two"' && start && expect_titles "1=one 2=two " && stop
}

# Two folders whose files are links to the same one.
link_locked() {
    make_link "$elsewhere/mine.json" "$no_notes" && mkdir -p "$tmp/folder2/ipcbus" &&
        ln -sf "$elsewhere/mine.json" "$tmp/folder2/ipcbus/notes.json" && start || return
    local prefix=(env XDG_DATA_HOME="$tmp/folder2")
    refuses 1 "notes: another process uses the notes in $elsewhere" --address="$address" --module=notes \
        --name=org.ipcbus.Second && stop
}

# cannot_follow TEXT REASON: the start fails, and the link is what it was.
cannot_follow() {
    make_link "$1" && refuses 1 "notes: cannot $2" --address="$address" --module=notes &&
        expect "$(readlink "$file")" "$1"
}

link_to_nothing() {
    cannot_follow "$elsewhere/none" "follow $file, which is a link to $elsewhere/none: No such file or directory" &&
        cannot_follow "$tmp/none/none" "follow $file, which is a link to $tmp/none/none: No such file or directory" &&
        cannot_follow notes.json "follow $file, which is a link to notes\.json: Too many levels" &&
        cannot_follow "$elsewhere" "read $file: it is no regular file" &&
        cannot_follow /dev/zero "read $file: it is no regular file" && [[ ! -e /dev/notes.lock ]]
}

link_to_damage() {
    make_link "$elsewhere/mine.json" damage && start && stop && expect "$(<"$elsewhere/mine.json.damaged-1")" damage &&
        start && log_is_quiet && quietly invoke notes:add '["one"]' && expect_titles "1=one " && stop
}

link_is_not_followed() {
    fails_with $errors.NotSaved "Nothing was changed, as the link $file was made, changed or removed" notes:add '["x"]'
}

# After a restart the notes would be looked for elsewhere.
link_changed() {
    quietly invoke notes:add '["one"]' && mv "$file" "$tmp/moved.json" && ln -s "$tmp/moved.json" "$file" &&
        link_is_not_followed && stop && start && quietly invoke notes:add '["two"]' && rm "$file" &&
        link_is_not_followed && ln -s "$elsewhere/mine.json" "$file" && link_is_not_followed &&
        ln -sf "$tmp/moved.json" "$file" && quietly invoke notes:add '["three"]' && expect_titles "1=one 2=two 3=three "
}

# ---- a disk that is full, and folders that are no use ----

# cannot_save FILE: a note that is too big for what is left is refused, and all is as it was, on the disk and in memory;
# a smaller one still fits.
cannot_save() {
    local before
    quietly invoke notes:add '["one"]' && before=$(sha256sum <"$1") &&
        fails_with $errors.NotSaved 'Nothing was changed, as .*notes\.json cannot be written: .' notes:add \
            <<<"[\"two\", $(string 100000)]" && expect_titles "1=one " &&
        expect "$(sha256sum <"$1")" "$before" && [[ ! -e $1.tmp ]] &&
        quietly invoke notes:add '["two"]' && expect_titles "1=one 2=two " &&
        fails_with $errors.NotSaved 'Nothing' notes:edit <<<"[2, {\"text\": $(string 100000)}]" &&
        expect_titles "1=one 2=two " && kill -KILL "$daemon_pid" && wait_for_daemon
}

size_limit() {
    local prefix=(bash -c 'ulimit -f 64 && exec "$@"' -)
    rm -rf "$XDG_DATA_HOME"
    start && cannot_save "$file" && prefix=(env) && start && expect_titles "1=one 2=two " && stop
}

# in_small_tmpfs COMMAND...: with a full-size disk of 64 KiB at $tmp/small, which nobody else sees.
in_small_tmpfs=(unshare --mount --propagation private sh -c
    'mount -t tmpfs -o size=64k,mode=700 ipcbus-test "$0" && exec "$@"' "$tmp/small")

full_disk() {
    local prefix=("${in_small_tmpfs[@]}" env XDG_DATA_HOME="$tmp/small")
    start && cannot_save "/proc/$daemon_pid/root$tmp/small/ipcbus/notes.json" && log_is_quiet
}

# unreadable MODE PATTERN [PATH]: a start with that mode on the file or folder fails, and damages nothing.
unreadable() {
    local prefix=(env) before result
    # Root may read anything, unless it gives that up.
    ((EUID != 0)) || prefix=(setpriv "--bounding-set=-dac_override,-dac_read_search")
    rm -rf "$XDG_DATA_HOME"
    make_notes 1 '""' && before=$(sha256sum <"$file") && chmod "$1" "${3:-$file}" &&
        refuses 1 "$2" --address="$address" --module=notes
    result=$?
    chmod 700 "$XDG_DATA_HOME" "$folder" && chmod 600 "$file" && ((result == 0)) &&
        expect "$(sha256sum <"$file")" "$before" && expect "$(find "$folder" -name '*damaged*')" ""
}

no_file() {
    local kind
    for kind in mkdir mkfifo; do
        rm -rf "$XDG_DATA_HOME"
        mkdir -p "$folder" && "$kind" "$file" &&
            refuses 1 "notes: cannot read $file: it is no regular file$" --address="$address" --module=notes || return
    done
}

# It is nobody's but ours, so what else has that name is not touched, and is what the message names.
no_temporary() {
    quietly invoke notes:add '["one"]' && mkdir "$file.tmp" &&
        fails_with $errors.NotSaved "Nothing was changed, as $file\.tmp is in the way" notes:add '["x"]' &&
        rmdir "$file.tmp" && echo x >"$file.tmp" &&
        fails_with $errors.NotSaved "Nothing was changed, as $file\.tmp is in the way" notes:add '["x"]' &&
        expect "$(<"$file.tmp")" x && rm "$file.tmp" && quietly invoke notes:add '["two"]' &&
        expect_titles "1=one 2=two "
}

no_temporary_at_start() {
    rm -rf "$XDG_DATA_HOME"
    mkdir -p "$file.tmp" &&
        refuses 1 "notes: cannot remove $file\.tmp: Is a directory" --address="$address" --module=notes
}

no_folder() {
    rm -rf "$XDG_DATA_HOME"
    touch "$XDG_DATA_HOME" &&
        refuses 1 "notes: cannot use the folder $folder: Not a directory" --address="$address" --module=notes
    local result=$?
    rm -f "$XDG_DATA_HOME"
    return "$result"
}

no_home() {
    local prefix=(env -u XDG_DATA_HOME -u HOME)
    refuses 1 'notes: there is no place for them' --address="$address" --module=notes &&
        prefix=(env -u HOME XDG_DATA_HOME=relative) &&
        refuses 1 'notes: there is no place for them' --address="$address" --module=notes
}

# keeps_in FOLDER VARIABLE...: these make it keep its file there.
keeps_in() {
    local where=$1
    shift
    local prefix=(env "$@")
    rm -rf "$XDG_DATA_HOME"
    start && quietly invoke notes:add '["x"]' && stop && [[ -e $where/notes.json && ! -e $XDG_DATA_HOME ]]
}

folders() {
    keeps_in "$tmp/state" STATE_DIRECTORY="$tmp/state:$tmp/other" &&
        keeps_in "$tmp/home/.local/share/ipcbus" -u XDG_DATA_HOME HOME="$tmp/home" &&
        keeps_in "$tmp/home2/.local/share/ipcbus" XDG_DATA_HOME=relative HOME="$tmp/home2"
}

# ---- the stories ----

start_bus "$tmp"
test_case "notes:add and notes:list" afresh adds
test_case "notes:edit" afresh edits
test_case "notes:remove" afresh removes
test_case "notes:search" afresh searches
test_case "bad arguments" afresh refuses_arguments
test_case "notes that do not exist" afresh knows_no_such_note
test_case "limits of title and text" afresh limits_sizes
test_case "limit of the number" limits_number
test_case "limit of the whole" limits_total
test_case "every renderer hears notes:changed" afresh tells_renderers
test_case "the file and its folders are the user's own" afresh first_write
test_case "a restart" afresh outlives_restart
test_case "SIGKILL after each note" outlives_kill
test_case "SIGTERM while notes are added" outlives_stop
test_case "what a crash left behind" cleans_up_after_crash
test_case "a damaged file" damaged
test_case "a file of a newer version" from_newer_version
test_case "two daemons" afresh has_lock
test_case "two daemons, as the lock was removed" afresh lock_removed
test_case "a folder that is moved while it is used" afresh folder_moved
test_case "a link to the file" link_followed
test_case "two links to one file" link_locked
test_case "a link to nothing, or to no file" link_to_nothing
test_case "a link to a damaged file" link_to_damage
test_case "a link that is changed while it is used" afresh link_changed
test_case "a limit of the file's size" size_limit
mkdir "$tmp/small"
if "${in_small_tmpfs[@]}" true 2>/dev/null; then
    test_case "a full disk" full_disk
else
    skip_case "a full disk" "mounting a small tmpfs takes root"
fi
test_case "a file that may not be read" unreadable 000 "notes: cannot read $file: Permission denied"
test_case "a folder that may not be read" unreadable 000 "notes: cannot use the folder $folder: Permission denied" \
    "$folder"
test_case "a folder that may not be written" unreadable 500 \
    "notes: cannot lock $folder/notes.lock: Permission denied" "$folder"
test_case "something else in the file's place" no_file
test_case "something in the temporary file's place" afresh no_temporary
test_case "something in the temporary file's place at the start" no_temporary_at_start
test_case "something else in the folder's place" no_folder
test_case "no home" no_home
test_case "where the file is kept" folders
finish
