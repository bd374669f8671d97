#!/usr/bin/env bash
#
# Stage 5, graphs only: traffic per week, and the distribution of each code scheme.
#   reads   <data-root>/State/analysis/ from stage 3, and the pipeline configuration and its coding plans
#   writes  <data-root>/Outputs/Automated Analysis/graphs/, and Drive if configured
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"
# shellcheck source-path=SCRIPTDIR source=lib/analysis.sh
source "$project_root/run_scripts/lib/analysis.sh"

# shellcheck disable=SC2034 # for the help
purpose="Redraw the graphs of the automated analysis; its tables, maps and report do not change."

run_project_stage generate-analysis-graphs "$@"
