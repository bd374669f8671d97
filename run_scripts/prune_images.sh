#!/usr/bin/env bash
#
# Remove old Docker images of this clone; the current one, the one before and everything else on the engine stay.
#   reads   this clone, for the name of its current image
set -euo pipefail

script="$(realpath -- "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "${script%/*}/lib/common.sh"

usage() {
    cat <<TEXT
Usage: ${0##*/} [--all] [-h | --help]

Remove the Docker images that this clone built and no longer needs: all but those of the current version and of the one
before. Images of other clones, of clones' running containers and of other projects stay. Each build does this by itself.

  --all       also remove images that other clones of this project built, or that say nothing about their clone
  -h, --help  show this help and exit
TEXT
}

main() {
    local problem all=""
    case "${1:-}" in
        -h | --help)
            usage
            exit 0
            ;;
        --all)
            all=--all
            shift
            ;;
        -*) fail "unknown option: $1" ;;
    esac
    expect_arguments 0 $#
    if problem="$(find_docker_problem)"; then
        stop 14 "$problem. Install or start Docker, and run this again."
    fi
    remove_old_images ${all:+"$all"}
}

main "$@"
