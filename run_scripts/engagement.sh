#!/usr/bin/env bash
#
# Run a command of the desk, such as check, diff, explain, icr, scheme, new-project or coda-progress, wherever the stages run.
#   reads   what the command's arguments name
#   writes  what they say: a new project, a code scheme, a code book
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} <command> [<argument>...]
       ${0##*/} <command> --help

Run a command of the desk: adjudicate, audit, check, cluster-certificates, coda-mend, coda-progress, compare, contacts,
de-identify, diff, evaluate-cleaners, evaluate-suggestions, explain, export-participant, figures, forget, icr, import-project,
new-project, recover, reproduce, scheme, status or suggest-labels. It sees the files and directories that its arguments name, and what a pipeline
configuration refers to.

  -h, --help  show this help and exit

PIPELINE_RUNTIME=docker (the default) runs it in a container, PIPELINE_RUNTIME=host in the virtual environment.
TEXT
}

main() {
    case "${1:-}" in
        -h | --help)
            usage
            exit 0
            ;;
        -*) fail "unknown option: $1" ;;
        "") fail "expected a command" ;;
    esac
    case "$1" in
        suggest-labels | evaluate-suggestions) export PIPELINE_SUGGESTIONS=yes ;;
    esac
    expect_runtime
    if [[ $1 == reproduce && $PIPELINE_RUNTIME == docker && -z ${PIPELINE_IMAGE:-} ]]; then
        choose_image_of_run "$@"
    fi
    prepare_runtime
    case "$PIPELINE_RUNTIME" in
        docker) run_desk_in_container "$@" ;;
        host) exec_engagement "$@" ;;
    esac
}

main "$@"
