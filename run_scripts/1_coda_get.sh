#!/usr/bin/env bash
#
# Stage 1: get the coders' labels from Coda.
#   reads   Coda, and the previous run's <data-root>/Coded Coda Files/
#   writes  <data-root>/Coded Coda Files/<dataset>.json
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] <coda-auth-file> <coda-v2-root> <data-root>

Download new messages and labels of every dataset from Coda.

  <coda-auth-file>  credentials of Coda, a JSON file
  <coda-v2-root>    directory of CodaV2's own tools; checked out if missing
  <data-root>       directory for all the pipeline's data; created if missing

  --pipeline-configuration FILE  take the datasets from this configuration, not from the files in the data root
  --full                         download everything again (finds messages deleted in Coda)
  --quiet                        only print warnings and errors
  -h, --help                     show this help and exit
TEXT
}

take_option() {
    case "$1" in
        --pipeline-configuration)
            expect_value "$@"
            configuration="$2"
            expect_file configuration
            ;;
        --full) take_flag "$@" ;;
        --quiet) take_quiet ;;
        *) refuse_option "$@" ;;
    esac
}

main() {
    local configuration="" stage_options=() arguments=()
    read_options "$@"
    set -- "${arguments[@]}"
    expect_arguments 3 $#
    local credentials="$1" coda_v2_root="$2" data_root="$3"
    expect_file credentials
    expect_directory data_root
    expect_runtime

    claim_directory "$data_root"
    check_out_coda_v2 "$coda_v2_root"

    mount_path ro "$credentials"
    mount_path rw "$data_root"
    if [[ -n $configuration ]]; then
        mount_folder_of ro "$configuration"
        stage_options+=(--pipeline-configuration "$configuration")
    fi
    run_stage coda-get --credentials "$credentials" --data-root "$data_root" "${stage_options[@]}"
}

main "$@"
