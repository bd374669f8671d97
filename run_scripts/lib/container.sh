# shellcheck shell=bash disable=SC2154 # project_root is set by common.sh
# Run stages in Docker: one image for all stages, and containers that are always removed. Only this file calls docker.
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

# build_image: build this clone's image unless it exists, and set `image`. Its tag is a digest of its sources, so each
# version is built once, and two clones never use each other's image. Scripts that this one starts use the same image, even
# if the clone is updated meanwhile.
build_image() {
    local problem found revision output
    if problem="$(find_docker_problem)"; then
        stop 14 "$problem. Install or start Docker, or set PIPELINE_RUNTIME=host."
    fi
    image="${PIPELINE_IMAGE:-$(image_name)}"
    found="$(docker images --quiet "$image")"
    [[ -n $found || -z ${PIPELINE_IMAGE:-} ]] ||
        stop 14 "PIPELINE_IMAGE is '$image', which is not there. Load it with 'docker load', or unset PIPELINE_IMAGE."
    if [[ -z $found ]]; then
        say "Building the Docker image $image; this is done once for each version of the project and takes some minutes."
        revision="$(git_revision)"
        output="$(docker build --quiet --target "$(image_target)" --label "org.opencontainers.image.revision=$revision" \
            --build-arg "REVISION=$revision" --tag "$image" "$project_root" 2>&1)" ||
            stop 14 "$(printf '%s\nthe Docker image could not be built. Check the network and the disk, and run this again.' "$output")"
    fi
    export PIPELINE_IMAGE="$image"
}

# has_image: tell whether an engine answers and has this clone's image, without building it.
has_image() {
    ! find_docker_problem >/dev/null && [[ -n $(docker images --quiet "${PIPELINE_IMAGE:-$(image_name)}" 2>/dev/null) ]]
}

# save_image FILE: write the image from `build_image`, compressed.
save_image() {
    docker save "$image" | gzip --fast >"$1"
}

# image_target: print the name of the Dockerfile's image: the one with boundaries, unless PIPELINE_MAPS=no.
image_target() {
    if wants_boundaries; then
        printf 'maps\n'
    else
        printf 'plain\n'
    fi
}

# image_name: print the image's name and tag.
image_name() {
    local digest
    digest="$(
        env --chdir="$project_root" \
            find Dockerfile .dockerignore Pipfile Pipfile.lock src configurations/demo -type f -not -name '*.pyc' \
            -exec sha256sum {} + | LC_ALL=C sort | sha256sum
    )"
    printf 'engagement-pipeline:%s-%s\n' "$(image_target)" "${digest:0:16}"
}

# image_revision: print the image's commit, or "unknown".
image_revision() {
    local revision
    revision="$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' \
        "${PIPELINE_IMAGE:-$(image_name)}" 2>/dev/null)" || true
    printf '%s\n' "${revision:-unknown}"
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
    mount_planned "$plan" "mount ro" ro
    mount_planned "$plan" "mount rw" rw
    while read -r line; do
        case "$line" in
            "network "*) network="${line#network }" ;;
            "environment "*) environment_names+=("${line#environment }") ;;
        esac
    done <<<"$plan"
    if [[ -n ${ENGAGEMENT_COUNTS_FILE:-} ]]; then
        mount_path rw "$(dirname -- "$ENGAGEMENT_COUNTS_FILE")"
        environment_names+=(ENGAGEMENT_COUNTS_FILE)
    fi
    describe_container "$network"
    local name="engagement-$1-$$-$RANDOM" status=0
    run_child docker run "${container_arguments[@]}" --name "$name" "$image" "$@" || status=$?
    # A signal can end the client before the container has started; then nothing else removes it.
    # shellcheck disable=SC2154 # run_child sets it
    [[ -z $received_signal ]] || docker rm --force "$name" >/dev/null 2>&1 || true
    return "$status"
}

# exec_in_container ARGUMENT...: replace this process with `python -m engagement` in a container that sees the mounted
# paths and shares this machine's network.
exec_in_container() {
    local environment_names=()
    describe_container host
    exec docker run "${container_arguments[@]}" "$image" "$@"
}

# plan_container STAGE ARGUMENT...: print a stage's needs, found by the project's own code: it reads the configuration in a
# container with the read-only paths and no network.
plan_container() {
    local writable_paths=() environment_names=(FIRESTORE_EMULATOR_HOST STORAGE_EMULATOR_HOST DRIVE_EMULATOR_HOST)
    describe_container none
    docker run "${container_arguments[@]}" "$image" container-plan "$@"
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
    local path name scratch=/tmp
    local -A access=()
    for path in "${read_only_paths[@]}"; do access[$path]=",readonly"; done
    for path in "${writable_paths[@]}"; do access[$path]=""; done
    [[ ! -v access[/tmp] ]] || scratch=/var/tmp
    container_arguments=(
        --rm --init --pull never --log-driver none --network "$1" --user "$(id -u):$(id -g)"
        --cap-drop ALL --security-opt no-new-privileges
        --read-only --tmpfs "$scratch" --env "HOME=$scratch" --env "TMPDIR=$scratch"
    )
    # Progress bars are for terminals. Otherwise standard output and standard error stay apart.
    [[ ! -t 1 || ! -t 2 ]] || container_arguments+=(--tty)
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
