#!/usr/bin/env bash
#
# Stage 5: analyse the messages and the participants.
#   reads   <data-root>/State/analysis/ from stage 3, and the pipeline configuration and its coding plans
#   writes  <data-root>/Outputs/Automated Analysis/, and Drive if configured
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"
# shellcheck source-path=SCRIPTDIR source=lib/analysis.sh
source "$project_root/run_scripts/lib/analysis.sh"

# shellcheck disable=SC2034 # for the help
purpose="Make tables, graphs, maps and the report from stage 3's results."

run_project_stage automated-analysis "$@"
