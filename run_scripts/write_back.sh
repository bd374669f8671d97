#!/usr/bin/env bash
#
# Optional stage, after stage 5: write back to RapidPro's contacts.
#   reads   the pipeline configuration, <data-root>/Contacts/ and State/, and RapidPro
#   writes  groups and fields of contacts in RapidPro, <data-root>/Hand-overs/ and State/write_back/
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] <user> <google-cloud-credentials-file-path> <pipeline-configuration-file-path> <data-root>

Write back to RapidPro who withdrew, which questions are answered, and the groups of selections.

  <user>                                name of the person running this, for the record of hand-overs
  <google-cloud-credentials-file-path>  Google Cloud service account's key, a JSON file
  <pipeline-configuration-file-path>    pipeline configuration, a JSON file
  <data-root>                           directory for all the pipeline's data; created if missing

  --dry-run   only print what would change, in counts
  --full      compare with RapidPro itself, and not with what was written before
  --accept-many
              write even if more contacts change than AtMost, or many withdrew at once
  --quiet     only print warnings and errors
  -h, --help  show this help and exit
TEXT
}

take_option() {
    case "$1" in
        --dry-run | --full | --accept-many) take_flag "$@" ;;
        --quiet) take_quiet ;;
        *) refuse_option "$@" ;;
    esac
}

run_project_stage write-back "$@"
