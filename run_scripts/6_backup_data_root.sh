#!/usr/bin/env bash
#
# Stage 6: archive the data root, restore an archive, or prove that the newest one can be restored.
#   reads   <data-root>
#   writes  <data-backups-dir>/data-<run-id>.tar.gz, or .tar.gz.age with encryption; with --drill, <data-root>/Runs/
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"
# shellcheck source-path=SCRIPTDIR source=lib/leftovers.sh
source "$project_root/run_scripts/lib/leftovers.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] <data-root> <data-backups-dir>
       ${0##*/} [--identity FILE] --restore <archive> <directory>
       ${0##*/} --drill [--identity FILE] [--pipeline-configuration FILE] [--allow-project-code] <data-root>
                             <data-backups-dir>

Archive the data root, or restore an archive. An archive only gets its name after it was read back and compared with
the data root.

  <data-root>         directory with all the pipeline's data
  <data-backups-dir>  directory for the archives, outside the data root; created if missing

  --run-id ID                      name the archive after this run; default: the time and the commit
  --keep-days N                    afterwards, remove archives older than N days
  --full                           read every file, also those that did not change since the last archive
  --pipeline-configuration FILE    its Backup says who can read the archives, and which of them stay afterwards
  --dry-run                        say which archives would be removed; archive and remove nothing
  --identity FILE                  the secret key that an encrypted archive needs
  --restore <archive> <directory>  verify an archive, and unpack it into an empty or new directory
  --drill                          prove the newest archive: restore it beside the others, compare every checksum, make
                                   the outputs again and compare them; afterwards remove what was restored
  --allow-project-code             with --drill: run cleaners and imputation functions of the project's own
  --quiet                          only print warnings and errors
  -h, --help                       show this help and exit
TEXT
}

take_option() {
    case "$1" in
        --run-id)
            expect_value "$@"
            [[ $2 =~ ^[A-Za-z0-9_.-]+$ ]] || fail "--run-id is '$2'; expected letters, digits and . _ - only"
            run_id="$2"
            ;;
        --keep-days)
            expect_days "$@"
            keep_days="$2"
            take_value "$@"
            ;;
        --restore)
            expect_value "$@"
            archive="$2"
            expect_file archive
            ;;
        --pipeline-configuration)
            expect_value "$@"
            configuration="$2"
            expect_file configuration
            ;;
        --identity)
            expect_value "$@"
            identity="$2"
            expect_file identity
            ;;
        --dry-run) stage_options+=(--dry-run) ;;
        --full) stage_options+=(--full) ;;
        --drill) is_drill=yes ;;
        --allow-project-code) drill_options+=(--allow-project-code) ;;
        --quiet) take_quiet ;;
        *) refuse_option "$@" ;;
    esac
}

main() {
    local run_id="" archive="" keep_days="" configuration="" identity="" is_drill="" drill_options=() stage_options=() arguments=()
    read_options "$@"
    set -- "${arguments[@]}"
    if [[ -n $is_drill ]]; then
        [[ -z "$archive$run_id$keep_days${stage_options[*]}" ]] ||
            fail "--drill goes with --identity, --pipeline-configuration, --allow-project-code and --quiet only"
        drill "$@"
    elif ((${#drill_options[@]} > 0)); then
        fail "--allow-project-code needs --drill"
    elif [[ -n $archive ]]; then
        restore "$@"
    else
        back_up "$@"
    fi
}

# expect_places DATA_ROOT BACKUPS: set `data_root` and `backups`, and check them.
expect_places() {
    expect_arguments 2 $#
    data_root="$1" backups="$2"
    [[ -d $data_root ]] || fail "no such directory: '$data_root'"
    expect_directory data_root
    expect_directory backups
    [[ $backups/ != "$data_root"/* ]] || fail "'$backups' is in the data root; expected a directory outside it"
    expect_runtime
}

back_up() {
    local data_root backups
    expect_places "$@"

    claim_directory "$data_root"
    make_directory "$backups"
    remove_unfinished "$data_root"
    [[ -z $keep_days || " ${stage_options[*]} " == *" --dry-run "* ]] || remove_old_upload_sessions "$backups" "$((10#$keep_days))"

    mount_path ro "$data_root"
    mount_path rw "$backups"
    if [[ -n $configuration ]]; then
        mount_folder_of ro "$configuration"
        stage_options+=(--pipeline-configuration "$configuration")
    fi
    run_stage backup-data-root --data-root "$data_root" --backups-dir "$backups" --run-id "${run_id:-$(make_run_id)}" \
        "${stage_options[@]}"
}

drill() {
    local data_root backups
    expect_places "$@"
    [[ -d $backups ]] || fail "no such directory: '$backups'"

    claim_directory "$data_root"

    mount_path rw "$data_root"
    mount_path rw "$backups"
    if [[ -n $configuration ]]; then
        mount_folder_of ro "$configuration"
        drill_options+=(--pipeline-configuration "$configuration")
    fi
    if [[ -n $identity ]]; then
        mount_path ro "$identity"
        drill_options+=(--identity "$identity")
    fi
    run_stage backup-data-root --drill --data-root "$data_root" --backups-dir "$backups" "${drill_options[@]}"
}

restore() {
    expect_arguments 1 $#
    local directory="$1" is_new="" status=0
    expect_directory directory
    expect_runtime
    if [[ -d $directory ]]; then
        local found
        found="$(find "$directory" -mindepth 1 -maxdepth 1 -not -name .lock -not -name .working -not -name .restoring -print -quit)"
        [[ -z $found ]] || fail "'$directory' contains '${found##*/}'; expected an empty directory, or none"
    fi

    [[ -e $directory ]] || is_new=yes
    claim_directory "$directory"

    mount_path ro "$archive"
    mount_path rw "$directory"
    if [[ -n $identity ]]; then
        mount_path ro "$identity"
        stage_options+=(--identity "$identity")
    fi
    run_child run_stage backup-data-root --restore "$archive" --into "$directory" "${stage_options[@]}" || status=$?
    if ((status != 0)) && [[ -n $is_new ]]; then
        # A refused restore leaves nothing. What a killed one left stays, and rmdir with it.
        rm -f -- "$directory/.lock" "$directory/.working"
        rmdir -- "$directory" 2>/dev/null || true
    fi
    exit "$status"
}

main "$@"
