# shellcheck shell=bash
# Read a script's options. A script that sources this defines them in the function `take_option`: a `case` that gets the
# rest of the command line, and takes its first option with the functions below.

# read_options ARGUMENT...: read the options, which come first. Add those for the stage to the caller's `stage_options`, and
# set the caller's `arguments` to the rest.
read_options() {
    while [[ ${1:-} == -* ]]; do
        if [[ $1 == -h || $1 == --help ]]; then
            usage
            exit 0
        fi
        taken=1
        take_option "$@"
        shift "$taken"
    done
    # shellcheck disable=SC2034 # for the caller
    arguments=("$@")
}

# take_flag OPTION...: pass an option without a value on to the stage.
take_flag() {
    stage_options+=("$1")
}

# take_quiet: take --quiet. The script and its stage then only print warnings and errors.
take_quiet() {
    # shellcheck disable=SC2034 # `say` and `run_stage` look at it
    quiet=yes
}

# take_value OPTION VALUE...: pass an option with its value on to the stage.
take_value() {
    expect_value "$@"
    stage_options+=("$1" "$2")
}

# take_profile OPTION FILE...: pass an option with a profile's file on to the stage, and let the stage write to the file's
# folder.
take_profile() {
    expect_value "$@"
    local profile folder
    profile="$(realpath --canonicalize-missing -- "$2")"
    folder="${profile%/*}"
    [[ -d ${folder:-/} ]] || fail "no such directory: '$folder'"
    [[ ! -d $profile ]] || fail "$1 needs a file but '$profile' is a directory"
    mount_folder_of rw "$profile"
    take_value "$1" "$profile"
}

# refuse_option OPTION...: report an unknown option.
refuse_option() {
    fail "unknown option: $1"
}

# expect_value OPTION...: check that the first option in the rest of the command line has a value, and take both.
expect_value() {
    (($# >= 2)) || fail "option $1 needs a value"
    taken=2
}

# expect_days OPTION...: check that the first option has a number of days.
expect_days() {
    expect_value "$@"
    [[ $2 =~ ^[0-9]{1,5}$ ]] || fail "$1 is '$2'; expected a number of days"
}
