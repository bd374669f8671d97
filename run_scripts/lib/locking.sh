# shellcheck shell=bash
# A data root is used by one run at a time.

# claim_directory DIRECTORY: make the directory (an absolute path) if it is missing, and lock it until this process and
# those that it starts have ended.
#
# The lock is flock's on an open file: the kernel drops it when the last process that has the file open ends, killed or
# not. A script that another one starts inherits the open file, whose number is in PIPELINE_LOCK_DESCRIPTOR.
claim_directory() {
    local descriptor="${PIPELINE_LOCK_DESCRIPTOR:-}" lock="$1/.lock"
    make_directory "$1"
    # The inherited file counts only if it is this very directory's.
    if [[ ! $descriptor =~ ^[0-9]+$ || ! /dev/fd/$descriptor -ef $lock ]]; then
        touch -- "$lock" 2>/dev/null ||
            stop 14 "$lock: this user may not write there. Check the file's permissions, and run this again."
        exec {descriptor}<"$lock"
        export PIPELINE_LOCK_DESCRIPTOR="$descriptor"
    fi
    flock --nonblock "$descriptor" ||
        stop 4 "$1: another run is working on this directory. Wait until it has ended, and run this again."
}
