#!/bin/bash
# SPDX-License-Identifier: MIT
# The manual: it renders without warnings, says what the headers say, leads to what is there, and its examples run as
# they are printed, against what `make install` installs.
#
# An example is a block between .EX and .EE in the section EXAMPLES. One that begins with #include is a program; one
# that begins with a prompt is what a shell does with it; any other is what the program printed.
set -u
# What a user has chosen for reading would change what is rendered.
unset MANOPT MANPAGER MANROFFSEQ MANROFFOPT MAN_KEEP_FORMATTING MANPATH GROFF_TYPESETTER
# shellcheck source=tests/daemon-fixture.sh
. "$(dirname "$0")/daemon-fixture.sh"

# The variables of the make that runs this test are not for the one that installs.
install_all() {
    env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -C "$build" install DESTDIR="$tmp/root" || return
    local pc man3
    pc=$(find "$tmp/root" -name ipcbus.pc)
    man3=$(find "$tmp/root" -name ipc_app_new.3)
    PKG_CONFIG_PATH=$(dirname "$pc")
    man_folder=$(dirname "$(dirname "$man3")")
    modules=$(dirname "$(find "$tmp/root" -name echo.so)")
    ipcbusd=$(find "$tmp/root" -path "*bin/ipcbusd" -type f)
    ipcbusctl=$(find "$tmp/root" -path "*bin/ipcbusctl" -type f)
    PATH=$(dirname "$ipcbusd"):$PATH
    export PATH PKG_CONFIG_PATH
    # A sysroot would be that of every library, not of ours alone.
    sed -i "s|^\([a-z_]*\)=/|\1=$tmp/root/|" "$PKG_CONFIG_PATH"/*.pc
    headers=$(dirname "$(find "$tmp/root" -name ipc-main.h)")
}

# ---- how it looks ----

# As wide as it likes, so that nothing is folded; $tmp/text has all pages then.
render() {
    local warnings
    warnings=$(MANWIDTH=1000 man --warnings --local-file "$1" 2>&1 >"$tmp/page") || return
    col -bx <"$tmp/page" >"$tmp/text/$(basename "$1")"
    warnings+=$(MANWIDTH=80 man --warnings --local-file "$1" 2>&1 >/dev/null)
    warnings+=$(mandoc -T lint -W warning "$1")
    expect "$warnings" ""
}

# The first line of a page names it, and the version that it tells of.
has_title() {
    local file version
    file=$(basename "$1")
    version=$(sed -n 's/^AC_INIT(\[ipcbus\], \[\(.*\)\])$/\1/p' "$src/configure.ac")
    expect_match "$(grep '^\.TH' "$1")" "^\.TH ${file%.*} ${file##*.} [0-9-]+ \"ipcbus $version\" "
}

# A page about functions has what its readers look for, in the order in which they look for it.
has_sections() {
    local sections
    sections=$(sed -n 's/^\.SH "\{0,1\}\([A-Z ]*\)"\{0,1\}$/\1/p' "$1" | tr '\n' ' ')
    [[ $1 != *.3 ]] ||
        expect_match "$sections" '^NAME SYNOPSIS DESCRIPTION RETURN VALUE (ERRORS )?EXAMPLES SEE ALSO $'
}

looks_good() {
    shopt -s nocasematch
    local status=0
    render "$1" && has_title "$1" && has_sections "$1" || status=1
    shopt -u nocasematch
    return $status
}

# section NAME PAGE: its rendered text.
section() {
    sed -n "/^$1\$/,/^[A-Z]/p" "$tmp/text/$2" | sed '/^[A-Z]/d'
}

# ---- what it says ----

# One statement a line, with single spaces.
statements() {
    tr '\n' ' ' | tr -s ' ' | tr ';' '\n' | sed 's/^ //; s/ $//'
}

# Functions and the types of callbacks, without the comments, the inline functions and the rest.
declarations() {
    cat "$headers"/ipc-*.h |
        awk '
            { gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "") }
            /\/\*/ { comment = 1; sub(/\/\*.*/, ""); print }
            comment && /\*\// { comment = 0; sub(/.*\*\//, "") }
            !comment' |
        sed '/^#/d; /^extern "C"/d; /^G_DEFINE/d; /^static inline/,/^}/d; /^}$/d' | statements | grep 'ipc_[a-z_]*)\{0,1\}('
}

synopses() {
    local page
    for page in "${pages3[@]}"; do
        section SYNOPSIS "$(basename "$page")" | sed '/#include/d' | statements
    done | grep .
}

functions_only() {
    grep -v '^typedef' | sort
}

# Every function stands in one page, as it is declared; a type of callbacks may stand in several.
synopses_match() {
    declarations | functions_only >"$tmp/declared"
    synopses | functions_only >"$tmp/documented"
    diff "$tmp/declared" "$tmp/documented" &&
        diff <(declarations | grep ^typedef | sort) <(synopses | grep ^typedef | sort -u) &&
        [[ -s $tmp/declared ]]
}

# The library's functions, and the one that modules define.
every_name_leads_to_a_page() {
    {
        sed -n 's/^ *\(ipc_[a-z0-9_]*\);$/\1/p' "$src"/interfaces/*.sym
        echo ipc_module_init
    } | sort >"$tmp/exported"
    find "$man_folder/man3" -name '*.3' -printf '%f\n' | sed 's/\.3$//' | sort | diff "$tmp/exported" -
}

link_leads_to_its_page() {
    expect_match "$(man -M "$man_folder" 3 ipc_main_prepend_once_listener)" '^IPC_MAIN_ON\(3\)'
}

references_are_there() {
    local name
    cat "$tmp/text/"* | grep -o '\b\(ipc[a-z0-9_]*\)([1-8])' | sort -u >"$tmp/references"
    [[ -s $tmp/references ]] || return
    while read -r name; do
        name=${name/(/.}
        name=${name%)}
        [[ -e $man_folder/man${name##*.}/$name ]] || { echo "there is no page $name"; return 1; }
    done <"$tmp/references"
}

# The manual of the whole tells each name and limit that the headers define.
overview_is_complete() {
    local word
    grep -o '\bIPC_[A-Z_]*\|"org\.[A-Za-z.]*Error[A-Za-z.]*"' "$headers/ipc-names.h" | tr -d '"' | sort -u |
        while read -r word; do
            [[ $word == IPC_MAIN_NAME ]] || grep -qwF -- "$word" "$tmp/text/ipcbus.7" ||
                { echo "ipcbus.7 does not tell of $word"; return 1; }
        done
}

overview_tells_the_errnos() {
    local macro number
    sed -n 's/^ *{ \(IPC_ERROR_[A-Z_]*\), \(E[A-Z]*\) },$/\1 \2/p' "$src/interfaces/error.c" >"$tmp/errnos"
    [[ -s $tmp/errnos ]] || return
    while read -r macro number; do
        grep -qF "($macro, $number)" "$tmp/text/ipcbus.7" || { echo "ipcbus.7 does not tell ($macro, $number)"; return 1; }
    done <"$tmp/errnos"
}

# The installation has its own folders, and its pages have their names.
tells_where_things_are() {
    local folder
    ! grep -rl '@[a-z]*@' "$man_folder" || return
    for folder in "$(dirname "$(find "$tmp/root" -name org.ipcbus.Main1.xml)")" "$modules"; do
        grep -rqF -- "${folder#"$tmp/root"}" "$man_folder" || { echo "no page tells of ${folder#"$tmp/root"}"; return 1; }
    done
}

# tells_every_option PROGRAM PAGE: as its --help lists them.
tells_every_option() {
    local option
    LD_LIBRARY_PATH=$PKG_CONFIG_PATH/.. "$1" --help | grep -o -- '--[a-z-]\+' | sort -u >"$tmp/options"
    [[ -s $tmp/options ]] || return
    while read -r option; do
        grep -qwF -- "$option" "$tmp/text/$2" || { echo "$2 does not tell of $option"; return 1; }
    done <"$tmp/options"
}

# ---- its examples ----

# The blocks of a page go to $blocks/1, 2 and so on, as a reader would type them.
read_blocks() {
    blocks=$tmp/blocks/$(basename "$1")
    mkdir -p "$blocks"
    awk -v folder="$blocks" '
        /^\.SH/ { inside = $2 == "EXAMPLES" }
        inside && /^\.EE/ { out = "" }
        out != "" { print > out }
        inside && /^\.EX/ { out = folder "/" ++n }' "$1"
    sed -i "s/^\\\\&//; s/\\\\-/-/g; s/\\\\(aq/'/g; s/\\\\(ha/^/g; s/\\\\(ti/~/g; s/\\\\(ga/\`/g; s/\\\\e/\\\\/g" \
        "$blocks"/*
}

# What is typed is what a reader sees.
is_shown() {
    sed 's/^ \{7\}//' "$tmp/text/$1" >"$tmp/shown"
    ! grep -vxFf "$tmp/shown" "$blocks"/*
}

# compile_as_shown FILE PROGRAM: a module is not a program.
compile_as_shown() {
    local flags=() package=ipcbus
    grep -q ipc_module_init "$1" && flags=(-shared -fPIC)
    grep -q "<ipcbus/.*glib.h>" "$1" && package=ipcbus-glib
    # shellcheck disable=SC2046
    ${CC:-cc} -x c -Wall -Wextra -Wno-unused-parameter -Werror "${flags[@]}" "$1" -o "$2" \
        $(pkg-config --cflags --libs "$package")
}

own_name() {
    grep -o '"com\.example\.[A-Z][A-Za-z]*"' "$1" | head -n 1 | tr -d '"'
}

# start NAME COMMAND...: a service in the background, in $service_pid, whose name is owned when this returns.
start() {
    name=$1
    shift
    "$@" 2>"$tmp/service.log" &
    service_pid=$!
    pids+=("$service_pid")
    until_true name_is_owned || { cat "$tmp/service.log"; return 1; }
}

stop() {
    local status=0
    kill "$service_pid" 2>/dev/null
    wait "$service_pid" || status=$?
    expect "$status" 0
}

# A line of a console: what ends with & is a daemon, which is known by its option --name. Modules that are installed
# are not where the daemon would look for them, as nothing is.
enter() {
    local line=${1/--module=echo/--module=$modules/echo.so} service=org.ipcbus.Main
    if [[ $line != *\& ]]; then
        eval "timeout $deadline $line" 2>&1
        return 0
    fi
    [[ ! $line =~ --name=([a-zA-Z.]+) ]] || service=${BASH_REMATCH[1]}
    eval "start $service ${line% &}"
}

# Everything that is entered prints what is shown below it.
console() {
    local line command=
    while IFS= read -r line; do
        if [[ $line == '$ '* ]]; then
            command=${line#\$ }
        elif [[ $command == *\\ ]]; then
            command=${command%\\}$line
        else
            continue
        fi
        [[ $command == *\\ ]] || enter "$command" || return
    done <"$1" >"$tmp/console"
    grep -v '^\$ \|^    ' "$1" | diff - "$tmp/console"
}

# A program prints what the block after it shows, if there is a service.
client_runs() {
    start org.ipcbus.Main "$ipcbusd" --address="$address" --module="$modules/echo.so" &&
        timeout "$deadline" ./program >"$tmp/printed" && diff "$blocks/2" "$tmp/printed"
}

service_runs() {
    start "$(own_name "$blocks/1")" ./program && console "$blocks/2"
}

# Its console compiles it, too.
module_runs() {
    cp "$blocks/1" "$(grep -o '[a-z]*\.c\b' "$blocks/2" | head -n 1)" && console "$blocks/2"
}

blocks_run() {
    if [[ $(head -c 1 "$blocks/1") == '$' ]]; then
        console "$blocks/1"
        return
    fi
    compile_as_shown "$blocks/1" program || return
    if grep -q ipc_module_init "$blocks/1"; then
        module_runs
    elif grep -q "<ipcbus/ipc-main" "$blocks/1"; then
        service_runs
    else
        client_runs
    fi
}

# Whatever comes of it, no service is left to the next one.
example_runs() {
    service_pid=
    read_blocks "$1" && is_shown "$(basename "$1")" && mkdir -p "$blocks/run" && cd "$blocks/run" || return
    blocks_run && stop && return
    [[ -z $service_pid ]] || { kill -KILL "$service_pid" && wait "$service_pid"; } 2>/dev/null
    return 1
}

# ---- all of it ----

if ! command -v man >/dev/null || ! command -v mandoc >/dev/null; then
    echo "1..0 # SKIP man and mandoc are not both installed"
    exit 0
fi
test_case "make install" install_all || { finish; }
mkdir -p "$tmp/text"
for page in "$src"/{client,interfaces,service,systemd}/*.[1-8]; do
    [[ ! -e $page ]] || test_case "$(basename "$page") renders without warnings" looks_good "$page"
done
pages3=("$src"/{client,interfaces,service}/*.3)
test_case "the synopses say what the headers say" synopses_match
test_case "every function, and nothing else, has a page of its name" every_name_leads_to_a_page
test_case "a function's name leads to its page" link_leads_to_its_page
test_case "the pages that are referred to are there" references_are_there
test_case "ipcbus.7 tells every name and limit" overview_is_complete
test_case "ipcbus.7 tells the errno of each error" overview_tells_the_errnos
test_case "the pages tell where things are" tells_where_things_are
test_case "ipcbusctl.1 tells every option" tells_every_option "$ipcbusctl" ipcbusctl.1
test_case "ipcbusd.8 tells every option" tells_every_option "$ipcbusd" ipcbusd.8

mkdir -p "$tmp/bus"
start_bus "$tmp/bus"
export DBUS_SESSION_BUS_ADDRESS=$address
LD_LIBRARY_PATH=$PKG_CONFIG_PATH/..
export LD_LIBRARY_PATH
for page in "${pages3[@]}" "$src/interfaces/ipcbus.7"; do
    test_case "the example of $(basename "$page") runs as it is printed" example_runs "$page"
done
finish
