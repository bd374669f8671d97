#!/usr/bin/env bash
#
# All the stages in order. When one fails, those up to stage 5 are skipped, and back-up and upload still run.
#   writes  <data-root>, <data-root>/Runs/<run-id>.json, <data-backup-dir>, <performance-logs-dir>/<run-id>.log
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"

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
  --dry-run   print the commands that would run, and run nothing
  -h, --help  show this and exit

PIPELINE_RUNTIME=docker (the default) runs the stages in containers, PIPELINE_RUNTIME=host in the virtual environment.
TEXT
}

main() {
    local first=1 last=7 dry_run=""
    while [[ ${1:-} == -* ]]; do
        case "$1" in
            -h | --help)
                usage
                exit 0
                ;;
            --from | --only)
                expect_value "$@"
                [[ $2 == [1-7] ]] || fail "$1 is '$2'; expected a stage from 1 to 7"
                first="$2"
                [[ $1 == --from ]] || last="$2"
                shift
                ;;
            --dry-run) dry_run=yes ;;
            *) fail "unknown option: $1" ;;
        esac
        shift
    done
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

    local stages=() missing=()
    find_stages
    ((${#stages[@]})) || fail "nothing to run: ${missing[*]} is not built yet"
    if [[ -n $dry_run ]]; then
        print_commands
        exit 0
    fi

    # So far nothing was changed.
    claim_directory "$data_root"
    make_directory "$data_root/Runs"
    make_directory "$backups"
    make_directory "$performance_logs"
    local started run_id stage_summaries="" status=0
    started="$(now)"
    run_id="${started//:/}-$(project_revision)"
    start_log "$performance_logs/$run_id.log"
    prepare_runtime
    run_stages
    exit "$status"
}

# find_stages: sort the stages that are asked for into those with a script, and those that are still to be written.
find_stages() {
    local number script
    for ((number = first; number <= last; number++)); do
        stage_script "$number"
        if [[ -x $script ]]; then
            stages+=("$number")
        else
            missing+=("$number ${stage_titles[number]}")
        fi
    done
    if ((${#missing[@]})); then
        local names
        printf -v names ', %s' "${missing[@]}"
        say "not built yet: ${names:2}"
    fi
}

# stage_script NUMBER: set `script` to a stage's run script.
stage_script() {
    script="$project_root/run_scripts/$1_${stage_titles[$1]// /_}.sh"
}

# stage_command NUMBER: set `command` to a stage's command line.
stage_command() {
    local script
    stage_script "$1"
    command=("$script")
    case "$1" in
        1) command+=(--pipeline-configuration "$configuration" "$coda_pull_credentials" "$coda_tools_root" "$data_root") ;;
        4) command+=(--pipeline-configuration "$configuration" "$coda_push_credentials" "$coda_tools_root" "$data_root") ;;
        2 | 3 | 5) command+=("$user" "$bucket_credentials" "$configuration" "$data_root") ;;
        6) command+=(--run-id "$run_id" "$data_root" "$backups") ;;
        7)
            command+=(
                "$user" "$bucket_credentials" "$configuration" "$run_id"
                "$performance_logs/memory-$run_id.profile" "$backups/data-$run_id.tar.gz"
            )
            ;;
    esac
}

print_commands() {
    local number command run_id="<run-id>"
    for number in "${stages[@]}"; do
        stage_command "$number"
        printf '%q ' "${command[@]}"
        printf '\n'
    done
}

# run_stages: run the stages that there are, set `status` to that of the first failure, and keep the run's summary up to
# date, so that the back-up holds it.
run_stages() {
    local number command stage_started milliseconds stage_status
    for number in "${stages[@]}"; do
        if ((status != 0 && number <= 5)); then
            say "Stage $number, ${stage_titles[number]}: skipped after the failure."
            continue
        fi
        stage_command "$number"
        say "Stage $number, ${stage_titles[number]}: started."
        stage_started="$(now)"
        milliseconds="-$(date +%s%3N)"
        stage_status=0
        run_child "${command[@]}" || stage_status=$?
        ((milliseconds += $(date +%s%3N)))
        add_stage_summary
        say "Stage $number, ${stage_titles[number]}: ended with status $stage_status after $((milliseconds / 1000)) s."
        ((status != 0)) || status="$stage_status"
        case "$received_signal" in
            "") write_summary null ;;
            *) status=$((128 + $(kill -l "$received_signal"))) && break ;;
        esac
    done
    write_summary "\"$(now)\""
    say "Run $run_id ended with status $status."
}

add_stage_summary() {
    local text
    printf -v text '{"exit_status": %d, "name": "%s", "seconds": %d.%03d, "stage": %d, "started": "%s"}' \
        "$stage_status" "${stage_titles[number]}" $((milliseconds / 1000)) $((milliseconds % 1000)) "$number" "$stage_started"
    stage_summaries+="${stage_summaries:+,}"$'\n    '"$text"
}

# write_summary ENDED: write <data-root>/Runs/<run-id>.json; ENDED is JSON.
write_summary() {
    local summary="$data_root/Runs/$run_id.json"
    printf '{\n  "ended": %s,\n  "exit_status": %d,\n  "run_id": "%s",\n  "stages": [%s\n  ],\n  "started": "%s"\n}\n' \
        "$1" "$status" "$run_id" "$stage_summaries" "$started" >"$summary.partial"
    mv -- "$summary.partial" "$summary"
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
    trap end_log EXIT
}

# end_log: give the log's writer the time to write the last lines.
# shellcheck disable=SC2329 # the trap calls it
end_log() {
    exec 2>&"$standard_error" >&2
    wait "$log_writer" || true
}

main "$@"
