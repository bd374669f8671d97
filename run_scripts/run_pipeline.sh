#!/usr/bin/env bash
#
# Run all stages in order. If one fails, the rest up to stage 5 are skipped; back-up and upload still run.
#   writes  <data-root>, <data-root>/Runs/<run-id>.json, <data-backup-dir>, <performance-logs-dir>/<run-id>.log
# The command `status` reports the last run.
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"
# shellcheck source-path=SCRIPTDIR source=lib/run_summary.sh
source "$project_root/run_scripts/lib/run_summary.sh"
# shellcheck source-path=SCRIPTDIR source=lib/run_log.sh
source "$project_root/run_scripts/lib/run_log.sh"
# shellcheck source-path=SCRIPTDIR source=lib/notify.sh
source "$project_root/run_scripts/lib/notify.sh"
# shellcheck source-path=SCRIPTDIR source=lib/leftovers.sh
source "$project_root/run_scripts/lib/leftovers.sh"
# shellcheck source-path=SCRIPTDIR source=lib/dry_run.sh
source "$project_root/run_scripts/lib/dry_run.sh"
# shellcheck source-path=SCRIPTDIR source=lib/stage_commands.sh
source "$project_root/run_scripts/lib/stage_commands.sh"
# shellcheck source-path=SCRIPTDIR source=lib/write_back.sh
source "$project_root/run_scripts/lib/write_back.sh"
# shellcheck source-path=SCRIPTDIR source=lib/restore_drill.sh
source "$project_root/run_scripts/lib/restore_drill.sh"
# shellcheck source-path=SCRIPTDIR source=lib/retention.sh
source "$project_root/run_scripts/lib/retention.sh"

stage_titles=(
    [1]="coda get" [2]="fetch raw data" [3]="generate outputs" [4]="coda add" [5]="automated analysis"
    [6]="backup data root" [7]="upload logs"
)

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] <user> <pipeline-configuration-file-path> <coda-pull-auth-file> <coda-push-auth-file>
                       <avf-bucket-credentials-path> <coda-tools-root> <data-root> <data-backup-dir>
                       <performance-logs-dir>

Run every stage: 1 coda get, 2 fetch raw data, 3 generate outputs, 4 coda add, 5 automated analysis, 6 backup data root,
7 upload logs. After a failure, the stages up to 5 are skipped; 6 and 7 still run. The exit status is that of the first
failure. If the configuration has WriteBack, write_back.sh runs after stage 5, unless one of the stages up to 3 failed. If it
has Retention, apply_retention.sh runs after stage 7, unless 6 or 7 failed, or 1 where it has RawTexts. With Backup.DrillEveryNights,
6_backup_data_root.sh --drill runs last after so many nights, and each night after it failed.

  <user>                              name of the person running this, for the data's history
  <pipeline-configuration-file-path>  pipeline configuration, a JSON file
  <coda-pull-auth-file>               credentials for reading labels from Coda, a JSON file
  <coda-push-auth-file>               credentials for adding messages to Coda, a JSON file
  <avf-bucket-credentials-path>       Google Cloud service account's key, a JSON file
  <coda-tools-root>                   directory of CodaV2's own tools; checked out if missing
  <data-root>                         directory for all the pipeline's data; created if missing
  <data-backup-dir>                   directory for archives of the data root; created if missing
  <performance-logs-dir>              directory for logs and profiles; created if missing

  --from N    begin with stage N
  --only N    only run stage N
  --dry-run   say what each stage would do, and print the commands, without running them; exits 12 if a service does not
              answer
  --scheduler ADDRESS
              stage 3 uses this scheduler's Dask cluster, like tls://10.0.0.5:8786
  --tls-ca FILE, --tls-cert FILE, --tls-key FILE
              for a scheduler at a tls:// address: the certificate of the cluster's CA, the cluster's own, and its key
  --accept-shrinkage
              stages 2 and 3 replace the last run's data even if there is much less now
  --accept-lost-withdrawals
              stage 3 writes the outputs even if STOP labels no longer count, including people who withdrew
  --allow-project-code
              stage 3 loads cleaners and imputation functions from the configuration's own folder
  --accept-workspace, --accept-new-uuid-table
              stage 2 accepts a different RapidPro workspace, or uuid table, from that of the earlier data
  --quiet     only print warnings, errors and the closing table; the log has everything
  --keep-days N
              afterwards, remove archives, logs and memory profiles older than N days; archives only if the configuration
              has no Backup.Keep
  -h, --help  show this help and exit

PIPELINE_RUNTIME=docker (the default) runs the stages in containers, PIPELINE_RUNTIME=host in the virtual environment.
TEXT
}

# shellcheck disable=SC2329 # read_options calls it
take_option() {
    case "$1" in
        --from | --only)
            expect_value "$@"
            [[ $2 == [1-7] ]] || fail "$1 is '$2'; expected a stage from 1 to 7"
            first="$2"
            [[ $1 == --from ]] || last="$2"
            ;;
        --dry-run) dry_run=yes ;;
        --quiet) take_quiet ;;
        --accept-shrinkage) accept_shrinkage=yes ;;
        --accept-lost-withdrawals) accept_lost_withdrawals=yes ;;
        --allow-project-code) allow_project_code=yes ;;
        --accept-workspace | --accept-new-uuid-table) fetch_options+=("$1") ;;
        --scheduler)
            expect_value "$@"
            scheduler="$2"
            # The environment is prepared once, for all stages.
            export PIPELINE_CLUSTER=yes
            ;;
        --tls-ca | --tls-cert | --tls-key)
            expect_value "$@"
            local file="$2"
            expect_file file
            certificates+=("$1" "$file")
            ;;
        --keep-days)
            expect_days "$@"
            keep_days="$2"
            ;;
        *) refuse_option "$@" ;;
    esac
}

main() {
    # Not local: `end_run` needs these, and runs after this function has returned.
    first=1 last=7 dry_run="" keep_days="" scheduler="" allow_project_code="" accept_shrinkage="" accept_lost_withdrawals=""
    fetch_options=() certificates=() arguments=()
    run_id="" stage_summaries="" stage_lines="" status=0 summary="" log="" stop_reason="" is_complete=""
    read_options "$@"
    set -- "${arguments[@]}"
    configuration="${2:-}" data_root="${7:-}" performance_logs="${9:-}"
    if [[ -z $dry_run ]]; then
        # A run that is refused is told of, too.
        read_notify
        local name
        trap end_run EXIT
        # shellcheck disable=SC2064 # the name of now is meant
        for name in INT TERM HUP; do trap "end_by_signal $name" "$name"; done
    fi
    expect_arguments 9 $#
    local user="$1" coda_pull_credentials="$3" coda_push_credentials="$4" bucket_credentials="$5"
    local coda_tools_root="$6" backups="$8"
    expect_file configuration
    expect_file coda_pull_credentials
    expect_file coda_push_credentials
    expect_file bucket_credentials
    expect_directory data_root
    expect_directory backups
    expect_directory performance_logs
    expect_runtime
    ((${#certificates[@]} == 0)) || [[ ${#certificates[@]} == 6 && $scheduler == tls://* ]] ||
        fail "--tls-ca, --tls-cert and --tls-key: expected all three with a --scheduler at a tls:// address, or none"

    if [[ -n $dry_run ]]; then
        show_plan
    fi

    # Nothing has changed up to here.
    claim_directory "$data_root"
    make_directory "$data_root/Runs"
    make_directory "$backups"
    make_directory "$performance_logs"
    choose_run_id
    name_holder "$data_root" "run $run_id"
    # Containers are labelled with it.
    export PIPELINE_RUN_ID="$run_id"
    start_log "$performance_logs/$run_id.log"
    close_killed_runs
    remove_unfinished "$data_root"
    remove_counts_of_killed_runs "$performance_logs"
    summary="$data_root/Runs/$run_id.json"
    write_summary null
    notify_of_start
    # A signal ends a child of this script at once; the script itself would wait for the build of an image.
    run_child prepare_runtime || exit
    [[ -z $received_signal ]] || end_by_signal "$received_signal"
    prepare_runtime
    run_stages
    remove_old_logs
    is_complete=yes
    exit "$status"
}

# choose_run_id: set `started`, and `run_id` to one that no run has had, even if the clock was set back.
choose_run_id() {
    local tries
    for ((tries = 0; tries < 10; tries++)); do
        started="$(now)"
        run_id="$(make_run_id)"
        # Whoever creates the log has the id: runs on other data roots may share the directory.
        if [[ ! -e $data_root/Runs/$run_id.json ]] && (set -o noclobber && : >"$performance_logs/$run_id.log") 2>/dev/null; then
            return
        fi
        sleep 1
    done
    stop 14 "$performance_logs: cannot create a log there. Check the disk and the clock, and run this again."
}

# run_stages: run the chosen stages, set `status` to that of the first failure, and keep the run's summary up to date, so
# the back-up contains it.
run_stages() {
    local number command stage_started centiseconds stage_status skipping="" are_outputs_old="" is_backup_missing="" is_archive_lacking="" are_labels_lacking=""
    ((status == 0)) || skipping=yes are_outputs_old=yes
    counts_directory="$performance_logs/.counts-$run_id"
    hold_counts_directory
    export ENGAGEMENT_COUNTS_FILE="$counts_directory/counts.json"
    for ((number = first; number <= last; number++)); do
        if ((number == 6 && first < 6)) && has_write_back; then
            write_back
        fi
        if [[ -n $skipping ]] && ((number <= 5)); then
            say "Stage $number, ${stage_titles[number]}: skipped after the failure."
            stage_lines+="  $number ${stage_titles[number]}: skipped"$'\n'
            continue
        fi
        stage_command "$number"
        run_timed "$number" "${stage_titles[number]}"
        ((number > 1 || stage_status == 0)) || are_labels_lacking=yes
        ((number > 3 || stage_status == 0)) || are_outputs_old=yes
        ((number != 6 || stage_status == 0)) || is_backup_missing=yes
        ((number < 6 || stage_status == 0)) || is_archive_lacking=yes
        if ((number == 4 && stage_status == 12)); then
            say "WARNING: Coda lacks new messages. The next stages do not need them, so the run continues."
        elif ((stage_status != 0)); then
            skipping=yes
        fi
    done
    ! has_retention || apply_retention
    drill_if_due
}

# run_timed NUMBER TITLE: run `command`, set `stage_status` and `status`, and add it to the run's summary.
run_timed() {
    local number="$1" title="$2"
    say "Stage $number, $title: started."
    stage_started="$(now)"
    centiseconds="-$(centiseconds_since_start_of_machine)"
    stage_status=0
    run_child "${command[@]}" || stage_status=$?
    ((centiseconds += $(centiseconds_since_start_of_machine))) || true
    add_stage_summary "$title"
    say "Stage $number, $title: ended with status $stage_status after $((centiseconds / 100)) s."
    ((status != 0)) || status="$stage_status"
    [[ -z $received_signal ]] || end_by_signal "$received_signal"
    write_summary null
}

# centiseconds_since_start_of_machine: print a time that setting the clock does not affect.
centiseconds_since_start_of_machine() {
    local uptime
    read -r uptime _ </proc/uptime
    printf '%d\n' "$((10#${uptime/./}))"
}

now() {
    date --utc +%Y-%m-%dT%H:%M:%SZ
}

# end_by_signal NAME: end the run with the signal's status. During a stage, `run_child` passes the signal on instead.
# shellcheck disable=SC2329 # the traps call it
end_by_signal() {
    status=$((128 + $(kill -l "$1"))) stop_reason="the run was ended by the signal $1"
    exit "$status"
}

# end_run: however the run ended, record it, tell of it, and wait until the last log lines are shown.
# shellcheck disable=SC2329 # the trap calls it
end_run() {
    local found=$?
    trap '' INT TERM HUP
    ((status != 0)) || status="$found"
    if ((status == 0)) && [[ -z $is_complete ]]; then
        # Whatever ended the script, it was not its last line.
        status=1 stop_reason="the run ended before its last stage"
    fi
    [[ -z $summary ]] || write_summary "\"$(now)\""
    notify_of_end || true
    if [[ -n $summary ]]; then
        renew_status_page
        closing_table="${stage_lines}Run $run_id ended with status $status."
        say ""
        say "$closing_table"
        [[ -z ${counts_directory:-} ]] || rm -rf -- "$counts_directory" || true
        close_log
    fi
    exit "$status"
}

main "$@"
