# shellcheck shell=bash disable=SC2154 # run_pipeline.sh sets what is told of here
# Write the summary of a whole pipeline run: a JSON file in the data root, and one line per stage for people.

# add_stage_summary TITLE: add a finished stage to the summary, as JSON and as a line for people.
add_stage_summary() {
    local counts="" counts_text="" peak_memory=null seconds text
    take_counts
    printf -v seconds '%d.%02d' $((centiseconds / 100)) $((centiseconds % 100))
    printf -v text '{"counts": {%s}, "exit_status": %d, "name": "%s", "peak_memory_mib": %s, "seconds": %s, "stage": %d, "started": "%s"}' \
        "$counts" "$stage_status" "$1" "$peak_memory" "$seconds" "$number" "$stage_started"
    stage_summaries+="${stage_summaries:+,}"$'\n    '"$text"
    printf -v text '  %d %-19s status %3d %10s s %7s MiB  %s' "$number" "$1" "$stage_status" "$seconds" \
        "${peak_memory/null/?}" "$counts_text"
    stage_lines+="$text"$'\n'
}

# take_counts: set `counts`, `counts_text` and `peak_memory` from the stage's own numbers, one a line.
take_counts() {
    local line
    [[ -r $ENGAGEMENT_COUNTS_FILE ]] || return 0
    while read -r line; do
        if [[ $line =~ ^\"([a-z_]+)\":\ ([0-9]+),?$ ]]; then
            if [[ ${BASH_REMATCH[1]} == peak_memory_mib ]]; then
                peak_memory="${BASH_REMATCH[2]}"
            else
                counts+="${counts:+, }\"${BASH_REMATCH[1]}\": ${BASH_REMATCH[2]}"
                counts_text+="${counts_text:+, }${BASH_REMATCH[1]//_/ } ${BASH_REMATCH[2]}"
            fi
        fi
    done <"$ENGAGEMENT_COUNTS_FILE"
    rm -f -- "$ENGAGEMENT_COUNTS_FILE"
}

# write_summary ENDED: write <data-root>/Runs/<run-id>.json; ENDED is JSON. On a full disk the back-up is still tried.
write_summary() {
    if ! { print_summary "$1" >"$summary.partial" && mv -- "$summary.partial" "$summary"; }; then
        say "WARNING: $summary: could not be written. Check the disk."
        rm -f -- "$summary.partial" || true
        ((status != 0)) || status=14
    fi
}

print_summary() {
    printf '{\n  "ended": %s,\n  "exit_status": %d,\n  "run_id": "%s",\n  "stages": [%s\n  ],\n  "started": "%s"\n}\n' \
        "$1" "$status" "$run_id" "$stage_summaries" "$started"
}

# close_killed_runs: record earlier runs that were killed outright (kill -9, no memory left, the machine stopped), and say so.
# Whoever holds the data root's lock knows that none of them is at work. Their end is the last sign of life.
close_killed_runs() {
    local path killed_log last_sign ended
    for path in "$data_root"/Runs/*.json; do
        if [[ ! -f $path ]] || ! grep --quiet '^  "ended": null,$' -- "$path"; then
            continue
        fi
        killed_run="${path##*/}" killed_run="${killed_run%.json}"
        killed_log="$performance_logs/$killed_run.log" last_sign="$path"
        [[ ! -f $killed_log || ! $killed_log -nt $path ]] || last_sign="$killed_log"
        ended="$(date --utc --reference="$last_sign" +%Y-%m-%dT%H:%M:%SZ)"
        if sed -e "s/^  \"ended\": null,\$/  \"ended\": \"$ended\",/" -e 's/^  "exit_status": [0-9]*,$/  "exit_status": 137,/' \
            -- "$path" >"$path.partial" 2>/dev/null && mv -- "$path.partial" "$path"; then
            truncate --no-create --size=+0 -- "$killed_log" 2>/dev/null || true
            say "WARNING: run $killed_run was killed before its end, soon after $ended (kill -9, no memory left, or the machine \
stopped); recorded with status 137. Look at $killed_log and the system's log; this run goes on from what it left."
            notify_of_killed_run "$killed_run" "$killed_log"
        else
            rm -f -- "$path.partial" 2>/dev/null || true
        fi
    done
}
