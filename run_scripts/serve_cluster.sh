#!/usr/bin/env bash
#
# Serve a Dask cluster for stage 3: the scheduler on one machine, and a worker process for each processor on the others.
#   writes  nothing itself; workers write to the data roots of the runs that use them
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] scheduler
       ${0##*/} [options] worker <scheduler-address>

Run one machine's part of a Dask cluster until a signal ends it. Stage 3 uses the cluster with --scheduler. Each machine
needs a clone of the same commit, and the data root at the same path, with the same user's rights. Without TLS anyone who
can reach the ports can run programs as this user. 'engagement cluster-certificates' makes the files for it.

  <scheduler-address>  like tls://10.0.0.5:8786, or tcp://10.0.0.5:8786 without TLS

  --host ADDRESS       this machine's address for the other machines; required
  --tls-ca FILE        accept only machines with a certificate of this CA, and encrypt; with the next two
  --tls-cert FILE      this cluster's certificate
  --tls-key FILE       its key
  --insecure-any-interface
                       let --host be 0.0.0.0 or ::, which every network of this machine reaches
  --port N             port of the scheduler; default: 8786
  --jobs N             worker processes; default: one per processor
  -h, --help           show this help and exit
TEXT
}

take_option() {
    case "$1" in
        --host)
            expect_value "$@"
            host="$2"
            ;;
        --tls-ca | --tls-cert | --tls-key)
            expect_value "$@"
            [[ -f $2 ]] || fail "no such file: $2 ($1)"
            tls_options+=("${1/tls-ca/tls-ca-file}" "$(realpath -- "$2")")
            ;;
        --insecure-any-interface) any_interface=yes ;;
        --port | --jobs)
            expect_value "$@"
            [[ $2 =~ ^[1-9][0-9]{0,4}$ ]] || fail "$1 is '$2'; expected a number from 1"
            if [[ $1 == --port ]]; then port="$2"; else jobs="$2"; fi
            ;;
        *) refuse_option "$@" ;;
    esac
}

main() {
    local host="" any_interface="" tls_options=() protocol=tcp port=8786 jobs=-1 arguments=()
    read_options "$@"
    set -- "${arguments[@]}"
    case "${1:-}" in
        scheduler)
            expect_arguments 1 $#
            check_security
            serve scheduler --host "$host" --port "$port" --protocol "$protocol" "${http_options[@]}" "${tls_options[@]}"
            ;;
        worker)
            expect_arguments 2 $#
            [[ $2 == *://*:* ]] || fail "'$2' is not a scheduler's address; expected one like tcp://10.0.0.5:8786"
            check_security
            [[ $2 == "$protocol"://* ]] || fail "'$2' is not a $protocol:// address; with --tls-ca expected tls://, without it tcp://"
            # A worker counts as lost after the time that its machine needs to restart.
            serve worker --host "$host" --protocol "$protocol" "${http_options[@]}" "${tls_options[@]}" --nworkers "$jobs" \
                --nthreads 1 --death-timeout 300 --local-directory "${TMPDIR:-/tmp}/engagement-cluster-$(id --user)" "$2"
            ;;
        *) fail "expected 'scheduler' or 'worker <scheduler-address>'" ;;
    esac
}

# check_security: refuse a part of a cluster that is open to more than was said.
check_security() {
    [[ -n $host ]] || fail "no --host; expected this machine's address for the other machines, like 10.0.0.5"
    [[ $host != -* ]] || fail "--host is '$host'; expected an address like 10.0.0.5"
    if [[ $host =~ ^[0.]+$ || $host =~ ^\[?[0:]+\]?$ ]]; then
        [[ -n $any_interface ]] || fail "--host is '$host', every network of this machine; expected one address, or --insecure-any-interface"
    fi
    if ((${#tls_options[@]} == 6)); then
        protocol=tls
        # Dask's own: it then neither listens nor connects without TLS.
        export DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION=True
    elif ((${#tls_options[@]})); then
        fail "--tls-ca, --tls-cert and --tls-key: expected all three once, or none"
    elif [[ $host != 127.* && $host != localhost ]]; then
        printf '%s: WARNING: no TLS: whoever reaches %s can run programs as this user. Give --tls-ca, --tls-cert and --tls-key.\n' \
            "${0##*/}" "$host" >&2
    fi
}

# Dask's HTTP port tells about the work and can't be switched off; --no-dashboard alone leaves it open to every network.
http_options=(--no-dashboard --dashboard-address 127.0.0.1:0)

# serve ROLE OPTION...: replace this process with a part of the cluster.
serve() {
    export PIPELINE_CLUSTER=yes PIPELINE_MAPS=no
    set_up_environment default
    exec_module dask "$@"
}

main "$@"
