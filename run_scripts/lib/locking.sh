# shellcheck shell=bash
# Lock a data root, so only one run at a time uses it.

# claim_directory DIRECTORY: create the directory (an absolute path) if missing, and lock it until this process and those
# it starts have ended.
#
# The lock is an flock on an open file: the kernel releases it when the last process with the file open ends, killed or
# not. Scripts started by another one inherit the open file; its number is in PIPELINE_LOCK_DESCRIPTOR.
claim_directory() {
    local descriptor="${PIPELINE_LOCK_DESCRIPTOR:-}" lock="$1/.lock" inherited=""
    make_directory "$1"
    # The inherited file only counts if it belongs to this directory.
    if [[ $descriptor =~ ^[0-9]+$ && /dev/fd/$descriptor -ef $lock ]]; then
        inherited="$descriptor"
    else
        touch -- "$lock" 2>/dev/null ||
            stop 14 "$lock: this user may not write there. Check the file's permissions, and run this again."
        exec {descriptor}<"$lock"
        export PIPELINE_LOCK_DESCRIPTOR="$descriptor"
    fi
    # The command `status` holds the lock for a moment to test it.
    flock --wait 0.3 "$descriptor" || {
        local holder
        # The last holder of the lock wrote this, and still holds it.
        holder="$(head --bytes 500 -- "$lock" | tr --delete --complement '[:print:]')" || true
        stop 4 "$1: another run is working on this directory${holder:+: $holder}. Wait until it has ended, and run this again."
    }
    [[ $descriptor == "${inherited:-}" ]] || name_holder "$1" "${0##*/}"
}

# name_holder DIRECTORY WHAT: write down who has locked the directory since when, and WHAT this process does there. It is
# only for people to read, so failing to write it does not matter.
name_holder() {
    TZ=UTC0 printf '%s of user %s, process %d, since %(%Y-%m-%dT%H:%M:%SZ)T\n' "$2" \
        "$(id --user --name 2>/dev/null || id --user)" "$$" -1 2>/dev/null >"$1/.lock" || true
}
