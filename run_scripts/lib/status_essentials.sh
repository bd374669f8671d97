# shellcheck shell=bash disable=SC2154 # pipeline_status.sh sets what is looked at here
# The essentials of projects' states with bash and coreutils alone, for a machine whose Python, engine or image is gone.

# show_essentials: print a line for each data root, and return 11 if one is not well.
show_essentials() {
    local data_root status=0
    printf '%-20s  %-6s  %-36s  %9s  %9s  %s\n' "Last run ended" "Age h" "Status" "Used MB" "Free MB" "Data root"
    for data_root in "${data_roots[@]}"; do
        show_essentials_of "$data_root" || status=11
    done
    return "$status"
}

# show_essentials_of DATA_ROOT: print its line, and fail if it is not well.
show_essentials_of() {
    local path newest="" state="no run yet" ended="" exit_status="" age="-" text failed used free good=""
    for path in "$1"/Runs/*.json; do
        [[ -f $path ]] || continue
        text="$(<"$path")"
        # A run at work has not ended, and holds the lock.
        [[ $text == *'"ended": null'* ]] && is_locked "$1" && continue
        newest="$path"
        [[ $text == *'"exit_status": 0,'$'\n'* && $text == *'"stage": 2,'* && $text =~ \"ended\":\ \"([^\"]+)\" ]] || continue
        good="${BASH_REMATCH[1]}"
    done
    if [[ -n $newest ]]; then
        text="$(<"$newest")"
        [[ ! $text =~ \"ended\":\ \"([0-9TZ:-]+)\" ]] || ended="${BASH_REMATCH[1]}"
        # The run's own status is on a line of its own.
        [[ ! $text =~ $'\n'\ *\"exit_status\":\ ([0-9]+),$'\n' ]] || exit_status="${BASH_REMATCH[1]}"
        failed="$(grep --only-matching --perl-regexp '"exit_status": [1-9]\d*, "name": "\K[^"]+' -- "$newest" | head --lines=1)" || true
        case "$ended:$exit_status" in
            :*) state="killed" ;;
            *:0) state="ok" ;;
            *:) state="damaged" ;;
            *) state="failed $exit_status${failed:+: $failed}" ;;
        esac
        [[ -z $ended ]] || age="$(hours_since "$ended")"
    fi
    if [[ $state == ok && -n $max_age ]] &&
        { [[ -z $good ]] || (($(date --date="$good" +%s) + $(seconds_of "$max_age") < $(date +%s))); }; then
        state="too old"
    fi
    used="$(du --summarize --block-size=1MB -- "$1" 2>/dev/null | cut --fields=1)" || true
    free="$(df --output=avail --block-size=1MB -- "$1" | tail --lines=1)"
    printf '%-20s  %-6s  %-36s  %9s  %9s  %s\n' "${ended:--}" "$age" "$state" "${used:-?}" "${free// /}" "$1"
    [[ $state == ok ]]
}

# is_locked DATA_ROOT: tell whether a run is at work there.
is_locked() {
    [[ -e $1/.lock ]] && ! flock --shared --nonblock "$1/.lock" true
}

hours_since() {
    printf '%d\n' $((($(date +%s) - $(date --date="$1" +%s)) / 3600))
}

# seconds_of HOURS: print hours, which may have a fraction, in seconds.
seconds_of() {
    awk -v hours="$1" 'BEGIN { printf "%d\n", hours * 3600 }'
}
