#!/bin/bash
# SPDX-License-Identifier: MIT
# instructions.sh [--update]: counts what a message costs in instructions, at either end, and compares that with
# tests/instructions.txt, which --update writes anew. How fast the machine is, and what else it does, has no part in it.
#
# Both ends run under callgrind, once for few messages and once for more: the difference is what the messages cost,
# without start and end. The kernel and the bus are not counted. Hash tables have random seeds, and who runs when
# decides how often a loop turns: so both ends share one processor, and of a few runs the cheapest counts.
set -euo pipefail
export LC_ALL=C
src=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
build=${top_builddir:-$PWD}
peer=$build/tests/instructions-peer
kept=$src/tests/instructions.txt
few=200
more=1200
runs=3
tolerance=5 # per cent
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# The C library chooses its string functions by the processor: these are chosen everywhere.
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX2_Usable,-AVX512F,-AVX512VL,-AVX512BW,-BMI2,-EVEX,-ERMS,-FSRM,-RTM

die() {
    echo "instructions: $*" >&2
    exit 1
}

# under_callgrind NAME ARG...: leaves its instructions in $tmp/NAME.out.
under_callgrind() {
    local out=$tmp/$1.out
    shift
    exec valgrind --quiet --tool=callgrind --callgrind-out-file="$out" "$peer" "$@"
}

instructions_of() {
    awk '/^(summary|totals):/ { n = $2 } END { print n }' "$tmp/$1.out"
}

name_is_owned() {
    busctl --user --list --acquired --no-legend list | grep -q '^org\.ipcbus\.Instructions '
}

# count ACT N: the instructions of the client and of the service, in a line. It runs within a bus of its own.
count() {
    local service sleeper=()
    rm -f "$tmp"/*.out
    under_callgrind service serve &
    service=$!
    timeout 60 bash -c "until busctl --user status org.ipcbus.Instructions; do kill -0 $service || exit 1; done" \
        >/dev/null 2>&1 || die "the service did not start"
    [[ $1 != send ]] || sleeper=("$service")
    (under_callgrind client "$@" "${sleeper[@]}") || die "the client failed"
    kill "$service"
    wait "$service" || die "the service failed"
    echo "$(instructions_of client) $(instructions_of service)"
}

# cost ACT: what one costs, at the client and at the service.
cost() {
    local run start end
    for ((run = 0; run < runs; run++)); do
        start=$(count "$1" "$few")
        end=$(count "$1" "$more")
        echo "$start $end"
    done | awk -v n=$((more - few)) '
        NR == 1 || $3 - $1 < client { client = $3 - $1 }
        NR == 1 || $4 - $2 < service { service = $4 - $2 }
        END { printf "%d %d\n", client / n, service / n }'
}

measure() {
    local act client service
    for act in invoke send-sync send; do
        read -r client service <<<"$(cost "$act")"
        printf '%s client %s\n%s service %s\n' "$act" "$client" "$act" "$service"
    done
}

versions() {
    echo "$(uname -m), gcc $(${CC:-gcc} -dumpfullversion), valgrind $(valgrind --version | sed 's/.*-//')," \
        "glibc $(ldd --version | sed -n '1s/.* //p'), libsystemd $(pkg-config --modversion libsystemd)," \
        "jansson $(pkg-config --modversion jansson)"
}

update() {
    cat >"$kept" <<END
# Instructions of one message of 64 bytes at either end, over the bus, without the kernel and the bus.
# They depend on what they were compiled with and run with: $(versions).
# 'make -C build instructions' compares; 'make -C build instructions-update' writes this file anew, for when a change is
# worth what it costs, or when those versions change.
$(cat "$tmp/measured")
END
    cat "$kept"
}

compare() {
    awk -v tolerance="$tolerance" '
        { key = $1 " " $2 }
        /^#/ { next }
        NR == FNR { kept[key] = $3; next }
        !(key in kept) { printf "%-18s %8d is not kept\n", key, $3; bad = 1; next }
        {
            change = ($3 - kept[key]) * 100 / kept[key]
            verdict = change > tolerance ? "MORE" : change < -tolerance ? "less: keep it by instructions-update" : "as kept"
            printf "%-18s %8d, kept %8d, %+6.1f %%  %s\n", key, $3, kept[key], change, verdict
            bad = bad || change > tolerance
            n++
        }
        END { exit bad || n == 0 }' "$kept" "$tmp/measured"
}

# The bus of this script; it comes back as its child.
[[ -n ${IPC_INSTRUCTIONS_BUS-} ]] || IPC_INSTRUCTIONS_BUS=1 exec dbus-run-session -- "$0" "$@"

taskset --cpu-list --pid "$(taskset --cpu-list --pid $$ | sed 's/.*[ ,-]//')" $$ >/dev/null
command -v valgrind >/dev/null || die "there is no valgrind (Debian: valgrind)"
measure >"$tmp/measured"
if [[ ${1-} == --update ]]; then
    update
elif ! compare; then
    echo "Kept with:    $(sed -n 's/.*run with: \(.*\)\.$/\1/p' "$kept")"
    echo "Measured with: $(versions)"
    die "a message costs over $tolerance % more than it did; if it is worth that: make -C build instructions-update"
fi
