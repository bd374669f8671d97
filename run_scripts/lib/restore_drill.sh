# shellcheck shell=bash disable=SC2154 # run_pipeline.sh sets what is looked at here
# Prove the newest archive at the end of a run, every so many nights.

# is_drill_due: tell whether the configuration asks for restore drills, and the last one failed or is that many nights ago. The key
# is read as plain text: the archive is made even if the rest of the configuration is broken.
is_drill_due() {
    local text newest nights seconds record="$data_root/Runs/restore_drills.jsonl"
    ((first <= 6 && last >= 6)) || return 1
    text="$(head --bytes=1000000 -- "$configuration" | tr -d '\0')"
    [[ $text =~ \"DrillEveryNights\"[[:space:]]*:[[:space:]]*([1-9][0-9]{0,4})[^0-9] ]] || return 1
    nights="${BASH_REMATCH[1]}"
    newest="$(tail --lines=1 -- "$record" 2>/dev/null)" || true
    [[ $newest == *'"result": '* && $newest != *'"result": "failed"'* && $newest =~ \"at\":\ \"([0-9TZ:-]+)\" ]] || return 0
    seconds=$(($(date +%s) - $(date --date="${BASH_REMATCH[1]}" +%s))) || return 0
    # Runs take longer on one night than on another; and a clock may have been wrong.
    ((seconds >= (nights * 24 - 12) * 3600 || seconds < -86400))
}

# drill_if_due: run the drill, unless tonight's archive is missing.
drill_if_due() {
    is_drill_due || return 0
    if [[ -n $is_backup_missing || -n $received_signal ]]; then
        say "Restore drill: skipped, as the backup failed."
        stage_lines+="  6 restore drill: skipped"$'\n'
        return
    fi
    stage_command drill
    run_timed 6 "restore drill"
}
