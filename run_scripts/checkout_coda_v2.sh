#!/usr/bin/env bash
#
# Check out Coda V2's own administration tools. No stage needs them: a failure here is a warning, with status 0.
#   reads   the CodaV2 repository
#   writes  <coda-v2-root>, if it does not exist
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"

repository="${CODA_V2_REPOSITORY:-https://github.com/AfricasVoices/CodaV2.git}"
most_seconds=120

usage() {
    cat <<TEXT
Usage: ${0##*/} <coda-v2-root>

Clone the CodaV2 repository, for its administration tools, unless the directory exists. Stages 1 and 4 call this but do
not need the tools, so a failed clone is a warning, with status 0.

  <coda-v2-root>  directory for the clone
  -h, --help      show this help and exit

  CODA_V2_REPOSITORY  URL of the repository (default: $repository)
TEXT
}

main() {
    case "${1:-}" in
        -h | --help)
            usage
            exit 0
            ;;
        -*) fail "unknown option: $1" ;;
    esac
    expect_arguments 1 $#
    local coda_v2_root="$1" problem
    expect_directory coda_v2_root
    if [[ ! -e $coda_v2_root ]]; then
        problem="$(check_out "$coda_v2_root" 2>&1)" ||
            say "WARNING: $coda_v2_root: CodaV2 could not be cloned from $(without_password "$repository"): \
$(without_password "${problem##*$'\n'}"); the pipeline continues without its tools."
    fi
}

# check_out DIRECTORY: clone into the directory, which appears when the clone is complete. Replaces a killed run's remains.
# Of several runs at once, one clones and the others wait.
check_out() {
    local parent lock
    parent="$(dirname -- "$1")"
    mkdir -p -- "$parent" || return
    exec {lock}<"$parent" || return
    # git keeps the lock open, too: if only this script is killed, nobody removes files that git is still writing.
    flock --wait "$most_seconds" "$lock" || {
        printf 'another run is busy in %s\n' "$parent"
        return 1
    }
    [[ ! -e $1 ]] || return 0
    rm -rf -- "$1.partial" || return
    # Never ask for a password: nobody may be there.
    GIT_TERMINAL_PROMPT=0 GIT_ASKPASS=true GIT_SSH_COMMAND="ssh -o BatchMode=yes" \
        timeout --foreground --kill-after=5 "$most_seconds" git clone --quiet --depth 1 -- "$repository" "$1.partial" </dev/null || {
        # The last line is the one shown.
        (($? != 124)) || printf 'no answer in %s s\n' "$most_seconds"
        rm -rf -- "$1.partial"
        return 1
    }
    mv --no-target-directory -- "$1.partial" "$1"
}

# without_password TEXT: print the text without the user and password of a URL in it.
without_password() {
    sed -E 's|://[^/@[:space:]]*@|://|g' <<<"$1"
}

main "$@"
