# shellcheck shell=bash disable=SC2154 # run_pipeline.sh sets what is told of here
# Tell of a run elsewhere: a ping for a dead-man's switch, a webhook, a command.
#
# This needs neither Docker nor the virtual environment, as it must also tell that these are missing; it needs curl, or
# any Python 3. A failure to tell is a warning in the log, and never fails the run.

# All sends together, in seconds: one at the start, and then all of the end's at the same time.
start_seconds=2 end_seconds=5

# read_notify: find out where to tell of runs. The variables come first; what they leave out is read from the
# configuration's Notify, and from its StatusPage. These are read as plain text, because a broken configuration is one of the things to tell of: its
# values have no quotation marks, backslashes or braces in them, as the configuration's own check sees to.
read_notify() {
    local text="" part="" rest=""
    [[ ! -f $configuration || ! -r $configuration ]] || text="$(head --bytes=1000000 -- "$configuration" | tr -d '\0')"
    [[ ! $text =~ \"Notify\"[[:space:]]*:[[:space:]]*\{([^}]*)\} ]] || part="${BASH_REMATCH[1]}"
    ping_url="${PIPELINE_PING_URL:-$(value_of PingURL "$part")}"
    webhook_url="${PIPELINE_WEBHOOK_URL:-$(value_of WebhookURL "$part")}"
    notify_command="${PIPELINE_NOTIFY_COMMAND:-}"
    if [[ -z $notify_command && -n $allow_project_code ]]; then
        notify_command="$(value_of Command "$part")"
    elif [[ -z $notify_command && -n $(value_of Command "$part") ]]; then
        say "WARNING: Notify.Command of the configuration is not run; that needs --allow-project-code."
    fi
    status_page="" status_data_roots=()
    if [[ $text =~ \"StatusPage\"[[:space:]]*:[[:space:]]*\{([^}]*)\} ]]; then
        part="${BASH_REMATCH[1]}"
        status_page="$(value_of File "$part")"
        [[ ! $part =~ \"DataRoots\"[[:space:]]*:[[:space:]]*\[([^]]*)\] ]] || rest="${BASH_REMATCH[1]}"
        while [[ $rest =~ ^[^\"]*\"([^\"]*)\"(.*)$ ]]; do
            status_data_roots+=("${BASH_REMATCH[1]}") rest="${BASH_REMATCH[2]}"
        done
    fi
    project="$(value_of PipelineName "$text")"
    [[ -n $project || ! -f $configuration ]] || project="$(basename -- "$(dirname -- "$(realpath -- "$configuration")")")"
}

# value_of KEY TEXT: print the text that a JSON key has.
value_of() {
    [[ ! $2 =~ \"$1\"[[:space:]]*:[[:space:]]*\"([^\"\\]*)\" ]] || printf '%s\n' "${BASH_REMATCH[1]}"
}

# notify_of_start: tell the dead-man's switch that a run has begun.
notify_of_start() {
    [[ -z $ping_url ]] || send ping "$(address_of_ping /start)" "text/plain" "$start_seconds" "Run $run_id started."
}

# notify_of_killed_run RUN LOG: tell of an earlier run that could not tell of its own end.
notify_of_killed_run() {
    local run_id="$1" log="$2" status=137 stage_lines=""
    local stop_reason="the run was killed before its end (kill -9, no memory left, or the machine stopped)"
    notify_of_end
}

# notify_of_end: tell how the run ended, all at the same time.
notify_of_end() {
    local errors first_error="" failed_stage="" message body summary_text result="succeeded" log_shown="" job jobs=()
    [[ -n $ping_url$webhook_url$notify_command ]] || return 0
    [[ ! $stage_lines =~ (^|$'\n')'  '([1-7] [a-z ]*[a-z])' '+'status '+([1-9][0-9]*) ]] || failed_stage="${BASH_REMATCH[2]}"
    errors="$(find_errors)"
    ((status == 0)) && errors=""
    # Names could be numbers, too; run ids and the log's name, which is one, stay as they are.
    message="$(printf '%s\n%s\n%s\n%s\n' "${project//$'\n'/ }" "${data_root//$'\n'/ }" "${performance_logs//$'\n'/ }" "$errors" | mask)"
    local shown_project shown_root shown_logs
    { read -r shown_project && read -r shown_root && read -r shown_logs && errors="$(cat)"; } <<<"$message" || true
    IFS= read -r first_error <<<"$errors" || true
    [[ -z $log ]] || log_shown="$shown_logs/${log##*/}"
    ((status == 0)) || result="failed with status $status${failed_stage:+ in stage $failed_stage}"
    result="${shown_project:-The pipeline}: run ${run_id:-that did not start} $result"
    summary_text="$result${first_error:+. $first_error}"
    printf -v body '{"text": %s, "project": %s, "data_root": %s, "run_id": %s, "status": %d, "failed_stage": %s, "error": %s, "log": %s}' \
        "$(json_text "$summary_text")" "$(json_text "$shown_project")" "$(json_text "$shown_root")" "$(json_text "$run_id")" \
        "$status" "$(json_text "$failed_stage")" "$(json_text "$first_error")" "$(json_text "$log_shown")"
    if [[ -n $ping_url ]]; then
        if ((status == 0)); then
            send ping "$(address_of_ping "")" text/plain "$end_seconds" "$result" &
        else
            send ping "$(address_of_ping /fail)" text/plain "$end_seconds" "$result"$'\n'"$errors" &
        fi
        jobs+=("$!")
    fi
    if [[ -n $webhook_url ]]; then
        send webhook "$webhook_url" application/json "$end_seconds" "$body" &
        jobs+=("$!")
    fi
    if [[ -n $notify_command ]]; then
        run_notify_command "$body" &
        jobs+=("$!")
    fi
    for job in "${jobs[@]}"; do
        wait "$job" || true
    done
}

# find_errors: print the log's last errors, each in one line and once, the first one first. A traceback can hold data, so only its being
# there is told.
find_errors() {
    local found=""
    if [[ -n $log && -r $log ]]; then
        found="$(grep --text --extended-regexp '^ERROR: |^[0-9-]+T[0-9:+]+ (ERROR|CRITICAL) |^Traceback ' -- "$log" |
            sed 's/^Traceback .*/ERROR: the pipeline has a bug; its traceback is in the log./' | cut --characters=1-300 | awk '!said[$0]++')" || true
        if (($(wc --lines <<<"$found") > 10)); then
            found="$(head --lines=1 <<<"$found")"$'\n'"$(tail --lines=9 <<<"$found")"
        fi
    fi
    if [[ -z $found && -n $stop_reason ]]; then
        found="ERROR: ${stop_reason//$'\n'/ }"
    fi
    printf '%s\n' "${found:-the log names no error; the run ended with status $status}"
}

# mask: copy text without phone numbers. The pipeline's own mask needs its virtual environment or its image; without them
# everything that has seven digits is left out, times and all.
mask() {
    local text masked program='import sys
from engagement.pipeline.coding.cleaning.phone_numbers import mask_phone_numbers
sys.stdout.writelines(map(mask_phone_numbers, sys.stdin))'
    text="$(cat)"
    if [[ -x $environment_python ]] && masked="$(
        PYTHONPATH="$project_root/src" PYTHONDONTWRITEBYTECODE=1 timeout 2 "$environment_python" -c "$program" <<<"$text" 2>/dev/null
    )" && [[ -n $masked ]]; then
        printf '%s\n' "$masked"
    else
        sed --regexp-extended 's/[+(]?[0-9]([^[:alnum:]\n]{0,3}[0-9]){6,}/[digits]/g' <<<"$text"
    fi
}

# json_text TEXT: print the text as JSON.
json_text() {
    local text="$1"
    text="${text//\\/\\\\}" text="${text//\"/\\\"}" text="${text//$'\n'/\\n}" text="${text//$'\t'/\\t}"
    printf '"%s"' "$(tr -d '\000-\037' <<<"$text")"
}

# address_of_ping SUFFIX: print the ping's address for a start or a failure; a query stays at its end.
address_of_ping() {
    local query=""
    [[ $ping_url != *\?* ]] || query="?${ping_url#*\?}"
    local path="${ping_url%%\?*}"
    printf '%s%s%s\n' "${path%/}" "$1" "$query"
}

# send WHAT ADDRESS TYPE SECONDS TEXT: post a text. The address is a secret: it is neither logged nor on a command line.
send() {
    local python problem=""
    if type -P curl >/dev/null; then
        problem="$(curl --silent --show-error --fail --output /dev/null --max-time "$4" --header "Content-Type: $3" \
            --data-binary @- --config <(printf 'url = "%s"\n' "$2") <<<"$5" 2>&1)" || problem="${problem:-failed}"
    elif python="$(find_any_python)"; then
        problem="$(ADDRESS="$2" TYPE="$3" SECONDS_LEFT="$4" timeout "$4" "$python" -c '
import os, sys, urllib.request
request = urllib.request.Request(os.environ["ADDRESS"], sys.stdin.buffer.read(), {"Content-Type": os.environ["TYPE"]})
try:
    urllib.request.urlopen(request, timeout=float(os.environ["SECONDS_LEFT"])).read(1)
except Exception as error:
    sys.exit("%s %s" % (type(error).__name__, getattr(error, "code", "") or getattr(error, "reason", "")))
' <<<"$5" 2>&1)" || problem="${problem:-no answer in $4 s}"
    else
        problem="this machine has neither curl nor Python 3; install one"
    fi
    [[ -z $problem ]] || say "WARNING: the $1 could not be sent: ${problem//"$2"/its address}. The run is not affected."
}

# find_any_python: print the path of a Python 3 that runs.
find_any_python() {
    local candidate
    for candidate in "$(type -P python3)" "$environment_python"; do
        if [[ -x $candidate ]] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 6))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

# run_notify_command JSON: run the command, which gets the webhook's JSON on its standard input.
run_notify_command() {
    (
        [[ -z ${PIPELINE_LOCK_DESCRIPTOR:-} ]] || exec {PIPELINE_LOCK_DESCRIPTOR}<&-
        timeout --kill-after=1 "$end_seconds" bash -c "$notify_command" <<<"$1"
    ) || say "WARNING: the command for notifications failed, or took more than $end_seconds s. The run is not affected."
}

# renew_status_page: renew the page that the configuration's StatusPage names. Projects that are not well are no failure of this.
renew_status_page() {
    local told status=0
    [[ -n $status_page ]] || return 0
    told="$(timeout 60 "$project_root/run_scripts/pipeline_status.sh" --html "$status_page" \
        "${status_data_roots[@]:-$data_root}" 2>&1)" || status=$?
    told="${told%%$'\n'*}"
    ((status == 0 || status == 11)) ||
        say "WARNING: $status_page: the status page could not be renewed: ${told%.}. The run is not affected."
}
