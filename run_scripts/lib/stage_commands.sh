# shellcheck shell=bash disable=SC2154,SC2034 # run_pipeline.sh sets what the command lines are made of, and runs them
# The command lines of the stages of a run.

# stage_command NUMBER: set `command` to a stage's command line.
stage_command() {
    if [[ $1 == write_back ]]; then
        command=("$project_root/run_scripts/write_back.sh")
    elif [[ $1 == apply_retention ]]; then
        command=("$project_root/run_scripts/apply_retention.sh")
        ! grep --quiet '"RawTexts"' -- "$configuration" || command+=(--coda-credentials "$coda_push_credentials")
        ! grep --quiet '"UuidTable"' -- "$configuration" || command+=(--uuid-table-credentials "$bucket_credentials")
        command+=("$user" "$configuration" "$data_root" "$backups" "$performance_logs")
    elif [[ $1 == drill ]]; then
        command=("$project_root/run_scripts/6_backup_data_root.sh" --drill --pipeline-configuration "$configuration")
    else
        command=("$project_root/run_scripts/$1_${stage_titles[$1]// /_}.sh")
    fi
    case "$1" in
        1) command+=(--pipeline-configuration "$configuration" "$coda_pull_credentials" "$coda_tools_root" "$data_root") ;;
        4) command+=(--pipeline-configuration "$configuration" "$coda_push_credentials" "$coda_tools_root" "$data_root") ;;
        3)
            command+=(--profile-memory "$performance_logs/memory-$run_id.profile" ${scheduler:+--scheduler "$scheduler"})
            command+=("${certificates[@]}" ${accept_shrinkage:+--accept-shrinkage} ${allow_project_code:+--allow-project-code})
            command+=(${accept_lost_withdrawals:+--accept-lost-withdrawals})
            command+=("$user" "$bucket_credentials" "$configuration" "$data_root")
            ;;
        2)
            command+=(${accept_shrinkage:+--accept-shrinkage} "${fetch_options[@]}")
            command+=("$user" "$bucket_credentials" "$configuration" "$data_root")
            ;;
        5 | write_back) command+=("$user" "$bucket_credentials" "$configuration" "$data_root") ;;
        6)
            ! grep --quiet '"Backup"' -- "$configuration" || command+=(--pipeline-configuration "$configuration")
            command+=(--run-id "$run_id" ${keep_days:+--keep-days "$keep_days"} "$data_root" "$backups")
            ;;
        drill) command+=(${allow_project_code:+--allow-project-code} "$data_root" "$backups") ;;
        7)
            local archive="$backups/data-$run_id.tar.gz"
            [[ ! -e $archive.age ]] || archive+=.age
            # Tonight also uploads what last night could not.
            command+=(
                --pending "$user" "$bucket_credentials" "$configuration" "$run_id"
                "$performance_logs/memory-$run_id.profile" "$archive"
            )
            ;;
    esac
}
