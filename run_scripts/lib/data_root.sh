# shellcheck shell=bash
# The data root: made if missing, and used by one run at a time.

# open_data_root ROOT: make the directory (an absolute path) if it is missing, and lock it until this process and those
# that it starts have ended.
#
# The lock is flock's on an open file: the kernel drops it when the last process that has the file open ends, killed or
# not. A script that another one starts inherits the open file, whose number is in PIPELINE_LOCK_DESCRIPTOR.
open_data_root() {
    local root="$1" descriptor="${PIPELINE_LOCK_DESCRIPTOR:-}"
    local lock="$root/.lock"
    make_directory "$root"
    # The inherited file counts only if it is this very data root's.
    if [[ ! $descriptor =~ ^[0-9]+$ || ! /dev/fd/$descriptor -ef $lock ]]; then
        touch -- "$lock" 2>/dev/null ||
            stop 14 "$lock: this user may not write there. Check the file's permissions, and run this again."
        exec {descriptor}<"$lock"
        export PIPELINE_LOCK_DESCRIPTOR="$descriptor"
    fi
    flock --nonblock "$descriptor" ||
        stop 4 "$root: another run is working on this data root. Wait until it has ended, and run this again."
}
