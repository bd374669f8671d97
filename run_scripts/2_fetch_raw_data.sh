#!/usr/bin/env bash
#
# Stage 2: fetch every flow run of the project from its sources, de-identified.
#   reads   the pipeline configuration, the sources that it names, and the phone number <-> uuid table
#   writes  <data-root>/Raw Data/<flow>.jsonl, one run a line, and <data-root>/State/
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] <user> <google-cloud-credentials-file-path> <pipeline-configuration-file-path> <data-root>

Fetch every flow run of the project, those that are new or changed since the last time, and save them de-identified.

  <user>                                who runs this, for the data's history
  <google-cloud-credentials-file-path>  Google Cloud service account's key, a JSON file
  <pipeline-configuration-file-path>    pipeline configuration, a JSON file
  <data-root>                           directory that holds all the pipeline's data; made if missing

  --accept-shrinkage     replace what was fetched before even if much less comes back, or many rows can't be read
  --accept-workspace     begin anew with the workspace that the token is of, also when it is another one than before
  --accept-new-uuid-table
                         fetch also when the uuid table knows none of the participants that the data root has
  --profile-cpu FILE     write where the processor's time goes: a page, or stacks for FlameGraph if FILE ends in .folded
  --profile-memory FILE  write the memory over time, for 'mprof plot FILE'
  -h, --help             show this and exit
TEXT
}

take_option() {
    case "$1" in
        --accept-shrinkage | --accept-workspace | --accept-new-uuid-table) take_flag "$@" ;;
        --profile-cpu | --profile-memory) take_profile "$@" ;;
        *) refuse_option "$@" ;;
    esac
}

main() {
    local stage_options=() arguments=()
    read_options "$@"
    set -- "${arguments[@]}"
    expect_arguments 4 $#
    local user="$1" credentials="$2" configuration="$3" data_root="$4"
    expect_file credentials
    expect_file configuration
    expect_directory data_root
    expect_runtime

    claim_directory "$data_root"

    mount_path ro "$credentials"
    mount_path ro "$(dirname -- "$configuration")"
    mount_path rw "$data_root"
    run_stage fetch-raw-data --user "$user" --credentials "$credentials" --pipeline-configuration "$configuration" \
        --data-root "$data_root" "${stage_options[@]}"
}

main "$@"
