#!/usr/bin/env bash
#
# Optional stage, after stage 7: remove archives, logs, records, messages and rows of the uuid table that are over age.
#   reads   the pipeline configuration, the names of files in all three directories, and Raw Data where RawTexts says so
#   writes  removes files there, texts in Coda and rows of the uuid table; <data-root>/Runs/retention/ has the receipts
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] <user> <pipeline-configuration-file-path> <data-root> <data-backup-dir>
                          <performance-logs-dir>

Remove archives, logs, records, messages and rows of the uuid table that are over age, as the configuration's Retention says.
The newest of each file always stays, and so does what belongs to the newest run that succeeded. Messages, and rows of the uuid
table, stay if stage 1 has not read the labels within a day. A receipt says what was removed.

  <user>                              name of the person running this, for the receipt
  <pipeline-configuration-file-path>  pipeline configuration, a JSON file
  <data-root>                         directory with all the pipeline's data
  <data-backup-dir>                   directory with the archives
  <performance-logs-dir>              directory with logs and profiles

  --coda-credentials FILE  credentials of Coda, a JSON file: needed where Retention has RawTexts
  --uuid-table-credentials FILE
                           credentials that stage 2 has, a JSON file: needed where Retention has UuidTable
  --dry-run                list what would go, with counts and the oldest dates; remove nothing
  --accept-all             remove what is over age even if only the newest file of a kind stays, or no message
  --quiet                  only print warnings and errors
  -h, --help               show this help and exit
TEXT
}

take_option() {
    case "$1" in
        --coda-credentials)
            expect_value "$@"
            credentials="$2"
            expect_file credentials
            ;;
        --uuid-table-credentials)
            expect_value "$@"
            uuid_table_credentials="$2"
            expect_file uuid_table_credentials
            ;;
        --dry-run)
            access=ro
            take_flag "$@"
            ;;
        --accept-all) take_flag "$@" ;;
        --quiet) take_quiet ;;
        *) refuse_option "$@" ;;
    esac
}

main() {
    local access=rw credentials="" uuid_table_credentials="" stage_options=() arguments=() directory
    read_options "$@"
    set -- "${arguments[@]}"
    expect_arguments 5 $#
    local user="$1" configuration="$2" data_root="$3" backups="$4" performance_logs="$5"
    expect_file configuration
    expect_directory data_root
    expect_directory backups
    expect_directory performance_logs
    for directory in "$data_root" "$backups" "$performance_logs"; do
        [[ -d $directory ]] || fail "no such directory: '$directory'"
    done
    expect_runtime

    claim_directory "$data_root"

    mount_folder_of ro "$configuration"
    for directory in "$data_root" "$backups" "$performance_logs"; do
        mount_path "$access" "$directory"
    done
    if [[ -n $credentials ]]; then
        mount_path ro "$credentials"
        stage_options+=(--credentials "$credentials")
    fi
    if [[ -n $uuid_table_credentials ]]; then
        mount_path ro "$uuid_table_credentials"
        stage_options+=(--uuid-table-credentials "$uuid_table_credentials")
    fi
    run_stage apply-retention --user "$user" --pipeline-configuration "$configuration" --data-root "$data_root" \
        --backups-dir "$backups" --performance-logs-dir "$performance_logs" "${stage_options[@]}"
}

main "$@"
