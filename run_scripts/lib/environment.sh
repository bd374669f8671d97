# shellcheck shell=bash disable=SC2154 # project_root is set by common.sh
# The project's virtual environment on this machine: .venv beside the Pipfile, made by pipenv from Pipfile.lock.

environment_python="$project_root/.venv/bin/python"
tools_directory="$project_root/.tools"

# exec_engagement ARGUMENT...: become `python -m engagement`, so that signals and the exit status are its own.
#
# Python 3.12.1 can leave cut compiled files behind on a full disk, and then fails at every start: none are written.
exec_engagement() {
    PYTHONPATH="$project_root/src" PYTHONDONTWRITEBYTECODE=1 exec "$environment_python" -m engagement "$@"
}

# set_up_environment default|development: make or renew the virtual environment, if it is not the one that Pipfile.lock
# describes; for development it holds the tools for testing as well.
set_up_environment() {
    if ! environment_is_current "$1"; then
        make_directory "$tools_directory"
        (
            # Nothing in it is private, and other users may run the same clone.
            umask 022
            flock --nonblock 8 || {
                say "Another run is setting up the virtual environment: waiting for it."
                flock 8
            }
            environment_is_current "$1" || synchronise_environment "$1"
        ) 8>"$tools_directory/lock" || exit
    fi
}

# environment_is_current default|development: whether the virtual environment was made from this Pipfile.lock.
environment_is_current() {
    local digest purpose
    [[ -x $environment_python && -r $project_root/.venv/synchronised ]] || return
    read -r digest purpose <"$project_root/.venv/synchronised" || return
    [[ $digest == "$(lock_digest)" && ($purpose == "$1" || $purpose == development) ]]
}

lock_digest() {
    sha256sum <"$project_root/Pipfile.lock" | cut -d ' ' -f 1
}

synchronise_environment() {
    local python log="$tools_directory/set-up.log" options=()
    python="$(find_python)" || stop 14 "no Python 3.12 on this machine. Install it (on Debian and Ubuntu: apt-get install \
python3.12 python3.12-venv; elsewhere: pyenv install 3.12), or let the stages run in Docker."
    say "Setting up the virtual environment with $("$python" --version); this is done once and takes a minute or two."
    [[ $1 == default ]] || options+=(--dev)
    # Installers keep their caches in HOME.
    if [[ ! -d ${HOME:-} ]]; then
        export HOME="$tools_directory/home"
        make_directory "$HOME"
    fi
    runs_python_3_12 "$environment_python" || rm -rf -- "$project_root/.venv"
    if ! {
        find_pipenv "$python" && make_environment "$python" && run_pipenv sync "${options[@]}"
    } >"$log" 2>&1; then
        tail -n 20 -- "$log" >&2
        stop 14 "the virtual environment could not be set up; $log has all of it. Check the network and the disk, and run \
this again."
    fi
    printf '%s %s\n' "$(lock_digest)" "$1" >"$project_root/.venv/synchronised"
}

# make_environment PYTHON: make the virtual environment, empty, unless it is there.
make_environment() {
    [[ -x $environment_python ]] || run_pipenv --python "$1"
}

# find_python: print the path of a Python 3.12. The one on the PATH may be pyenv's placeholder, which refuses to run.
find_python() {
    local account_home candidate
    account_home="$(getent passwd "$(id -u)" | cut -d : -f 6)"
    for candidate in "$(command -v python3.12)" \
        "${PYENV_ROOT:-/nonexistent}"/versions/3.12.*/bin/python3.12 \
        "${HOME:-/nonexistent}"/.pyenv/versions/3.12.*/bin/python3.12 \
        "${account_home:-/nonexistent}"/.pyenv/versions/3.12.*/bin/python3.12; do
        if runs_python_3_12 "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

runs_python_3_12() {
    [[ -x $1 ]] && "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null
}

# find_pipenv PYTHON: set `pipenv_command` to the pipenv of this machine, else to one of the project's own.
find_pipenv() {
    pipenv_command=(pipenv)
    if ! pipenv --version; then
        local version
        # The Dockerfile is the one place that names the version.
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
