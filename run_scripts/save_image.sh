#!/usr/bin/env bash
#
# Save the Docker image to a file, for a machine that can't build it because it reaches no registry.
#   reads   this clone
#   writes  <file>
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [-h | --help] <file>

Save the Docker image of this clone, building it if missing. On the other machine, load it with
'docker load --input <file>': the run scripts of a clone of the same commit then use it.

  <file>  file to write, e.g. engagement-pipeline.tar.gz

PIPELINE_MAPS=no saves a smaller image, without boundaries for maps; PIPELINE_SUGGESTIONS=yes a larger one, with
scikit-learn for suggested labels.
TEXT
}

main() {
    if [[ ${1:-} == -h || ${1:-} == --help ]]; then
        usage
        exit 0
    fi
    [[ ${1:-} != -* ]] || fail "unknown option: $1"
    expect_arguments 1 $#
    local file folder
    file="$(realpath --canonicalize-missing -- "$1")"
    folder="$(dirname -- "$file")"
    [[ -d $folder ]] || fail "no such directory: '$folder'"
    [[ ! -d $file ]] || fail "expected the path of a file but '$file' is a directory"

    build_image
    save_image "$file.partial" || {
        rm -f -- "$file.partial"
        stop 14 "$file: the image could not be saved. Check the disk and its permissions, and run this again."
    }
    mv -- "$file.partial" "$file"
    # shellcheck disable=SC2154 # build_image sets it
    say "Saved the image $image: '$file'."
}

main "$@"
