# shellcheck shell=bash disable=SC2154 # project_root is set by common.sh
# Stages in Docker: one image for all of them, and containers that are removed whatever happens. Only here is docker called.
#
# A host path has the same path inside the container. It is mounted with --mount, which refuses a path that does not
# exist, and never copied: no credential or message is left in a stopped container.

read_only_paths=()
writable_paths=()

# mount_path ro|rw PATH: let the stage see one file or directory, given by its absolute path.
mount_path() {
    case "$1" in
        ro) read_only_paths+=("$2") ;;
        rw) writable_paths+=("$2") ;;
    esac
}

# find_docker_problem: print why there is no Docker here; fails if there is.
find_docker_problem() {
    if ! type -P docker >/dev/null; then
        printf 'there is no docker command on this machine\n'
    elif ! timeout 10 docker info >/dev/null 2>&1; then
        printf 'no Docker engine answers\n'
    else
        return 1
    fi
}

# build_image: build the image of this clone unless it is there, and set `image`. Its tag is a digest of all that goes
# into it, so it is built once for each version, and two clones never take each other's.
build_image() {
    local problem found revision output
    if problem="$(find_docker_problem)"; then
        stop 14 "$problem. Install or start Docker, or set PIPELINE_RUNTIME=host."
    fi
    image="$(image_name)"
    found="$(docker images --quiet "$image")"
    if [[ -z $found ]]; then
        say "Building the Docker image $image; this is done once for each version of the project and takes some minutes."
        revision="$(git_revision)"
        output="$(docker build --quiet --label "org.opencontainers.image.revision=$revision" --tag "$image" \
            "$project_root" 2>&1)" ||
            stop 14 "$(printf '%s\nthe Docker image could not be built. Check the network and the disk, and run this again.' "$output")"
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
    printf 'engagement-pipeline:%s\n' "${digest:0:16}"
}

# image_revision: print the commit that the image was built from, or "unknown".
image_revision() {
    local revision
    revision="$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' \
        "$(image_name)" 2>/dev/null)" || true
    printf '%s\n' "${revision:-unknown}"
}

# run_in_container STAGE ARGUMENT...: run a stage in a container that sees the mounted paths, and what its configuration
# names besides them. Returns the stage's status, or Docker's own 125.
run_in_container() {
    local plan line network=none environment_names=()
    plan="$(plan_container "$@")" || return
    if [[ $plan == *"look "* ]]; then
        # Credentials that the configuration names can name a directory themselves.
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
    describe_container "$network"
    run_child docker run "${container_arguments[@]}" "$image" "$@"
}

# exec_in_container ARGUMENT...: become `python -m engagement` in a container that sees the mounted paths and shares this
# machine's network.
exec_in_container() {
    local environment_names=()
    describe_container host
    exec docker run "${container_arguments[@]}" "$image" "$@"
}

# plan_container STAGE ARGUMENT...: print what a stage needs, by the project's own code: it reads the configuration in a
# container that sees the read-only paths and no network.
plan_container() {
    local writable_paths=() environment_names=(FIRESTORE_EMULATOR_HOST STORAGE_EMULATOR_HOST)
    describe_container none
    docker run "${container_arguments[@]}" "$image" container-plan "$@"
}

# mount_planned PLAN WORD ro|rw: mount every path that the plan names after the word. What is to be read and is not there
# is left for the stage to report; where something is to be written, the directory is made.
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

# describe_container NETWORK: set `container_arguments` to the options of `docker run`.
describe_container() {
    local path name
    container_arguments=(--rm --init --user "$(id -u):$(id -g)" --network "$1")
    local -A access=()
    for path in "${read_only_paths[@]}"; do access[$path]=",readonly"; done
    for path in "${writable_paths[@]}"; do access[$path]=""; done
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
