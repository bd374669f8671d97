# shellcheck shell=bash disable=SC2154 # purpose is set by the script that sources this
# The command line of stage 5's two scripts, which differ in their outputs. A script that sources this sets `purpose`, one
# sentence for its help.

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] <user> <google-cloud-credentials-file-path> <pipeline-configuration-file-path> <data-root>

$purpose

  <user>                                name of the person running this
  <google-cloud-credentials-file-path>  Google Cloud service account's key, a JSON file
  <pipeline-configuration-file-path>    pipeline configuration, a JSON file
  <data-root>                           directory with all the pipeline's data

  --jobs N               draw N charts at a time
  --upload-only          only upload the last run's outputs to Drive
  --profile-cpu FILE     profile processor time: a web page, or FlameGraph stacks if FILE ends in .folded
  --profile-memory FILE  record memory over time, for 'mprof plot FILE'
  --quiet                only print warnings and errors
  -h, --help             show this help and exit
TEXT
}

take_option() {
    case "$1" in
        --jobs) take_value "$@" ;;
        --upload-only) take_flag "$@" ;;
        --profile-cpu | --profile-memory) take_profile "$@" ;;
        --quiet) take_quiet ;;
        *) refuse_option "$@" ;;
    esac
}

# analyse STAGE ARGUMENT...: run a stage of the analysis with the script's own arguments.
analyse() {
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
    mount_path ro "$(dirname -- "$configuration")"
    mount_path rw "$data_root"
    run_stage "$stage" --user "$user" --credentials "$credentials" --pipeline-configuration "$configuration" \
        --data-root "$data_root" "${stage_options[@]}"
}
