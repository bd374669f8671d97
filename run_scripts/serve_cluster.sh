#!/usr/bin/env bash
#
# Serve a Dask cluster for stage 3: the scheduler on one machine, and a worker process for each processor on the others.
#   writes  nothing itself; workers write to the data roots of the runs that use them
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] scheduler
       ${0##*/} [options] worker <scheduler-address>

Run one machine's part of a Dask cluster until a signal ends it. Stage 3 uses the cluster with --scheduler. Each machine
needs a clone of the same commit, and the data root at the same path, with the same user's rights. Anyone who can reach
the ports can run programs as this user, so use a private network.

  <scheduler-address>  like tcp://10.0.0.5:8786

  --host ADDRESS       this machine's address for the other machines
  --port N             port of the scheduler; default: 8786
  --jobs N             worker processes; default: one per processor
  -h, --help           show this help and exit
TEXT
}

take_option() {
    case "$1" in
        --host)
            expect_value "$@"
            host_options=(--host "$2")
            ;;
        --port | --jobs)
            expect_value "$@"
            [[ $2 =~ ^[1-9][0-9]{0,4}$ ]] || fail "$1 is '$2'; expected a number from 1"
            if [[ $1 == --port ]]; then port="$2"; else jobs="$2"; fi
            ;;
        *) refuse_option "$@" ;;
    esac
}

main() {
    local host_options=() port=8786 jobs=-1 arguments=()
    read_options "$@"
    set -- "${arguments[@]}"
    case "${1:-}" in
        scheduler)
            expect_arguments 1 $#
            serve scheduler "${host_options[@]}" --port "$port" --no-dashboard
            ;;
        worker)
            expect_arguments 2 $#
            [[ $2 == *://*:* ]] || fail "'$2' is not a scheduler's address; expected one like tcp://10.0.0.5:8786"
            # A worker counts as lost after the time that its machine needs to restart.
            serve worker "${host_options[@]}" --nworkers "$jobs" --nthreads 1 --no-dashboard --death-timeout 300 \
                --local-directory "${TMPDIR:-/tmp}/engagement-cluster-$(id --user)" "$2"
            ;;
        *) fail "expected 'scheduler' or 'worker <scheduler-address>'" ;;
    esac
}

# serve ROLE OPTION...: replace this process with a part of the cluster.
serve() {
    export PIPELINE_CLUSTER=yes PIPELINE_MAPS=no
    set_up_environment default
    exec_module dask "$@"
}

main "$@"
