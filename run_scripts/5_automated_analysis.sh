#!/usr/bin/env bash
#
# Stage 5: analyse the messages and the participants.
#   reads   <data-root>/State/analysis/, which stage 3 leaves, and the pipeline configuration and its coding plans
#   writes  <data-root>/Outputs/Automated Analysis/, and Drive where that is configured
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] <user> <google-cloud-credentials-file-path> <pipeline-configuration-file-path> <data-root>

Make the tables, graphs, maps and the report of what stage 3 left.

  <user>                                who runs this
  <google-cloud-credentials-file-path>  Google Cloud service account's key, a JSON file
  <pipeline-configuration-file-path>    pipeline configuration, a JSON file
  <data-root>                           directory that holds all the pipeline's data

  --jobs N               draw N charts at a time
  --upload-only          only upload to Drive what the last run wrote
  --profile-cpu FILE     write where the processor's time goes: a page, or stacks for FlameGraph if FILE ends in .folded
  --profile-memory FILE  write the memory over time, for 'mprof plot FILE'
  -h, --help             show this and exit
TEXT
}

main() {
    local stage_options=()
    while [[ ${1:-} == -* ]]; do
        case "$1" in
            -h | --help)
                usage
                exit 0
                ;;
            --jobs)
                expect_value "$@"
                stage_options+=("$1" "$2")
                shift
                ;;
            --upload-only) stage_options+=("$1") ;;
            --profile-cpu | --profile-memory)
                take_profile "$@"
                shift
                ;;
            *) fail "unknown option: $1" ;;
        esac
        shift
    done
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
    run_stage automated-analysis --user "$user" --credentials "$credentials" --pipeline-configuration "$configuration" \
        --data-root "$data_root" "${stage_options[@]}"
}

main "$@"
