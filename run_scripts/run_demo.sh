#!/usr/bin/env bash
#
# Run the whole pipeline on invented participants: no settings, no account, no network.
#   reads   configurations/demo
#   writes  <directory>: data root/, backups/, performance logs/, embedded/, configuration/, credentials/, incoming/,
#           recovered/
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] [<directory>]

Run the whole pipeline on a RapidPro with invented participants and a listening group. Afterwards, invented coders label
the messages, and SMS that were lost in an outage are recovered, so the next run shows coded data and these SMS.

  <directory>  directory for all the demo's data; created if missing; default: .demo in this clone

  --runtime docker|host  where the stages run; default: PIPELINE_RUNTIME, or if that is not set, Docker if usable, else
                         this machine
  -h, --help             show this help and exit
TEXT
}

take_option() {
    case "$1" in
        --runtime)
            expect_value "$@"
            runtime="$2"
            [[ $runtime == docker || $runtime == host ]] || fail "--runtime is '$runtime'; expected docker or host"
            ;;
        *) refuse_option "$@" ;;
    esac
}

main() {
    local runtime="" arguments=()
    read_options "$@"
    set -- "${arguments[@]}"
    [[ -n $runtime || -z ${PIPELINE_RUNTIME:-} ]] || expect_runtime
    (($# <= 1)) || fail "expected at most 1 argument but got $#"
    local directory="${1:-$project_root/.demo}"
    expect_directory directory

    claim_directory "$directory"
    # The demo's coders get suggestions.
    export PIPELINE_SUGGESTIONS=yes
    choose_runtime
    choose_sandbox_runtime

    (exec_sandbox sandbox-prepare)
    # The demo does not need CodaV2's tools: an existing directory prevents the check-out.
    make_directory "$directory/coda tools"
    start_sandbox
    local credentials="$directory/credentials" status=0
    run_child "$project_root/run_scripts/run_pipeline.sh" demo "$directory/configuration/pipeline_configuration.json" \
        "$credentials/coda_credentials.json" "$credentials/coda_credentials.json" \
        "$credentials/google_cloud_credentials.json" "$directory/coda tools" "$directory/data root" \
        "$directory/backups" "$directory/performance logs" || status=$?
    stop_sandbox
    ((status == 0)) || stop "$status" "the demo's pipeline ended with status $status; its log is in '$directory/performance logs'."

    (exec_sandbox sandbox-code)
    recover_lost_messages
    say_what_there_is
}

# choose_runtime: set PIPELINE_RUNTIME, prepare it, and say why it was chosen.
choose_runtime() {
    local reason="as --runtime asks"
    if [[ -z $runtime && -n ${PIPELINE_RUNTIME:-} ]]; then
        runtime="$PIPELINE_RUNTIME"
        reason="as PIPELINE_RUNTIME asks"
    elif [[ -z $runtime ]]; then
        runtime=host
        if ! reason="$(find_docker_problem)"; then
            if (build_image); then
                runtime=docker
                reason="a Docker engine answers"
            else
                reason="the Docker image could not be built"
            fi
        fi
    fi
    export PIPELINE_RUNTIME="$runtime"
    if [[ $runtime == docker ]]; then
        say "The stages run in Docker: $reason."
    else
        say "The stages run on this machine: $reason."
    fi
    prepare_runtime
}

# choose_sandbox_runtime: run the sandbox on this machine, wherever the stages run, unless there is no Python for it.
choose_sandbox_runtime() {
    sandbox_runtime=host
    if [[ $PIPELINE_RUNTIME == docker ]]; then
        if find_python >/dev/null; then
            # The sandbox draws no maps and learns nothing.
            PIPELINE_MAPS=no PIPELINE_SUGGESTIONS=no set_up_environment default
        else
            sandbox_runtime=docker
            mount_path rw "$directory"
        fi
    fi
}

# exec_sandbox COMMAND ARGUMENT...: replace this process with one of the sandbox's commands.
exec_sandbox() {
    local become=exec_engagement
    [[ $sandbox_runtime == host ]] || become=exec_in_container
    "$become" "$1" --directory "$directory" "${@:2}"
}

# start_sandbox: start the invented RapidPro, and wait until it answers.
start_sandbox() {
    local ready_file="$directory/sandbox.ready" status=0 waited
    rm -f -- "$ready_file"
    (
        # A killed demo may leave the server running; it must not keep the directory locked.
        exec {PIPELINE_LOCK_DESCRIPTOR}<&-
        exec_sandbox sandbox-serve --ready-file "$ready_file"
    ) &
    sandbox_process=$!
    trap stop_sandbox EXIT
    for ((waited = 0; waited < 600; waited++)); do
        [[ ! -e $ready_file ]] || return 0
        if ! kill -0 "$sandbox_process" 2>/dev/null; then
            wait "$sandbox_process" || status=$?
            stop "$((status ? status : 1))" "the sandbox ended before it was ready; its own message is above."
        fi
        sleep 0.1
    done
    stop 14 "the sandbox was not ready within a minute. Run this again when the machine is less busy."
}

stop_sandbox() {
    trap - EXIT
    kill "$sandbox_process" 2>/dev/null || true
    wait "$sandbox_process" 2>/dev/null || true
}

# recover_lost_messages: find the SMS that RapidPro never got, once, as an operator does after an outage.
recover_lost_messages() {
    local recovered="$directory/recovered/s01e03_recovered.csv" status=0
    [[ ! -e $recovered ]] || return 0
    local command=(
        "$project_root/run_scripts/engagement.sh" recover "$directory/configuration/pipeline_configuration.json"
        "$directory/data root" "$credentials/google_cloud_credentials.json" "$directory/incoming/telecom_october.csv"
        --format hormuud --receiver 378 --output "$recovered" --chart "$directory/recovered/outage.svg"
    )
    say "The telecom sent the SMS that it received on 10 and 11 October. To find those that RapidPro lacks:

    ${command[*]@Q}
"
    rm -f -- "$directory/recovered/outage.svg"
    run_child "${command[@]}" || status=$?
    ((status == 0)) || stop "$status" "the lost messages could not be recovered; the command's own message is above."
}

# say_what_there_is: say where the outputs are, and what to do next.
say_what_there_is() {
    local outputs="$directory/data root/Outputs"
    cat <<TEXT

The demo's outputs are in '$outputs':
  messages.csv      one row per message, with its codes
  individuals.csv   one row per participant
  production.csv    participants' texts, before coding
  Coda Files/       messages for coders to label
TEXT
    if [[ -e "$outputs/Automated Analysis/report.html" ]]; then
        printf 'For charts and maps, open '\''%s'\'' in a browser.\n' "$outputs/Automated Analysis/report.html"
    else
        printf 'Open '\''%s'\'' in a spreadsheet.\n' "$outputs/individuals.csv"
    fi
    cat <<TEXT
The invented coders have now labelled messages, people have sent new ones, and 'recovered/' has the SMS that were lost in
an outage: run this again for coded data.
TEXT
}

main "$@"
