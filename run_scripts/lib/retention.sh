# shellcheck shell=bash disable=SC2154,SC2034 # run_pipeline.sh sets what is looked at here
# Run the optional stage that removes what is old, at the end of a run.

# has_retention: tell whether the run goes on to its end, and the configuration has the key. The stage itself reads it.
has_retention() {
    ((first <= 6 && last == 7)) && grep --quiet '"Retention"' -- "$configuration"
}

# apply_retention: run the optional stage, unless tonight's archive is missing or not uploaded: then older ones are still needed. Nor
# where messages go and tonight's labels are missing: a STOP among them would go with its message, unseen.
apply_retention() {
    local reason=""
    if [[ -n $is_archive_lacking || -n $received_signal ]]; then
        reason="the backup or its upload failed"
    elif [[ -n $are_labels_lacking ]] && grep --quiet '"RawTexts"' -- "$configuration"; then
        reason="stage 1 failed: messages that coders labelled STOP since may be over age"
    fi
    if [[ -n $reason ]]; then
        say "Retention: nothing is removed, as $reason."
        stage_lines+="  7 apply retention: skipped"$'\n'
        return
    fi
    stage_command apply_retention
    run_timed 7 "apply retention"
}
