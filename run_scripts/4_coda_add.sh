#!/usr/bin/env bash
#
# Stage 4: add the new messages to Coda.
#   reads   <data-root>/Outputs/Coda Files/<dataset>.json, <data-root>/Coded Coda Files/ and Coda
#   writes  Coda: messages that it lacks
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] <coda-auth-file> <coda-v2-root> <data-root>

Add the messages that Coda lacks to every dataset; what people did there is never changed.

  <coda-auth-file>  credentials of Coda, a JSON file
  <coda-v2-root>    directory of CodaV2's own tools; checked out if missing
  <data-root>       directory for all the pipeline's data; created if missing

  --pipeline-configuration FILE  take the datasets from this configuration, not from the files in the data root
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
    run_stage coda-add --credentials "$credentials" --data-root "$data_root" "${stage_options[@]}"
}

main "$@"
