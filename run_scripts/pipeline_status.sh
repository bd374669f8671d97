#!/usr/bin/env bash
#
# Report the last run of the whole pipeline, for people, and for cron to notice a failed night.
#   reads   <data-root>/Runs/
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] <data-root>

Report the last run of run_pipeline.sh on one screen. The exit status is 0 if it succeeded, 11 if it did not.

  <data-root>  directory with all the pipeline's data

  --max-age HOURS  also exit 11 if it ended more than this many hours ago
  -h, --help       show this help and exit
TEXT
}

take_option() {
    case "$1" in
        --max-age)
            expect_value "$@"
            [[ $2 =~ ^[0-9]+(\.[0-9]+)?$ ]] || fail "--max-age is '$2'; expected a number of hours"
            take_value "$@"
            ;;
        *) refuse_option "$@" ;;
    esac
}

main() {
    local stage_options=() arguments=()
    read_options "$@"
    set -- "${arguments[@]}"
    expect_arguments 1 $#
    local data_root="$1"
    [[ -d $data_root ]] || fail "no such directory: '$data_root'"
    expect_directory data_root
    expect_runtime

    mount_path ro "$data_root"
    run_stage status "${stage_options[@]}" "$data_root"
}

main "$@"
