# shellcheck shell=bash disable=SC2154 # project_root is set by common.sh
# Where a stage runs: in a Docker container, or with PIPELINE_RUNTIME=host in the project's virtual environment.

# shellcheck source-path=SCRIPTDIR source=environment.sh
source "$project_root/run_scripts/lib/environment.sh"
# shellcheck source-path=SCRIPTDIR source=container.sh
source "$project_root/run_scripts/lib/container.sh"

# expect_runtime: check what PIPELINE_RUNTIME asks for.
expect_runtime() {
    case "${PIPELINE_RUNTIME:=docker}" in
        docker | host) ;;
        *) fail "PIPELINE_RUNTIME is '$PIPELINE_RUNTIME'; expected docker or host" ;;
    esac
}

# wants_boundaries: whether the boundaries that maps are drawn with are installed; without them maps are tiles.
wants_boundaries() {
    [[ ${PIPELINE_MAPS:-yes} != no ]]
}

# wants_cluster: whether Dask is installed, which stage 3 on a cluster needs, and what the cluster itself is.
wants_cluster() {
    [[ ${PIPELINE_CLUSTER:-no} == yes ]]
}

# prepare_runtime: make the image or the virtual environment if it is not there yet.
prepare_runtime() {
    case "$PIPELINE_RUNTIME" in
        docker) build_image ;;
        host) set_up_environment default ;;
    esac
}

# project_revision: print the commit of the code that runs: git's, else the one that the image is labelled with.
project_revision() {
    local revision
    revision="$(git_revision)"
    if [[ $revision == unknown && $PIPELINE_RUNTIME == docker ]]; then
        revision="$(image_revision)"
    fi
    printf '%s\n' "$revision"
}

# make_run_id: print an id for a run that starts now.
make_run_id() {
    printf '%s-%s\n' "$(date --utc +%Y-%m-%dT%H%M%SZ)" "$(project_revision)"
}

# run_stage STAGE ARGUMENT...: run a stage with its own options, and exit with its status. A container sees the paths
# that `mount_path` was given.
run_stage() {
    prepare_runtime
    case "$PIPELINE_RUNTIME" in
        docker)
            local status=0
            run_in_container "$@" || status=$?
            ((status != 125)) ||
                stop 14 "Docker could not start the container; its own message is above. Mend that, and run this again."
            exit "$status"
            ;;
        host) exec_engagement "$@" ;;
    esac
}
