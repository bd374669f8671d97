#!/usr/bin/env bash
#
# Stage 5, the graphs alone: traffic per week, and the distribution of each code scheme.
#   reads   <data-root>/State/analysis/, which stage 3 leaves, and the pipeline configuration and its coding plans
#   writes  <data-root>/Outputs/Automated Analysis/graphs/, and Drive where that is configured
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
# shellcheck source-path=SCRIPTDIR source=lib/analysis.sh
source "$project_root/run_scripts/lib/analysis.sh"

# shellcheck disable=SC2034 # for the help
purpose="Draw the graphs of the automated analysis anew, and leave its tables, maps and report as they are."

analyse generate-analysis-graphs "$@"
