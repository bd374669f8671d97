# shellcheck shell=bash disable=SC2154,SC2034 # run_pipeline.sh sets what is looked at here
# Run the optional stage that removes what is old, at the end of a run.

# has_retention: tell whether the run goes on to its end, and the configuration has the key. The stage itself reads it.
has_retention() {
    ((first <= 6 && last == 7)) && grep --quiet '"Retention"' -- "$configuration"
}

# apply_retention: run the optional stage, unless tonight's archive is missing or not uploaded: then older ones are still needed.
apply_retention() {
    if [[ -n $is_archive_lacking || -n $received_signal ]]; then
        say "Retention: nothing is removed, as the backup or its upload failed."
        stage_lines+="  7 apply retention: skipped"$'\n'
        return
    fi
    stage_command apply_retention
    run_timed 7 "apply retention"
}
