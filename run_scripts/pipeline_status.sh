#!/usr/bin/env bash
#
# Report the last runs of the whole pipeline, for people, and for cron to notice a failed night.
#   reads   <data-root>/Runs/, and sizes and counts in <data-root>
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"
# shellcheck source-path=SCRIPTDIR source=lib/status_essentials.sh
source "$project_root/run_scripts/lib/status_essentials.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [options] <data-root>...

Report the last run of run_pipeline.sh: of one data root on a screen, of several in a table. The exit status is 0 if each
last run succeeded, 11 if not.

  <data-root>  directory with all of a pipeline's data; or a directory that holds some, at most three levels deep; or a
               file that lists some, one a line

  --max-age HOURS  also exit 11 if a last good night ended more than this many hours ago
  --json           print the table as JSON
  --html FILE      also write the table as a page
  --quiet          print nothing if all is well
  -h, --help       show this help and exit

This needs neither Docker nor the virtual environment: it uses any Python 3.12 or an image that is there already, or else
shows the essentials.
TEXT
}

take_option() {
    case "$1" in
        --max-age)
            expect_value "$@"
            [[ $2 =~ ^[0-9]+(\.[0-9]+)?$ ]] || fail "--max-age is '$2'; expected a number of hours"
            max_age="$2"
            take_value "$@"
            ;;
        --json)
            needs_python=yes
            take_flag "$@"
            ;;
        --html)
            expect_value "$@"
            needs_python=yes
            page="$(realpath --canonicalize-missing -- "$2")"
            [[ -d $(dirname -- "$page") ]] || fail "no such directory: '$(dirname -- "$page")'"
            [[ ! -d $page ]] || fail "--html needs a file but '$page' is a directory"
            take_value "$1" "$page"
            ;;
        --quiet) take_quiet ;;
        *) refuse_option "$@" ;;
    esac
}

main() {
    local stage_options=() arguments=() data_roots=() max_age="" page="" needs_python=""
    read_options "$@"
    set -- "${arguments[@]}"
    (($# >= 1)) || fail "expected a data root but got none"
    expect_runtime
    local argument
    for argument in "$@"; do
        find_data_roots "$argument"
    done
    if [[ -n $quiet ]]; then
        local output status=0
        output="$(report 2>&1)" || status=$?
        ((status == 0)) || printf '%s\n' "$output" >&2
        exit "$status"
    fi
    report
}

# find_data_roots PATH: add what the path stands for to the caller's `data_roots`.
find_data_roots() {
    local found=() line
    if [[ -f $1 ]]; then
        while IFS= read -r line || [[ -n $line ]]; do
            [[ -z ${line//[[:space:]]/} || $line == \#* ]] || find_data_roots "$line"
        done <"$1"
        return
    fi
    [[ -d $1 ]] || fail "no such directory: '$1'"
    if [[ ! -d $1/Runs ]]; then
        mapfile -t -d '' found < <(find "$(realpath -- "$1")" -mindepth 2 -maxdepth 4 -name Runs -type d -printf '%h\0' | sort -z)
    fi
    ((${#found[@]} > 0)) || found=("$(realpath -- "$1")")
    data_roots+=("${found[@]}")
}

# report: with the first of these that is there: an environment, an image, this machine's Python, bash.
report() {
    local data_root
    if "$environment_python" -c '' 2>/dev/null; then
        exec_engagement status "${stage_options[@]}" "${data_roots[@]}"
    elif [[ $PIPELINE_RUNTIME == docker ]] && has_image; then
        for data_root in "${data_roots[@]}"; do mount_path ro "$data_root"; done
        [[ -z $page ]] || mount_path rw "$(dirname -- "$page")"
        run_stage status "${stage_options[@]}" "${data_roots[@]}"
    fi
    local python
    python="$(type -P python3.12 || type -P python3)" || python=""
    if [[ -n $python ]] && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
        environment_python="$python"
        exec_engagement status "${stage_options[@]}" "${data_roots[@]}"
    fi
    [[ -z $needs_python ]] ||
        stop 14 "this machine has no Python 3.12 and no image of this version; --json and --html need one. Leave them out, or \
run any stage once, which makes them."
    show_essentials
}

main "$@"
