#!/usr/bin/env bash
#
# Stage 2: fetch every flow run of the project from its sources, de-identified.
#   reads   the pipeline configuration, the sources that it names, and the phone number <-> uuid table
#   writes  <data-root>/Raw Data/<flow>.jsonl, one run a line, and <data-root>/State/
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] <user> <google-cloud-credentials-file-path> <pipeline-configuration-file-path> <data-root>

Fetch the project's new and changed flow runs, and save them de-identified.

  <user>                                name of the person running this, for the data's history
  <google-cloud-credentials-file-path>  Google Cloud service account's key, a JSON file
  <pipeline-configuration-file-path>    pipeline configuration, a JSON file
  <data-root>                           directory for all the pipeline's data; created if missing

  --accept-shrinkage     replace earlier data even if far fewer rows come back, or many are unreadable
  --accept-workspace     start again with the token's workspace, even if it is a different one
  --accept-new-uuid-table
                         fetch even if the uuid table has none of the data root's participants
  --profile-cpu FILE     profile processor time: a web page, or FlameGraph stacks if FILE ends in .folded
  --profile-memory FILE  record memory over time, for 'mprof plot FILE'
  --quiet                only print warnings and errors
  -h, --help             show this help and exit
TEXT
}

take_option() {
    case "$1" in
        --accept-shrinkage | --accept-workspace | --accept-new-uuid-table) take_flag "$@" ;;
        --profile-cpu | --profile-memory) take_profile "$@" ;;
        --quiet) take_quiet ;;
        *) refuse_option "$@" ;;
    esac
}

run_project_stage fetch-raw-data "$@"
