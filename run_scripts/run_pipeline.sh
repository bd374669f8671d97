#!/usr/bin/env bash
#
# All the stages in order. When one fails, those up to stage 5 are skipped, and back-up and upload still run.
#   writes  <data-root>, <data-root>/Runs/<run-id>.json, <data-backup-dir>, <performance-logs-dir>/<run-id>.log
# The command `status` tells how the last run went.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
# shellcheck source-path=SCRIPTDIR source=lib/run_summary.sh
source "$project_root/run_scripts/lib/run_summary.sh"

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
7 upload logs. A failure skips the stages up to 5; 6 and 7 still run. The exit status is that of the first failure.

  <user>                              who runs this, for the data's history
  <pipeline-configuration-file-path>  pipeline configuration, a JSON file
  <coda-pull-auth-file>               credentials for getting labels from Coda, a JSON file
  <coda-push-auth-file>               credentials for adding messages to Coda, a JSON file
  <avf-bucket-credentials-path>       Google Cloud service account's key, a JSON file
  <coda-tools-root>                   where CodaV2's own tools are; they are checked out there if it is missing
  <data-root>                         directory that holds all the pipeline's data; made if missing
  <data-backup-dir>                   directory for the archives of the data root; made if missing
  <performance-logs-dir>              directory for logs and profiles; made if missing

  --from N    begin with stage N
  --only N    run stage N alone
  --dry-run   say what each stage would do, print the commands that would run, and run none of them; exits 12 if a service
              could not be asked
  --scheduler ADDRESS
              stage 3 works on the Dask cluster of this scheduler, like tcp://10.0.0.5:8786
  --accept-shrinkage
              stages 2 and 3 replace what the last run left even if much less is there now
  --accept-lost-withdrawals
              stage 3 makes the outputs even if labels STOP count for nothing any longer, with those who withdrew in them
  --allow-project-code
              stage 3 loads cleaners and imputation functions from the configuration's own folder
  --accept-workspace, --accept-new-uuid-table
              stage 2 accepts another RapidPro workspace, or another uuid table, than what was fetched so far came with
  --keep-days N
              afterwards, remove archives, logs and memory profiles that are more than N days old
  -h, --help  show this and exit

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
        --accept-shrinkage) accept_shrinkage=yes ;;
        --accept-lost-withdrawals) accept_lost_withdrawals=yes ;;
        --allow-project-code) allow_project_code=yes ;;
        --accept-workspace | --accept-new-uuid-table) fetch_options+=("$1") ;;
        --scheduler)
            expect_value "$@"
            scheduler="$2"
            # What is prepared is for all stages.
            export PIPELINE_CLUSTER=yes
            ;;
        --keep-days)
            expect_days "$@"
            keep_days="$2"
            ;;
        *) refuse_option "$@" ;;
    esac
}

main() {
    local first=1 last=7 dry_run="" keep_days="" scheduler="" allow_project_code="" accept_shrinkage="" accept_lost_withdrawals=""
    local fetch_options=() arguments=()
    read_options "$@"
    set -- "${arguments[@]}"
    expect_arguments 9 $#
    local user="$1" configuration="$2" coda_pull_credentials="$3" coda_push_credentials="$4" bucket_credentials="$5"
    local coda_tools_root="$6" data_root="$7" backups="$8" performance_logs="$9"
    expect_file configuration
    expect_file coda_pull_credentials
    expect_file coda_push_credentials
    expect_file bucket_credentials
    expect_directory data_root
    expect_directory backups
    expect_directory performance_logs
    expect_runtime

    if [[ -n $dry_run ]]; then
        show_plan
    fi

    # So far nothing was changed.
    claim_directory "$data_root"
    make_directory "$data_root/Runs"
    make_directory "$backups"
    make_directory "$performance_logs"
    choose_run_id
    name_holder "$data_root" "run $run_id"
    start_log "$performance_logs/$run_id.log"
    # `end_run` needs these, and runs when this function is left already.
    stage_summaries="" stage_lines="" status=0 summary="$data_root/Runs/$run_id.json"
    trap end_run EXIT
    write_summary null
    prepare_runtime
    run_stages
    remove_old_logs
    exit "$status"
}

# choose_run_id: set `run_id` to one that no run has had, also if the clock was put back, and `started`.
choose_run_id() {
    local tries
    for ((tries = 0; tries < 10; tries++)); do
        started="$(now)"
        run_id="$(make_run_id)"
        # Making the log decides who has the id: runs on other data roots may share the directory.
        if [[ ! -e $data_root/Runs/$run_id.json ]] && (set -o noclobber && : >"$performance_logs/$run_id.log") 2>/dev/null; then
            return
        fi
        sleep 1
    done
    stop 14 "$performance_logs: no log can be made there. Check the disk and the clock, and run this again."
}

# stage_command NUMBER: set `command` to a stage's command line.
stage_command() {
    command=("$project_root/run_scripts/$1_${stage_titles[$1]// /_}.sh")
    case "$1" in
        1) command+=(--pipeline-configuration "$configuration" "$coda_pull_credentials" "$coda_tools_root" "$data_root") ;;
        4) command+=(--pipeline-configuration "$configuration" "$coda_push_credentials" "$coda_tools_root" "$data_root") ;;
        3)
            command+=(--profile-memory "$performance_logs/memory-$run_id.profile" ${scheduler:+--scheduler "$scheduler"})
            command+=(${accept_shrinkage:+--accept-shrinkage} ${allow_project_code:+--allow-project-code})
            command+=(${accept_lost_withdrawals:+--accept-lost-withdrawals})
            command+=("$user" "$bucket_credentials" "$configuration" "$data_root")
            ;;
        2)
            command+=(${accept_shrinkage:+--accept-shrinkage} "${fetch_options[@]}")
            command+=("$user" "$bucket_credentials" "$configuration" "$data_root")
            ;;
        5) command+=("$user" "$bucket_credentials" "$configuration" "$data_root") ;;
        6) command+=(--run-id "$run_id" ${keep_days:+--keep-days "$keep_days"} "$data_root" "$backups") ;;
        7)
            # What last night could not upload goes up tonight.
            command+=(
                --pending "$user" "$bucket_credentials" "$configuration" "$run_id"
                "$performance_logs/memory-$run_id.profile" "$backups/data-$run_id.tar.gz"
            )
            ;;
    esac
}

# show_plan: say what the stages would do, print their commands, and exit with the status of the plan.
show_plan() {
    local path status=0 options=()
    for path in "$bucket_credentials" "$coda_pull_credentials" "$coda_push_credentials" "$(dirname -- "$configuration")" \
        "$data_root" "$backups" "$performance_logs"; do
        [[ ! -e $path ]] || mount_path ro "$path"
    done
    [[ -z $keep_days ]] || options+=(--keep-days "$keep_days")
    (
        run_stage plan-run --pipeline-configuration "$configuration" --credentials "$bucket_credentials" \
            --coda-pull-credentials "$coda_pull_credentials" --coda-push-credentials "$coda_push_credentials" \
            --data-root "$data_root" --backups-dir "$backups" --performance-logs-dir "$performance_logs" \
            --first "$first" --last "$last" "${options[@]}"
    ) || status=$?
    printf '\n'
    print_commands
    exit "$status"
}

print_commands() {
    local number command run_id="<run-id>"
    for ((number = first; number <= last; number++)); do
        stage_command "$number"
        printf '%q ' "${command[@]}"
        printf '\n'
    done
}

# run_stages: run the stages that there are, set `status` to that of the first failure, and keep the run's summary up to
# date, so that the back-up holds it.
run_stages() {
    local number command stage_started centiseconds stage_status skipping=""
    ((status == 0)) || skipping=yes
    counts_directory="$performance_logs/.counts-$run_id"
    make_directory "$counts_directory"
    export ENGAGEMENT_COUNTS_FILE="$counts_directory/counts.json"
    for ((number = first; number <= last; number++)); do
        if [[ -n $skipping ]] && ((number <= 5)); then
            say "Stage $number, ${stage_titles[number]}: skipped after the failure."
            stage_lines+="  $number ${stage_titles[number]}: skipped"$'\n'
            continue
        fi
        stage_command "$number"
        say "Stage $number, ${stage_titles[number]}: started."
        stage_started="$(now)"
        centiseconds="-$(centiseconds_since_start_of_machine)"
        stage_status=0
        run_child "${command[@]}" || stage_status=$?
        ((centiseconds += $(centiseconds_since_start_of_machine))) || true
        add_stage_summary
        say "Stage $number, ${stage_titles[number]}: ended with status $stage_status after $((centiseconds / 100)) s."
        ((status != 0)) || status="$stage_status"
        if ((number == 4 && stage_status == 12)); then
            say "WARNING: Coda lacks new messages. What follows does not need them, so the run goes on."
        elif ((stage_status != 0)); then
            skipping=yes
        fi
        case "$received_signal" in
            "") write_summary null ;;
            *) status=$((128 + $(kill -l "$received_signal"))) && break ;;
        esac
    done
}

# remove_old_logs: with --keep-days, remove what earlier runs left in the directory for logs.
remove_old_logs() {
    if [[ -n $keep_days ]]; then
        find "$performance_logs" -maxdepth 1 -type f -mtime "+$keep_days" \
            \( -name '????-??-??T??????Z-*.log' -o -name 'memory-????-??-??T??????Z-*.profile' \) -delete || true
    fi
}

# centiseconds_since_start_of_machine: print a time that goes on evenly when the clock is set.
centiseconds_since_start_of_machine() {
    local uptime
    read -r uptime _ </proc/uptime
    printf '%d\n' "$((10#${uptime/./}))"
}

now() {
    date --utc +%Y-%m-%dT%H:%M:%SZ
}

# start_log FILE: from now on, what this script and the stages write goes to standard error and to the file.
start_log() {
    exec {standard_error}>&2
    # tee goes on when the terminal is gone, and outlives the signals that end a stage. It does not keep the data root locked.
    exec 2> >(
        exec {PIPELINE_LOCK_DESCRIPTOR}<&-
        exec tee --ignore-interrupts --output-error=warn -- "$1" >&"$standard_error"
    ) >&2
    log_writer=$!
}

# end_run: however the run ended, complete its summary, and give the log's writer the time to write the last lines.
# shellcheck disable=SC2329 # the trap calls it
end_run() {
    local found=$?
    ((status != 0)) || status="$found"
    write_summary "\"$(now)\""
    say ""
    [[ -z $stage_lines ]] || say "${stage_lines%$'\n'}"
    say "Run $run_id ended with status $status."
    [[ -z ${counts_directory:-} ]] || rm -rf -- "$counts_directory"
    exec 2>&"$standard_error" >&2
    wait "$log_writer" || true
    exit "$status"
}

main "$@"
