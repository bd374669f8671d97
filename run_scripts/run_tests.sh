#!/usr/bin/env bash
#
# Set up the virtual environment, and check the whole project: lint and format of Python and bash, Python types, and all
# tests.
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [-h | --help] [--quick] [--tests-only] [--coverage] [<pytest-argument>...]

Check the project's lint, format, types and tests in a virtual environment, created if missing. Other arguments are
passed to pytest. The exit status is that of the first check that fails.

  --quick       only run unit tests and tests of the project's own files, without slow ones, and with fewer examples of
                each property
  --tests-only  only run the tests: lint, format and types are the same on every Python
  --coverage    measure which lines run in the tests' own processes, and print each room's share
  -h, --help    show this help and exit
TEXT
}

main() {
    local tools="$project_root/.venv/bin" scripts options=() tests=() is_measured=no is_linted=yes status=0
    while (($#)); do
        case "$1" in
            -h | --help)
                usage
                exit 0
                ;;
            --quick)
                options+=(--hypothesis-profile quick -m "not slow")
                tests=(tests/unit tests/data)
                ;;
            --tests-only) is_linted=no ;;
            --coverage)
                options+=(--cov --cov-report=)
                is_measured=yes
                ;;
            *) break ;;
        esac
        shift
    done
    scripts=("$project_root"/run_scripts/*.sh "$project_root"/run_scripts/lib/*.sh "$project_root"/.ci/*)
    export PIPELINE_CLUSTER=yes PIPELINE_SUGGESTIONS=yes
    set_up_environment development
    if [[ $is_linted == yes ]]; then
        check "lint of Python" "$tools/ruff" check "$project_root/src" "$project_root/tests"
        check "format of Python" "$tools/ruff" format --check "$project_root/src" "$project_root/tests"
        check "types of Python" env --chdir="$project_root" "$tools/python" -m mypy
        check "lint of bash" "$tools/shellcheck" --external-sources "${scripts[@]}"
        check "format of bash" "$tools/shfmt" -i 4 -ci -d "${scripts[@]}"
    fi
    # Each file's tests run in one process, so they share their set-up. In the order of tests/conftest.py: pytest-xdist's own
    # begins with the files of most tests, and ends with those of few that take minutes, on one processor.
    check "tests" env --chdir="$project_root" "$tools/python" -m pytest --numprocesses auto --dist loadscope \
        --no-loadscope-reorder "${options[@]}" "$@" "${tests[@]}"
    if [[ $is_measured == yes ]]; then
        check "coverage of each room" env --chdir="$project_root" "$tools/python" tests/coverage_by_room.py
    fi
    exit "$status"
}

# check NAME COMMAND ARGUMENT...: run a check, and keep the status of the first one that fails.
check() {
    local found=0
    say "== $1"
    "${@:2}" || found=$?
    ((status != 0)) || status="$found"
}

main "$@"
