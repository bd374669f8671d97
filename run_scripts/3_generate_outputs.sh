#!/usr/bin/env bash
#
# Stage 3: code the messages, and write the tables and the Coda files.
#   reads   <data-root>/Raw Data/, <data-root>/Coded Coda Files/, the pipeline configuration and its coding plans
#   writes  <data-root>/Outputs/ (except Automated Analysis/), <data-root>/State/, and Drive if configured
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] <user> <google-cloud-credentials-file-path> <pipeline-configuration-file-path> <data-root>

Join, clean, code and fold the raw data; write CSVs, Coda files, ICR samples and traced data.

  <user>                                name of the person running this, for the data's history
  <google-cloud-credentials-file-path>  Google Cloud service account's key, a JSON file
  <pipeline-configuration-file-path>    pipeline configuration, a JSON file
  <data-root>                           directory for all the pipeline's data; created if missing

  --mode MODE            all-stages (the default), or auto-code-only: stop before applying the coders' labels
  --partitions N         split the work into N parts by participant
  --jobs N               work on N parts at a time
  --scheduler ADDRESS    use this scheduler's Dask cluster, like tcp://10.0.0.5:8786; its machines need the data root
                         at the same path
  --tls-ca FILE          for a scheduler at a tls:// address, with the next two: the certificate of the cluster's CA
  --tls-cert FILE        the cluster's certificate
  --tls-key FILE         its key
  --full                 process all participants again, and keep nothing of the last run
  --accept-shrinkage     replace the outputs even if far fewer messages are left than in the last run
  --accept-lost-withdrawals
                         write the outputs even if STOP labels no longer count, including people who withdrew
  --allow-project-code   load cleaners and imputation functions from the configuration's own folder
  --upload-only          only upload the last run's outputs to Drive
  --profile-cpu FILE     profile processor time: a web page, or FlameGraph stacks if FILE ends in .folded
  --profile-memory FILE  record memory over time, for 'mprof plot FILE'
  --quiet                only print warnings and errors
  -h, --help             show this help and exit
TEXT
}

take_option() {
    case "$1" in
        --mode | --partitions | --jobs) take_value "$@" ;;
        --scheduler)
            take_value "$@"
            export PIPELINE_CLUSTER=yes
            ;;
        --tls-ca | --tls-cert | --tls-key)
            expect_value "$@"
            local file="$2"
            expect_file file
            mount_path ro "$file"
            take_value "$1" "$file"
            ;;
        --full | --accept-shrinkage | --accept-lost-withdrawals | --allow-project-code | --upload-only) take_flag "$@" ;;
        --profile-cpu | --profile-memory) take_profile "$@" ;;
        --quiet) take_quiet ;;
        *) refuse_option "$@" ;;
    esac
}

run_project_stage generate-outputs "$@"
