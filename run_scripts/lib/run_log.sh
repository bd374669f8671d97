# shellcheck shell=bash disable=SC2154 # run_pipeline.sh sets what is logged here
# The log of a whole pipeline run. This script and the stages write to the file themselves, so there is no process whose
# end could end the run or lose its lines; showing the log to people is a process of its own, which may die.

# Space set aside for the log, so that a disk that fills up during the run does not silence it.
log_reserve_mib=8

# start_log FILE: from now on, the output of this script and the stages goes to the file. It is shown on standard error,
# except with --quiet.
start_log() {
    # shellcheck disable=SC2034 # for `say`
    log="$1" follower="" has_log=yes
    fallocate --keep-size --length "${log_reserve_mib}MiB" "$log" 2>/dev/null || true
    exec {standard_error}>&2
    exec 2>>"$log" >&2
    [[ -n $quiet || /dev/fd/$standard_error -ef /dev/null ]] || show_log
}

# show_log: copy the log to standard error as it grows, until this script has ended.
show_log() {
    # This process stands for the run, and ends with it, killed or not: the one that shows the log notices within 0.2 s.
    (
        ignore_signals
        exec setpriv --pdeathsig KILL sleep infinity
    ) >/dev/null 2>&1 &
    run_marker=$!
    (
        ignore_signals
        exec tail --lines=+1 --follow --sleep-interval=0.2 --pid="$run_marker" -- "$log" 1>&"$standard_error" 2>/dev/null
    ) &
    follower=$!
    disown "$follower"
}

# ignore_signals: in a process that outlives the signals that end a stage, and does not keep the data root locked.
ignore_signals() {
    trap '' INT TERM HUP
    exec {PIPELINE_LOCK_DESCRIPTOR}<&-
}

# close_log: give back the unused space, and wait until everything is shown; not for ever, as a terminal can stand still.
close_log() {
    local tries
    truncate --no-create --size=+0 -- "$log" 2>/dev/null || true
    if [[ -n $follower ]]; then
        kill -KILL "$run_marker" 2>/dev/null || true
        wait "$run_marker" 2>/dev/null || true
        for ((tries = 0; tries < 250; tries++)); do
            kill -0 "$follower" 2>/dev/null || break
            sleep 0.02
        done
    fi
    exec 2>&"$standard_error" >&2
    # Nobody may be there to read it.
    trap '' PIPE
    if ! grep --quiet --line-regexp --fixed-strings "${closing_table##*$'\n'}" -- "$log"; then
        say "WARNING: $log: the log could not be written to its end. Check the disk."
        say "$closing_table"
    elif [[ -n $quiet ]]; then
        show_problems || true
        say "$closing_table"
    fi
}

# show_problems: print the warnings and errors of the log, with the lines that belong to them.
show_problems() {
    awk -v marks="$problem_marks" '
        $0 ~ marks { shown = 1; print; next }
        /^[ \t]/ && shown { print; next }
        { shown = 0 }
    ' "$log" >&2
}

# Beginnings of lines that tell of a problem: the scripts' and stages' own, those of Python's logging, and a traceback.
problem_marks='^(ERROR|WARNING): |^[0-9-]+T[0-9:+]+ (ERROR|WARNING|CRITICAL) |^Traceback |^[A-Za-z_.]+(Error|Exception)(:|$)'

# remove_old_logs: with --keep-days, remove earlier runs' files from the directory for logs.
remove_old_logs() {
    if [[ -n $keep_days ]]; then
        find "$performance_logs" -maxdepth 1 -type f -mtime "+$keep_days" \
            \( -name '????-??-??T??????Z-*.log' -o -name 'memory-????-??-??T??????Z-*.profile' \
            -o -name 'memory-????-??-??T??????Z-*.profile.partial' \) -delete || true
    fi
}
