#!/usr/bin/env bash
#
# Check a project before a run: list every error and oddity in its files at once.
#   reads   the pipeline configuration's folder; with --online also the services that it names
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] <pipeline-configuration-file-path>

List the errors and oddities in a project's configuration, coding plans and code schemes, one a line, with the place and
what to do. Changes nothing. The exit status is 10 with errors, 0 with warnings only, 12 if a service did not answer.

  <pipeline-configuration-file-path>  pipeline configuration, a JSON file

  --data-root DIR               compare with the flow runs in this data root
  --online                      also ask RapidPro, Coda, the uuid table, buckets and Drive; needs --credentials
  --credentials FILE            Google Cloud service account's key, a JSON file
  --coda-pull-credentials FILE  stage 1's key for Coda, a JSON file
  --coda-push-credentials FILE  stage 4's key for Coda, a JSON file
  -h, --help                    show this help and exit
TEXT
}

take_option() {
    case "$1" in
        --online) take_flag "$@" ;;
        --data-root)
            expect_value "$@"
            [[ -d $2 ]] || fail "no such directory: '$2'"
            path="$(realpath -- "$2")"
            mount_path ro "$path"
            take_value "$1" "$path"
            ;;
        --credentials | --coda-pull-credentials | --coda-push-credentials)
            expect_value "$@"
            path="$2"
            expect_file path
            mount_path ro "$path"
            take_value "$1" "$path"
            ;;
        *) refuse_option "$@" ;;
    esac
}

main() {
    local path stage_options=() arguments=()
    read_options "$@"
    set -- "${arguments[@]}"
    expect_arguments 1 $#
    local configuration="$1" option
    expect_file configuration
    for option in "${stage_options[@]}"; do
        if [[ $option == --online && " ${stage_options[*]} " != *" --credentials "* ]]; then
            fail "--online needs --credentials"
        fi
    done
    expect_runtime

    mount_folder_of ro "$configuration"
    run_stage check "${stage_options[@]}" "$configuration"
}

main "$@"
