# shellcheck shell=bash
# Shared beginning of every run script: messages, exit statuses and arguments.
# A script that sources this defines `usage`, which prints the help.

umask 077

# The first is set by --quiet, the second by whoever keeps a log, which has everything.
# shellcheck disable=SC2034 # `quiet` is also for others
quiet="" has_log=""

# Without starting a program: a script that sources this has followed its links.
project_root="${BASH_SOURCE[0]}"
[[ $project_root == /* ]] || project_root="$PWD/$project_root"
project_root="${project_root%/run_scripts/lib/common.sh}"

# shellcheck source-path=SCRIPTDIR source=options.sh
source "$project_root/run_scripts/lib/options.sh"
# shellcheck source-path=SCRIPTDIR source=locking.sh
source "$project_root/run_scripts/lib/locking.sh"
# shellcheck source-path=SCRIPTDIR source=runtime.sh
source "$project_root/run_scripts/lib/runtime.sh"

# say MESSAGE: print one line for the person running this; with --quiet only a warning or an error.
say() {
    [[ -z $quiet || -n $has_log || $1 == WARNING:\ * || $1 == ERROR:\ * ]] || return 0
    # On a full disk, a log that can't be written must not end the run.
    printf '%s\n' "$1" >&2 || true
}

# fail MESSAGE: say what is wrong with the command line and what was expected, and exit 2.
fail() {
    stop_reason="$1"
    printf 'ERROR: %s: %s\n\n' "${0##*/}" "$1" >&2 || true
    usage >&2
    exit 2
}

# stop STATUS MESSAGE: say what is in the way, and exit with STATUS (the runbook lists them).
stop() {
    # shellcheck disable=SC2034 # for what ends the script
    stop_reason="$2"
    printf 'ERROR: %s\n' "$2" >&2 || true
    exit "$1"
}

# expect_arguments EXPECTED FOUND: check the number of positional arguments.
expect_arguments() {
    (($2 == $1)) || fail "expected $1 arguments but got $2"
}

# expect_file VARIABLE: check that the variable contains the path of a readable file, and make it absolute.
expect_file() {
    local -n file_path="$1"
    [[ -f $file_path ]] || fail "no such file: '$file_path'"
    [[ -r $file_path ]] || fail "this user may not read '$file_path'"
    file_path="$(realpath -- "$file_path")"
}

# expect_directory VARIABLE: check that the variable contains the path of an existing or new directory, and make it absolute.
expect_directory() {
    local -n directory_path="$1"
    [[ -n $directory_path ]] || fail "expected the path of a directory but got ''"
    [[ ! -e $directory_path || -d $directory_path ]] || fail "not a directory: '$directory_path'"
    directory_path="$(realpath --canonicalize-missing -- "$directory_path")"
}

# make_directory PATH: create a directory if missing, and check that this user may write to it.
make_directory() {
    [[ -d $1 ]] || mkdir -p -- "$1" 2>/dev/null ||
        stop 14 "$1: the directory can't be made. Check the path and its permissions, and run this again."
    [[ -w $1 && -x $1 ]] ||
        stop 14 "$1: this user may not write there. Check the directory's permissions, and run this again."
}

# run_child COMMAND ARGUMENT...: run a command and return its exit status. Passes INT, TERM and HUP on to it and everything
# it started, and sets `received_signal` to the signal's name. The command also ends if this script is killed outright. The
# caller's own traps hold again afterwards.
run_child() {
    local status awaiting=1 tied=(setpriv --pdeathsig TERM) traps
    traps="$(trap -p INT TERM HUP)"
    # shellcheck disable=SC2034 # for the caller
    received_signal=""
    # setpriv starts programs, not functions.
    [[ $(type -t "$1") != function ]] || tied=()
    # In its own process group: bash makes other background commands ignore INT, and a terminal's Ctrl-C then reaches the
    # command once, through the trap.
    set -m
    "${tied[@]}" "$@" </dev/null &
    local child=$! name
    set +m
    for name in INT TERM HUP; do
        # shellcheck disable=SC2064 # the child and the signal of now are meant
        trap "received_signal=$name awaiting=1; kill -s $name -- -$child 2>/dev/null || true" "$name"
    done
    # A signal ends `wait` before the child has ended.
    while ((awaiting)); do
        awaiting=0 status=0
        wait "$child" || status=$?
    done
    # In one step, so that no signal finds neither trap.
    eval "${traps:-trap - INT TERM HUP}"
    return "$status"
}

# git_revision: print the commit that is checked out, or "unknown".
git_revision() {
    git -c safe.directory="$project_root" -C "$project_root" rev-parse --verify HEAD 2>/dev/null || printf 'unknown\n'
}

# check_out_coda_v2 DIRECTORY: fetch CodaV2's administration tools into the directory unless it exists, if the script for that
# does. No stage needs them, so a failure is only a warning.
check_out_coda_v2() {
    local script="$project_root/run_scripts/checkout_coda_v2.sh"
    if [[ ! -d $1 && -x $script ]]; then
        "$script" "$1" || say "WARNING: $1: CodaV2 could not be checked out; the stage goes on without it."
    fi
}
