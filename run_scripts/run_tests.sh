#!/usr/bin/env bash
#
# Set up the virtual environment, and check the whole project: Python's and bash's lint and format, and all tests.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [-h | --help] [<pytest-argument>...]

Lint, check the format of, and test the project, in a virtual environment that is made if it is missing. The arguments are
passed on to pytest. The exit status is that of the first check that does not hold.
TEXT
}

main() {
    if [[ ${1:-} == -h || ${1:-} == --help ]]; then
        usage
        exit 0
    fi
    local tools="$project_root/.venv/bin" scripts status=0
    scripts=("$project_root"/run_scripts/*.sh "$project_root"/run_scripts/lib/*.sh "$project_root"/.ci/*)
    export PIPELINE_CLUSTER=yes
    set_up_environment development
    check "lint of Python" "$tools/ruff" check "$project_root/src" "$project_root/tests"
    check "format of Python" "$tools/ruff" format --check "$project_root/src" "$project_root/tests"
    check "lint of bash" "$tools/shellcheck" --external-sources "${scripts[@]}"
    check "format of bash" "$tools/shfmt" -i 4 -ci -d "${scripts[@]}"
    # What a file's tests prepare once is prepared by one process.
    check "tests" env --chdir="$project_root" "$tools/python" -m pytest --numprocesses auto --dist loadscope "$@"
    exit "$status"
}

# check NAME COMMAND ARGUMENT...: run a check, and keep the status of the first that fails.
check() {
    local found=0
    say "== $1"
    "${@:2}" || found=$?
    ((status != 0)) || status="$found"
}

main "$@"
