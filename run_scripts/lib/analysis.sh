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
