# shellcheck shell=bash disable=SC2154,SC2034 # run_pipeline.sh sets what is looked at here
# Run the optional stage that writes back to RapidPro, after stage 5 of a run.

# has_write_back: tell whether the configuration has the key. The stage itself reads it.
has_write_back() {
    grep --quiet '"WriteBack"' -- "$configuration"
}

# write_back: run the optional stage. People who withdrew are told of even if the analysis failed.
write_back() {
    if [[ -n $are_outputs_old || -n $received_signal ]]; then
        say "Write-back: skipped after the failure."
        stage_lines+="  5 write back: skipped"$'\n'
        return
    fi
    stage_command write_back
    run_timed 5 "write back"
}
