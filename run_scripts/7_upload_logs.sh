#!/usr/bin/env bash
#
# Stage 7: upload a run's archive, memory profile and log.
#   reads   the pipeline configuration, the archive, the memory profile, and the log <run-id>.log beside the profile
#   writes  the addresses MemoryProfileUploadURLPrefix and DataArchiveUploadURLPrefix, never replacing a file;
#           .uploads/ beside the archive, so the next run can resume interrupted uploads
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] <user> <google-cloud-credentials-file-path> <pipeline-configuration-file-path>
                       <run-id> <memory-profile-file-path> <data-archive-file-path>

Upload a run's archive, memory profile and log to the addresses in the pipeline configuration.

  <user>                                name of the person running this
  <google-cloud-credentials-file-path>  Google Cloud service account's key, a JSON file
  <pipeline-configuration-file-path>    pipeline configuration, a JSON file
  <run-id>                              run that the files belong to
  <memory-profile-file-path>            the run's memory profile; the log <run-id>.log is beside it
  <data-archive-file-path>              the run's archive of the data root

  --pending   also upload earlier runs' files in the same two directories that were not uploaded
  --quiet     only print warnings and errors
  -h, --help  show this help and exit
TEXT
}

take_option() {
    case "$1" in
        --pending) take_flag "$@" ;;
        --quiet) take_quiet ;;
        *) refuse_option "$@" ;;
    esac
}

main() {
    local stage_options=() arguments=()
    read_options "$@"
    set -- "${arguments[@]}"
    expect_arguments 6 $#
    local user="$1" credentials="$2" configuration="$3" run_id="$4" memory_profile="$5" archive="$6" file sessions
    expect_file credentials
    expect_file configuration
    [[ -n $run_id && $run_id != */* ]] || fail "<run-id> is '$run_id'; expected the id of a run"
    memory_profile="$(realpath --canonicalize-missing -- "$memory_profile")"
    archive="$(realpath --canonicalize-missing -- "$archive")"
    expect_runtime

    mount_path ro "$credentials"
    mount_folder_of ro "$configuration"
    for file in "$memory_profile" "$archive"; do
        # The stage decides what a missing file, or its missing directory, means.
        [[ ! -d ${file%/*}/ ]] || mount_folder_of ro "$file"
    done
    sessions="${archive%/*}/.uploads"
    # Without this directory, interrupted uploads start again: no reason to fail.
    if [[ -d $sessions && -w $sessions ]] || mkdir -- "$sessions" 2>/dev/null; then
        mount_path rw "$sessions"
        stage_options+=(--sessions-dir "$sessions")
    fi
    run_stage upload-logs --user "$user" --credentials "$credentials" --pipeline-configuration "$configuration" \
        --run-id "$run_id" --memory-profile "$memory_profile" --data-archive "$archive" "${stage_options[@]}"
}

main "$@"
