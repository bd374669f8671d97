# shellcheck shell=bash disable=SC2154 # project_root is set by common.sh
# Run stages in Docker containers that are always removed. Only this file and image.sh call docker.
#
# Host paths are the same inside the container. They are mounted with --mount, which refuses a missing path, and never
# copied, so a stopped container contains no credential or message.

read_only_paths=()
writable_paths=()

# mount_path ro|rw PATH: let the stage see one file or directory, given by its absolute path.
mount_path() {
    case "$1" in
        ro) read_only_paths+=("$2") ;;
        rw) writable_paths+=("$2") ;;
    esac
}

# mount_folder_of ro|rw PATH: let the stage see the folder of a file or directory, given by its absolute path.
mount_folder_of() {
    local folder="${2%/*}"
    mount_path "$1" "${folder:-/}"
}

# find_docker_problem: print the reason why no container can run here; fail if one can.
find_docker_problem() {
    local engine answer
    if ! type -P docker >/dev/null; then
        printf 'there is no docker command on this machine\n'
        return
    fi
    # Docker clients before 19.03 have no contexts.
    engine="$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null)" || engine="${DOCKER_HOST:-}"
    if [[ -n $engine && $engine != unix://* ]]; then
        # The paths to mount are on this machine.
        printf '%s\n' "the Docker engine '$engine' is another machine's, and can't see the files of this one; unset \
DOCKER_HOST, or choose this machine's engine with 'docker context use default'"
    elif ! answer="$(timeout 10 docker info 2>&1)"; then
        if [[ $answer == *"permission denied"* ]]; then
            printf "this user may not use the Docker engine; add the user to the group 'docker' and log in anew\n"
        else
            printf 'no Docker engine answers\n'
        fi
    else
        return 1
    fi
}

# run_in_container STAGE ARGUMENT...: run a stage in a container that sees the mounted paths and those that its
# configuration names. Return the stage's status, or Docker's own 125.
run_in_container() {
    local plan line network=none environment_names=()
    plan="$(plan_container "$@")" || return
    if [[ $plan == *"look "* ]]; then
        # Credentials named in the configuration can in turn name a directory.
        plan="$(
            mount_planned "$plan" look ro
            plan_container "$@"
        )" || return
    fi
    take_plan
    if [[ -n ${ENGAGEMENT_COUNTS_FILE:-} ]]; then
        mount_path rw "$(dirname -- "$ENGAGEMENT_COUNTS_FILE")"
        environment_names+=(ENGAGEMENT_COUNTS_FILE)
    fi
    [[ -z ${ENGAGEMENT_QUIET:-} ]] || environment_names+=(ENGAGEMENT_QUIET)
    case "$1" in generate-outputs | automated-analysis) name_origin ;; esac
    local name="engagement-$1-$$-$RANDOM" status=0
    remove_orphans
    name_working_lock "$1 in the container $name"
    if [[ -n $working_lock ]]; then
        environment_names+=(ENGAGEMENT_LOCK_FILE ENGAGEMENT_LOCK_HOLDER)
        [[ " ${writable_paths[*]} " == *" $PIPELINE_DATA_ROOT "* ]] || mount_path rw "$working_lock"
    fi
    describe_container "$network"
    label_container "$1"
    run_child docker run "${container_arguments[@]}" --name "$name" "$image" "$@" || status=$?
    # A signal can end the client before the container has started; then nothing else removes it.
    # shellcheck disable=SC2154 # run_child sets it
    if [[ -n $received_signal ]]; then
        docker rm --force "$name" >/dev/null 2>&1 || true
    elif ((status == 125 || status > 128)); then
        # The client was killed, or the engine went away under it: the container may go on without them.
        remove_containers "name=^/?$name\$"
    fi
    return "$status"
}

# name_origin: let a container know what records name: the run, the account and machine, and its own image.
name_origin() {
    export ENGAGEMENT_ACCOUNT ENGAGEMENT_IMAGE="${image_id:-}"
    ENGAGEMENT_ACCOUNT="$(id -un 2>/dev/null || id -u)@$HOSTNAME"
    environment_names+=(ENGAGEMENT_ACCOUNT ENGAGEMENT_IMAGE)
    [[ -z ${PIPELINE_RUN_ID:-} ]] || environment_names+=(PIPELINE_RUN_ID)
}

# stop_after_docker_failed: say whether the container never ran or the engine died under it, and exit. The engine answered before;
# and the stage itself writes the container's name into its lock.
stop_after_docker_failed() {
    if find_docker_problem >/dev/null ||
        [[ -n ${working_lock:-} && -s $working_lock && $(head --bytes 500 -- "$working_lock") == "$ENGAGEMENT_LOCK_HOLDER" ]]; then
        stop 14 "the Docker engine died while the stage was running; its own message is above. Start the engine, and run this \
again: nothing is lost."
    fi
    stop 14 "Docker could not start the container; its own message is above. Mend that, and run this again."
}

# label_container WHAT: let others find the container: `docker ps --filter label=engagement.data-root`.
label_container() {
    container_arguments+=(--label "engagement.stage=$1")
    ! has_claim || container_arguments+=(--label "engagement.data-root=$PIPELINE_DATA_ROOT")
    [[ -z ${PIPELINE_RUN_ID:-} ]] || container_arguments+=(--label "engagement.run=$PIPELINE_RUN_ID")
}

# remove_orphans: remove the containers that work on the data root that this run has claimed: whoever started them is gone.
remove_orphans() {
    ! has_claim || remove_containers "label=engagement.data-root=$PIPELINE_DATA_ROOT"
}

# remove_containers FILTER: end and remove the containers that match a filter of `docker ps`, and say which.
remove_containers() {
    local name stage run format='{{.Names}}\t{{.Label "engagement.stage"}}\t{{.Label "engagement.run"}}'
    while IFS=$'\t' read -r name stage run; do
        if timeout 30 docker rm --force "$name" >/dev/null 2>&1; then
            say "WARNING: removed the container $name (stage $stage${run:+, run $run}): nobody was waiting for it any more."
        else
            say "WARNING: the container $name could not be removed. Run 'docker rm --force $name' when the engine answers."
        fi
    done < <(timeout 30 docker ps --all --filter "$1" --format "$format" 2>/dev/null)
}

# exec_in_container ARGUMENT...: replace this process with `python -m engagement` in a container that sees the mounted
# paths and shares this machine's network.
exec_in_container() {
    local environment_names=()
    remove_orphans
    describe_container host
    label_container "$1"
    exec docker run "${container_arguments[@]}" "$image" "$@"
}

# run_desk_in_container COMMAND ARGUMENT...: run a command of the desk in a container that sees what its path arguments name,
# relative ones from the current folder, and those that they refer to. Return the command's status.
run_desk_in_container() {
    local plan line network=none environment_names=() status=0 option scratch_folder
    # A container has no folder but those that are mounted, which the current one need not be.
    container_folder="$PWD"
    for option in "$@"; do
        case "$option" in
            -h | --help)
                describe_container none
                docker run "${container_arguments[@]}" "$image" "$@"
                return
                ;;
            --) break ;;
        esac
    done
    plan="$(plan_container desk "$@")" || return
    if [[ $plan == *"look "* ]]; then
        plan="$(
            mount_planned "$plan" look ro
            plan_container desk "$@"
        )" || return
    fi
    take_plan
    name_origin
    describe_container "$network"
    label_container "$1"
    if [[ $1 == diff || $1 == reproduce ]]; then
        # It makes the outputs again, which may not fit into memory.
        scratch_folder="$(mktemp -d)"
        container_arguments+=(--mount "type=bind,$(csv_field "source=$scratch_folder"),target=/scratch" --env TMPDIR=/scratch)
    fi
    if [[ -t 0 || " $* " == *" --phone-number-from-stdin "* ]]; then
        # It may ask questions, or be told a number.
        docker run --interactive "${container_arguments[@]}" "$image" "$@" || status=$?
    else
        run_child docker run "${container_arguments[@]}" "$image" "$@" || status=$?
    fi
    [[ -z ${scratch_folder:-} ]] || rm -rf -- "$scratch_folder"
    return "$status"
}

# plan_container STAGE ARGUMENT...: print a stage's needs, found by the project's own code: it reads the configuration in a
# container with the read-only paths and no network.
plan_container() {
    local writable_paths=() environment_names=(FIRESTORE_EMULATOR_HOST STORAGE_EMULATOR_HOST DRIVE_EMULATOR_HOST FORMS_EMULATOR_HOST)
    describe_container none
    docker run "${container_arguments[@]}" "$image" container-plan "$@"
}

# take_plan: mount the paths of the caller's `plan`, and set its `network` and `environment_names`.
take_plan() {
    mount_planned "$plan" "mount ro" ro
    mount_planned "$plan" "mount rw" rw
    while read -r line; do
        case "$line" in
            "network "*) network="${line#network }" ;;
            "environment "*) environment_names+=("${line#environment }") ;;
        esac
    done <<<"$plan"
}

# mount_planned PLAN WORD ro|rw: mount every path that the plan names after the word. The stage reports missing paths to
# read; missing directories to write to are created.
mount_planned() {
    local line path
    while IFS= read -r line; do
        path="${line#"$2" }"
        if [[ $path != "$line" ]]; then
            [[ $3 == ro ]] || make_directory "$path"
            [[ ! -e $path ]] || mount_path "$3" "$path"
        fi
    done <<<"$1"
}

# describe_container NETWORK: set `container_arguments` to the options of `docker run`. The stage runs as the caller, can
# only change paths mounted as writable, and Docker keeps none of its output.
describe_container() {
    local path name scratch=/tmp scratch_size=256m
    local -A access=()
    for path in "${read_only_paths[@]}"; do access[$path]=",readonly"; done
    for path in "${writable_paths[@]}"; do access[$path]=""; done
    [[ ! -v access[/tmp] ]] || scratch=/var/tmp
    container_arguments=(
        --rm --init --pull never --log-driver none --network "$1" --user "$(id -u):$(id -g)"
        --cap-drop ALL --security-opt no-new-privileges
        --read-only --tmpfs "$scratch:size=$scratch_size" --env "HOME=$scratch" --env "TMPDIR=$scratch"
    )
    # Without swap: a machine that swaps is slower for all the others on it.
    [[ -z ${PIPELINE_MEMORY:-} ]] || container_arguments+=(--memory "$PIPELINE_MEMORY" --memory-swap "$PIPELINE_MEMORY")
    # Progress bars are for terminals. Otherwise standard output and standard error stay apart.
    [[ ! -t 1 || ! -t 2 ]] || container_arguments+=(--tty)
    [[ -z ${container_folder:-} ]] || container_arguments+=(--workdir "$container_folder")
    for path in "${!access[@]}"; do
        container_arguments+=(--mount "type=bind,$(csv_field "source=$path"),$(csv_field "target=$path")${access[$path]}")
    done
    for name in "${environment_names[@]}"; do
        container_arguments+=(--env "$name")
    done
}

# csv_field TEXT: print a field of a --mount option, which is a line of CSV.
csv_field() {
    if [[ $1 == *[,\"]* ]]; then
        printf '"%s"' "${1//\"/\"\"}"
    else
        printf '%s' "$1"
    fi
}
