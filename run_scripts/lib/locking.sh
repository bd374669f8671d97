# shellcheck shell=bash
# A data root is used by one run at a time.

# claim_directory DIRECTORY: make the directory (an absolute path) if it is missing, and lock it until this process and
# those that it starts have ended.
#
# The lock is flock's on an open file: the kernel drops it when the last process that has the file open ends, killed or
# not. A script that another one starts inherits the open file, whose number is in PIPELINE_LOCK_DESCRIPTOR.
claim_directory() {
    local descriptor="${PIPELINE_LOCK_DESCRIPTOR:-}" lock="$1/.lock" inherited=""
    make_directory "$1"
    # The inherited file counts only if it is this very directory's.
    if [[ $descriptor =~ ^[0-9]+$ && /dev/fd/$descriptor -ef $lock ]]; then
        inherited="$descriptor"
    else
        touch -- "$lock" 2>/dev/null ||
            stop 14 "$lock: this user may not write there. Check the file's permissions, and run this again."
        exec {descriptor}<"$lock"
        export PIPELINE_LOCK_DESCRIPTOR="$descriptor"
    fi
    # Whoever asks whether the lock is held has it for a moment: see the command `status`.
    flock --wait 0.3 "$descriptor" || {
        local holder
        # It was written by whoever held the lock last, which is the one who holds it now.
        holder="$(head --bytes 500 -- "$lock" | tr --delete --complement '[:print:]')" || true
        stop 4 "$1: another run is working on this directory${holder:+: $holder}. Wait until it has ended, and run this again."
    }
    [[ $descriptor == "${inherited:-}" ]] || name_holder "$1" "${0##*/}"
}

# name_holder DIRECTORY WHAT: write down, for those who find the directory locked, who has it since when. WHAT is what this
# process does there. It is only for people to read, so that it can't be written is no failure.
name_holder() {
    TZ=UTC0 printf '%s of user %s, process %d, since %(%Y-%m-%dT%H:%M:%SZ)T\n' "$2" \
        "$(id --user --name 2>/dev/null || id --user)" "$$" -1 2>/dev/null >"$1/.lock" || true
}
