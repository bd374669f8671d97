# shellcheck shell=bash disable=SC2154 # project_root is set by common.sh
# Run a stage in a Docker container, or with PIPELINE_RUNTIME=host in the project's virtual environment.

# shellcheck source-path=SCRIPTDIR source=environment.sh
source "$project_root/run_scripts/lib/environment.sh"
# shellcheck source-path=SCRIPTDIR source=image.sh
source "$project_root/run_scripts/lib/image.sh"
# shellcheck source-path=SCRIPTDIR source=container.sh
source "$project_root/run_scripts/lib/container.sh"

# expect_runtime: check the value of PIPELINE_RUNTIME.
expect_runtime() {
    case "${PIPELINE_RUNTIME:=docker}" in
        docker | host) ;;
        *) fail "PIPELINE_RUNTIME is '$PIPELINE_RUNTIME'; expected docker or host" ;;
    esac
    [[ ${PIPELINE_MEMORY:-1g} =~ ^[1-9][0-9]*[bkmgBKMG]?$ ]] ||
        fail "PIPELINE_MEMORY is '$PIPELINE_MEMORY'; expected an amount of memory like 2g or 1500m"
}

# wants_boundaries: tell whether to install boundaries for maps; without them, maps are tiles.
wants_boundaries() {
    [[ ${PIPELINE_MAPS:-yes} != no ]]
}

# wants_cluster: tell whether to install Dask, which the cluster and stage 3 on it need.
wants_cluster() {
    [[ ${PIPELINE_CLUSTER:-no} == yes ]]
}

# wants_suggestions: tell whether to install scikit-learn, which learns what labels to suggest.
wants_suggestions() {
    [[ ${PIPELINE_SUGGESTIONS:-no} == yes ]]
}

# prepare_runtime: create the image or the virtual environment if missing.
prepare_runtime() {
    case "$PIPELINE_RUNTIME" in
        docker) build_image ;;
        host) set_up_environment default ;;
    esac
}

# project_revision: print the running code's commit, from git or else from the image's label.
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

# run_stage STAGE ARGUMENT...: run a stage with its own options, and exit with its status. A container sees the paths given
# to `mount_path`.
run_stage() {
    [[ -z $quiet ]] || export ENGAGEMENT_QUIET=yes
    prepare_runtime
    case "$PIPELINE_RUNTIME" in
        docker)
            local status=0
            run_in_container "$@" || status=$?
            case "$status" in
                125) stop_after_docker_failed ;;
                137) explain_kill "$1" ;;
            esac
            exit "$status"
            ;;
        host)
            name_working_lock "$1, process $$ on this machine"
            exec_engagement "$@"
            ;;
    esac
}

# explain_kill STAGE: say why a stage's container was killed, as far as that is known.
explain_kill() {
    local limit=""
    [[ -z ${PIPELINE_MEMORY:-} ]] || limit=" PIPELINE_MEMORY allows it $PIPELINE_MEMORY."
    say "ERROR: $1 was killed, most likely because memory ran out.$limit Give it more memory, and run this again: nothing is lost."
}

# run_project_stage STAGE ARGUMENT...: run a stage with its script's command line: options, which the script's `take_option`
# takes, then user, credentials, pipeline configuration and data root.
run_project_stage() {
    local stage="$1"
    shift
    local stage_options=() arguments=()
    read_options "$@"
    set -- "${arguments[@]}"
    expect_arguments 4 $#
    local user="$1" credentials="$2" configuration="$3" data_root="$4"
    expect_file credentials
    expect_file configuration
    expect_directory data_root
    expect_runtime

    claim_directory "$data_root"

    mount_path ro "$credentials"
    mount_folder_of ro "$configuration"
    mount_path rw "$data_root"
    run_stage "$stage" --user "$user" --credentials "$credentials" --pipeline-configuration "$configuration" \
        --data-root "$data_root" "${stage_options[@]}"
}
