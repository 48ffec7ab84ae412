#!/bin/bash
# SPDX-License-Identifier: MIT
# What the shells complete behind ipcbusctl, with a service to ask and without one.
set -u
# shellcheck source=tests/ctl-fixture.sh
. "$(dirname "$0")/ctl-fixture.sh"

completion=$src/client/completion
library=/usr/share/bash-completion/bash_completion
unset BASH_COMPLETION_VERSINFO

# ---- bash ----

# The last word is the one at the cursor. Readline parts words at = and :, and hands over the pieces.
make_bash_harness() {
    cat >"$tmp/complete.bash" <<'END'
source "$1" && source "$2" && shift 2 || exit 1
COMP_LINE="$*" COMP_WORDS=() COMP_POINT=${#COMP_LINE}
for word in "$@"; do
    while [[ $word =~ ^([^=:]*)([=:])(.*)$ ]]; do
        [[ -z ${BASH_REMATCH[1]} ]] || COMP_WORDS+=("${BASH_REMATCH[1]}")
        COMP_WORDS+=("${BASH_REMATCH[2]}")
        word=${BASH_REMATCH[3]}
        [[ -n $word ]] || continue 2
    done
    COMP_WORDS+=("$word")
done
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_ipcbusctl
printf '%s\n' "${COMPREPLY[@]}"
END
}

# bash_offers ANSWERS WORD...: the answers in one line.
bash_offers() {
    local expected=$1 answers
    shift
    answers=$(bash "$tmp/complete.bash" "$library" "$completion/ipcbusctl" "$ipcbusctl" "$@" 2>"$tmp/err" | tr '\n' ' ')
    expect "$(<"$tmp/err")" "" && expect "behind $*: ${answers% }" "behind $*: $expected"
}

bash_knows_commands() {
    bash_offers 'list listen' li && bash_offers 'send send-sync send-to' se && bash_offers 'list listen' help li &&
        bash_offers '' nonesuch x && bash_offers 'invoke send send-sync' bench '' && bash_offers 'send send-sync' bench invoke s &&
        bash_offers '' help list ''
}

bash_knows_options() {
    bash_offers '--timeout=' --t && bash_offers '' -- --t && bash_offers '--size=' bench --si && bash_offers '' list --si &&
        bash_offers '--interval= --iterations=' top --i && bash_offers '' bench --i && bash_offers '' top -n &&
        bash_offers '--address= --auto-start=' --a || return
    bash_offers 'short pretty off' --json= && bash_offers pretty --json=p && bash_offers pretty --json p &&
        bash_offers '' --name= && bash_offers 'list listen' --name x.y li && bash_offers 'yes no' list --auto-start=
}

bash_asks() {
    local here=--address=$address
    bash_offers 'echo echo-error echo-later echo-never' "$here" invoke e && bash_offers 'echo echo-broadcast echo-port' "$here" send '' &&
        bash_offers whoami "$here" invoke w && bash_offers 'echo echo-broadcast echo-port' send-sync "$here" e || return
    bash_offers "$1" "$here" status '' && bash_offers "$1" "$here" send-to '' && bash_offers '' "$here" send-to "$1" x &&
        bash_offers 'echo echo-broadcast echo-error echo-later echo-never echo-port' "$here" send-to "$1" e &&
        bash_offers whoami "$here" listen echo w && bash_offers whoami "$here" monitor echo w && bash_offers '' "$here" invoke echo '' && bash_offers '' "$here" status "$1" ''
}

# Behind a colon readline has a word of its own; what the shell would take apart is quoted.
bash_quotes() {
    local here=--address=$address
    bash_offers 'add edit list remove search' "$here" invoke notes: && bash_offers search "$here" invoke notes:s
}

is_silent() {
    bash_offers '' --address=unix:path="$tmp/nowhere" invoke '' && bash_offers '' --address="$address" --name=com.example.None invoke '' &&
        bash_offers '' --address="$address" --name=com.example.None status ''
}

# Completing must not have anything started, nor run ssh.
is_harmless() {
    printf '[D-BUS Service]\nName=com.example.Started\nExec=/usr/bin/touch %s\n' "$tmp/started" >"$tmp/services/started.service"
    mkdir -p "$tmp/bin" && printf '#!/bin/sh\ntouch %s\n' "$tmp/connected" >"$tmp/bin/ssh" && chmod +x "$tmp/bin/ssh" &&
        ask_bus ReloadConfig || return
    bash_offers '' --address="$address" --name=com.example.Started invoke '' && PATH=$tmp/bin:$PATH bash_offers '' -H far invoke '' &&
        PATH=$tmp/bin:$PATH bash_offers '' --host=far status '' && [[ ! -e $tmp/started && ! -e $tmp/connected ]]
}

# A service that takes the call and keeps it.
is_patient_for_a_moment() {
    local hung=0
    kill -STOP "$daemon_pid" || return
    bash_offers '' --address="$address" invoke '' || hung=1
    kill -CONT "$daemon_pid"
    return "$hung"
}

# ---- fish ----

# fish_offers ANSWERS LINE: without what fish says about them.
fish_offers() {
    local answers
    answers=$(HOME=$tmp PATH=$(dirname "$ipcbusctl"):$PATH timeout "$deadline" fish --no-config --command \
        "source $completion/ipcbusctl.fish; complete --do-complete '$2'" 2>"$tmp/err" | cut -f 1 | tr '\n' ' ')
    expect "$(<"$tmp/err")" "" && expect "behind $2: ${answers% }" "behind $2: $1"
}

fish_completes() {
    local here=--address=$address
    fish_offers 'list listen' 'ipcbusctl li' && fish_offers 'echo echo-error echo-later echo-never' "ipcbusctl $here invoke e" &&
        fish_offers 'echo echo-broadcast echo-port' "ipcbusctl $here send " && fish_offers "$1" "ipcbusctl $here status " &&
        fish_offers 'echo echo-broadcast echo-error echo-later echo-never echo-port' "ipcbusctl $here send-to $1 e" &&
        fish_offers '' "ipcbusctl $here invoke echo " && fish_offers '--size' 'ipcbusctl bench --si' && fish_offers '' 'ipcbusctl list --si' &&
        fish_offers 'send send-sync' 'ipcbusctl bench s' && fish_offers 'list listen' 'ipcbusctl help li' &&
        fish_offers '--interval --iterations' 'ipcbusctl top --i' && fish_offers 'whoami' "ipcbusctl $here monitor w" || return
    fish_offers '' "ipcbusctl --address=unix:path=$tmp/nowhere invoke " && fish_offers '' 'ipcbusctl -H far invoke ' &&
        fish_offers '' "ipcbusctl $here --name=com.example.None status "
}

# ---- zsh ----

# zsh_offers PATTERN LINE: what an interactive zsh shows behind the line, once it matches.
zsh_offers() {
    cat >"$tmp/complete.zsh" <<'END'
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; LISTMAX=999; PS1='ready> '"
zpty -r shell output '*ready> *'
zpty -w -n shell "$2"$'\t\t'
zpty -r shell output "*$3*"
zpty -d shell
END
    HOME=$tmp TERM=dumb PATH=$(dirname "$ipcbusctl"):$PATH timeout "$deadline" zsh -f "$tmp/complete.zsh" "$completion" "$2" "$1" >/dev/null ||
        { echo "not offered behind $2: $1"; return 1; }
}

zsh_completes() {
    local here=--address=$address
    zsh_offers 'list*listen' 'ipcbusctl li' && zsh_offers 'echo*echo-error*echo-later*echo-never' "ipcbusctl $here invoke " &&
        zsh_offers 'whoami ' "ipcbusctl $here invoke w" && zsh_offers 'echo*echo-broadcast' "ipcbusctl $here send " &&
        zsh_offers "status $1 " "ipcbusctl $here status " && zsh_offers 'uration=' 'ipcbusctl bench --d' &&
        zsh_offers 'nterval=' 'ipcbusctl top --int' && zsh_offers 'whoami ' "ipcbusctl $here monitor w" &&
        zsh_offers 'echo*whoami' "ipcbusctl $here send-to $1 "
}

# ---- all of them ----

# What --help names, each shell knows.
knows_all() {
    local file=$1 word
    for word in $("$ipcbusctl" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
        grep -qw -- "$word" "$file" || { echo "$file lacks the command $word"; return 1; }
    done
    for word in $({ "$ipcbusctl" bench --help && "$ipcbusctl" top --help; } | grep -o '^.\{2,6\}--[a-z-]*' | sed 's/.*--//'); do
        grep -qE -- "(--|-l )$word\b" "$file" || { echo "$file lacks the option --$word"; return 1; }
    done
}

# with SHELL DESCRIPTION COMMAND...: skipped where there is no such shell.
with() {
    local shell=$1 description=$2
    shift 2
    if command -v "$shell" >/dev/null; then
        test_case "$description" "$@"
    else
        skip_case "$description" "there is no $shell"
    fi
}

start_bus "$tmp"
make_bash_harness
test_case "bash knows all commands and options" knows_all "$completion/ipcbusctl"
test_case "fish knows all commands and options" knows_all "$completion/ipcbusctl.fish"
test_case "zsh knows all commands and options" knows_all "$completion/_ipcbusctl"
with fish "fish takes the file" fish --no-execute "$completion/ipcbusctl.fish"
with zsh "zsh takes the file" zsh -n "$completion/_ipcbusctl"
if [[ ! -e $library ]]; then
    skip_case "bash" "there is no bash-completion"
elif test_case "the daemon starts" start_daemon --module=echo --module=notes; then
    test_case "bash: channels with colons" bash_quotes
    test_case "the daemon stops" eval 'stop_daemon && expect "$status" 0'
fi
if test_case "the daemon starts, with one module" start_daemon --module=echo; then
    listen "$tmp/heard" something
    id=$(sed -n 's/^{"id": \([0-9]*\)}$/\1/p' "$tmp/heard")
    if [[ -e $library ]]; then
        test_case "bash: commands" bash_knows_commands
        test_case "bash: options" bash_knows_options
        test_case "bash: channels and ids" bash_asks "$id"
        test_case "bash: without a service" is_silent
        test_case "bash: nothing is started" is_harmless
        test_case "bash: a service that hangs" is_patient_for_a_moment
    fi
    with fish "fish completes" fish_completes "$id"
    with zsh "zsh completes" zsh_completes "$id"
    test_case "the daemon stops, again" eval 'stop_daemon && expect "$status" 0'
fi
finish
