# shellcheck shell=bash disable=SC2154 # run_pipeline.sh sets what is planned here
# Say what a run of the whole pipeline would do, without doing it.

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
    # shellcheck disable=SC2034 # for stage_command
    local number command run_id="<run-id>"
    for ((number = first; number <= last; number++)); do
        if ((number == 6 && first < 6)) && has_write_back; then
            stage_command write_back
            printf '%q ' "${command[@]}"
            printf '\n'
        fi
        stage_command "$number"
        printf '%q ' "${command[@]}"
        printf '\n'
    done
    if has_retention; then
        stage_command apply_retention
        printf '%q ' "${command[@]}"
        printf '\n'
    fi
    if is_drill_due; then
        stage_command drill
        printf '%q ' "${command[@]}"
        printf '\n'
    fi
}
