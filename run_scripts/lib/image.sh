# shellcheck shell=bash disable=SC2154 # project_root and tools_directory are set by common.sh and environment.sh
# The one Docker image of all stages: build it, name it, and remove old ones.

# build_image: build this clone's image unless it exists, and set `image`. Its tag is a digest of its sources, so each
# version is built once, and two clones never use each other's image. Scripts that this one starts use the same image, even
# if the clone is updated meanwhile.
build_image() {
    local problem build_lock
    if problem="$(find_docker_problem)"; then
        stop 14 "$problem. Install or start Docker, or set PIPELINE_RUNTIME=host."
    fi
    image="${PIPELINE_IMAGE:-$(image_name)}"
    if ! image_exists; then
        [[ -z ${PIPELINE_IMAGE:-} ]] ||
            stop 14 "PIPELINE_IMAGE is '$image', which is not there. Load it with 'docker load', or unset PIPELINE_IMAGE."
        # Of two runs that need it at once, one builds. The lock is on a file that whoever can build can read.
        exec {build_lock}<"$project_root/Dockerfile"
        flock --nonblock "$build_lock" || {
            say "Another run is building the Docker image: waiting for it."
            flock "$build_lock"
        }
        image_exists || build_missing_image
        exec {build_lock}<&-
    fi
    export PIPELINE_IMAGE="$image"
}

# image_exists: tell whether `image` is there, and set `image_id`.
image_exists() {
    image_id="$(docker images --quiet "$image")"
    [[ -n $image_id ]]
}

# choose_image_of_run ARGUMENT...: use the image of the commit in the run id among the arguments, if it is still there.
choose_image_of_run() {
    local argument found
    for argument in "$@"; do
        [[ $argument =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}Z-([0-9a-f]{40})$ ]] || continue
        found="$(docker images --filter "label=org.opencontainers.image.revision=${BASH_REMATCH[1]}" \
            --format '{{.Repository}}:{{.Tag}}' engagement-pipeline 2>/dev/null | head -n 1)" || true
        if [[ -n $found ]]; then
            export PIPELINE_IMAGE="$found"
        else
            say "The image of the run's commit is not there: today's code is used."
        fi
    done
}

# build_missing_image: build the image; what the engine prints goes to a log of its own.
build_missing_image() {
    local log="$tools_directory/image.log" revision base=() categories=()
    mkdir -p -- "$tools_directory" 2>/dev/null && : 2>/dev/null >"$log" || log="$(mktemp -t engagement-image.XXXXXX)"
    say "Building the Docker image $image; this is done once for each version of the project and takes some minutes. \
What the engine prints is in $log."
    if wants_suggestions; then
        say "It also holds scikit-learn for suggested labels, 140 MB."
        categories=(--build-arg "CATEGORIES=packages cluster suggestions")
    fi
    revision="$(git_revision)"
    [[ -z ${PIPELINE_BASE_IMAGE:-} ]] || base=(--build-arg "BASE_IMAGE=$PIPELINE_BASE_IMAGE")
    if ! run_child docker build --force-rm "${base[@]}" "${categories[@]}" \
        --target "$(image_target)" --label "org.opencontainers.image.revision=$revision" \
        --label "engagement.clone=$project_root" --build-arg "REVISION=$revision" --tag "$image" "$project_root" >"$log" 2>&1; then
        tail -n 12 -- "$log" >&2
        remove_failed_build "$log"
        explain_failed_build "$log"
    fi
    remove_old_images
}

# explain_failed_build LOG: say why the image could not be built, in one line, and exit.
explain_failed_build() {
    [[ -z ${received_signal:-} ]] || exit "$((128 + $(kill -l "$received_signal")))"
    if grep --quiet --ignore-case 'no space left on device' "$1"; then
        local folder free
        folder="$(docker info --format '{{.DockerRootDir}}' 2>/dev/null)" || true
        free="$(df --human-readable --output=avail -- "${folder:-/}" 2>/dev/null | tail -n 1)" || true
        stop 14 "no space left on the engine's disk: ${free:+${free// /}B free in }${folder:-its folder}; 'docker system df' \
shows what takes it; run_scripts/prune_images.sh removes old images of this project. Make room, and run this again."
    fi
    stop 14 "the Docker image could not be built; $1 has all of it. Check the network and the disk, and run this again."
}

# remove_failed_build LOG: remove the images that a failed build has made. The engine names each in a line of its own; those that
# it began with, or had already, stay.
remove_failed_build() {
    local made
    mapfile -t made < <(awk '
        /^Step / { is_old = / : FROM / }
        /^ ---> Using cache/ { is_old = 1 }
        /^ ---> [0-9a-f]+$/ && !is_old { print $2 }' "$1" | tac)
    ((${#made[@]} == 0)) || docker rmi "${made[@]}" >/dev/null 2>&1 || true
}

# remove_old_images [--all]: remove this clone's images but for the current ones and those of the version before, and what earlier
# builds left without a name. Nothing that a container uses, and nothing of other clones unless they are gone; with --all, also
# images that other clones of the project built.
remove_old_images() {
    local name id clone digest kept="" current old=()
    current="$(image_name)"
    digest="${current##*-}"
    # The newest come first.
    while IFS=$'\t' read -r name id; do
        [[ $name != *:*-"$digest" && $name != "${image:-}" ]] || continue
        clone="$(docker image inspect --format '{{index .Config.Labels "engagement.clone"}}' "$id" 2>/dev/null)" || continue
        [[ $clone == "$project_root" || ${1:-} == --all || (-n $clone && ! -e $clone) ]] || continue
        : "${kept:=${name##*-}}"
        [[ ${name##*-} == "$kept" ]] || old+=("$name")
    done < <(docker images --format '{{.Repository}}:{{.Tag}}\t{{.ID}}' engagement-pipeline)
    for name in "${old[@]}"; do
        ! docker rmi "$name" >/dev/null 2>&1 || say "Removed the old Docker image $name."
    done
    # Only what has the Dockerfile's own label. A build of another clone may be between two steps, whose images have no name
    # yet, so those of the last hour stay.
    docker image prune --force --filter label=engagement.image=pipeline --filter until=1h >/dev/null 2>&1 || true
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

# image_name: print the image's name and tag. Its tag is a digest of all that it is made from.
image_name() {
    local digest
    digest="$(
        {
            env --chdir="$project_root" \
                find Dockerfile .dockerignore Pipfile Pipfile.lock src configurations/demo -type f -not -name '*.pyc' \
                -exec sha256sum {} + | LC_ALL=C sort
            printf '%s' "${PIPELINE_BASE_IMAGE:-}"
        } | sha256sum
    )"
    printf 'engagement-pipeline:%s%s-%s\n' "$(image_target)" "$(wants_suggestions && printf -- -suggestions)" "${digest:0:16}"
}

# image_revision: print the image's commit, or "unknown".
image_revision() {
    local revision
    revision="$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' \
        "${PIPELINE_IMAGE:-$(image_name)}" 2>/dev/null)" || true
    printf '%s\n' "${revision:-unknown}"
}
